"""The one error of object storage that callers act on; free of any cloud library."""

from dataforge.kernel.errors import DataForgeError


class ObjectMissing(DataForgeError):
    """A stored object that something names is not there."""

    code = "stored_object_missing"
    title = "Stored data is missing"
