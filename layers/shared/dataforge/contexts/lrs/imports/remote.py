"""Pages of another record store, read by its own API (xAPI Communication 2.1.3)."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from dataforge.contexts.lrs.imports.domain import OtherStoreRefused
from dataforge.contexts.lrs.statements.domain import parse_json, to_json
from dataforge.kernel.errors import DataForgeError, Unavailable
from dataforge.kernel.texts import Text
from dataforge.platform.outgoing import AddressForbidden, Answer, NoAnswer, send

MAX_PAGE_BYTES = 16 * 1024 * 1024
_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Page:
    """The statements of a page as JSON, and the address of the next one."""

    statements: tuple[bytes, ...]
    more: str | None


@dataclass(frozen=True, slots=True)
class OtherStore:
    """Another record store, at its xAPI endpoint."""

    endpoint: str
    username: str
    password: str
    version: str
    private: bool = False

    def first_page(self, *, since: str | None, until: str | None) -> str:
        """The address of the first page: oldest statements first."""
        asked = {"ascending": "true", "limit": str(_LIMIT), "attachments": "false", "since": since, "until": until}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"{self.endpoint.rstrip('/')}/statements?{query}"

    async def read(self, address: str) -> Page:
        """A page; raises OtherStoreRefused, and Unavailable for what may go better later."""
        answer = await self._get(address)
        if answer.status == 429 or answer.status >= 500:
            message = Text("The other store answers {status}.", status=answer.status)
            raise Unavailable(message)
        if answer.status != 200:
            message = Text(
                "The other store answers {status} to GET {path}.", status=answer.status, path=urlsplit(address).path
            )
            raise OtherStoreRefused(message, facts={"status": answer.status})
        try:
            body = parse_json(answer.body)
        except DataForgeError as error:
            message = Text("The other store answers what is no JSON: {detail}", detail=error.detail)
            raise OtherStoreRefused(message) from error
        found = body.get("statements") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(found, list):
            message = Text(
                "The other store answers no list of statements; give the address that ends before /statements."
            )
            raise OtherStoreRefused(message)
        return Page(tuple(to_json(item) for item in found), self._next(body, address))

    async def _get(self, address: str) -> Answer:
        secret = b64encode(f"{self.username}:{self.password}".encode()).decode()
        headers = {
            "Authorization": f"Basic {secret}",
            "X-Experience-API-Version": self.version,
            "Accept": "application/json",
        }
        try:
            return await send("GET", address, headers=headers, private=self.private, most_bytes=MAX_PAGE_BYTES)
        except AddressForbidden as error:
            message = Text("The address of the other store {error}.", error=error)
            raise OtherStoreRefused(message) from error
        except NoAnswer as error:
            message = Text("The other store does not answer. {error}", error=error)
            raise Unavailable(message) from error

    def _next(self, body: Mapping[str, Any], address: str) -> str | None:
        more = body.get("more")
        if not isinstance(more, str) or not more:
            return None
        following = urljoin(address, more)
        if urlsplit(following)[:2] != urlsplit(self.endpoint)[:2]:
            # The credential goes to the host that it was given for, and to no other.
            message = Text("The other store says that its next page is at another host.")
            raise OtherStoreRefused(message)
        return following
