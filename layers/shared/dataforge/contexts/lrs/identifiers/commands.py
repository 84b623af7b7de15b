"""Link identifiers to people, and let stored statements follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.identity.contract import require_active_person
from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.lrs.flat_rows.domain import HomePages
from dataforge.contexts.lrs.identifiers.domain import (
    IDENTIFIERS,
    Identifier,
    IdentifierLinked,
    IdentifierOfAccount,
    identifier_of,
)
from dataforge.contexts.lrs.statements.domain import actor_email
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.database import row_dict

PAGE = 10_000
"""Statements of one transaction."""


@dataclass(frozen=True, slots=True)
class LinkIdentifier:
    """An Agent, and whose it is."""

    user_id: UUID
    agent: Mapping[str, object]
    home_pages: HomePages


async def link_identifier(command: LinkIdentifier, uow: LrsUnitOfWork) -> dict[str, Any]:
    """Link; again it changes nothing. Raises ValidationFailed, UnknownPerson, PersonSuspended, IdentifierLinked,
    IdentifierOfAccount.
    """
    identifier = identifier_of(command.agent, "/agent")
    suspended = await uow.identifiers.suspended(command.user_id)
    require_active_person(command.user_id, "/user_id", suspended=suspended)
    await _refuse_accounts(identifier, command.home_pages, uow)
    known = await uow.identifiers.find(identifier)
    made = None
    if known is None:
        made = await uow.identifiers.link(identifier, command.user_id, uow.principal.user_id, uow.now)
        known = made or await uow.identifiers.find(identifier)
    if known is None or known.user_id != command.user_id:
        message = Text("This identifier is linked to another person; unlink it there first.")
        raise IdentifierLinked(message, facts={"user_id": str(known.user_id)} if known else None)
    if made is not None:
        after = _audited(command.user_id, identifier.agent)
        uow.audit(AuditEntry("linked", "agent_identifier", str(made.id), after=after))
    return row_dict(known)


def _audited(user_id: UUID, agent: Mapping[str, object]) -> dict[str, Any]:
    """What the audit log says of a link: not the identifier, which an erasure could not take out of it."""
    return {"user_id": str(user_id), "identified_by": next(name for name in IDENTIFIERS if name in agent)}


async def _refuse_accounts(identifier: Identifier, home_pages: HomePages, uow: LrsUnitOfWork) -> None:
    """What the rules of matching give to an account is not for a link to give to somebody."""
    account_email, pseudonym = home_pages.keys(identifier.agent.get("account"))
    email = actor_email(identifier.agent) or account_email
    people = await uow.flat.people([email] if email else [], [pseudonym] if pseudonym else [])
    if people:
        message = Text(
            "This is the e-mail address or pseudonym of an account: its statements are that account's anyway."
        )
        raise IdentifierOfAccount(message, facts={"user_id": str(people[0].user_id)})


@dataclass(frozen=True, slots=True)
class UnlinkIdentifier:
    """End a link."""

    id: UUID


async def unlink_identifier(command: UnlinkIdentifier, uow: LrsUnitOfWork) -> UUID:
    """Unlink; its statements lose the person, unless a rule of matching gives it to them. Raises NotFound."""
    row = await uow.identifiers.unlink(command.id)
    if row is None:
        message = Text("There is no linked identifier {id}.", id=command.id)
        raise NotFound(message)
    before = _audited(row.user_id, row.agent)
    uow.audit(AuditEntry("unlinked", "agent_identifier", str(command.id), before=before))
    return command.id


@dataclass(frozen=True, slots=True)
class FollowLink:
    """One page of the stored statements of a link."""

    id: UUID
    lessons: LessonDirectory
    limit: int = PAGE


async def follow_link(command: FollowLink, uow: LrsUnitOfWork) -> int:
    """Let a page of statements follow; returns how many changed, below the limit when all have followed."""
    link = await uow.identifiers.lock(command.id)
    if link is None:
        return 0
    moved = await uow.identifiers.move(link, command.limit)
    if link.linked:
        await command.lessons.within(uow.connection, uow.publish).record_completions(moved)
    if len(moved) < command.limit:
        await uow.identifiers.mark_matched(link.id)
    return len(moved)
