"""Uploads of files for a branch of a dataset."""

from dataforge.kernel.errors import NotFound


class UploadNotFound(NotFound):
    """No such upload in this dataset."""

    code = "upload_not_found"
    title = "There is no such upload"
