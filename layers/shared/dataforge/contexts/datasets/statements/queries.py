"""The tables of a statement: datasets and reports, found by name or id among what its author may read."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.datasets.commits.domain import CommitNotFound
from dataforge.contexts.datasets.commits.versions import Version, Versions
from dataforge.contexts.datasets.contract import OpenReport, PublishedReports
from dataforge.contexts.datasets.datasets.domain import DatasetNotFound
from dataforge.contexts.datasets.datasets.queries import readable_ids_of, readable_names, require_access
from dataforge.contexts.datasets.refs.domain import RefNotFound
from dataforge.contexts.datasets.refs.queries import names_of_refs
from dataforge.contexts.datasets.statements.domain import (
    Reference,
    Replacement,
    Rewritten,
    offset_to_place,
    references,
)
from dataforge.contexts.datasets.statements.hints import with_hint
from dataforge.contexts.datasets.statements.relations import ReportReference, report_references
from dataforge.contexts.datasets.statements.report_tables import ReportTable
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.principal import Principal
from dataforge.kernel.texts import Text
from versioned_tables.errors import SqlRefused
from versioned_tables.schema.names import sql_name

if TYPE_CHECKING:
    from versioned_tables.sql.caps import SqlCaps, SqlResult
    from versioned_tables.sql.streams import SqlTable

# Below API Gateway's 29 seconds, so that a statement that takes longer is refused by us.
SQL_SECONDS = 20.0
MOST_VERSIONS = 20
MOST_REPORTS = 10
_TEMPORARY = "temp.main."  # where the engine registers tables
_MOST_NAMED = 10
_MOST_COMPARED = 1000
_PLACE = re.compile(r" \(line \d+(?:, column \d+)?\)")


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table of a statement: what it is registered as, and what it is."""

    name: str
    version_name: str
    version: Version
    sheet: str


