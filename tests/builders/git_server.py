"""A host of git repositories on the loopback interface: git's own server behind TLS."""

import os
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

_NOBODY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


class GitRepository:
    """A bare repository."""

    def __init__(self, path: Path) -> None:
        self.path = path
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True, env=self._environment())
        self.git("config", "http.receivepack", "false")

    def git(self, *arguments: str, given: str = "") -> str:
        """What a command of git prints."""
        command = ["git", "-C", str(self.path), *arguments]
        result = subprocess.run(
            command, input=given, check=True, capture_output=True, text=True, env=self._environment()
        )
        return result.stdout.strip()

    def commit(self, branch: str = "main") -> str:
        """A commit without files on a branch; its hash."""
        tree = self.git("mktree")
        made = self.git("commit-tree", tree, "-m", f"On {branch}")
        self.git("update-ref", f"refs/heads/{branch}", made)
        return made

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **_NOBODY}


class GitHost:
    """Serves the repositories of a directory, and whatever a test puts into `answers`, until the block ends."""

    def __init__(self, root: Path, certificate: Path | None, *, name: str = "git.test", v2: bool = True) -> None:
        self.root, self.name, self.v2 = root, name, v2
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.requests: list[str] = []
        self._scheme = "https" if certificate else "http"
        host = self

        class Handler(_Handler):
            served = host

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"{self._scheme}://{self.name}:{self.port}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


class _Handler(BaseHTTPRequestHandler):
    served: GitHost

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        self.served.requests.append(f"{self.command} {parts.path}")
        known = self.served.answers.get(parts.path)
        self._send(*(known or self._ask_git(parts.path, parts.query, body)))

    def _ask_git(self, path: str, query: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What `git http-backend` answers as a CGI program (RFC 3875)."""
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.served.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", "") if self.served.v2 else "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "127.0.0.1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        result = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment, check=False)
        head, _, content = result.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        return int(headers.pop("Status", "200").split()[0]), headers, content

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
