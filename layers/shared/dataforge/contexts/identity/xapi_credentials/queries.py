"""xAPI credentials by fingerprint; never a secret."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.tables import xapi_credentials
from dataforge.contexts.identity.xapi_credentials.domain import fingerprint


async def list_xapi_credentials(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Credentials by fingerprint, newest first; never a secret."""
    query = select(xapi_credentials).order_by(xapi_credentials.c.created_at.desc(), xapi_credentials.c.key_id)
    return [
        {
            "key": row.key_id,
            "name": row.name,
            "fingerprint": fingerprint(row.secret_hash),
            "scopes": row.scopes,
            "signed": row.public_pem is not None,
            "workspace_id": row.workspace_id,
            "created_at": row.created_at,
            "last_used_at": row.last_used_at,
            "revoked_at": row.revoked_at,
        }
        for row in await connection.execute(query)
    ]
