"""What a credential that asks for a token has."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.tables import xapi_credentials


async def find_client(connection: AsyncConnection, key_id: str) -> Any | None:  # noqa: ANN401 - a row
    """Hash of the secret, scopes and whether it was revoked; None when there is no such key."""
    columns = xapi_credentials.c
    query = select(columns.secret_hash, columns.scopes, columns.revoked_at).where(columns.key_id == key_id)
    return (await connection.execute(query)).one_or_none()
