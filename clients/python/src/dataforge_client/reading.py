"""The rows of a version: as a file in memory or on the disk, as Arrow, and as answers of SQL."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from dataforge_client.files import Waiting, fetch_into, follow, wait_for
from dataforge_client.flows import Flow
from dataforge_client.frames import PARQUET, pandas_of_rows, polars_of
from dataforge_client.models import Column, Job, parse
from dataforge_client.session import JSON, Params, Session, segment

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

MEDIA_TYPES = {
    "csv": "text/csv",
    "parquet": PARQUET,
    "jsonl": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
    "arrow_file": "application/vnd.apache.arrow.file",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows and columns of which sheet: `where` is a filter: {"column": "score", "op": "gte", "value": 50}."""

    sheet: str | None = None
    columns: Sequence[str] | None = None
    where: Mapping[str, Any] | None = None

    def params(self) -> Params:
        """As parameters of an address."""
        where = None if self.where is None else json.dumps(self.where, default=str)
        return {"sheet": self.sheet, "columns": self.columns, "filter": where}

    def body(self) -> dict[str, Any]:
        """As members of a request for an export."""
        columns = None if self.columns is None else list(self.columns)
        return {"sheet": self.sheet, "columns": columns, "filter": self.where}


def write_rows(
    session: Session, dataset_id: str, version: str, form: str, selection: Selection, sink: BinaryIO, waiting: Waiting
) -> Flow[None]:
    """Write the rows of a version into a file."""
    path = f"/api/datasets/{dataset_id}/refs/{segment(version)}"
    media_type = MEDIA_TYPES.get(form)
    if media_type is None:
        # What the route does not offer, an export does.
        body = {"format": form, **selection.body()}
        queued = parse(Job, (yield from session.send_json("POST", f"{path}/exports", body)))
        job = yield from wait_for(session, queued, waiting)
        yield from fetch_into(session, str(job.download_url), sink, waiting.report)
        return
    reply = yield from session.call("GET", f"{path}/data", params=selection.params(), accept=media_type)
    while reply.status == 202:
        # It is being made; whoever asks again when the job has ended gets it.
        yield from wait_for(session, parse(Job, json.loads(reply.content)), waiting)
        reply = yield from session.call("GET", f"{path}/data", params=selection.params(), accept=media_type)
    location = follow(session, reply)
    if location is None:
        sink.write(reply.content)
    else:
        yield from fetch_into(session, location, sink, waiting.report)


def read_parquet(
    session: Session, dataset_id: str, version: str, selection: Selection, waiting: Waiting
) -> Flow[io.BytesIO]:
    """The rows of a version as a Parquet file in memory."""
    sink = io.BytesIO()
    yield from write_rows(session, dataset_id, version, "parquet", selection, sink, waiting)
    sink.seek(0)
    return sink


class Result:
    """What a query answered: `columns` with their types, `rows` as lists; `truncated` when there were more.

    `watermark` is the instant up to which reports counted, if the query read any.
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.columns = [Column(column["name"], column["type"]) for column in answer["columns"]]
        self.rows: list[list[Any]] = [self._row(row) for row in answer["rows"]]
        self.truncated = bool(answer.get("truncated"))
        self.commit_id: str | None = answer.get("commit_id")
        self.watermark: str | None = answer.get("watermark")

    def _row(self, row: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
        return [row[column.name] for column in self.columns] if isinstance(row, Mapping) else list(row)

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def __len__(self) -> int:
        return len(self.rows)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Each row by the names of its columns."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]

    def to_pandas(self) -> pd.DataFrame:
        """As a DataFrame of pandas; times are parsed."""
        frame = pandas_of_rows(self.to_dicts(), self.names)
        import pandas as pd

        for column in self.columns:
            if column.type.upper().startswith(("TIMESTAMP", "DATE")):
                frame[column.name] = pd.to_datetime(frame[column.name], format="ISO8601")
        return frame

    def to_arrow(self) -> pa.Table:
        """As an Arrow table."""
        import pyarrow as pa

        table: pa.Table = pa.Table.from_pandas(self.to_pandas(), preserve_index=False)
        return table.replace_schema_metadata(None)

    def to_polars(self) -> pl.DataFrame:
        """As a DataFrame of polars."""
        return polars_of(self.to_arrow())


def run_sql(session: Session, path: str, body: Mapping[str, Any]) -> Flow[Result]:
    """Ask a route that takes SQL."""
    reply = yield from session.call("POST", path, json_body=body, accept=JSON, keyed=False)
    return Result(json.loads(reply.content))
