"""The write SQL of vaults."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.tables import vaults
from dataforge.contexts.workspaces.vaults.domain import Vault, VaultNotFound
from dataforge.contexts.workspaces.workspaces.domain import Workspace, name_taken
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import VersionedRows


class Vaults(VersionedRows):
    """Vaults of workspaces; the workspace is entered before them."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        refusals = {
            "uq_vaults_workspace_id_name_ci": lambda row: name_taken("vault", row["name"], Text("The workspace"))
        }
        super().__init__(connection, vaults, "vault", now, refusals=refusals)

    async def enter(self, vault_id: UUID, workspace: Workspace, *, alone: bool = False) -> Vault:
        """The vault; until the end of the transaction it is not locked, with `alone` nothing in it changes either.

        Raises VaultNotFound.
        """
        query = select(vaults).where(vaults.c.id == vault_id, vaults.c.workspace_id == workspace.id)
        query = query.with_for_update(read=not alone, key_share=alone)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            message = Text("There is no vault {vault_id} in this workspace.", vault_id=vault_id)
            raise VaultNotFound(message)
        return Vault(row.id, workspace, row.name, row.locked_at, row.revision)

    async def update(self, vault: Vault, changes: dict[str, Any]) -> None:
        """Write changes of a vault that was entered alone."""
        await self.change({"id": vault.id, "name": vault.name}, changes)
