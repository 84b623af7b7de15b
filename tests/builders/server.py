"""An ASGI app behind a real HTTP server on the loopback interface, in a thread with an event loop of its own."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

import uvicorn
from starlette.types import ASGIApp

from infra.local.ports import LOOPBACK, free_port

Result = TypeVar("Result")


class ServedApp:
    """Serves until the block ends; `run` executes a coroutine in the server's loop."""

    def __init__(self, app: ASGIApp) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        config = uvicorn.Config(app, host=LOOPBACK, port=self.port, log_config=None, lifespan="off", interface="asgi3")
        self._server = uvicorn.Server(config)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve())

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """The coroutine's result, computed where the app runs."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=60)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            threading.Event().wait(0.01)
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=30)
        self._loop.close()
