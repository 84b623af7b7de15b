"""A text file to typed, hashed tables: parse blocks on a pool, keep their order, plan anew when the file breaks the
plan.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace

import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import ImportRefused, SchemaMismatch, TooManyRejectedRows
from versioned_tables.files.csv_block import (
    BlockPlan,
    ParsedBlock,
    RowProblem,
    StrayQuote,
    first_evidence,
    parse_block,
)
from versioned_tables.files.options import REJECTED_LISTED, ColumnReport, ImportOptions, RejectedRow, TableReport
from versioned_tables.files.text_file import TextFile
from versioned_tables.hashing.row_hash import RowHashes, hash_rows
from versioned_tables.progress import Progress, ProgressCallback
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.columns import Column, TableSchema, evolve, make_schema, normal_type
from versioned_tables.schema.conversion import converted, misfits
from versioned_tables.schema.inference import NOTHING, REASONS, TEXT, column_type, join
from versioned_tables.schema.texts import text_of

_IN_FLIGHT = 3


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How a text is read: the kind of each column, the schema that these lead to, and whether every quote is checked.

    It is a guess from the head of the file, which the rest of the file can prove wrong.
    """

    kinds: tuple[str, ...]
    schema: TableSchema
    careful: bool = False


class BetterPlan(Exception):
    """The file is not as the plan took it to be; `plan` is the one that it is to be read by from its start."""

    def __init__(self, plan: ReadPlan) -> None:
        super().__init__(plan)
        self.plan = plan


@dataclass(slots=True)
class TextTable:
    """A text file seen as a table of one dataset."""

    file: TextFile
    options: ImportOptions
    base: TableSchema | None
    report: TableReport
    _declared: Mapping[int, str] = field(default_factory=dict)
    _records: int = 0
    _lines: int = 0

    def first_plan(self) -> ReadPlan:
        """Plan the reading by the first buffer. Raises ImportRefused, SchemaMismatch."""
        self._declared = _declared_columns(self.file.names, self.options)
        unknown = tuple(self._declared.get(at, NOTHING) for at in range(len(self.file.names)))
        plan = ReadPlan(unknown, TableSchema(()))
        try:
            return self._planned(self._evidence(plan))
        except StrayQuote:
            careful = replace(plan, careful=True)
            return self._planned(self._evidence(careful), careful=True)

    def _evidence(self, plan: ReadPlan) -> tuple[str, ...]:
        first = next(self.file.buffers(careful=plan.careful), b"")
        try:
            return first_evidence(_head(first), self._block_plan(plan)) if first else plan.kinds
        except RowProblem as problem:
            raise problem.refused(0, self.file.lines_before) from None

    def _planned(self, kinds: tuple[str, ...], *, careful: bool = False) -> ReadPlan:
        """The plan that takes these kinds for the whole file."""
        pairs = [(name, column_type(kind)) for name, kind in zip(self.file.names, kinds, strict=True)]
        declared = frozenset(self.file.names[at] for at in self._declared)
        schema = target_schema(pairs, self.options, self.base, declared)
        if self.base is None:
            return ReadPlan(kinds, schema, careful)
        types = {column.name: column.type for column in schema.columns}
        kinds = tuple(
            TEXT if types[name] == "string" and at not in self._declared else kind
            for at, (name, kind) in enumerate(zip(self.file.names, kinds, strict=True))
        )
        return ReadPlan(kinds, schema, careful)

    def _block_plan(self, plan: ReadPlan) -> BlockPlan:
        """What the workers need."""
        names = tuple(self.file.names)
        keys = {column.name for column in plan.schema.key_columns} or set(self.options.key or ())
        required = {at for at, name in enumerate(names) if name in keys}
        if self.base is not None:
            strict = {column.name for column in self.base.columns if not column.nullable}
            required |= {at for at, name in enumerate(names) if name in strict}
        return BlockPlan(
            self.file.dialect,
            len(names),
            plan.kinds,
            frozenset(self._declared),
            frozenset(required),
            ("", *self.options.null_values),
            names,
            self.options.max_rejected,
        )

    def tables(
        self, plan: ReadPlan, pool: Executor | None, progress: ProgressCallback
    ) -> Iterator[tuple[pa.Table, RowHashes]]:
        """Yield typed tables (columns by id) with their hashes, in file order.

        Raises BetterPlan: at a quote that has to be checked, and at the end of a file that needs wider types.
        """
        kinds = list(plan.kinds)
        done = 0
        self._records, self._lines = 0, self.file.lines_before
        self.report.rejected_count, self.report.rejected = 0, []
        for size, (parsed, made) in self._blocks(plan, pool):
            self._reject(parsed)
            self._records += parsed.records
            self._lines += parsed.lines
            done += size
            progress(Progress("reading", self._records, done))
            if parsed.widened:
                kinds = [join(one, other) for one, other in zip(kinds, parsed.widened, strict=True)]
            if made is not None and kinds == list(plan.kinds) and not self._fails:
                yield made
        if self._fails:
            raise self._too_many()
        if kinds != list(plan.kinds):
            raise BetterPlan(self._planned(tuple(kinds), careful=plan.careful))
        self._describe(plan)

    def _blocks(self, plan: ReadPlan, pool: Executor | None) -> Iterator[tuple[int, _Done]]:
        buffers = self.file.buffers(careful=plan.careful)
        try:
            yield from _in_order(pool, buffers, self._block_plan(plan), plan.schema, self._reached)
        except StrayQuote:
            raise BetterPlan(replace(plan, careful=True)) from None

    def _reached(self) -> tuple[int, int]:
        return self._records, self._lines

    @property
    def _fails(self) -> bool:
        return self.report.rejected_count > self.options.max_rejected

    def _reject(self, parsed: ParsedBlock) -> None:
        """Note rejected rows. The file is read on to list all of them, until there are more than are listed."""
        if not parsed.rejected_count:
            return
        self.report.rejected_count += parsed.rejected_count
        most = max(self.options.max_rejected, REJECTED_LISTED)
        self.report.rejected += [
            replace(row, row=self._records + row.row, line=self._lines + row.line)
            for row in parsed.rejected[: most + 1 - len(self.report.rejected)]
        ]
        if self.report.rejected_count > most:
            raise self._too_many()

    def _too_many(self) -> TooManyRejectedRows:
        return too_many(self.report.rejected, self.report.rejected_count, self.options.max_rejected)

    def _describe(self, plan: ReadPlan) -> None:
        """Put rows, columns and reasons into the report."""
        self.report.rows = self._records - self.report.rejected_count
        self.report.columns = [
            ColumnReport(name, _type_of(plan.schema, name), "declared" if at in self._declared else REASONS[kind])
            for at, (name, kind) in enumerate(zip(self.file.names, plan.kinds, strict=True))
        ]


