"""Vaults: how many there may be, and what a locked one refuses."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.workspaces.workspaces.domain import (
    Workspace,
)
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import Conflict, Locked, NotFound
from dataforge.kernel.texts import Text

MAX_VAULTS = 20  # of one workspace


class VaultNotFound(NotFound):
    """The workspace has no such vault."""

    code = "vault_not_found"
    title = "There is no such vault"


class VaultLimitExceeded(Conflict):
    """The workspace has as many vaults as one may have."""

    code = "vault_limit_exceeded"
    title = "Too many vaults"


class VaultLocked(Locked):
    """The vault is locked: nothing in it can be changed until an administrator of the workspace unlocks it."""

    code = "vault_locked"
    title = "The vault is locked"


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault in its workspace, as one member sees it."""

    id: UUID
    workspace: Workspace
    name: str
    locked_at: datetime | None
    revision: int

    def require_unlocked(self, action: Action, kind: Kind = Kind.VAULT) -> None:
        """Raise unless the member may do this with the vault or what is in it; VaultLocked (423) while it is locked."""
        self.workspace.require_writable(action, kind)
        if self.locked_at is not None:
            message = Text(
                "The vault {name!r} is locked; an administrator of the workspace can unlock it.", name=self.name
            )
            raise VaultLocked(message, facts={"locked_at": self.locked_at.isoformat()})

    def require_lockable(self) -> None:
        """Raise unless the member may lock and unlock: administrators and owners."""
        self.workspace.require_writable(Action.LOCK, Kind.VAULT)


def require_vault_room(vaults: int) -> None:
    """Raise VaultLimitExceeded for a workspace that is full."""
    if vaults >= MAX_VAULTS:
        message = Text("A workspace has at most {max_vaults} vaults; delete one first.", max_vaults=MAX_VAULTS)
        raise VaultLimitExceeded(message, facts={"limit": MAX_VAULTS})
