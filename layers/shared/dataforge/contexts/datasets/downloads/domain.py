"""What a table can be downloaded as, and which file that is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from dataforge.kernel.canonical import content_hash
from dataforge.kernel.errors import Conflict

# Counted up when the same table is written in another way, so that no file of the old way is given out any more.
_MADE = 1
FOLDER = "exports/tables/"


class Form(StrEnum):
    """A form that tables are downloaded in."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    ARROW = "arrow"
    ARROW_FILE = "arrow_file"

    @property
    def media_type(self) -> str:
        """What it is called in Content-Type."""
        return MEDIA_TYPES[self]


MEDIA_TYPES = {
    Form.CSV: "text/csv",
    Form.JSONL: "application/x-ndjson",
    Form.PARQUET: "application/vnd.apache.parquet",
    Form.ARROW: "application/vnd.apache.arrow.stream",
    Form.ARROW_FILE: "application/vnd.apache.arrow.file",
}
# Nanoseconds that a cell takes to be written: JSON is made value by value.
_CELL_NANOSECONDS = {Form.CSV: 250, Form.JSONL: 1500, Form.PARQUET: 200, Form.ARROW: 150, Form.ARROW_FILE: 150}
_BYTE_NANOSECONDS = 40
# A request has 29 seconds at the gateway; what takes longer than this is made by a worker.
_MOST_SECONDS = 12.0


class DownloadFailed(Conflict):
    """The file could not be made; `job_id` tells which job failed, and that job says why."""

    code = "download_failed"
    title = "The file could not be made"


@dataclass(frozen=True, slots=True)
class Download:
    """One table in one form: which columns and rows, in which order; `excel` is CSV for spreadsheets."""

    form: Form
    columns: tuple[str, ...] | None = None
    filter: Mapping[str, Any] | None = None
    descending: bool = False
    excel: bool = False

    def identity(self, leaves_sha256: str, schema: Mapping[str, Any]) -> str:
        """What the file is called: equal for equal content of tables, whatever their commits."""
        return content_hash([_MADE, leaves_sha256, schema, asdict(self)])

    def parameters(self, sheet: str, identity: str) -> dict[str, Any]:
        """As an export job has them."""
        return {
            "format": self.form.value,
            "compression": "none",
            "sheet": sheet,
            "columns": None if self.columns is None else list(self.columns),
            "filter": None if self.filter is None else dict(self.filter),
            "base": None,
            "descending": self.descending,
            "excel": self.excel,
            "identity": identity,
        }

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """What a job's parameters say."""
        columns = parameters.get("columns")
        return cls(
            Form(parameters["format"]),
            None if columns is None else tuple(columns),
            parameters.get("filter"),
            parameters.get("descending", False),
            parameters.get("excel", False),
        )


def key_of(dataset_id: UUID, identity: str, form: Form) -> str:
    """The object that holds a file."""
    return f"{folder_of(dataset_id)}{identity}.{form.value}"


def folder_of(dataset_id: UUID) -> str:
    """Where the files of a dataset are."""
    return f"{FOLDER}{dataset_id}/"


def is_quick(form: Form, rows: int, columns: int, stored_bytes: int) -> bool:
    """Whether a request may wait for the file."""
    nanoseconds = rows * columns * _CELL_NANOSECONDS[form] + stored_bytes * _BYTE_NANOSECONDS
    return nanoseconds <= _MOST_SECONDS * 1e9
