"""The unit of work of the commands of workspaces."""

from uuid import UUID

from dataforge.contexts.workspaces.exports.repository import Endings
from dataforge.contexts.workspaces.invitations.repository import Invitations
from dataforge.contexts.workspaces.members.repository import Members
from dataforge.contexts.workspaces.notes.repository import Notes
from dataforge.contexts.workspaces.profiles.repository import Profiles
from dataforge.contexts.workspaces.remotes.repository import RepoRefs
from dataforge.contexts.workspaces.repos.repository import Repos
from dataforge.contexts.workspaces.resources.repository import Resources
from dataforge.contexts.workspaces.vaults.repository import Vaults
from dataforge.contexts.workspaces.webhooks.repository import Webhooks
from dataforge.contexts.workspaces.workspaces.repository import Workspaces
from dataforge.kernel.errors import Forbidden
from dataforge.kernel.texts import Text
from dataforge.platform.db.throttle import Throttle
from dataforge.platform.jobs.shared import SharedJobsUnitOfWork
from dataforge.platform.plans.repository import Plans


class WorkspacesUnitOfWork(SharedJobsUnitOfWork):
    """A transaction with the repositories of workspaces.

    Everything locks in one order: profile, workspace, vault or invitation, what is in it; notes by their ids.
    """

    @property
    def person(self) -> UUID:
        """The signed-in person; raises Forbidden where the system itself is at work."""
        if self.principal.user_id is None:
            message = Text("This needs a signed-in person.")
            raise Forbidden(message)
        return self.principal.user_id

    @property
    def profiles(self) -> Profiles:
        """Profiles."""
        return Profiles(self.connection, self.now)

    @property
    def workspaces(self) -> Workspaces:
        """Workspaces."""
        return Workspaces(self.connection, self.now)

    @property
    def endings(self) -> Endings:
        """Workspaces that are deleted, or may be."""
        return Endings(self.connection, self.now)

    @property
    def members(self) -> Members:
        """Members."""
        return Members(self.connection, self.now)

    @property
    def invitations(self) -> Invitations:
        """Invitations."""
        return Invitations(self.connection, self.now)

    @property
    def repos(self) -> Repos:
        """Repos."""
        return Repos(self.connection, self.now)

    @property
    def repo_refs(self) -> RepoRefs:
        """Branches and tags of repos."""
        return RepoRefs(self.connection)

    @property
    def webhooks(self) -> Webhooks:
        """Webhooks of repos."""
        return Webhooks(self.connection, self.now)

    @property
    def plans(self) -> Plans:
        """Plans that wait to be applied."""
        return Plans(self.connection)

    @property
    def throttle(self) -> Throttle:
        """How often something is tried."""
        return Throttle(self.connection, self.now)

    @property
    def vaults(self) -> Vaults:
        """Vaults."""
        return Vaults(self.connection, self.now)

    @property
    def notes(self) -> Notes:
        """Notes."""
        return Notes(self.connection, self.now)

    @property
    def resources(self) -> Resources:
        """Global resources."""
        return Resources(self.connection, self.now)
