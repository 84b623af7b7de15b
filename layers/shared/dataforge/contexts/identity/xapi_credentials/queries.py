"""xAPI credentials by fingerprint; never a secret."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.contract import XapiCredential
from dataforge.contexts.identity.tables import xapi_credentials
from dataforge.contexts.identity.xapi_credentials.domain import fingerprint
from dataforge.kernel.errors import NotFound
from dataforge.platform.db.database import Database


class StoredCredentials:
    """Credentials as the database has them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key_id: str) -> XapiCredential | None:
        """The credential, also one that was revoked; None when there is none."""
        async with self._database.read_only() as connection:
            query = select(xapi_credentials).where(xapi_credentials.c.key_id == key_id)
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        return XapiCredential(
            row.key_id,
            frozenset(row.scopes),
            row.authority,
            row.public_pem,
            row.workspace_id,
            row.rate_limit,
            row.deduplicate,
        )


async def list_xapi_credentials(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Credentials, newest first."""
    query = select(xapi_credentials).order_by(xapi_credentials.c.created_at.desc(), xapi_credentials.c.key_id)
    return [credential_row(row) for row in await connection.execute(query)]


async def get_xapi_credential(connection: AsyncConnection, key_id: str) -> dict[str, Any]:
    """One credential; raises NotFound."""
    query = select(xapi_credentials).where(xapi_credentials.c.key_id == key_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = f"There is no xAPI credential {key_id}."
        raise NotFound(message)
    return credential_row(row)


def credential_row(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of the table
    """A credential as it is shown: by its fingerprint, never with anything that could be used."""
    return {
        "key": row.key_id,
        "name": row.name,
        "fingerprint": fingerprint(row.secret_hash),
        "scopes": row.scopes,
        "signed": row.public_pem is not None,
        "workspace_id": row.workspace_id,
        "rate_limit": row.rate_limit,
        "deduplicate": row.deduplicate,
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "last_refused_at": row.last_refused_at,
        "last_refused_reason": row.last_refused_reason,
        "revoked_at": row.revoked_at,
        "revision": row.revision,
    }
