"""The user profile: what a person tells others, and the anchor of their workspaces."""

from uuid import UUID

from dataforge.kernel.errors import Conflict, NotFound
from dataforge.kernel.texts import Text


class ProfileNotFound(NotFound):
    """There is no such profile, or it is of somebody with whom the caller shares no workspace."""

    code = "profile_not_found"
    title = "There is no such profile"


class ProfileInUse(Conflict):
    """A profile stays while its person owns workspaces; delete them or hand them over first."""

    code = "profile_in_use"
    title = "The person owns workspaces"


def missing_profile(user_id: UUID) -> ProfileNotFound:
    """The refusal of a profile that is not there or not to be seen."""
    return ProfileNotFound(Text("There is no profile of user {user_id}.", user_id=user_id))


def require_unused(workspaces: int) -> None:
    """Raise ProfileInUse for somebody who owns workspaces, deleted ones that are not erased yet included."""
    if workspaces:
        number = f"{workspaces} workspace{'' if workspaces == 1 else 's'}"
        message = Text("You own {number}, perhaps deleted in the last 30 days; hand them over first.", number=number)
        raise ProfileInUse(message, facts={"workspaces": workspaces})
