"""Datasets from a shell, in the words of git."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from dataforge_client.cli.console import DIFFERENT, Settings, plain, settings_of
from dataforge_client.datasets import Form
from dataforge_client.diffs import Change
from dataforge_client.errors import MergeConflict, NotFound
from dataforge_client.models import CommitResult

app = typer.Typer(help="Versioned tables: list, pull, push, log, diff, merge, sql.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name or id of a dataset.")]
Version = Annotated[str | None, typer.Option("--version", "-v", help="Branch, tag or commit; the default branch.")]
_SHOWN_ROWS = 20
_STDOUT = Path("-")
Branch = Annotated[str | None, typer.Option("--branch", "-b", help="The default branch, if it is left out.")]


class Mode(StrEnum):
    """What becomes of the rows that are there."""

    REPLACE = "replace"
    APPEND = "append"
    UPSERT = "upsert"


@app.command("ls")
def list_datasets(
    context: typer.Context, search: Annotated[str | None, typer.Argument(help="In names and descriptions.")] = None
) -> None:
    """Datasets that one may read."""
    settings = settings_of(context)
    with settings.client() as client:
        settings.rows(client.datasets.list(search), ("name", "description", "default_branch", "updated_at", "id"))


@app.command()
def pull(
    context: typer.Context,
    name: Name,
    file: Annotated[
        Path,
        typer.Argument(help="Its ending says the form: csv, parquet, jsonl, xlsx, arrow; - is standard output."),
    ],
    version: Version = None,
    sheet: Annotated[str | None, typer.Option(help="Of a version with several.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="Only these; may be repeated.")] = None,
    form: Annotated[str | None, typer.Option(help=f"{', '.join(get_args(Form))}; else by the file's ending.")] = None,
) -> None:
    """Write a version into a file or to standard output, whole or not at all.

    [dim]dataforge datasets pull Grades grades.parquet --version v2[/]
    """
    if form is not None and form not in get_args(Form):
        raise typer.BadParameter(f"{form!r} is none of {', '.join(get_args(Form))}", param_hint="--form")
    settings = settings_of(context)
    with tempfile.TemporaryDirectory() as folder, settings.client() as client:
        target = Path(folder, "rows.csv") if file == _STDOUT else file
        dataset = client.datasets.get(name)
        dataset.download(target, version, sheet=sheet, columns=column, form=form)  # type: ignore[arg-type]  # looked at above
        if file == _STDOUT:
            with target.open("rb") as rows:
                shutil.copyfileobj(rows, sys.stdout.buffer)
            return
    size = file.stat().st_size
    settings.note(f"{file}: {size:,} bytes")
    if settings.as_json:
        settings.one({"file": str(file), "size_bytes": size})


@app.command()
def push(
    context: typer.Context,
    name: Name,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, Excel, Parquet, JSON, JSON lines.")],
    key: Annotated[list[str] | None, typer.Option("--key", "-k", help="Tells rows apart; may be repeated.")] = None,
    branch: Branch = None,
    message: Annotated[str | None, typer.Option("--message", "-m")] = None,
    mode: Mode = Mode.REPLACE,
    table: Annotated[str | None, typer.Option(help="Name of the table.")] = None,
    *,
    create: Annotated[bool, typer.Option("--create", help="Make the dataset if it is not there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Show what it would do, and do nothing.")] = False,
) -> None:
    """Commit a file, of any size.

    [dim]dataforge datasets push Grades marks.csv --key student -m "May"[/]
    """
    settings = settings_of(context)
    options: dict[str, Any] = {"key": key, "ref": branch, "message": message, "mode": mode.value}
    if table is not None:
        options |= {"table": table, "keep_other_tables": True}
    with settings.client() as client:
        try:
            dataset = client.datasets.get(name)
        except NotFound:
            if not create or dry_run:
                raise
            dataset = client.datasets.create(name)
        if dry_run:
            plan = dataset.plan(file, **options)
            _planned(settings, plan.sheets, plan.report)
            return
        _committed(settings, dataset.upload(file, **options))


def _planned(settings: Settings, sheets: Iterable[Any], report: Mapping[str, Any]) -> None:
    sheets = [plain(sheet) for sheet in sheets]
    settings.rows(sheets, ("sheet_name", "change", "inserted", "updated", "deleted", "unchanged"))
    for sheet in sheets:
        for change in (sheet["schema"] or {}).get("changes", ()):
            types = f"{change['before'] or 'absent'} → {change['after'] or 'absent'}"
            settings.note(f"{sheet['sheet_name']}: column {change['column']}: {types}")
    for table in report.get("tables", ()):
        for row in table.get("rejected", ())[:_SHOWN_ROWS]:
            settings.note(f"{table['name']}: " + ", ".join(f"{name} {value}" for name, value in row.items()))
        if (count := table.get("rejected_count", 0)) > _SHOWN_ROWS:
            settings.note(f"{table['name']}: {count:,} rows are rejected in all")


def _committed(settings: Settings, result: CommitResult) -> None:
    if settings.as_json:
        settings.one(result)
    elif result.unchanged:
        settings.note("Nothing changed.")
    else:
        settings.note(f"{result.updated_ref} is at {result.new_commit_id}.")


@app.command("log")
def history(
    context: typer.Context,
    name: Name,
    version: Version = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
) -> None:
    """Commits of a version, newest first."""
    settings = settings_of(context)
    with settings.client() as client:
        commits = islice(client.datasets.get(name).log(version), limit)
        settings.rows(commits, ("commit_id", "created_at", "message"))


@app.command()
def diff(
    context: typer.Context,
    name: Name,
    base: Annotated[str, typer.Argument(help="Branch, tag or commit.")],
    head: Annotated[str | None, typer.Argument(help="The default branch, if it is left out.")] = None,
    sheet: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Rows at most.")] = 10_000,
    *,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Status 6 if anything differs.")] = False,
) -> None:
    """What changed from one version to another, row by row."""
    settings = settings_of(context)
    with settings.client() as client:
        difference = client.datasets.get(name).diff(base, head, sheet=sheet, limit=limit)
    settings.rows((_change(settings, row) for row in difference), ("sheet", "change", "before", "after"))
    if difference.truncated:
        settings.note(f"There are more than {limit:,}; ask for more with --limit.")
    if exit_code and not difference.identical:
        raise typer.Exit(DIFFERENT)


def _change(settings: Settings, change: Change) -> dict[str, Any]:
    if settings.as_json:
        return plain(change)
    before, after = dict(change.before or {}), dict(change.after or {})
    # What tells the row apart comes first in a table; cells that stayed as they are say nothing more.
    kept = set(change.changed_columns or [*before, *after]) | {next(iter(after or before), "")}

    def shown(side: dict[str, Any]) -> str:
        return ", ".join(f"{column}={value}" for column, value in side.items() if column in kept)

    return {"sheet": change.sheet, "change": change.kind, "before": shown(before), "after": shown(after)}


@app.command()
def merge(
    context: typer.Context,
    name: Name,
    source: Annotated[str, typer.Argument(help="The branch, tag or commit that is merged.")],
    branch: Branch = None,
    message: Annotated[str | None, typer.Option("--message", "-m")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Show what it would do, and do nothing.")] = False,
) -> None:
    """Bring what another branch did into a branch; nothing is done while there are conflicts."""
    settings = settings_of(context)
    with settings.client() as client:
        dataset = client.datasets.get(name)
        if dry_run:
            settings.one(dataset.preview_merge(source, into=branch))
            return
        try:
            result = dataset.merge(source, into=branch, message=message)
        except MergeConflict as error:
            settings.rows(error.conflicts, ("sheet_name", "columns", "base", "ours", "theirs"))
            raise
        _committed(settings, result)


@app.command()
def sql(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help='One SELECT: `SELECT * FROM grades@main JOIN "Roster 2026"@v2 …`')],
    name: Annotated[str | None, typer.Option("--dataset", "-d", help="Ask this one: its sheets are tables.")] = None,
    version: Version = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000)] = 1000,
) -> None:
    """Ask a version, or several datasets, in SQL."""
    settings = settings_of(context)
    with settings.client() as client:
        if name is None:
            result = client.sql(query, max_rows=limit)
        else:
            result = client.datasets.get(name).sql(query, version=version, max_rows=limit)
    settings.rows(result.to_dicts(), result.names)
