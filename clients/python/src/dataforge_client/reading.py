"""The rows of a version: as a file in memory or on the disk, as Arrow, and as answers of SQL."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from dataforge_client.errors import ApiError, TransferFailed
from dataforge_client.files import Waiting, fetch_into, follow, wait_for
from dataforge_client.flows import Flow, Pause, Reply
from dataforge_client.frames import PARQUET, pandas_of, pandas_of_rows, polars_of
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
}
_EXPORTED = ("csv", "parquet", "jsonl", "excel")


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
) -> Flow[str | None]:
    """Write the rows of a version into a file; returns the commit they are of if the answer names it."""
    path = f"/api/datasets/{dataset_id}/refs/{segment(version)}"
    media_type = MEDIA_TYPES.get(form)
    if media_type is not None:
        try:
            reply = yield from _asked_until_ready(session, f"{path}/data", selection, media_type, waiting)
        except ApiError as error:
            if error.status != 406:
                raise
        else:
            commit = reply.headers.get("etag", "").removeprefix("W/").strip('"') or None
            location = follow(session, reply)
            if location is not None:
                yield from fetch_into(session, location, sink, waiting.report)
                return commit
            if reply.headers.get("content-type", "").partition(";")[0] == media_type:
                sink.write(reply.content)
                return commit
    # What the route does not offer, an export does.
    body = {"format": form, **selection.body()}
    job = parse(Job, (yield from session.send_json("POST", f"{path}/exports", body)))
    return (yield from _write_job(session, job, sink, waiting))


def _asked_until_ready(
    session: Session, path: str, selection: Selection, media_type: str, waiting: Waiting
) -> Flow[Reply]:
    """The answer to a request for a file; 202 says that it is being made, and when to ask again."""
    until = None if waiting.timeout is None else time.monotonic() + waiting.timeout
    while True:
        reply = yield from session.call("GET", path, params=selection.params(), accept=media_type)
        if reply.status != 202:
            return reply
        if until is not None and time.monotonic() >= until:
            message = f"The file is not ready after {waiting.timeout:g} s; it is still being made."
            raise TransferFailed(message)
        waiting.report("preparing", 0, None)
        yield Pause(float(reply.headers.get("retry-after", 1)))


def _write_job(session: Session, job: Job, sink: BinaryIO, waiting: Waiting) -> Flow[str | None]:
    job = yield from wait_for(session, job, waiting)
    yield from fetch_into(session, str(job.download_url), sink, waiting.report)
    return (job.output_summary or {}).get("commit_id")


def read_parquet(
    session: Session, dataset_id: str, version: str, selection: Selection, waiting: Waiting
) -> Flow[tuple[io.BytesIO, str | None]]:
    """The rows of a version as a Parquet file in memory, and the commit they are of."""
    sink = io.BytesIO()
    commit = yield from write_rows(session, dataset_id, version, "parquet", selection, sink, waiting)
    sink.seek(0)
    return sink, commit


class Result:
    """What a query answered: `columns` with their types, `rows` as lists; `truncated` when there were more."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.columns = [Column(column["name"], column["type"]) for column in answer["columns"]]
        self.rows: list[list[Any]] = [self._row(row) for row in answer["rows"]]
        self.truncated = bool(answer.get("truncated"))
        self.commit_id: str | None = answer.get("commit_id")

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


def frame_of(sink: io.BytesIO, origin: Mapping[str, Any]) -> pd.DataFrame:
    """The DataFrame of a Parquet file that remembers where it came from."""
    from dataforge_client.frames import arrow_of

    return pandas_of(arrow_of(sink), origin)
