"""Whom an administrator means by a few words: the identifiers under which statements may know a person."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.identifiers.domain import digest_of
from dataforge.contexts.lrs.statements.domain import actor_key, parse_json, validate_agent
from dataforge.contexts.lrs.tables import directory
from dataforge.kernel.email import normal_email
from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text

_EMAIL = directory.c.proved_email
_PEOPLE = select(directory.c.user_id, _EMAIL.label("email"), directory.c.avatar, directory.c.display_name)
_LINKED = text(
    "SELECT i.user_id, i.key FROM lrs.agent_identifiers i WHERE i.unlinked_at IS NULL AND (i.user_id = :user_id OR "
    "i.user_id IN (SELECT o.user_id FROM lrs.agent_identifiers o WHERE o.digest = :digest AND o.unlinked_at IS NULL))"
)


@dataclass(frozen=True, slots=True)
class AskedPerson:
    """The keys of actors (`actor_key`) that mean the person; `user_id` and `name` if it is one of ours."""

    identities: Sequence[str]
    user_id: UUID | None = None
    name: str | None = None


async def asked_person(connection: AsyncConnection, words: str, home_pages: Sequence[str]) -> AskedPerson:
    """Whom the words mean: an Agent as JSON, `homePage|name` of an account, an openid, an address, or one of ours.

    One of ours is found by address, pseudonym, the name that is shown or a linked identifier, and has all of these.
    Raises BadRequest for JSON that is no Agent.
    """
    key = _key(words)
    if key is not None:
        linked = (await connection.execute(_LINKED, {"user_id": None, "digest": digest_of(key)})).all()
        if not linked:
            return AskedPerson([key])
        return await _ours(connection, _PEOPLE.where(directory.c.user_id == linked[0].user_id), home_pages, [key])
    email = normal_email(words)
    named = or_(_EMAIL.in_([email or words.lower()]), directory.c.avatar == words, directory.c.display_name == words)
    address = [f"mailto:{email}"] if email else [f"{page}|{words}" for page in home_pages]
    return await _ours(connection, _PEOPLE.where(named), home_pages, address)


async def _ours(
    connection: AsyncConnection, query: Select[Any], home_pages: Sequence[str], otherwise: Sequence[str]
) -> AskedPerson:
    people = (await connection.execute(query.limit(2))).all()
    if len(people) != 1:
        emails = [key.removeprefix("mailto:") for key in otherwise if key.startswith("mailto:")]
        return AskedPerson(_of_address(emails[0]) if emails else otherwise)
    person = people[0]
    linked = (await connection.execute(_LINKED, {"user_id": person.user_id, "digest": None})).all()
    own = [f"{page}|{name}" for page in home_pages for name in (person.email, person.avatar) if name]
    keys = [*(_of_address(person.email) if person.email else ()), *own, *(row.key for row in linked)]
    return AskedPerson(list(dict.fromkeys(keys)), person.user_id, person.display_name)


def _key(words: str) -> str | None:
    """The key of an actor, if that is what the words are."""
    if words.startswith("{"):
        return _agent(words)
    if "|" in words or "://" in words:
        return words
    return words.lower() if words.startswith(("mailto:", "sha1:")) else None


def _agent(words: str) -> str:
    agent = parse_json(words.encode())
    violations = validate_agent(agent, group_allowed=True)
    if violations or not isinstance(agent, dict):
        message = Text("This is no Agent. {message}", message=violations[0].message if violations else "").strip()
        raise BadRequest(message)
    return actor_key(agent)


def _of_address(email: str) -> list[str]:
    mbox = f"mailto:{email}"
    return [mbox, f"sha1:{hashlib.sha1(mbox.encode(), usedforsecurity=False).hexdigest()}"]
