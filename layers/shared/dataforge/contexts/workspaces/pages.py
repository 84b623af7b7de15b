"""Pages of workspaces: every noun adds its pages to the one router, first the one whose path is fixed."""

from dataforge.contexts.workspaces.invitations import pages as invitations
from dataforge.contexts.workspaces.members import pages as members
from dataforge.contexts.workspaces.notes import pages as notes
from dataforge.contexts.workspaces.page_calls import router
from dataforge.contexts.workspaces.repos import pages as repos
from dataforge.contexts.workspaces.resources import pages as resources
from dataforge.contexts.workspaces.vaults import pages as vaults
from dataforge.contexts.workspaces.workspaces import pages as workspaces
from dataforge.contexts.workspaces.zips import pages as zips

__all__ = ["invitations", "members", "notes", "repos", "resources", "router", "vaults", "workspaces", "zips"]
