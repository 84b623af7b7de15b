"""A headless Chromium, and pages of course content on an origin of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from playwright.sync_api import Browser, sync_playwright

from infra.local.browser import Browser as Installed


@contextmanager
def started_chromium(installed: Installed) -> Iterator[Browser]:
    """The browser of this machine, started."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=installed.executable,
            args=list(installed.arguments),
            env={**os.environ, **installed.environment},
            chromium_sandbox=False,
        )
        yield started
        started.close()


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A course</title>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nobody reads it."""


@contextmanager
def course_content() -> Iterator[str]:
    """The address of a blank page of another origin than the store's, as course content has it; any path is one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Blank)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
