"""What is held about a person: each context says in its `personal_data.py` what an export has and an erasure takes.

Contexts know nothing of each other. `PersonalDataRegister` has what all of them say; the jobs of exports and erasures
(`contexts/identity/data_requests`) go through it.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Self
from uuid import UUID

from dataforge.platform.module import Built, Module
from dataforge.platform.services import Platform, Services

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dataforge.platform.db.unit_of_work import SqlUnitOfWork


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody by all that the account knows of them.

    Nothing is found by an address that is not `proved`: it may be somebody else's.
    """

    user_id: UUID
    username: str
    email: str
    display_name: str
    avatar: str
    proved: bool

    @property
    def emails(self) -> list[str]:
        """The account's address in lower case, if it is proved."""
        return [self.email.lower()] if self.proved else []

    @property
    def parameters(self) -> dict[str, Any]:
        """What the SQL of a `Holding` may bind."""
        names = [json.dumps(name, ensure_ascii=False) for name in (self.username, self.display_name, self.avatar)]
        words = [*dict.fromkeys([*self.emails, *(name.lower() for name in names)])]
        exact = [*dict.fromkeys([*([self.email] if self.proved else []), *self.emails, *names])]
        return {
            "user_id": self.user_id,
            "user_text": str(self.user_id),
            "emails": self.emails,
            "words": words,
            "exact_words": exact,
        }

    def to_json(self) -> dict[str, Any]:
        """For the checkpoint of a job, which nobody sees."""
        return {**asdict(self), "user_id": str(self.user_id)}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(**{**given, "user_id": UUID(given["user_id"])})


def mentioned(column: str) -> str:
    """The SQL condition that JSON in a column names the person: an address anywhere, a name as a whole value."""
    return (
        "EXISTS (SELECT 1 FROM unnest(CAST(:words AS text[])) AS word "
        f"WHERE position(word IN lower(CAST({column} AS text))) > 0)"
    )


class Effect(StrEnum):
    """What an erasure does to rows."""

    DELETED = "deleted"
    ANONYMISED = "anonymised"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Rows of one table that are about people or refer to them.

    `whose` is the SQL condition of the person's rows, with the values of `Person.parameters`; `refers` are the columns
    that make them theirs. An export has `exported`, an SQL list of columns (empty: nothing but the person's id is in
    them, or it is about others). An erasure deletes the rows (`deleted`), or writes the SQL assignments `rewritten`,
    or leaves them for the reason `kept`. A row that changes by itself is not `stable`: a plan does not go stale by it.
    Rows that are found by reading a whole table are not `counted` for a preview.
    """

    table: str
    refers: str
    whose: str = "user_id = :user_id"
    name: str = ""
    exported: str = ""
    deleted: bool = False
    rewritten: str = ""
    kept: str = ""
    stable: bool = True
    counted: bool = True

    @property
    def title(self) -> str:
        """What it is called in exports and plans; one table may be held in several ways."""
        return self.name or self.table.partition(".")[2]

    @property
    def effect(self) -> Effect:
        """What an erasure does to the rows."""
        if self.deleted:
            return Effect.DELETED
        return Effect.ANONYMISED if self.rewritten else Effect.KEPT


@dataclass(frozen=True, slots=True)
class NotCovered:
    """What may mention a person and is neither exported nor erased, and how to look for it."""

    what: str
    search: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData(Generic[Built]):
    """What one context holds about people besides rows: files of an export, and steps of an erasure.

    `files` gives lines of JSON by file name. `released` is done before the rows go, outside of their transaction, and
    may be done twice: objects, and what is published elsewhere. `taken` is done once, first in the transaction of the
    rows, as `taken(person, uow, services, responses=…)`; what it returns is shown in the job's summary, and jobs
    that it has queued are named in its member `jobs`. `counted` is what a plan shows beside the numbers of rows.
    """

    holdings: Sequence[Holding] = ()
    not_covered: Sequence[NotCovered] = ()
    files: Mapping[str, Callable[[Person, Built], AsyncIterator[str]]] = field(default_factory=dict)
    released: Callable[[Person, Built], Awaitable[None]] | None = None
    taken: Callable[..., Awaitable[Mapping[str, Any]]] | None = None
    counted: "Callable[[Person, AsyncConnection, Built], Awaitable[Mapping[str, int]]] | None" = None
    unit_of_work: "type[SqlUnitOfWork] | None" = None
    """Of the transaction in which rows go; None for one without repositories."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one context says, with the services it says it with."""

    context: str
    data: PersonalData[Any]
    services: Services


class PersonalDataRegister:
    """What all contexts and the platform hold about people, in one order."""

    def __init__(self, platform: Platform, modules: Sequence[Module[Services]]) -> None:
        self._platform = platform
        self._modules = modules

    def contributions(self) -> Sequence[Contribution]:
        """Those of contexts by name, then the platform's own, which mentions what the others have written."""
        from dataforge.platform.db.personal_data import PLATFORM

        found = [
            Contribution(item.name, item.personal_data(), self._platform.get(item.services)) for item in self._modules
        ]
        return [*found, Contribution("platform", PLATFORM, Services(self._platform))]
