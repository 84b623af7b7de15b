"""How workspaces are wired: their services, and what they serve, hear and do."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.workspaces.contract import InvitationMails, Memberships, WorkspaceDeleted, WorkspaceHidden
from dataforge.kernel.access import Action, Kind, MemberRole
from dataforge.kernel.events import Event
from dataforge.platform.access import MemberRoles
from dataforge.platform.module import Job, JobKind, Module, Subscriber
from dataforge.platform.services import Services

if TYPE_CHECKING:
    from dataforge.contexts.workspaces.invitations.published import StoredInvitationMails
    from dataforge.contexts.workspaces.remotes.client import RemoteClient
    from dataforge.contexts.workspaces.remotes.domain import AllowedHosts
    from dataforge.platform.personal_data import PersonalData
    from dataforge.platform.sealing import SecretBox

WORKSPACES = "dataforge.contexts.workspaces"


class WorkspacesServices(Services):
    """The parts of workspaces."""

    def invitation_token(self, invitation_id: UUID, sendings: int) -> str:
        """The token in the link of an invitation's mail of that number, always the same: it is stored nowhere."""
        from dataforge.contexts.workspaces.invitations.domain import TOKEN_SCOPE

        return self.platform.cursors.seal(TOKEN_SCOPE, (str(invitation_id), sendings))

    @cached_property
    def invitation_mails(self) -> "StoredInvitationMails":
        """Writes the mails of invitations."""
        from dataforge.contexts.workspaces.invitations.published import StoredInvitationMails

        return StoredInvitationMails(self)

    @cached_property
    def allowed_hosts(self) -> "AllowedHosts":
        """The hosts of remotes that are asked for their refs."""
        from dataforge.contexts.workspaces.remotes.domain import AllowedHosts

        return AllowedHosts(self.settings.git_allowed_hosts, any_port=self.settings.private_receivers)

    @cached_property
    def remotes(self) -> "RemoteClient":
        """Asks remotes for their refs."""
        from dataforge.contexts.workspaces.remotes.client import RemoteClient

        return RemoteClient(self.allowed_hosts, private=self.settings.private_receivers)

    @cached_property
    def webhook_secrets(self) -> "SecretBox":
        """Encrypts the secrets of webhooks."""
        from dataforge.platform.sealing import SecretBox

        key = self.platform.secrets.read(self.settings.app_secret_arn)["cursor_key"].encode()
        return SecretBox(key, "dataforge repo webhooks")

    @cached_property
    def memberships(self) -> "StoredMemberships":
        """Which workspaces people are in."""
        return StoredMemberships(self)


class StoredMemberships:
    """Reads who is in which workspace."""

    def __init__(self, services: WorkspacesServices) -> None:
        self._services = services

    async def workspaces_of(self, user_id: UUID) -> Sequence[UUID]:
        """Ids of the workspaces that the person is a member of."""
        from dataforge.contexts.workspaces.workspaces.queries import list_memberships

        async with self._services.database.read_only() as connection:
            return await list_memberships(connection, user_id)

    async def role_in(self, workspace_id: UUID, user_id: UUID) -> MemberRole | None:
        """The person's role; None for somebody who is no member, and where there is no such workspace."""
        from dataforge.contexts.workspaces.workspaces.queries import find_role

        async with self._services.database.read_only() as connection:
            return await find_role(connection, workspace_id, user_id)

    async def roles_of(self, user_id: UUID) -> Mapping[UUID, MemberRole]:
        """The person's role in each workspace that they are in."""
        from dataforge.contexts.workspaces.workspaces.queries import list_roles

        async with self._services.database.read_only() as connection:
            return await list_roles(connection, user_id)

    async def require_open(self, workspace_id: UUID) -> None:
        """Raise WorkspaceNotFound or WorkspaceArchived, whoever asks."""
        from dataforge.contexts.workspaces.workspaces.queries import require_open_workspace

        async with self._services.database.read_only() as connection:
            await require_open_workspace(connection, workspace_id)

    async def require(self, workspace_id: UUID, user_id: UUID, action: Action, kind: Kind) -> None:
        """Raise unless the person's role allows it; what is no reading needs a workspace that is not archived."""
        from dataforge.contexts.workspaces.workspaces.queries import published_workspace

        async with self._services.database.read_only() as connection:
            workspace = await published_workspace(connection, workspace_id, user_id)
        workspace.require(action, kind)
        if not action.reads:
            workspace.require_open()


def _jobs() -> Mapping[str, Job[WorkspacesServices]]:
    from dataforge.contexts.workspaces.exports import consumers as exports
    from dataforge.contexts.workspaces.notes import consumers as notes
    from dataforge.contexts.workspaces.workspaces import consumers as workspaces

    return {"exports": exports.maintain, "workspaces": workspaces.maintain, "notes": notes.maintain}


def _job_kinds() -> Mapping[str, JobKind[WorkspacesServices]]:
    from dataforge.contexts.workspaces.exports import consumers as exports
    from dataforge.contexts.workspaces.remotes import consumers as remotes
    from dataforge.contexts.workspaces.zips import consumers as zips

    return {**exports.KINDS, **remotes.KINDS, **zips.KINDS}


def _personal_data() -> "PersonalData[WorkspacesServices]":
    from dataforge.contexts.workspaces.personal_data import personal_data

    return personal_data()


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[WorkspacesServices]]]:
    from dataforge.contexts.workspaces.exports.consumers import delete_objects
    from dataforge.contexts.workspaces.members.consumers import follow_merge
    from dataforge.contexts.workspaces.workspaces.consumers import end_credentials, suspend_credentials

    return {
        AccountsMerged: (follow_merge,),
        WorkspaceHidden: (suspend_credentials,),
        WorkspaceDeleted: (end_credentials, delete_objects),
    }


MODULE = Module(
    name="workspaces",
    services=WorkspacesServices,
    routers={
        "api": {
            "/api/user-profiles": f"{WORKSPACES}.routes",
            "/api/workspaces": f"{WORKSPACES}.routes",
            "/api/workspace-invitations": f"{WORKSPACES}.routes",
            "/api/repo-webhooks": f"{WORKSPACES}.routes",
            "/ui/workspaces": f"{WORKSPACES}.pages",
        }
    },
    offers={
        Memberships: lambda platform: platform.get(WorkspacesServices).memberships,
        MemberRoles: lambda platform: platform.get(WorkspacesServices).memberships,
        InvitationMails: lambda platform: platform.get(WorkspacesServices).invitation_mails,
    },
    jobs=_jobs,
    job_kinds=_job_kinds,
    personal_data=_personal_data,
    subscribers=_subscribers,
)
