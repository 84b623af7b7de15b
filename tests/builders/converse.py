"""A small server that speaks Amazon Bedrock's Converse over HTTP, and answers what a test says."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote

Reply = tuple[int, dict[str, str], bytes, float]


def tool_answer(given: object, *, stop: str = "tool_use", tokens: tuple[int, int] = (1200, 300)) -> Reply:
    """An answer that calls the tool `record_draft` with what is given."""
    return _message([{"toolUse": {"toolUseId": "tooluse_1", "name": "record_draft", "input": given}}], stop, tokens)


def text_answer(text: str, *, stop: str = "end_turn") -> Reply:
    """An answer of a model that calls no tool."""
    return _message([{"text": text}], stop, (1200, 300))


def refusal(status: int, code: str) -> Reply:
    """An error as the service gives it: its name in a header."""
    body = json.dumps({"message": f"{code} of a test"}).encode()
    return status, {"x-amzn-ErrorType": code}, body, 0.0


def late(reply: Reply, seconds: float) -> Reply:
    """The reply, after a while."""
    return (*reply[:3], seconds)


def _message(content: Sequence[Mapping[str, Any]], stop: str, tokens: tuple[int, int]) -> Reply:
    answer = {
        "output": {"message": {"role": "assistant", "content": list(content)}},
        "stopReason": stop,
        "usage": {"inputTokens": tokens[0], "outputTokens": tokens[1], "totalTokens": sum(tokens)},
        "metrics": {"latencyMs": 5},
    }
    return 200, {}, json.dumps(answer).encode(), 0.0


class ConverseServer:
    """Listens on loopback; gives its replies in order, the last one for ever, and keeps what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.requests: list[dict[str, Any]] = []
        self.models: list[str] = []
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, content, seconds = server._reply(self.path, body)
                time.sleep(seconds)
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """A client that has gone away is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def _reply(self, path: str, body: bytes) -> Reply:
        prefix, model, action = path.strip("/").split("/", 1)[0], *path.strip("/").split("/", 1)[1].rsplit("/", 1)
        with self._lock:
            if (prefix, action) != ("model", "converse"):
                return refusal(404, "UnknownOperationException")
            self.requests.append(json.loads(body))
            self.models.append(unquote(model))
            return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
