"""Whom an administrator means by a few words: the identifiers under which statements may know a person."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.statements.domain import actor_key, parse_json, validate_agent
from dataforge.contexts.lrs.tables import directory
from dataforge.kernel.email import is_email
from dataforge.kernel.errors import BadRequest


@dataclass(frozen=True, slots=True)
class AskedPerson:
    """The keys of actors (`actor_key`) that mean the person; `user_id` and `name` if it is one of ours."""

    identities: Sequence[str]
    user_id: UUID | None = None
    name: str | None = None


async def asked_person(connection: AsyncConnection, words: str, home_pages: Sequence[str]) -> AskedPerson:
    """Whom the words mean: an Agent as JSON, `homePage|name` of an account, an openid, an address, or one of ours.

    One of ours is found by address, pseudonym or the name that is shown. Raises BadRequest for JSON that is no Agent.
    """
    if words.startswith("{"):
        return AskedPerson([_agent(words)])
    if "|" in words or "://" in words:
        return AskedPerson([words])
    query = select(directory.c.user_id, directory.c.email, directory.c.avatar, directory.c.display_name).where(
        or_(directory.c.email == words.lower(), directory.c.avatar == words, directory.c.display_name == words)
    )
    people = (await connection.execute(query.limit(2))).all()
    if len(people) == 1:
        person = people[0]
        return AskedPerson(_of_ours(person.email, person.avatar, home_pages), person.user_id, person.display_name)
    if is_email(words):
        return AskedPerson(_of_ours(words.lower(), None, home_pages))
    return AskedPerson([f"{page}|{words}" for page in home_pages])


def _agent(words: str) -> str:
    agent = parse_json(words.encode())
    violations = validate_agent(agent, group_allowed=True)
    if violations or not isinstance(agent, dict):
        message = f"This is no Agent. {violations[0].message if violations else ''}".strip()
        raise BadRequest(message)
    return actor_key(agent)


def _of_ours(email: str | None, avatar: str | None, home_pages: Sequence[str]) -> list[str]:
    names = [name for name in (email, avatar) if name]
    found = [f"{page}|{name}" for page in home_pages for name in names]
    if email:
        mbox = f"mailto:{email}"
        found += [mbox, f"sha1:{hashlib.sha1(mbox.encode(), usedforsecurity=False).hexdigest()}"]
    return found
