"""Providers for administrators and for the sign-in page, and the ways in of a person."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

_COLUMNS = (
    "id, name, issuer, client_id, sealed_secret IS NOT NULL AS has_secret, domains, creates_accounts, enabled, "
    "revision, created_at, updated_at"
)
_PROVIDERS = text(f"SELECT {_COLUMNS} FROM identity.sign_in_providers ORDER BY lower(name), id LIMIT 100")
_PROVIDER = text(f"SELECT {_COLUMNS} FROM identity.sign_in_providers WHERE id = :id")
_OFFERED = text("SELECT id, name FROM identity.sign_in_providers WHERE enabled ORDER BY lower(name), id LIMIT 100")
_METHODS = text(
    "SELECT i.id, coalesce(p.name, i.issuer) AS provider, i.issuer, i.label, i.linked_at, i.last_used_at, "
    "coalesce(p.enabled, false) AS usable "
    "FROM identity.linked_identities i LEFT JOIN identity.sign_in_providers p ON p.issuer = i.issuer "
    "WHERE i.user_id = :person ORDER BY i.linked_at, i.id LIMIT 500"
)
_PASSWORD = text("SELECT password_hash IS NOT NULL FROM identity.users WHERE id = :person")


async def list_providers(connection: AsyncConnection) -> list[dict[str, Any]]:
    """All providers by name, without their secrets."""
    return [row_dict(row) for row in await connection.execute(_PROVIDERS)]


async def get_provider(connection: AsyncConnection, provider_id: UUID) -> dict[str, Any]:
    """One provider without its secret; raises NotFound."""
    row = (await connection.execute(_PROVIDER, {"id": provider_id})).one_or_none()
    if row is None:
        message = Text("There is no sign-in provider {provider_id}.", provider_id=provider_id)
        raise NotFound(message)
    return row_dict(row)


async def list_offered(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Id and name of what the sign-in page offers."""
    return [row_dict(row) for row in await connection.execute(_OFFERED)]


async def list_methods(connection: AsyncConnection, user_id: UUID) -> dict[str, Any]:
    """How a person can sign in: whether by password, and by which identities."""
    password = (await connection.execute(_PASSWORD, {"person": user_id})).scalar_one_or_none()
    linked = [row_dict(row) for row in await connection.execute(_METHODS, {"person": user_id})]
    return {"password": bool(password), "identities": linked}