def target_schema(
    pairs: Sequence[tuple[str, str]],
    options: ImportOptions,
    base: TableSchema | None,
    declared: frozenset[str] = frozenset(),
) -> TableSchema:
    """The schema of the version that an import makes from (name, type) pairs. Raises SchemaMismatch.

    `append` keeps columns that the file lacks (null in its rows); `upsert` replaces whole rows and so refuses such a
    file.
    """
    key = options.key
    if key is None:
        key = tuple(column.name for column in base.key_columns) if base else ()
    found = make_schema(pairs, key, base=base)
    if base is None:
        return found
    missing = [column for column in base.columns if not found.has(column.id)]
    if options.mode == "upsert" and missing:
        names = ", ".join(column.name for column in missing[:10])
        raise SchemaMismatch(
            Text("An upsert replaces whole rows, and the file lacks the columns {names}.", names=names)
        )
    if options.mode == "append":
        found = replace(found, columns=(*found.columns, *missing))
    if options.mode != "replace" and found.key != base.key:
        raise SchemaMismatch(Text("The key of a table changes only with an import that replaces it."))
    pinned = frozenset(column.id for column in found.columns if column.name in declared)
    return evolve(base, found, options.evolution, pinned=pinned)


def too_many(rejected: list[RejectedRow], count: int, limit: int) -> TooManyRejectedRows:
    """The error for people, with every row up to `REJECTED_LISTED` as facts."""
    first = rejected[0]
    line = f" (line {first.line} of the file)" if first.line else ""
    rows = "1 row" if count == 1 else f"{count} rows"
    more = f" Only the first {REJECTED_LISTED} are listed." if count > REJECTED_LISTED else ""
    return TooManyRejectedRows(
        Text(
            "{rows} cannot be read and at most {limit} may be left out. The first is row {row}: {reason}{line}.{more}",
            rows=rows,
            limit=limit,
            row=first.row,
            reason=first.reason,
            line=line,
            more=more,
        ),
        facts=listed_rows(rejected, count),
    )