@dataclass(frozen=True, slots=True)
class ReportSource:
    """A report of a statement: what it is registered as, how it was asked for, and its first page."""

    name: str
    reference: ReportReference
    report: OpenReport


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the engine takes it, its tables, and how many seconds are left for it."""

    statement: Rewritten
    sources: Sequence[SourceTable]
    reports: Sequence[ReportSource]
    seconds: float

    @property
    def watermark(self) -> datetime | None:
        """Of the reports, which have it in common; None without reports."""
        return self.reports[0].report.watermark if self.reports else None

    @property
    def removed_since(self) -> int | None:
        """How many statements have been removed after the watermark; None without reports."""
        return max((source.report.removed_since for source in self.reports), default=None)


async def prepare_statement(
    versions: Versions,
    published: PublishedReports,
    principal: Principal,
    statement: str,
    as_of: datetime | None = None,
) -> Prepared:
    """Find the tables of a statement, reports as of an instant.

    Raises DatasetNotFound for a dataset that is not there for the caller, RefNotFound and CommitNotFound for a version
    and SqlRefused for a sheet that is none, and for a name that several datasets have; what reports raise; each with
    its place.
    """
    begun = time.monotonic()
    try:
        async with asyncio.timeout(SQL_SECONDS):
            reports, in_reports = await _reports(published, principal, statement, as_of)
            sources, in_datasets = await _datasets(versions, principal, statement)
    except TimeoutError as error:
        message = Text("The statement took more than {seconds:g} seconds and was stopped.", seconds=SQL_SECONDS)
        raise SqlRefused(message) from error
    replacements = sorted([*in_reports, *in_datasets], key=lambda item: item.start)
    left = round(SQL_SECONDS - (time.monotonic() - begun))  # whole seconds, for messages
    return Prepared(Rewritten.of(statement, replacements), sources, reports, max(1.0, left))


async def _reports(
    published: PublishedReports, principal: Principal, statement: str, as_of: datetime | None
) -> tuple[list[ReportSource], list[Replacement]]:
    """The reports of a statement, all of the watermark of the first."""
    named = list(report_references(statement))
    if as_of is not None and not any(reference.is_table for reference in named):
        raise SqlRefused(Text("`as_of` is for statements that read reports; versions are named as grades@v2."))
    found: dict[object, ReportSource] = {}
    replacements = []
    for reference in named:
        place = _place(statement, reference)
        if reference.problem is not None:
            raise SqlRefused(reference.problem, facts=place)
        if not reference.is_table:
            continue
        if reference.key not in found:
            if len(found) == MOST_REPORTS:
                message = Text("A statement reads at most {most} reports.", most=MOST_REPORTS)
                raise SqlRefused(message, facts=place)
            try:
                report = await published.open(principal, reference.name, reference.arguments, as_of)
            except DataForgeError as error:
                error.facts |= place
                raise
            as_of = report.watermark
            same = sum(source.reference.report == reference.report for source in found.values())
            name = reference.report + (f"_{same + 1}" if same else "")
            found[reference.key] = ReportSource(name, reference, report)
        # Without its schema it would be a name that a WITH may have given to something else.
        replacements.append(Replacement(reference.start, reference.stop, found[reference.key].name, _TEMPORARY))
    names = {source.name for source in found.values()}
    replacements += [
        Replacement(reference.start, reference.stop, reference.report)
        for reference in named
        if not reference.is_table and reference.report in names
    ]
    return list(found.values()), replacements


async def _datasets(
    versions: Versions, principal: Principal, statement: str
) -> tuple[list[SourceTable], list[Replacement]]:
    named = list(references(statement))
    found: dict[tuple[str, str], Version] = {}
    for reference in named:
        key = (reference.dataset, reference.version)
        if key in found:
            continue
        if len(found) == MOST_VERSIONS:
            message = Text("A statement reads at most {most} versions of datasets.", most=MOST_VERSIONS)
            raise SqlRefused(message, facts=_place(statement, reference))
        dataset_id = await _dataset(versions, principal, statement, reference)
        found[key] = await _version(versions, dataset_id, statement, reference)
    sources: dict[str, SourceTable] = {}
    replacements = []
    for reference in named:
        version = found[reference.dataset, reference.version]
        sheet, stop = _sheet(statement, reference, version)
        source = _source(sources, reference, version, sheet, with_sheet=stop == reference.sheet_stop != reference.stop)
        replacements.append(Replacement(reference.start, stop, source.name))
    return list(sources.values()), replacements


async def _dataset(versions: Versions, principal: Principal, statement: str, reference: Reference) -> UUID:
    place = _place(statement, reference)
    wanted = reference.dataset
    try:
        given: UUID | None = UUID(wanted) if len(wanted) == 36 else None
    except ValueError:
        given = None
    async with versions.database.read_only() as connection:
        ids = [given] if given is not None else await readable_ids_of(connection, principal, wanted)
        if len(ids) > 1:
            known = ", ".join(str(item) for item in ids[:_MOST_NAMED])
            message = Text("Several datasets are called {name!r}; name one by its id: {ids}.", name=wanted, ids=known)
            raise SqlRefused(message, facts=place)
        try:
            if ids:
                return (await require_access(connection, ids[0], principal, Action.READ, Kind.TABLE)).id
        except DatasetNotFound:
            pass
        near = get_close_matches(wanted, await readable_names(connection, principal), n=1)
    message = Text("There is no dataset {name!r} that you may read.", name=wanted)
    if near:
        message = Text(
            'There is no dataset {name!r} that you may read; did you mean "{near}"?', name=wanted, near=near[0]
        )
    raise DatasetNotFound(message, facts=place)


async def _version(versions: Versions, dataset_id: UUID, statement: str, reference: Reference) -> Version:
    """The version that a reference means; raises RefNotFound, with what may be meant, and CommitNotFound."""
    place = _place(statement, reference)
    try:
        return await versions.load(dataset_id, reference.version)
    except CommitNotFound as error:
        error.facts |= place
        raise
    except RefNotFound as error:
        async with versions.database.read_only() as connection:
            names = await names_of_refs(connection, dataset_id, _MOST_COMPARED)
        near = get_close_matches(reference.version, names, n=1)
        if not near:
            error.facts |= place
            raise
        message = Text(
            'There is no branch or tag {name!r} in {dataset!r}; did you mean "{near}"?',
            name=reference.version,
            dataset=reference.dataset,
            near=near[0],
        )
        raise RefNotFound(message, facts={**error.facts, **place}) from error


def _sheet(statement: str, reference: Reference, version: Version) -> tuple[str, int]:
    """The sheet that a reference means, and where the reference ends."""
    by_name = {sql_name(sheet): sheet for sheet in reversed(list(version.tables))}
    wanted = reference.sheet
    if wanted is not None and (wanted in version.tables or sql_name(wanted) in by_name):
        return wanted if wanted in version.tables else by_name[sql_name(wanted)], reference.sheet_stop
    if len(version.tables) == 1:  # what comes after the point is a column
        return next(iter(version.tables)), reference.stop
    names = ", ".join(list(version.tables)[:_MOST_NAMED]) or "none"
    table = f"{reference.dataset}@{reference.version}"
    message = Text(
        'The version {table} has {count} sheets; name one as {table}."sheet": {names}.',
        table=table,
        count=len(version.tables),
        names=names,
    )
    near = [] if wanted is None else get_close_matches(wanted, list(version.tables), n=1)
    if near:
        message = Text(
            'There is no sheet {sheet!r} in {table}; did you mean "{near}"?', sheet=wanted, table=table, near=near[0]
        )
    raise SqlRefused(message, facts=_place(statement, reference))


def _source(
    sources: dict[str, SourceTable], reference: Reference, version: Version, sheet: str, *, with_sheet: bool
) -> SourceTable:
    """The table under the name that it has in the statement, or one like it where that is another table's to SQL."""
    name = base = f"{reference.dataset}@{reference.version}" + (f".{sheet}" if with_sheet else "")
    number = 1
    while (known := sources.get(sql_name(name))) is not None:
        if (known.version.dataset_id, known.version.commit_id, known.sheet) == (
            version.dataset_id,
            version.commit_id,
            sheet,
        ) and known.name == name:
            return known
        number += 1
        name = f"{base}_{number}"
    sources[sql_name(name)] = SourceTable(name, reference.version, version, sheet)
    return sources[sql_name(name)]


