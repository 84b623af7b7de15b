"""Requests to the API: who asks, what is repeated, and which answers are errors."""

from __future__ import annotations

import email.utils
import json
import platform
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from dataforge_client.auth import Credentials, is_page, no_api
from dataforge_client.drivers import Interrupted
from dataforge_client.errors import ApiError, Unreachable, api_error
from dataforge_client.flows import Flow, Page, Pages, Pause, Reply, Send, send

T = TypeVar("T")
Param = str | int | float | bool | None
Params = Mapping[str, Param | Sequence[str]]

JSON = "application/json"
_REPEATED = frozenset({429, 502, 503, 504})
_SAFE = frozenset({"GET", "HEAD"})
_REPEATABLE = _SAFE | {"PUT", "DELETE"}
_IN_PROGRESS = "idempotency_in_progress"


def package_version() -> str:
    """The version of this package; that of a source tree that is not installed is 0."""
    try:
        return metadata.version("dataforge-client")
    except metadata.PackageNotFoundError:
        return "0"


USER_AGENT = f"dataforge-client/{package_version()} python/{platform.python_version()}"


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is repeated, and for how many seconds at most it waits before each repetition."""

    attempts: int = 5
    longest_wait: float = 60.0

    def wait(self, attempt: int, asked: float | None) -> float:
        """Seconds before the repetition after this attempt (from 0): what the server asked for, or twice as long each
        time, with a part of chance so that many clients do not come back at once.
        """
        if asked is not None:
            return asked
        return min(self.longest_wait, 0.25 * 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class Session:
    """The API at an address, as somebody."""

    def __init__(self, base: str, credentials: Credentials, retries: Retries) -> None:
        self.base = base.rstrip("/")
        self.credentials = credentials
        self.retries = retries

    def url(self, path: str, params: Params | None = None) -> str:
        """The address of a path with parameters; those that are None are left out."""
        pairs = list(_pairs(params or {}))
        return f"{self.base}{path}{'?' if pairs else ''}{urlencode(pairs)}"

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json_body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str = JSON,
        anonymous: bool = False,
        keyed: bool = True,
    ) -> Flow[Reply]:
        """Ask, and ask again where that is right; returns an answer that is no error, or raises ApiError.

        A POST carries an Idempotency-Key, the same one in each repetition, so that what it asks for happens once;
        one that only reads needs none (`keyed`).
        """
        sent = {"Accept": accept, "User-Agent": USER_AGENT}
        if json_body is not None:
            content, sent["Content-Type"] = json.dumps(json_body, allow_nan=False, default=str).encode(), JSON
        if method == "POST" and keyed:
            sent["Idempotency-Key"] = uuid.uuid4().hex
        sent |= headers or {}
        address = path if path.startswith(("http://", "https://")) else self.url(path, params)
        attempt, renewed = 0, False
        while True:
            token = None if anonymous else (yield from self.credentials.bearer(self.base))
            authorization = {"Authorization": f"Bearer {token}"} if token else {}
            try:
                reply = yield from send(Send(method, address, sent | authorization, content))
            except Unreachable as failure:
                again = method in _REPEATABLE or "Idempotency-Key" in sent or not isinstance(failure, Interrupted)
                if attempt + 1 >= self.retries.attempts or not again:
                    raise
                yield Pause(self.retries.wait(attempt, None))
                attempt += 1
                continue
            if reply.status < 400:
                return reply
            if reply.status not in _REPEATED and is_page(reply):
                raise no_api(self.base, reply)
            asked = _retry_after(reply.headers.get("retry-after"))
            error = api_error(reply.status, reply.content, asked)
            if reply.status == 401 and not renewed and not anonymous and self.credentials.renewable:
                yield from self.credentials.renew(self.base, token)
                renewed = True
                continue
            if not self._may_repeat(error, attempt, asked):
                raise error
            yield Pause(self.retries.wait(attempt, asked))
            attempt += 1

    def parsed(self, reply: Reply) -> Any:  # noqa: ANN401 - any JSON value
        """The JSON of an answer; raises NotAnApi when it is none."""
        try:
            return json.loads(reply.content)
        except ValueError as error:
            raise no_api(self.base, reply) from error

    def _may_repeat(self, error: ApiError, attempt: int, asked: float | None) -> bool:
        if attempt + 1 >= self.retries.attempts or (asked or 0) > self.retries.longest_wait:
            return False
        # 502 and 504: the request may have been carried out. POSTs carry a key, so that it happens once.
        return error.status in _REPEATED or error.code == _IN_PROGRESS

    def get_json(self, path: str, params: Params | None = None) -> Flow[Any]:
        """The JSON of a GET."""
        reply = yield from self.call("GET", path, params=params)
        return self.parsed(reply)

    def send_json(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Flow[Any]:
        """Send JSON; the JSON of the answer, None without one."""
        reply = yield from self.call(method, path, json_body=body, headers=headers)
        return self.parsed(reply) if reply.content else None

    def delete(self, path: str) -> Flow[None]:
        """Remove a thing as it is now, unless it changes at the same moment."""
        reply = yield from self.call("GET", path)
        tag = reply.headers.get("etag")
        yield from self.call("DELETE", path, headers={"If-Match": tag} if tag else {})

    def pages(
        self, path: str, params: Params | None, shown: Callable[[dict[str, Any]], T], *, items: str = "items"
    ) -> Pages[T]:
        """All items of a list with cursors, or of one without."""

        def page(cursor: str | None = None) -> Flow[Page[T]]:
            asked = dict(params or {}) if cursor is None else {**(params or {}), "cursor": cursor}
            answer = yield from self.get_json(path, asked)
            following = answer.get("next_cursor")
            return Page([shown(item) for item in answer[items]], (lambda: page(following)) if following else None)

        return page


def _pairs(params: Params) -> list[tuple[str, str]]:
    pairs = []
    for name, value in params.items():
        if value is None:
            continue
        if isinstance(value, bool):
            pairs.append((name, "true" if value else "false"))
        elif isinstance(value, str | int | float):
            pairs.append((name, str(value)))
        else:
            pairs += [(name, str(item)) for item in value]
    return pairs


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait (RFC 9110 §10.2.3: a number, or a date)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")
