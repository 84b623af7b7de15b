"""Somebody else's endpoint on the loopback interface: keeps what it is sent, and answers what it is told to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.builders.server import ServedApp


@dataclass
class Sent:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


Answering = Callable[[Sent], Response]


def answer(status: int, body: str = "", **headers: str) -> Answering:
    """Always the same answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Response(body, status_code=status, headers=named)


@dataclass
class Receiver:
    """Serves until the block ends; `answering` may be changed at any time."""

    answering: Answering = field(default_factory=lambda: answer(204))
    requests: list[Sent] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = f"{scope['path']}?{scope['query_string'].decode()}".rstrip("?")
        sent = Sent(request.method, path, dict(request.headers), await request.body())
        self.requests.append(sent)
        await self.answering(sent)(scope, receive, send)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def posts(self) -> list[Sent]:
        return [item for item in self.requests if item.method == "POST"]

    def __enter__(self) -> Self:
        self._server = ServedApp(self)
        self._server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.__exit__()
