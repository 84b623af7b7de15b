"""What a purge is asked for, and what it may leave to the drop of a partition."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dataforge.contexts.lrs.bodies.domain import month_of, next_month, start_of
from dataforge.contexts.lrs.selections.domain import Selection
from dataforge.contexts.lrs.statements.domain import actor_key
from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text

KIND = "purge_statements"


class PurgeTooWide(BadRequest):
    """A purge names at least one thing that statements must have, or a time."""

    code = "purge_too_wide"
    title = "The purge would take everything"


class PurgeOfDocuments(BadRequest):
    """Documents have no verb, no credential and no statement id to be selected by."""

    code = "purge_of_documents"
    title = "Documents cannot be selected by this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """Statements, and with `documents` also State and profiles of the same agent, activity, registration and time."""

    selection: Selection
    documents: bool = False

    def check(self) -> None:
        """Raise PurgeTooWide, PurgeOfDocuments."""
        chosen = self.selection
        if chosen == Selection():
            message = Text(
                "Say which statements: an agent, verb, activity, registration, credential, ids, or until when."
            )
            raise PurgeTooWide(message)
        if self.documents and (chosen.verb or chosen.credential or chosen.statement_ids):
            message = Text("With `documents` select by agent, activity, registration and time only.")
            raise PurgeOfDocuments(message)

    @property
    def documents_chosen(self) -> Mapping[str, Any]:
        """The columns of the documents that go too; empty for none. Call it on a purge with a bound."""
        chosen = self.selection
        if not self.documents:
            return {}
        found: dict[str, Any] = {
            "activity_id": chosen.activity,
            "agent_key": None if chosen.agent is None else actor_key(chosen.agent),
            "registration": chosen.registration,
            "since": chosen.since,
            "until": chosen.until,
        }
        return {name: value for name, value in found.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        """JSON that `from_json` reads."""
        return {**self.selection.to_json(), **({"documents": True} if self.documents else {})}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Purge":
        """What `to_json` has written."""
        given = dict(values)
        documents = bool(given.pop("documents", False))
        return cls(selection=Selection.from_json(given), documents=documents)

    def described(self) -> dict[str, Any]:
        """What the audit log and the job say of it: without whom it is about."""
        return {**self.to_json(), **self.selection.described()}


def whole_months(selection: Selection, first: datetime | None) -> Iterator[date]:
    """The months that are selected whole, from that of the first statement on: their partitions may be dropped."""
    if not selection.is_only_time or selection.until is None or first is None:
        return
    month = month_of(max(first, selection.since) if selection.since is not None else first)
    while start_of(next_month(month)) <= selection.until:
        if selection.since is None or selection.since < start_of(month):
            yield month
        month = next_month(month)
