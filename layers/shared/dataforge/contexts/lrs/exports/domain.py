"""What an export is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from dataforge.contexts.lrs.selections.domain import Selection
from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text

KIND = "export_statements"


class FileFormat(StrEnum):
    """JSON lines have the statements whole, as an import takes them; tables have them beside what reports read."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


class ExportRefused(BadRequest):
    """The parameters of an export do not go together."""

    code = "export_refused"
    title = "No file can be made of this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Statements of a selection; `voided` includes those that are voided."""

    selection: Selection
    format: FileFormat = FileFormat.JSONL
    gzip: bool = False
    voided: bool = False

    def check(self) -> None:
        """Raise ExportRefused."""
        if self.gzip and self.format is FileFormat.PARQUET:
            message = Text("A Parquet file is compressed inside; leave `gzip` at false.")
            raise ExportRefused(message)

    def file_name(self, until: datetime) -> str:
        """What the file is called when it is downloaded: up to when it has the statements."""
        return f"statements-{until:%Y%m%dT%H%M%SZ}.{self.format.value}{'.gz' if self.gzip else ''}"

    def to_json(self) -> dict[str, Any]:
        """JSON that `from_json` reads."""
        chosen = self.selection.to_json()
        return {"selection": chosen, "format": self.format.value, "gzip": self.gzip, "voided": self.voided}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Export":
        """What `to_json` has written."""
        return cls(
            selection=Selection.from_json(values["selection"]),
            format=FileFormat(values["format"]),
            gzip=values["gzip"],
            voided=values["voided"],
        )


COLUMNS: Mapping[str, str] = {
    "id": "text",
    "stored": "time",
    "timestamp": "time",
    "actor": "text",
    "actor_name": "text",
    "verb": "text",
    "verb_display": "text",
    "object_type": "text",
    "object": "text",
    "object_name": "text",
    "registration": "text",
    "success": "flag",
    "completion": "flag",
    "score_scaled": "number",
    "score_raw": "number",
    "score_min": "number",
    "score_max": "number",
    "response": "text",
    "duration_ms": "count",
    "platform": "text",
    "language": "text",
    "credential": "text",
    "statement": "text",
}
"""The columns of a table, and what they hold; `statement` is the whole of it as JSON."""
