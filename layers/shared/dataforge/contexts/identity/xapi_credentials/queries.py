"""xAPI credentials by fingerprint; never a secret."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.contract import XapiCredential
from dataforge.contexts.identity.tables import xapi_credentials
from dataforge.contexts.identity.xapi_credentials.domain import fingerprint
from dataforge.kernel.access import Reach
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import Database
from dataforge.platform.db.reach import within


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


def credential_missing(key_id: str) -> NotFound:
    """The refusal for a credential that is not there, and for everybody who may not see it."""
    return NotFound(Text("There is no xAPI credential {key_id}.", key_id=key_id))


async def workspace_of_credential(connection: AsyncConnection, key_id: str) -> UUID | None:
    """The workspace that a credential belongs to, None for one of the organisation; raises NotFound."""
    query = select(xapi_credentials.c.workspace_id).where(xapi_credentials.c.key_id == key_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise credential_missing(key_id)
    workspace_id: UUID | None = row.workspace_id
    return workspace_id


async def list_xapi_credentials(
    connection: AsyncConnection, reach: Reach, *, workspace_id: UUID | None = None
) -> list[dict[str, Any]]:
    """Credentials within reach, newest first, of one workspace if it is given."""
    query = select(xapi_credentials).where(within(xapi_credentials.c.workspace_id, reach))
    query = query.order_by(xapi_credentials.c.created_at.desc(), xapi_credentials.c.key_id)
    if workspace_id is not None:
        query = query.where(xapi_credentials.c.workspace_id == workspace_id)
    return [credential_row(row) for row in await connection.execute(query)]


async def get_xapi_credential(connection: AsyncConnection, key_id: str) -> dict[str, Any]:
    """One credential; raises NotFound."""
    query = select(xapi_credentials).where(xapi_credentials.c.key_id == key_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise credential_missing(key_id)
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
