"""What can go wrong with rows and bytes, each with a stable code.

BadRequest
├── ImportRefused            422  the file cannot be imported; the sentence names the place
│   ├── EncodingRefused      422  bytes that are not text in the encoding
│   ├── ArchiveRefused       422  truncated, forged, encrypted or exploding archives
│   ├── WorkbookRefused      422
│   ├── TooManyRejectedRows  422  more rows were rejected than the caller allows
│   ├── SnapshotRefused      422  a snapshot of an Iceberg table that cannot be read as it is meant
│   ├── DuplicateKeys        422  the declared key is not unique; the first 100 are listed
│   └── SchemaMismatch       422  the rows break the declared schema
├── FilterRefused            422  a filter names an unknown column or a value of another type
├── OperationRefused         422  a row operation that cannot be carried out
└── SqlRefused               422  the statement is not a read-only SELECT, or went over a cap
Conflict
└── MergeConflicts           409  cells changed on both sides and no rule resolves them
DataForgeError
├── CorruptStorage           500  stored bytes do not match their address or their format
└── ObjectMissing            500  a stored object that a manifest names is not there
"""

from dataforge.kernel.errors import BadRequest, Conflict, DataForgeError, FilterRefused, ObjectMissing


class ImportRefused(BadRequest):
    """The file cannot be imported."""

    code = "import_refused"
    status = 422
    title = "The file cannot be imported"
    # A reader stumbled over content that none expects: an operator should hear of it, as a better refusal could name
    # the cell.
    unforeseen = False


class EncodingRefused(ImportRefused):
    """Bytes that are not text in the declared or detected encoding."""

    code = "encoding_refused"
    title = "The file is not text in this encoding"


class ArchiveRefused(ImportRefused):
    """A truncated, forged, encrypted or exploding archive."""

    code = "archive_refused"
    title = "The compressed file cannot be read"


class WorkbookRefused(ImportRefused):
    """A workbook that cannot be read within its limits."""

    code = "workbook_refused"
    title = "The workbook cannot be read"


class SnapshotRefused(ImportRefused):
    """A snapshot of an Iceberg table that has what cannot be read as it is meant."""

    code = "snapshot_refused"
    title = "The snapshot cannot be imported"


class TooManyRejectedRows(ImportRefused):
    """More rows were rejected than the caller allows."""

    code = "too_many_rejected_rows"
    title = "Too many rows were rejected"


class DuplicateKeys(ImportRefused):
    """The declared key is not unique; `facts.duplicates` lists the first 100."""

    code = "duplicate_keys"
    title = "The declared key is not unique"


class SchemaMismatch(ImportRefused):
    """The rows break the declared schema."""

    code = "schema_mismatch"
    title = "The rows do not fit the schema"


class OperationRefused(BadRequest):
    """A row operation that cannot be carried out on this version."""

    code = "operation_refused"
    status = 422
    title = "The row operation cannot be carried out"


class SqlRefused(BadRequest):
    """The statement is not one read-only SELECT, or it went over a cap."""

    code = "sql_refused"
    status = 422
    title = "The SQL statement was refused"


class SqlOutgrown(SqlRefused):
    """A statement needs more memory or time than a function has; the code says no more than that it was refused."""


class MergeConflicts(Conflict):
    """Cells changed on both sides and no rule resolves them."""

    code = "merge_conflicts"
    title = "The merge has conflicts"


class ColumnConflict(MergeConflicts):
    """Both sides made something else of one column, so that their rows have no common schema."""


class CorruptStorage(DataForgeError):
    """Stored bytes do not match their address or their format."""

    code = "corrupt_storage"
    title = "Stored data does not match its hash"


__all__ = [
    "ArchiveRefused",
    "ColumnConflict",
    "CorruptStorage",
    "DuplicateKeys",
    "EncodingRefused",
    "FilterRefused",
    "ImportRefused",
    "MergeConflicts",
    "ObjectMissing",
    "OperationRefused",
    "SchemaMismatch",
    "SnapshotRefused",
    "SqlRefused",
    "TooManyRejectedRows",
    "WorkbookRefused",
]