def _place(statement: str, reference: Reference | ReportReference) -> dict[str, Any]:
    line, column = offset_to_place(statement, reference.start)
    return {"line": line, "column": column}


async def run_prepared(
    versions: Versions,
    published: PublishedReports,
    principal: Principal,
    prepared: Prepared,
    *,
    rows: int,
    as_table: bool,
) -> SqlResult:
    """Run a statement over its tables; raises SqlRefused with places in the text that was sent."""
    from versioned_tables.sql.running import answer_over
    from versioned_tables.sql.streams import VersionTable

    tables: dict[str, SqlTable] = {
        source.name: VersionTable(
            versions.store(source.version.dataset_id), source.version.tables[source.sheet].manifest
        )
        for source in prepared.sources
    }
    loop, deadline = asyncio.get_running_loop(), time.monotonic() + prepared.seconds
    tables |= {source.name: ReportTable(source.name, source.report, loop, deadline) for source in prepared.reports}
    caps = _caps(rows, prepared.seconds)
    try:
        return await answer_over(tables, prepared.statement.text, caps, as_table=as_table)
    except SqlRefused as error:
        placed = _with_place_sent(error, prepared.statement)
        raise await with_hint(versions, principal, published.names, placed) from error


async def run_over_version(
    versions: Versions, version: Version, statement: str, *, rows: int, as_table: bool
) -> SqlResult:
    """Run one SELECT over the sheets of a version; raises SqlRefused."""
    from versioned_tables.sql.running import answer_sql

    store = versions.store(version.dataset_id)
    return await answer_sql(store, version.manifests, statement, _caps(rows), as_table=as_table)


def _caps(rows: int, seconds: float = SQL_SECONDS) -> SqlCaps:
    from versioned_tables.sql.caps import SqlCaps

    return SqlCaps(seconds=seconds, rows=rows)


def _with_place_sent(error: SqlRefused, statement: Rewritten) -> SqlRefused:
    line, column = error.facts.get("line"), error.facts.get("column")
    if not isinstance(line, int) or not isinstance(column, int):
        return error
    line, column = statement.place_sent(line, column)
    sentence = _PLACE.sub(f" (line {line}, column {column})", str(error), count=1)
    return SqlRefused(sentence, facts={**error.facts, "line": line, "column": column})
