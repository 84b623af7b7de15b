"""Checking rules against a version, a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataforge.kernel.texts import Text
from versioned_tables.errors import FilterRefused
from versioned_tables.format.manifest import Manifest
from versioned_tables.hashing.row_hash import U64, hash_rows
from versioned_tables.read.filtering import check_fits, matching
from versioned_tables.read.filters import Condition, Group
from versioned_tables.read.pages import row_ids
from versioned_tables.read.rows import rows_at_positions, scan
from versioned_tables.read.table_rules import RuleOutcome, TableRule
from versioned_tables.schema.columns import Column, TableSchema
from versioned_tables.schema.texts import text_of
from versioned_tables.storage.table_store import TableStore

SHOWN = 20


def check(
    store: TableStore,
    manifest: Manifest,
    rules: Sequence[TableRule],
    *,
    base: Manifest | None = None,
    foreign: Mapping[str, tuple[TableStore, Manifest]] | None = None,
) -> list[RuleOutcome]:
    """One outcome per rule. `base` is what row-count drift compares with; `foreign` holds the referenced tables
    by name.

    Raises FilterRefused when a rule names a column or table that is not there, or its pattern is no regular
    expression.
    """
    return [_check(store, manifest, item, base, dict(foreign or {})) for item in rules]


def rule_problem(item: TableRule, schema: TableSchema | None) -> str | None:
    """Why a rule cannot be checked on any table, or on one of this schema; None if it can.

    What runs it says so: RE2, for one, has neither look-around nor back-references.
    """
    if item.kind == "regex":
        # Alone as well: `a)(b` becomes a regular expression between the brackets that anchor it.
        return _pattern_problem(item.pattern) or _pattern_problem(_anchored(item.pattern))
    columns = [schema.by_name(name) for name in item.columns] if schema is not None else []
    if item.kind == "range" and schema is not None:
        try:
            for column in columns:
                if column is not None:
                    check_fits(_outside(item, column), schema)
        except FilterRefused as error:
            return error.detail
    return None


def _pattern_problem(pattern: str) -> str | None:
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        return Text("{pattern!r} is not a regular expression (RE2): {error}.", pattern=pattern, error=error)
    return None


def _anchored(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _outside(item: TableRule, column: Column) -> Group:
    bounds = (("lt", item.low), ("gt", item.high))
    return Group(every=False, items=tuple(Condition(column.name, op, at) for op, at in bounds if at is not None))


def _check(
    store: TableStore,
    manifest: Manifest,
    item: TableRule,
    base: Manifest | None,
    foreign: Mapping[str, tuple[TableStore, Manifest]],
) -> RuleOutcome:
    if item.kind == "row_count_drift":
        return _drift(item, manifest, base)
    columns = [_column(manifest.schema, name) for name in item.columns]
    if item.kind == "unique":
        rows = _repeated(_codes(store, manifest, columns))
    elif item.kind == "foreign_key":
        rows = _orphans(store, manifest, columns[0], item, foreign)
    else:
        rows = _breaking(store, manifest, item, columns)
    examples = row_ids(rows_at_positions(store, manifest, rows[:SHOWN]), manifest.schema) if len(rows) else []
    names = ", ".join(item.columns)
    text = (
        Text("{kind} holds on {names}", kind=item.kind, names=names)
        if not len(rows)
        else Text("{count} rows break {kind} on {names}", count=len(rows), kind=item.kind, names=names)
    )
    return RuleOutcome(item, not len(rows), len(rows), tuple(examples), text)


def _column(schema: TableSchema, name: str) -> Column:
    column = schema.by_name(name)
    if column is None:
        raise FilterRefused(Text("An expectation names a column {name!r} that the table does not have.", name=name))
    return column


def _drift(item: TableRule, manifest: Manifest, base: Manifest | None) -> RuleOutcome:
    before = base.rows if base else 0
    moved = abs(manifest.rows - before) / before if before else 0.0
    text = Text("the table has {rows} rows and had {before}", rows=manifest.rows, before=before)
    return RuleOutcome(item, moved <= item.share, 0 if moved <= item.share else abs(manifest.rows - before), (), text)


def _breaking(store: TableStore, manifest: Manifest, item: TableRule, columns: Sequence[Column]) -> np.ndarray:
    """Row numbers where a cell is null, out of range, or does not match."""
    found: list[np.ndarray] = []
    at = 0
    for table in scan(store, manifest, [column.id for column in columns]):
        bad = np.zeros(table.num_rows, dtype=bool)
        for column in columns:
            bad |= _bad(table, column, item, manifest.schema)
        found.append(np.flatnonzero(bad) + at)
        at += table.num_rows
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _bad(table: pa.Table, column: Column, item: TableRule, schema: TableSchema) -> np.ndarray:
    values = table.column(column.id)
    if item.kind == "not_null":
        return np.asarray(values.is_null().to_numpy())
    if item.kind == "regex":
        try:
            hit = pc.match_substring_regex(text_of(values), _anchored(item.pattern))
        except pa.ArrowInvalid as error:
            raise FilterRefused(
                Text("{pattern!r} is not a regular expression (RE2): {error}.", pattern=item.pattern, error=error)
            ) from error
        return np.asarray(pc.fill_null(pc.invert(hit), False).to_numpy())  # noqa: FBT003 - pyarrow's own signature
    return matching(table, _outside(item, column), schema)


def _codes(store: TableStore, manifest: Manifest, columns: Sequence[Column]) -> U64:
    """A 64-bit code of the cells of every row; 0 where all are null, which is never a repetition."""
    schema = TableSchema(tuple(Column(c.id, c.name, c.type) for c in columns))
    parts = [hash_rows(table, schema).low for table in scan(store, manifest, [c.id for c in columns])]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.uint64)


def _repeated(codes: U64) -> np.ndarray:
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    again = np.concatenate([[False], (ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)])[: len(codes)]
    return np.sort(order[again])


def _orphans(
    store: TableStore,
    manifest: Manifest,
    column: Column,
    item: TableRule,
    foreign: Mapping[str, tuple[TableStore, Manifest]],
) -> np.ndarray:
    if item.table not in foreign:
        raise FilterRefused(Text("An expectation refers to a table {table!r} that is not given.", table=item.table))
    other_tables, other = foreign[item.table]
    target = _column(other.schema, item.other)
    same = Column(column.id, target.name, target.type)
    codes = [
        hash_rows(table.rename_columns([column.id]), TableSchema((same,))).low
        for table in scan(other_tables, other, [target.id])
    ]
    known = np.concatenate(codes) if codes else np.empty(0, dtype=np.uint64)
    mine = _codes(store, manifest, [column])
    return np.flatnonzero((mine != 0) & ~np.isin(mine, known))
