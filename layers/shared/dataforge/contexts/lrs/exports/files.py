"""Files of statements, written page by page."""

import csv
import gzip
import io
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any, Protocol

from dataforge.contexts.lrs.exports.domain import COLUMNS, Export, FileFormat
from dataforge.contexts.lrs.selections.queries import SelectedStatement
from dataforge.contexts.lrs.statements.domain import flatten_statement, format_timestamp, read_statement

if TYPE_CHECKING:
    import pyarrow as pa

MEDIA_TYPES = {
    FileFormat.JSONL: "application/x-ndjson",
    FileFormat.CSV: "text/csv",
    FileFormat.PARQUET: "application/vnd.apache.parquet",
}


class StatementFile(Protocol):
    """A file that takes pages of statements."""

    def write(self, page: Sequence[SelectedStatement]) -> None:
        """Write a page."""
        ...

    def close(self) -> None:
        """End the file; what it is written to stays open."""
        ...


def statement_file(export: Export, sink: IO[bytes]) -> StatementFile:
    """A file of the format that is asked for."""
    if export.format is FileFormat.PARQUET:
        return ParquetFile(sink)
    packed: Any = gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=6, mtime=0) if export.gzip else None
    return JsonLines(packed or sink, packed) if export.format is FileFormat.JSONL else CsvFile(packed or sink, packed)


class JsonLines:
    """One statement a line, exactly as it is stored."""

    def __init__(self, sink: IO[bytes], packed: gzip.GzipFile | None = None) -> None:
        self._sink, self._packed = sink, packed

    def write(self, page: Sequence[SelectedStatement]) -> None:
        """Write a page."""
        # PostgreSQL writes jsonb on one line: line ends inside of strings are escaped.
        self._sink.write(b"".join(item.body.encode() + b"\n" for item in page if item.body is not None))

    def close(self) -> None:
        """End the file."""
        if self._packed is not None:
            self._packed.close()


class CsvFile:
    """RFC 4180 with a header."""

    def __init__(self, sink: IO[bytes], packed: gzip.GzipFile | None = None) -> None:
        self._sink, self._packed = sink, packed
        self._write([list(COLUMNS)])

    def write(self, page: Sequence[SelectedStatement]) -> None:
        """Write a page."""
        self._write([[_cell(value) for value in row_of(item).values()] for item in page])

    def _write(self, rows: Sequence[Sequence[str]]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        self._sink.write(text.getvalue().encode())

    def close(self) -> None:
        """End the file."""
        if self._packed is not None:
            self._packed.close()


class ParquetFile:
    """Columns with types, a row group for each page."""

    def __init__(self, sink: IO[bytes]) -> None:
        from pyarrow import parquet

        self._schema = _schema()
        self._writer = parquet.ParquetWriter(sink, self._schema, compression="zstd")

    def write(self, page: Sequence[SelectedStatement]) -> None:
        """Write a page."""
        import pyarrow as pa

        rows = [row_of(item) for item in page]
        columns = {name: [row[name] for row in rows] for name in COLUMNS}
        self._writer.write_table(pa.table(columns, schema=self._schema))

    def close(self) -> None:
        """End the file."""
        self._writer.close()


def _schema() -> "pa.Schema":
    import pyarrow as pa

    kinds = {
        "text": pa.string(),
        "time": pa.timestamp("us", tz="UTC"),
        "flag": pa.bool_(),
        "number": pa.float64(),
        "count": pa.int64(),
    }
    return pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])


def row_of(item: SelectedStatement) -> dict[str, Any]:
    """A statement as a row of COLUMNS."""
    flat = flatten_statement(read_statement(item.body or "{}"))
    scores = {name: getattr(flat, name) for name in ("score_scaled", "score_raw", "score_min", "score_max")}
    return {
        "id": str(item.statement_id),
        "stored": item.stored_at,
        "timestamp": flat.occurred_at,
        "actor": flat.actor_key,
        "actor_name": flat.actor_name,
        "verb": flat.verb_id,
        "verb_display": flat.verb_display,
        "object_type": flat.object_type,
        "object": flat.object_id,
        "object_name": flat.object_name,
        "registration": None if flat.registration is None else str(flat.registration),
        "success": flat.success,
        "completion": flat.completion,
        **{name: None if value is None else float(value) for name, value in scores.items()},
        "response": flat.response,
        "duration_ms": flat.duration_ms,
        "platform": flat.platform,
        "language": flat.language,
        "credential": item.authority,
        "statement": item.body,
    }


def _cell(value: Any) -> str:  # noqa: ANN401 - any value of a row
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format_timestamp(value) if hasattr(value, "isoformat") else str(value)
