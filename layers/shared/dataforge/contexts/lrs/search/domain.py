"""What statements are found by, and what is asked for (xAPI Communication 2.1.3).

A statement has one key for each thing that it can be found by. One whose object is a StatementRef is also found by the
keys of the statement it refers to, and so on: `via` says whose keys they are, so that one and the same statement must
meet several filters.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from dataforge.contexts.lrs.attachments.domain import object_key, owner_of, shas_named
from dataforge.contexts.lrs.statements.domain import VOIDED, actor_key

_RELATIONS = ("parent", "grouping", "category", "other")
_UNIDENTIFIED = ("name:", "group:")


class Kind(StrEnum):
    """How a statement has to do with what it is found by; a related thing is found only when related ones are asked."""

    AGENT = "agent"
    RELATED_AGENT = "agent*"
    AUTHORITY = "authority"
    VERB = "verb"
    ACTIVITY = "activity"
    RELATED_ACTIVITY = "activity*"
    REGISTRATION = "registration"
    ATTACHMENT = "attachment"


def key_of(kind: Kind, identity: str) -> UUID:
    """The key: 128 bits of SHA-256, because what it is made of has no bound."""
    return UUID(bytes=hashlib.sha256(f"{kind}\n{identity}".encode()).digest()[:16])


@dataclass(frozen=True, slots=True)
class Found:
    """A stored statement and the keys it is found by."""

    statement_id: UUID
    stored_at: datetime
    keys: frozenset[UUID]
    refers_to: UUID | None
    voids: bool


def found_by(statement_id: UUID, stored_at: datetime, statement: Mapping[str, object]) -> Found:
    """The keys of a stored statement."""
    pairs = set(_pairs(statement))
    direct = {(kind, name) for kind, name in pairs if kind in (Kind.AGENT, Kind.ACTIVITY)}
    related = {Kind.RELATED_AGENT: Kind.AGENT, Kind.RELATED_ACTIVITY: Kind.ACTIVITY}
    return Found(
        statement_id,
        stored_at,
        # What is found directly is found among the related anyway.
        frozenset(key_of(kind, name) for kind, name in pairs if (related.get(kind), name) not in direct),
        _reference(statement),
        _member(statement, "verb").get("id") == VOIDED,
    )


def _pairs(statement: Mapping[str, object]) -> Iterator[tuple[Kind, str]]:
    target, context = _member(statement, "object"), _member(statement, "context")
    yield Kind.VERB, str(_member(statement, "verb").get("id"))
    yield from _agents(Kind.AGENT, statement.get("actor"))
    yield from _agents(Kind.AUTHORITY, statement.get("authority"))
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        yield Kind.ACTIVITY, str(target.get("id"))
    elif kind in ("Agent", "Group"):
        yield from _agents(Kind.AGENT, target)
    elif kind == "SubStatement":
        yield from _related(target)
    registration = context.get("registration")
    if isinstance(registration, str):
        yield Kind.REGISTRATION, registration.lower()
    # Not asked for by anybody: whether an attachment is still named is looked up by it.
    for key in attachment_keys(statement):
        yield Kind.ATTACHMENT, key
    yield from _of_context(context)


def _related(part: Mapping[str, object]) -> Iterator[tuple[Kind, str]]:
    """What a SubStatement makes a statement be found by."""
    target = _member(part, "object")
    yield from _agents(Kind.RELATED_AGENT, part.get("actor"))
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        yield Kind.RELATED_ACTIVITY, str(target.get("id"))
    elif kind in ("Agent", "Group"):
        yield from _agents(Kind.RELATED_AGENT, target)
    yield from _of_context(_member(part, "context"))


def _of_context(context: Mapping[str, object]) -> Iterator[tuple[Kind, str]]:
    yield from _agents(Kind.RELATED_AGENT, context.get("instructor"))
    yield from _agents(Kind.RELATED_AGENT, context.get("team"))
    for several, one in (("contextAgents", "agent"), ("contextGroups", "group")):
        for item in _items(context.get(several)):
            yield from _agents(Kind.RELATED_AGENT, item.get(one))
    related = _member(context, "contextActivities")
    for relation in _RELATIONS:
        for activity in _items(related.get(relation)):
            yield Kind.RELATED_ACTIVITY, str(activity.get("id"))


def _agents(kind: Kind, actor: object) -> Iterator[tuple[Kind, str]]:
    """An Agent or Group by its identifier, and the members of a Group."""
    if isinstance(actor, dict):
        identity = actor_key(actor)
        if not identity.startswith(_UNIDENTIFIED):
            yield kind, identity
        for member in _items(actor.get("member")):
            yield from _agents(kind, member)


def attachment_keys(statement: Mapping[str, object]) -> list[str]:
    """Where the attachments that a stored statement names are kept."""
    shas = shas_named(statement)
    if not shas:
        return []
    owner = owner_of(_member(statement, "authority"))
    return [object_key(owner, sha2) for sha2 in sorted(shas)]


def _reference(statement: Mapping[str, object]) -> UUID | None:
    target = _member(statement, "object")
    return UUID(str(target["id"])) if target.get("objectType") == "StatementRef" else None


def _member(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _items(value: object) -> Sequence[Mapping[str, object]]:
    listed = value if isinstance(value, list) else [value]
    return [item for item in listed if isinstance(item, dict)]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ends: the next begins behind it."""

    stored_at: datetime
    statement_id: UUID


@dataclass(frozen=True, slots=True)
class StatementFilter:
    """What is asked for. Each of `keys` is a choice of keys: a statement has one of each choice.

    `since` is exclusive, `until` inclusive, both on `stored`; `authority` restricts to what one authority has stored.
    """

    keys: tuple[tuple[UUID, ...], ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    authority: UUID | None = None
    ascending: bool = False
    after: Position | None = None
    limit: int = 100


def agent_keys(identity: str, *, related: bool) -> tuple[UUID, ...]:
    """The keys of statements with this agent, or with one that has to do with it."""
    kinds = (Kind.AGENT, Kind.RELATED_AGENT, Kind.AUTHORITY) if related else (Kind.AGENT,)
    return tuple(key_of(kind, identity) for kind in kinds)


def activity_keys(activity_id: str, *, related: bool) -> tuple[UUID, ...]:
    """The keys of statements about this activity, or with one that has to do with it."""
    kinds = (Kind.ACTIVITY, Kind.RELATED_ACTIVITY) if related else (Kind.ACTIVITY,)
    return tuple(key_of(kind, activity_id) for kind in kinds)
