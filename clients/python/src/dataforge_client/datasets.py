"""Datasets by name or id, and what one of them can do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dataforge_client.errors import Ambiguous, Conflict
from dataforge_client.files import LocalFile, Source, Waiting, onto_disk
from dataforge_client.flows import Bound, Driver, Flow, M, Pages, listing, operation, work
from dataforge_client.frames import Tabular, arrow_of, origin_of, pandas_of, parquet_bytes, polars_of
from dataforge_client.importing import ImportPlan, Target, import_file, options_of, plan_import
from dataforge_client.models import CommitResult, DatasetInfo, Job, parse
from dataforge_client.naming import DATASETS, find_dataset
from dataforge_client.progress import Progress, shown
from dataforge_client.reading import Result, Selection, read_parquet, run_sql, write_rows
from dataforge_client.session import Session
from dataforge_client.versions import Versions

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Mode = Literal["replace", "append", "upsert"]
Form = Literal["csv", "parquet", "jsonl", "excel", "arrow", "arrow_file"]
_FIRST_SHEET = "data"
_COMMIT = re.compile(r"[0-9a-f]{64}")
_FORMS: dict[str, Form] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "excel",
    ".arrows": "arrow",
    ".arrow": "arrow_file",
    ".feather": "arrow_file",
}


class Dataset(Versions[M]):
    """A dataset: `client.datasets["Grades"]`. Nothing is asked for until an operation needs it.

    A `version` is a branch, a tag or a commit id; left out, it is the default branch.
    """

    @operation
    def to_arrow(
        self,
        version: str | None = None,
        *,
        sheet: str | None = None,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
        progress: Progress = None,
    ) -> Flow[pa.Table]:
        """The rows of a sheet as an Arrow table; a version of one sheet needs no name of it."""
        table, _origin = yield from self._table(version, Selection(sheet, columns, where), progress)
        return table

    def _table(
        self, version: str | None, selection: Selection, progress: Progress
    ) -> Flow[tuple[pa.Table, dict[str, Any]]]:
        """The rows, and where they are from: the branch may move on while they are read, and they say so."""
        info = yield from self._resolved()
        name = version or info.default_branch
        commit = yield from self._commit_at(name)
        with shown(progress) as report:
            file = yield from read_parquet(self._session, info.id, commit, selection, Waiting(report))
        origin = {"dataset_id": info.id, "ref": name, "commit_id": commit, "sheet": selection.sheet}
        return (yield from work(lambda: arrow_of(file))), origin

    def _commit_at(self, version: str) -> Flow[str]:
        if _COMMIT.fullmatch(version):
            return version
        return str((yield from self._session.get_json((yield from self._path(version))))["commit_id"])

    @operation
    def to_pandas(
        self,
        version: str | None = None,
        *,
        sheet: str | None = None,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
        progress: Progress = None,
    ) -> Flow[pd.DataFrame]:
        """The rows of a sheet as a DataFrame of pandas, which remembers the commit: `commit` checks that it is still
        the last one.
        """
        table, origin = yield from self._table(version, Selection(sheet, columns, where), progress)
        whole = columns is None and where is None
        return (yield from work(lambda: pandas_of(table, origin if whole else None)))

    @operation
    def to_polars(
        self,
        version: str | None = None,
        *,
        sheet: str | None = None,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
        progress: Progress = None,
    ) -> Flow[pl.DataFrame]:
        """The rows of a sheet as a DataFrame of polars."""
        table, _origin = yield from self._table(version, Selection(sheet, columns, where), progress)
        return polars_of(table)

    @operation
    def download(
        self,
        path: str | Path,
        version: str | None = None,
        *,
        form: Form | None = None,
        sheet: str | None = None,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
        progress: Progress = None,
        timeout: float | None = None,
    ) -> Flow[Path]:
        """Write the rows into a file, whole or not at all; its ending says the form: csv, parquet, jsonl, xlsx,
        arrows, arrow.
        """
        target = Path(path)
        info = yield from self._resolved()
        kind = form or _FORMS.get(target.suffix.lower(), "csv")
        name, selection = version or info.default_branch, Selection(sheet, columns, where)

        with shown(progress) as report:
            waiting = Waiting(report, timeout)
            yield from onto_disk(
                target, lambda file: write_rows(self._session, info.id, name, kind, selection, file, waiting)
            )
        return target

    @operation
    def upload(
        self,
        /,
        file: Source,
        *,
        key: Sequence[str] | None = None,
        ref: str | None = None,
        message: str | None = None,
        mode: Mode = "replace",
        base: str | None = None,
        name: str | None = None,
        progress: Progress = None,
        timeout: float | None = None,
        **options: Any,  # noqa: ANN401 - of an import
    ) -> Flow[CommitResult]:
        """Import a file (a path, bytes or an open file) as a commit: CSV, Excel, Parquet, JSON or JSON lines.

        `key` names the columns that tell rows apart. `base` is the commit that the branch has to be at. Other options
        are those of the API: `table`, `declared_types`, `max_rejected`, `sheets`, `drop_columns` and so on.
        """
        target = yield from self._target(ref, base, key=_listed(key), mode=mode, message=message, **options)
        local = LocalFile(file, name)
        with shown(progress) as report:
            return (yield from import_file(self._session, target, local, Waiting(report, timeout)))

    @operation
    def plan(
        self,
        /,
        file: Source,
        *,
        key: Sequence[str] | None = None,
        ref: str | None = None,
        message: str | None = None,
        mode: Mode = "replace",
        name: str | None = None,
        progress: Progress = None,
        timeout: float | None = None,
        **options: Any,  # noqa: ANN401 - of an import
    ) -> Flow[ImportPlan[M]]:
        """What `upload` would do, without doing it; `apply()` of the plan does it."""
        target = yield from self._target(ref, None, key=_listed(key), mode=mode, message=message, **options)
        local = LocalFile(file, name)
        with shown(progress) as report:
            facts = yield from plan_import(self._session, target, local, Waiting(report, timeout))
        return ImportPlan(self._driver, self._session, target.dataset_id, facts)

    def _target(self, ref: str | None, base: str | None, **options: Any) -> Flow[Target]:  # noqa: ANN401 - of an import
        info = yield from self._resolved()
        return Target(info.id, ref or info.default_branch, options_of(**options), base)

    @operation
    def commit(
        self,
        /,
        data: Tabular,
        *,
        message: str,
        key: Sequence[str] | None = None,
        ref: str | None = None,
        sheet: str | None = None,
        mode: Mode = "replace",
        base: str | None = None,
        progress: Progress = None,
        timeout: float | None = None,
        **options: Any,  # noqa: ANN401 - of an import
    ) -> Flow[CommitResult]:
        """Commit a DataFrame (pandas, polars, Arrow, or rows as mappings) as the new content of a sheet.

        A DataFrame that `to_pandas` read from this branch is committed onto the version it was read from: when somebody
        else has committed since, this raises RefMoved, unless `base="*"`.
        """
        info = yield from self._resolved()
        name = ref or info.default_branch
        origin = origin_of(data)
        same = origin.get("dataset_id") == info.id and origin.get("ref") == name
        if base is None and same:
            base = origin.get("commit_id")
        table = sheet or (origin.get("sheet") if same else None) or (yield from self._only_sheet(name))
        content = yield from work(lambda: parquet_bytes(data))
        given = {"format": "parquet", "table": table, "keep_other_tables": True, **options}
        expected = None if base == "*" else base
        target = yield from self._target(name, expected, key=_listed(key), mode=mode, message=message, **given)
        local = LocalFile(content, f"{table}.parquet")
        with shown(progress) as report:
            return (yield from import_file(self._session, target, local, Waiting(report, timeout)))

    def _only_sheet(self, version: str) -> Flow[str]:
        sheets = yield from Versions.sheets.flow(self, version)
        if len(sheets) > 1:
            names = ", ".join(repr(sheet.sheet_name) for sheet in sheets[:10])
            message = f"{self.name!r} has several sheets ({names}): say which one with sheet=…"
            raise Ambiguous(message)
        return sheets[0].sheet_name if sheets else _FIRST_SHEET

    @operation
    def change(
        self,
        operations: Sequence[Mapping[str, Any]],
        *,
        message: str,
        ref: str | None = None,
        base: str = "*",
        schema_changes: Sequence[Mapping[str, Any]] = (),
    ) -> Flow[CommitResult]:
        """Commit changes of single rows: `{"op": "update", "key": {"id": 7}, "values": {"score": 9}}`, up to 10,000.

        `base` is the commit they were made on; "*" is wherever the branch is.
        """
        path = yield from self._path(ref, "commits")
        body = {"message": message, "operations": list(operations), "schema_changes": list(schema_changes)}
        precondition = {"If-Match": base if base == "*" else f'"{base}"'}
        return parse(CommitResult, (yield from self._session.send_json("POST", path, body, headers=precondition)))

    @operation
    def sql(self, query: str, *, version: str | None = None, max_rows: int = 1000) -> Flow[Result]:
        """Run one SELECT over the sheets of a version, each a table of its name."""
        path = yield from self._path(version, "sql")
        return (yield from run_sql(self._session, path, {"sql": query, "max_rows": max_rows}))

    @operation
    def delete(self) -> Flow[None]:
        """Put the dataset away; whoever administers it can restore it."""
        info = yield from self._resolved()
        yield from self._session.delete(f"{DATASETS}/{info.id}")

    @listing
    def jobs(self, status: str | None = None) -> Pages[Job]:
        """Imports and exports, newest first."""
        return lambda: self._job_pages(status)

    def _job_pages(self, status: str | None) -> Flow[Any]:
        info = yield from self._resolved()
        path = f"{DATASETS}/{info.id}/jobs"
        return (yield from self._session.pages(path, {"status": status}, lambda item: parse(Job, item))())


class Datasets(Bound[M]):
    """The datasets that one may read: `client.datasets["Grades"]` is one of them, by name or id."""

    def __init__(self, driver: Driver, session: Session) -> None:
        self._driver, self._session = driver, session

    def __getitem__(self, name: str) -> Dataset[M]:
        return Dataset(self._driver, self._session, name)

    @operation
    def get(self, name: str) -> Flow[Dataset[M]]:
        """A dataset that is there, by name or id; raises NotFound, and Ambiguous where several have the name."""
        info = yield from find_dataset(self._session, name)
        return Dataset(self._driver, self._session, info.name, info)

    @listing
    def list(
        self, search: str | None = None, *, tag: Sequence[str] | None = None, workspace_id: str | None = None
    ) -> Pages[DatasetInfo]:
        """Datasets by name; `search` looks into names and descriptions."""
        params = {"search": search, "tag": tag, "workspace_id": workspace_id}
        return self._session.pages(DATASETS, params, lambda item: parse(DatasetInfo, item))

    @operation
    def create(
        self,
        name: str,
        *,
        description: str = "",
        tags: Sequence[str] = (),
        workspace_id: str | None = None,
        exist_ok: bool = False,
    ) -> Flow[Dataset[M]]:
        """Make a dataset; with `exist_ok`, one of this name that is there already is as good."""
        body = {"name": name, "description": description, "tags": [*tags], "workspace_id": workspace_id}
        try:
            info = parse(DatasetInfo, (yield from self._session.send_json("POST", DATASETS, body)))
        except Conflict as error:
            if not exist_ok or error.code != "dataset_exists":
                raise
            info = yield from find_dataset(self._session, name)
        return Dataset(self._driver, self._session, info.name, info)


def _listed(key: Sequence[str] | None) -> list[str] | None:
    return [key] if isinstance(key, str) else None if key is None else [*key]
