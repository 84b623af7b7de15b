"""REST of workspaces: every noun below `/api/workspaces` adds its routes to the one router."""

from dataforge.contexts.workspaces.exports import routes as exports
from dataforge.contexts.workspaces.invitations import routes as invitations
from dataforge.contexts.workspaces.members import routes as members
from dataforge.contexts.workspaces.notes import routes as notes
from dataforge.contexts.workspaces.profiles import routes as profiles
from dataforge.contexts.workspaces.remotes import routes as remotes
from dataforge.contexts.workspaces.repos import routes as repos
from dataforge.contexts.workspaces.resources import routes as resources
from dataforge.contexts.workspaces.routing import router
from dataforge.contexts.workspaces.vaults import routes as vaults
from dataforge.contexts.workspaces.webhooks import routes as webhooks
from dataforge.contexts.workspaces.workspaces import routes as workspaces
from dataforge.contexts.workspaces.zips import routes as zips

__all__ = [
    "exports",
    "invitations",
    "members",
    "notes",
    "profiles",
    "remotes",
    "repos",
    "resources",
    "router",
    "vaults",
    "webhooks",
    "workspaces",
    "zips",
]
