"""Personal access tokens as their persons see them; never a secret."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.tokens.domain import PersonalToken
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import row_dict

_TOKENS = text(
    "SELECT id, name, hint, scopes, created_at, expires_at, last_used_at FROM identity.personal_tokens "
    "WHERE user_id = :person AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now) "
    "ORDER BY created_at DESC, id DESC"
)
# Text, because every request with a token pays for it: building the expression costs as much as executing it.
_BY_HASH = text(
    "SELECT t.id, t.user_id, t.scopes, t.expires_at, t.revoked_at, t.last_used_at, u.username, u.role, "
    "u.suspended_at, u.locale FROM identity.personal_tokens t "
    "JOIN identity.users u ON u.id = t.user_id WHERE t.token_hash = :hash"
)
_MAIL = text(
    "SELECT t.name, t.expires_at, u.email, u.display_name FROM identity.personal_tokens t "
    "JOIN identity.users u ON u.id = t.user_id WHERE t.id = :id AND u.suspended_at IS NULL"
)


async def list_tokens(connection: AsyncConnection, user_id: UUID, now: datetime) -> list[dict[str, Any]]:
    """The tokens of a person that are good, newest first."""
    return [row_dict(row) for row in await connection.execute(_TOKENS, {"person": user_id, "now": now})]


async def find_token(connection: AsyncConnection, hashed: str) -> PersonalToken | None:
    """The token with this hash and its person, as they are now; None when there is none."""
    row = (await connection.execute(_BY_HASH, {"hash": hashed})).one_or_none()
    if row is None:
        return None
    return PersonalToken(
        row.id,
        row.user_id,
        frozenset(row.scopes),
        row.expires_at,
        row.revoked_at,
        row.last_used_at,
        row.username,
        Role(row.role),
        row.suspended_at is not None,
        row.locale,
    )


async def mail_about(connection: AsyncConnection, token_id: UUID) -> Any | None:  # noqa: ANN401 - a row
    """Whom a mail about a token goes to, and what it says; None for a suspended person or a token that is gone."""
    return (await connection.execute(_MAIL, {"id": token_id})).one_or_none()
