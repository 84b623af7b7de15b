"""Importing a file into one version: what `dataset_import` runs between download and commit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dataforge.kernel.texts import Text
from versioned_tables.compare.diff import count_changes
from versioned_tables.errors import EncodingRefused, SchemaMismatch
from versioned_tables.files.archives import label
from versioned_tables.files.boundary import Place, Storage, refusing
from versioned_tables.files.dialect import ONE_COLUMN
from versioned_tables.files.encoding import reconsidered
from versioned_tables.files.options import REJECTED_LISTED, ColumnReport, ImportOptions, ImportReport, TableReport
from versioned_tables.files.sources import FileSource
from versioned_tables.files.text_file import TextFile, open_text
from versioned_tables.files.typed import TypedTable
from versioned_tables.format.manifest import Change, Manifest
from versioned_tables.imports.formats import DelimitedText, open_file
from versioned_tables.imports.text_tables import BetterPlan, TextTable, target_schema, too_many
from versioned_tables.imports.typed_rows import FittedRows, Rejections, Target, fitted
from versioned_tables.progress import Progress, ProgressCallback, no_progress
from versioned_tables.schema.columns import TableSchema, normal_type, retyped
from versioned_tables.schema.names import matched_names
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.loading import (
    Hashed,
    append,
    replace_sorted,
    replace_sorting,
    upsert,
)
from versioned_tables.write.retyping import with_types

WORKERS = 2


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """The new manifests by table name, and the report. Tables of the base that the file does not have are not in it."""

    tables: dict[str, Manifest]
    report: ImportReport


def import_file(
    store: TableStore,
    source: FileSource,
    options: ImportOptions,
    bases: Mapping[str, Manifest] | None = None,
    *,
    progress: ProgressCallback = no_progress,
    folder: Path | None = None,
) -> ImportOutcome:
    """Read a file and store its rows against the versions in `bases` (the tables of the ref's commit, by name).

    Everything the manifests name is stored when this returns, and nothing is visible until the caller commits them.
    `progress` may raise to cancel. `folder` is where sort runs go (the system's temporary directory by default).
    Raises ImportRefused and its kin, SchemaMismatch, DuplicateKeys, TooManyRejectedRows.
    """
    report = ImportReport()
    found: dict[str, Manifest] = {}
    place = Place(label(source.name))
    watching = place.watching(progress)
    try:
        with refusing(place), ThreadPoolExecutor(WORKERS, thread_name_prefix="import") as pool:
            for table in open_file(Storage(source), options, report, folder, place):
                base = (bases or {}).get(table.name)
                load = _Load(store, options, base, pool, watching, folder, report, table.name)
                found[table.name] = load.table(table.content)
    finally:
        store.drain()
    return ImportOutcome(found, report)


@dataclass(slots=True)
class _Load:
    """One table of a file on its way into a version."""

    store: TableStore
    options: ImportOptions
    base: Manifest | None
    pool: Executor
    progress: ProgressCallback
    folder: Path | None
    report: ImportReport
    name: str
    # Whether rows of a keyed table were found out of key order.
    unsorted: bool = False

    def table(self, content: DelimitedText | TypedTable) -> Manifest:
        """The version that the rows make."""
        return self.typed(content) if isinstance(content, TypedTable) else self.text(content)

    def text(self, content: DelimitedText) -> Manifest:
        """Load a delimited text."""
        blocks, name, samples = content.blocks, content.name, content.samples
        file = open_text(blocks, self.options, name=name, samples=samples)
        try:
            return self._text(file)
        except EncodingRefused:
            if file.encoding.proven:
                raise
            # UTF-8 was the word of the head only. If all of the file says otherwise, it is read as that.
            encoding = reconsidered(blocks)
            if encoding.is_utf8:
                raise
        return self._text(open_text(blocks, self.options, name=name, samples=samples, encoding=encoding))

    def _text(self, file: TextFile) -> Manifest:
        file.names, spelled, options = self._matched(file.names)
        described = TableReport(self.name, notes=[*file.notes, *spelled])
        view = TextTable(file, options, self.base.schema if self.base else None, described)
        self.report.encoding, self.report.header = file.encoding.name, file.header
        self.report.header_reason = file.heading
        # A file of one column has no delimiter.
        alone = file.dialect.delimiter == ONE_COLUMN and len(file.names) == 1
        self.report.delimiter = "" if alone else file.dialect.delimiter
        self.report.quote = file.dialect.quote
        plan, manifest = view.first_plan(), None
        while manifest is None:
            try:
                manifest = self.rows(plan.schema, partial(view.tables, plan, self.pool, self.progress))
            except BetterPlan as better:
                plan = better.plan
        if file.repaired:
            self.report.sequential_from = file.first_repair
            described.notes.append(
                Text(
                    "{repaired} quotes that RFC 4180 does not allow; such records are read one by "
                    "one, and their text is kept.",
                    repaired=_records_with(file.repaired),
                )
            )
        self.finished(described, manifest)
        return manifest

    def typed(self, table: TypedTable) -> Manifest:
        """Load a table whose types are known."""
        self.report.encoding = table.encoding or self.report.encoding
        if table.rejected and len(table.rejected) > self.options.max_rejected:
            raise too_many(table.rejected, len(table.rejected), self.options.max_rejected)
        names, spelled, options = self._matched([name for name, _ in table.columns])
        table.columns = [(name, type_) for name, (_, type_) in zip(names, table.columns, strict=True)]
        described = TableReport(self.name, notes=[*table.notes, *spelled])
        declared = {name: normal_type(options.declared.get(name, type_)) for name, type_ in table.columns}
        schema = target_schema(
            list(declared.items()),
            options,
            self.base.schema if self.base else None,
            frozenset(options.declared),
        )
        most = max(options.max_rejected, REJECTED_LISTED) + 1
        target = Target(schema, dict(table.columns), frozenset(options.declared), most)
        rejections: list[Rejections] = []
        manifest = self.rows(schema, partial(self._typed_rows, table, target, rejections))
        described.rejected, described.rejected_count = rejections[-1].listed(), rejections[-1].count
        described.rows = table.rows - described.rejected_count + len(table.rejected)
        described.columns = [
            ColumnReport(name, schema.columns[at].type, reason)
            for at, ((name, _), reason) in enumerate(zip(table.columns, table.reasons, strict=True))
        ]
        self.finished(described, manifest)
        return manifest

    def _matched(self, names: list[str]) -> tuple[list[str], list[str], ImportOptions]:
        """Names of the file spelled as the table has them, notes on it, and the options with the same spelling.

        A file that replaces the table decides its names.
        """
        if self.base is None or self.options.mode == "replace":
            return names, [], self.options
        found, notes = matched_names(names, self.base.schema.names)
        if not notes:
            return names, [], self.options
        spelling = dict(zip(names, found, strict=True))
        declared = {spelling.get(name, name): type_ for name, type_ in self.options.declared.items()}
        key = None if self.options.key is None else tuple(spelling.get(name, name) for name in self.options.key)
        return found, notes, replace(self.options, declared=declared, key=key)

    def _typed_rows(self, table: TypedTable, target: Target, rejections: list[Rejections]) -> Iterator[Hashed]:
        """Tables by column id, hashed on the pool while the one before is written; `rejections` gets those of this
        reading.
        """
        done = table.rows = 0
        rejected = Rejections.of(table.rejected, self.options.max_rejected, table.places)
        rejections[:] = [rejected]
        names = [name for name, _ in table.columns]
        waiting: deque[Future[FittedRows]] = deque()

        def next_rows() -> Iterator[Hashed]:
            part = waiting.popleft().result()
            rejected.add(part)
            if not rejected.fails:
                yield part.rows

        for part in table.read():
            waiting.append(self.pool.submit(fitted, part.rename_columns(names), target, done + 1))
            done += part.num_rows
            self.progress(Progress("reading", done, 0))
            if len(waiting) > WORKERS:
                yield from next_rows()
        while waiting:
            yield from next_rows()
        rejected.check()
        table.rows = done

    def rows(self, schema: TableSchema, rows: Callable[[], Iterator[Hashed]]) -> Manifest:
        """Load typed tables in the mode of the import; `rows` is called once more when they are to be sorted."""
        options, base = self.options, self.base
        if options.mode == "upsert" and not schema.key:
            raise SchemaMismatch(Text("Upsert needs a key; declare the key columns of the table."))
        if base is None or options.mode == "replace":
            made = None if self.unsorted else replace_sorted(self.store, schema, rows(), base, self.pool)
            if made is None:
                self.unsorted = True
                made = replace_sorting(self.store, schema, rows(), base, self.pool, self.folder)
            return made
        land = append if options.mode == "append" else upsert
        if not retyped(base.schema, schema):
            return land(self.store, schema, rows(), base, self.pool, self.folder)
        seen = with_types(self.store, base, schema, self.pool, self.folder)
        made = land(self.store, schema, rows(), seen, self.pool, self.folder)
        change = made.change or Change("")
        # Where values were converted, patches have rows of the base with the new types, and not as the base has them.
        whole = change.complete and seen.change is not None and seen.change.complete
        return replace(made, change=replace(change, base_digest=base.digest, complete=whole))

    def finished(self, described: TableReport, manifest: Manifest) -> None:
        """Put the table's numbers into the report."""
        described.inserted = manifest.rows
        if self.base is not None:
            counts = count_changes(self.store, self.base, manifest)
            described.inserted, described.updated, described.deleted = counts.values()
        self.report.tables.append(described)


def _records_with(count: int) -> str:
    return "1 record has" if count == 1 else f"{count} records have"