def listed_rows(rejected: Sequence[RejectedRow], count: int) -> dict[str, object]:
    """Rejected rows as facts of an error: their number, and every one up to `REJECTED_LISTED`."""
    listed = [
        {"row": row.row, "line": row.line or None, "rule": row.rule, "reason": row.reason, "text": row.text}
        for row in rejected[:REJECTED_LISTED]
    ]
    return {"rejected_count": count, "rejected": listed}


def _type_of(schema: TableSchema, name: str) -> str:
    column = schema.by_name(name)
    return column.type if column else ""


def _head(data: bytes, size: int = 512 << 10) -> bytes:
    """A sample of whole lines; a cut inside quotes only makes the sample a little wrong, and the plan is checked
    anyway.
    """
    if len(data) <= size:
        return data
    at = data.rfind(b"\n", 0, size)
    if at < 0 or data.count(b'"', 0, at) % 2:
        return data
    return data[: at + 1]


def _declared_columns(names: list[str], options: ImportOptions) -> dict[int, str]:
    missing = sorted(set(options.declared) - set(names))
    if missing:
        raise SchemaMismatch(
            Text(
                "The declared columns {missing} are not in the file; it has {names}.",
                missing=", ".join(missing[:10]),
                names=", ".join(names[:20]),
            )
        )
    return {at: normal_type(options.declared[name]) for at, name in enumerate(names) if name in options.declared}


def work(data: bytes, plan: BlockPlan, schema: TableSchema) -> tuple[ParsedBlock, tuple[pa.Table, RowHashes] | None]:
    """Parse, convert and hash one buffer; what every worker runs."""
    parsed = parse_block(data, plan)
    if parsed.columns is None:
        return parsed, None
    by_name = dict(zip(plan.names, zip(parsed.columns, plan.kinds, strict=True), strict=True))
    rows = len(parsed.columns[0]) if parsed.columns else 0
    arrays = [
        _fitted(*by_name[column.name], column) if column.name in by_name else pa.nulls(rows, to_arrow(column.type))
        for column in schema.columns
    ]
    table = pa.table(arrays, names=[column.id for column in schema.columns])
    return parsed, (table, hash_rows(table, schema))


def _fitted(array: pa.Array, kind: str, column: Column) -> pa.Array:
    """Values of a block as the type of their column. Raises SchemaMismatch with the first that does not fit."""
    if array.type == to_arrow(column.type):
        return array
    values, type_ = pa.chunked_array([array]), column_type(kind)
    found = converted(values, type_, column.type)
    if found is None:
        row = misfits(values, type_, column.type, 1)[0]
        value = text_of(array.slice(row, 1))[0].as_py()
        raise SchemaMismatch(
            Text(
                "Column {name!r} cannot be read as {type} without loss: it has {value!r:.80}.",
                name=column.name,
                type=column.type,
                value=value,
            )
        )
    return found.combine_chunks()


_Done = tuple[ParsedBlock, "tuple[pa.Table, RowHashes] | None"]


def _in_order(
    pool: Executor | None,
    buffers: Iterator[bytes],
    plan: BlockPlan,
    schema: TableSchema,
    reached: Callable[[], tuple[int, int]],
) -> Iterator[tuple[int, _Done]]:
    """Results in the order of the buffers, a few of them under way at a time."""
    waiting: deque[tuple[int, Future[_Done]]] = deque()
    late: list[ImportRefused] = []
    try:
        for data in _until_refused(buffers, late):
            if pool is None:
                yield len(data), work(data, plan, schema)
                continue
            waiting.append((len(data), pool.submit(work, data, plan, schema)))
            if len(waiting) > _IN_FLIGHT:
                size, future = waiting.popleft()
                yield size, future.result()
        while waiting:
            size, future = waiting.popleft()
            yield size, future.result()
        if late:
            raise late[0]
    except RowProblem as problem:
        raise problem.refused(*reached()) from None
    finally:
        for _, future in waiting:
            future.cancel()


def _until_refused(buffers: Iterator[bytes], late: list[ImportRefused]) -> Iterator[bytes]:
    """The buffers, read ahead of their parsing: what refuses the next one is reported after what is wrong before it."""
    try:
        yield from buffers
    except ImportRefused as refused:
        late.append(refused)
