"""Uploads of files for a branch of a dataset."""

import hashlib
from dataclasses import dataclass, field
from uuid import UUID

from dataforge.kernel.errors import BadRequest, NotFound
from dataforge.kernel.texts import Text


class UploadNotFound(NotFound):
    """No such upload in this dataset."""

    code = "upload_not_found"
    title = "There is no such upload"


class FileGone(BadRequest):
    """The uploaded file is no longer there."""

    code = "file_gone"
    status = 422
    title = "The uploaded file is gone"


def file_gone() -> FileGone:
    """The refusal for a file that was kept as long as files are."""
    return FileGone(Text("The uploaded file is no longer there; upload it again."))


# In the place of S3's id of an upload: the file is being written from a snapshot of a published table.
OF_SNAPSHOT = "iceberg"


@dataclass(frozen=True, slots=True)
class SentFile:
    """A small file that came as the body of a request."""

    name: str
    content_type: str
    data: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """64 hex digits over its bytes."""
        return hashlib.sha256(self.data).hexdigest()


def sent_prefix(dataset_id: UUID) -> str:
    """Where such files are kept: not below `uploads/`, whose new objects the queue of imports hears of."""
    return f"sent/{dataset_id}/"
