"""The workspace: who may do what in it, and what it allows in which state."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from dataforge.kernel.access import Action, Kind, MemberRole
from dataforge.kernel.errors import AlreadyExists, Conflict, Forbidden, NotFound, Violation
from dataforge.kernel.rules import RULES
from dataforge.kernel.texts import Text

MAX_WORKSPACES = 50  # of one owner
DELETED_FOR = timedelta(days=30)  # how long a deleted workspace is kept before it is erased


class WorkspaceNotFound(NotFound):
    """There is no such workspace, or the caller is not a member of it."""

    code = "workspace_not_found"
    title = "There is no such workspace"


class WorkspaceLimitExceeded(Conflict):
    """A person owns as many workspaces as one person may; delete one or hand it over."""

    code = "workspace_limit_exceeded"
    title = "Too many workspaces"


class WorkspaceDeletionNotAllowed(Conflict):
    """A workspace is deleted only after it has been archived."""

    code = "workspace_deletion_not_allowed"
    title = "The workspace is not archived"


class WorkspaceNotOwned(Forbidden):
    """Only an owner of the workspace may do this."""

    code = "workspace_not_owned"
    title = "You do not own this workspace"


class WorkspaceRoleMissing(Forbidden):
    """The member's role in the workspace does not allow this."""

    code = "workspace_role_missing"
    title = "Your role in the workspace does not allow this"


class WorkspaceArchived(Conflict):
    """The workspace is archived and therefore read-only; unarchive it first."""

    code = "workspace_archived"
    title = "The workspace is archived"


class WorkspaceType(StrEnum):
    """What a workspace is for."""

    GENERAL = "general"
    CLIENT = "client"
    PERSONAL = "personal"
    RESEARCH = "research"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace as one of its members sees it; `role` is the member's."""

    id: UUID
    name: str
    owner_id: UUID
    role: MemberRole
    archived_at: datetime | None = None
    revision: int = 1

    def require(self, action: Action, kind: Kind, *, own: bool = False) -> None:
        """Raise WorkspaceNotOwned or WorkspaceRoleMissing unless the member may; `own` says that it is theirs."""
        rule = RULES[kind, action]
        if (own and rule.own) or rule.member is None or self.role.covers(rule.member):
            return
        if rule.member is MemberRole.OWNER:
            message = Text("Only an owner of this workspace may do this; you are {role}.", role=_article(self.role))
            raise WorkspaceNotOwned(message)
        message = Text(
            "This needs the role {member} in the workspace; you are {role}.",
            member=rule.member,
            role=_article(self.role),
        )
        raise WorkspaceRoleMissing(message, facts={"required_role": rule.member.value})

    def require_open(self) -> None:
        """Raise WorkspaceArchived for one that is read-only."""
        check_open(self.archived_at)

    def require_writable(self, action: Action, kind: Kind, *, own: bool = False) -> None:
        """Raise unless the member may and the workspace is not archived."""
        self.require(action, kind, own=own)
        self.require_open()

    def require_deletable(self) -> None:
        """Raise WorkspaceNotOwned, or WorkspaceDeletionNotAllowed for one that is not archived."""
        self.require(Action.DELETE, Kind.WORKSPACE)
        if self.archived_at is None:
            message = Text("Archive the workspace first; only archived workspaces can be deleted.")
            raise WorkspaceDeletionNotAllowed(message)


def check_open(archived_at: datetime | None) -> None:
    """Raise WorkspaceArchived for a workspace that is read-only."""
    if archived_at is not None:
        message = Text("The workspace is archived; an owner can unarchive it.")
        raise WorkspaceArchived(message)


def _article(role: MemberRole) -> str:
    return f"{'a' if role is MemberRole.VIEWER else 'an'} {role}"


def missing_workspace(workspace_id: UUID) -> WorkspaceNotFound:
    """The refusal for a workspace that is not there, and for everybody who is not a member of it."""
    return WorkspaceNotFound(Text("There is no workspace {workspace_id}.", workspace_id=workspace_id))


def require_room(owned: int) -> None:
    """Raise WorkspaceLimitExceeded for somebody who owns as many workspaces as one person may."""
    if owned >= MAX_WORKSPACES:
        message = Text(
            "One person owns at most {max_workspaces} workspaces; delete one or hand it over first.",
            max_workspaces=MAX_WORKSPACES,
        )
        raise WorkspaceLimitExceeded(message, facts={"limit": MAX_WORKSPACES})


def name_taken(what: str, name: str, where: str) -> AlreadyExists:
    """The refusal of a name that another one has, whatever its capitals."""
    message = Text(
        "{where} already has a {what} named {name!r}; names differ in more than capitals.",
        where=where,
        what=what,
        name=name,
    )
    return AlreadyExists(message, violations=[Violation("/name", Text("is taken"), "unique")])
