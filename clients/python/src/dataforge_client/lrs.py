"""Learning records: statements sent in bulk, and found again (xAPI 1.0.3)."""

from __future__ import annotations

import base64
import itertools
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dataforge_client.auth import Credentials
from dataforge_client.errors import ApiError, NotConfigured, TooLarge
from dataforge_client.flows import Bound, Driver, Flow, M, Page, Pages, listing, operation, together
from dataforge_client.progress import Progress, shown
from dataforge_client.session import Session

Statement = Mapping[str, Any]
VERSION = {"X-Experience-API-Version": "1.0.3"}
_MOST_STATEMENTS = 500
_MOST_BYTES = 2 * 1024 * 1024
_AT_ONCE = 4
_VOIDED = "http://adlnet.gov/expapi/verbs/voided"


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement that the store did not take, and what it said."""

    statement: Statement
    error: ApiError


@dataclass(slots=True)
class Sent:
    """What became of statements: how many were taken, and those that were not."""

    accepted: int = 0
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class XapiCredential:
    """Key and secret of an xAPI credential."""

    key: str
    secret: str = field(repr=False)

    @property
    def authorization(self) -> str:
        """The value of the Authorization header (HTTP Basic)."""
        return "Basic " + base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()


def _batches(statements: Iterable[Statement]) -> Iterator[list[bytes]]:
    """Statements as JSON, each with an id, in pieces that one request takes."""
    batch: list[bytes] = []
    size = 0
    for statement in statements:
        # Its id is given here: what is sent once more is known to the store by it.
        whole = statement if "id" in statement else {"id": str(uuid.uuid4()), **statement}
        text = json.dumps(whole, default=_text).encode()
        if batch and (len(batch) == _MOST_STATEMENTS or size + len(text) > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text) + 1
    if batch:
        yield batch


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    message = f"A statement cannot have {value!r} in it."
    raise TypeError(message)


class Lrs(Bound[M]):
    """The record store, as an xAPI credential: statements are accepted at once and found some moments later."""

    def __init__(self, driver: Driver, session: Session, credential: XapiCredential | None) -> None:
        self._driver = driver
        self._session = Session(session.base, Credentials.nobody(), session.retries)
        self._credential = credential

    def _headers(self) -> dict[str, str]:
        if self._credential is None:
            message = "Set DATAFORGE_XAPI_KEY and DATAFORGE_XAPI_SECRET, or give the client xapi=(key, secret)."
            raise NotConfigured(message)
        return {"Authorization": self._credential.authorization, **VERSION}

    @operation
    def send(
        self, statements: Iterable[Statement], *, skip_refused: bool = False, progress: Progress = None
    ) -> Flow[Sent]:
        """Send statements, as many as there are, in requests of some hundreds; an iterable is read as it goes.

        The store takes the statements of a request together or not at all. With `skip_refused` those that it refuses
        are found and listed, and the others are sent; without, the first refusal is raised.
        """
        sent = Sent()
        batches = _batches(statements)
        with shown(progress) as report:
            while several := list(itertools.islice(batches, _AT_ONCE)):
                flows = [self._batch(batch, skip_refused=skip_refused) for batch in several]
                for part in (yield from together(flows, at_once=_AT_ONCE)):
                    sent.accepted += part.accepted
                    sent.refused += part.refused
                report("sending", sent.accepted + len(sent.refused), None)
        return sent

    def _batch(self, batch: list[bytes], *, skip_refused: bool) -> Flow[Sent]:
        content = b"[" + b",".join(batch) + b"]"
        headers = {**self._headers(), "Content-Type": "application/json"}
        try:
            yield from self._session.call("POST", "/xapi/statements", content=content, headers=headers)
        except ApiError as error:
            halves = isinstance(error, TooLarge) or (skip_refused and error.status in (400, 409, 422))
            if not halves or (len(batch) == 1 and not skip_refused):
                raise
            if len(batch) == 1:
                return Sent(0, [Refused(json.loads(batch[0]), error)])
            middle = len(batch) // 2
            first = yield from self._batch(batch[:middle], skip_refused=skip_refused)
            second = yield from self._batch(batch[middle:], skip_refused=skip_refused)
            return Sent(first.accepted + second.accepted, first.refused + second.refused)
        return Sent(len(batch))

    @listing
    def query(
        self,
        *,
        agent: Mapping[str, Any] | None = None,
        verb: str | None = None,
        activity: str | None = None,
        registration: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        ascending: bool = False,
        related_activities: bool = False,
        limit: int | None = None,
    ) -> Pages[dict[str, Any]]:
        """Statements, newest first; `limit` is how many in each answer, all of them are gone through."""
        params = {
            "agent": None if agent is None else json.dumps(agent),
            "verb": verb,
            "activity": activity,
            "registration": registration,
            "since": since.isoformat() if isinstance(since, datetime) else since,
            "until": until.isoformat() if isinstance(until, datetime) else until,
            "ascending": ascending or None,
            "related_activities": related_activities or None,
            "limit": limit,
        }

        def page(address: str) -> Flow[Page[dict[str, Any]]]:
            reply = yield from self._session.call("GET", address, headers=self._headers())
            answer = json.loads(reply.content)
            more = answer.get("more") or ""
            following = more if more.startswith(("http://", "https://")) else f"{self._session.base}{more}"
            return Page(answer["statements"], (lambda: page(following)) if more else None)

        return lambda: page(self._session.url("/xapi/statements", params))

    @operation
    def get(self, statement_id: str) -> Flow[dict[str, Any]]:
        """One statement by its id; raises NotFound."""
        params = {"statementId": statement_id}
        reply = yield from self._session.call("GET", "/xapi/statements", params=params, headers=self._headers())
        answer: dict[str, Any] = json.loads(reply.content)
        return answer

    @operation
    def void(self, statement_id: str, *, actor: Mapping[str, Any]) -> Flow[Sent]:
        """Void a statement, as this actor."""
        target = {"objectType": "StatementRef", "id": statement_id}
        statement = {"actor": dict(actor), "verb": {"id": _VOIDED, "display": {"en": "voided"}}, "object": target}
        (batch,) = _batches([statement])
        return (yield from self._batch(batch, skip_refused=False))
