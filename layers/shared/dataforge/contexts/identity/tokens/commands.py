"""Make and revoke personal access tokens."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from dataforge.contexts.identity.contract import TokenCreated, TokenExpires
from dataforge.contexts.identity.sessions.domain import token_hash
from dataforge.contexts.identity.tokens.domain import (
    MOST_TOKENS,
    WARNED_BEFORE,
    NewToken,
    TokenUnknown,
    TooManyTokens,
    check_token_scopes,
    expiry,
    make_secret,
)
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class CreateToken:
    """A token for a program of the person; `days` None is what its scopes suggest."""

    user_id: UUID
    name: str
    scopes: tuple[str, ...]
    days: int | None = None


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """End a token of a person."""

    user_id: UUID
    token_id: UUID


async def create_token(command: CreateToken, uow: IdentityUnitOfWork) -> NewToken:
    """Make a token, of which only the hash is kept; raises ValidationFailed, TooManyTokens."""
    scopes = tuple(dict.fromkeys(command.scopes))
    check_token_scopes(scopes)
    await uow.users.lock(command.user_id)  # so that two at once are counted one after the other
    if await uow.personal_tokens.count_good(command.user_id) >= MOST_TOKENS:
        message = Text("You have {most_tokens} tokens; revoke one that is no longer used.", most_tokens=MOST_TOKENS)
        raise TooManyTokens(message)
    made = NewToken(uuid7(), command.name, scopes, expiry(scopes, command.days, uow.now), uow.now, make_secret())
    await uow.personal_tokens.add(
        {
            "id": made.id,
            "user_id": command.user_id,
            "name": made.name,
            "token_hash": token_hash(made.secret),
            "hint": made.secret[-4:],
            "scopes": list(scopes),
            "created_at": uow.now,
            "expires_at": made.expires_at,
        }
    )
    after = {"name": made.name, "scopes": list(scopes), "expires_at": made.expires_at and made.expires_at.isoformat()}
    uow.audit(AuditEntry("created", "personal_token", str(made.id), after=after))
    uow.publish(TokenCreated(command.user_id, made.id))
    return made


async def revoke_token(command: RevokeToken, uow: IdentityUnitOfWork) -> None:
    """End a token at once; raises TokenUnknown when it has ended already or is not the person's."""
    name = await uow.personal_tokens.revoke(command.user_id, command.token_id)
    if name is None:
        message = Text("You have no token {token_id} that is still good.", token_id=command.token_id)
        raise TokenUnknown(message)
    uow.audit(AuditEntry("revoked", "personal_token", str(command.token_id), before={"name": name}))


async def warn_of_expiry(_command: None, uow: IdentityUnitOfWork) -> int:
    """Warn each person once, a week before, that a token of theirs ends; returns how many mails that makes."""
    ending = await uow.personal_tokens.mark_warned(uow.now + WARNED_BEFORE)
    for row in ending:
        uow.publish(TokenExpires(row.user_id, row.id))
    return len(ending)


async def forget_ended_tokens(kept_for: timedelta, uow: IdentityUnitOfWork) -> int:
    """Delete tokens that ended longer ago than that; returns how many."""
    return await uow.personal_tokens.forget_ended(uow.now - kept_for)
