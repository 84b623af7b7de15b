"""Wire models of exports."""

from datetime import datetime

from pydantic import BaseModel

from dataforge.contexts.workspaces.exports.domain import ExportState


class WorkspaceExportOut(BaseModel):
    """The export of a deleted workspace: at `download_url` for an hour, until the workspace is erased.

    `status` is `none` for a workspace that is not deleted, `pending` until the export is written.
    """

    status: ExportState
    deleted_at: datetime | None
    erased_after: datetime | None
    exported_at: datetime | None
    bytes: int | None
    download_url: str | None
