"""What an export of a workspace is called, and where it is kept."""

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

KIND = "export_workspace"
FORMAT = "dataforge-workspace/1"
# How long a deletion waits for its export before another job is queued for it.
PATIENCE = timedelta(minutes=10)
AGAIN_AFTER = timedelta(hours=1)  # a job that has failed


class ExportState(StrEnum):
    """Whether there is an export of a workspace that was deleted."""

    NONE = "none"  # the workspace is not deleted
    PENDING = "pending"
    READY = "ready"


def kept_below(workspace_id: UUID) -> str:
    """Where the bucket has what lives as long as the workspace: nothing expires there by itself."""
    return f"workspaces/{workspace_id}/"
