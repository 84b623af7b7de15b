"""git's protocols over requests that are not dulwich's own; imported when a list is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol

from dulwich.client import AbstractHttpGitClient

from dataforge.platform.outgoing import Answer

PREFIXES = (b"HEAD", b"refs/heads/", b"refs/tags/")


class Exchange(Protocol):
    """Sends one request; the answer, and the address that gave it after redirects."""

    def __call__(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> tuple[Answer, str]:
        """The answer, which has the status 200."""
        ...


@dataclass(slots=True)
class _Response:
    """What dulwich looks at in an answer."""

    status: int
    content_type: str
    redirect_location: str

    def close(self) -> None:
        """Nothing is open."""


class GuardedGitClient(AbstractHttpGitClient):
    """dulwich's client, whose every request goes through `exchange`."""

    def __init__(self, url: str, exchange: Exchange) -> None:
        super().__init__(url, dumb=False)
        self._exchange = exchange

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,  # noqa: ARG002, FBT001, FBT002 - dulwich's signature
    ) -> tuple[Any, Callable[[int], bytes]]:
        body = data if data is None or isinstance(data, bytes) else b"".join(data)
        answer, address = self._exchange("GET" if body is None else "POST", url, headers or {}, body)
        moved = address if address != url else ""
        return _Response(answer.status, answer.headers.get("content-type", ""), moved), BytesIO(answer.body).read
