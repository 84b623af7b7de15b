"""Rows of tables whose values have types, as a schema stores them; rows that do not fit are told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from dataforge.kernel.texts import Text
from versioned_tables.errors import ImportRefused, SchemaMismatch
from versioned_tables.files.options import REJECTED_LISTED, RejectedRow
from versioned_tables.hashing.row_hash import hash_rows
from versioned_tables.imports.text_tables import listed_rows, too_many
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.columns import TableSchema
from versioned_tables.schema.conversion import converted, misfits, refusal
from versioned_tables.schema.readable import require_readable
from versioned_tables.schema.texts import text_of
from versioned_tables.write.loading import Hashed

_SHOWN = 200
_COLUMNS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Target:
    """What values become: the schema, the types that they come with by column, and the columns whose type was declared.

    Values of declared columns that are of another type, and empty cells where there may be none, reject their row.
    """

    schema: TableSchema
    types: Mapping[str, str]
    declared: frozenset[str]
    most: int  # rows to find at most: more of them fail the import anyway


@dataclass(frozen=True, slots=True)
class FittedRows:
    """The rows that fit, hashed, and those that do not, numbered from 1 in the table; `error` is about the first."""

    rows: Hashed
    rejected: Sequence[RejectedRow]
    error: SchemaMismatch | None


def fitted(part: pa.Table, target: Target, first_row: int) -> FittedRows:
    """A table whose columns have names, as the schema stores it. `first_row` is the number of its first row.

    Raises SchemaMismatch for values that no schema takes, and for those of columns whose type nobody declared.
    """
    bad: dict[int, tuple[str, str]] = {}
    errors: list[SchemaMismatch] = []
    for column in target.schema.columns:
        if column.name not in target.types:
            continue
        values, type_ = part.column(column.name), target.types[column.name]
        require_readable(column.name, values, first_row)
        found = converted(values, type_, column.type)
        if found is None:
            errors.append(refusal(column.name, values, type_, column.type, first_row))
            if column.name not in target.declared:
                raise errors[-1]
            for row in misfits(values, type_, column.type, target.most):
                shown = text_of(values.slice(row, 1))[0].as_py()
                reason = Text(
                    "column {name!r}: {value!r:.80} is not {type}", name=column.name, value=shown, type=column.type
                )
                bad.setdefault(row, (reason, "type"))
        known = values if found is None else found
        if known.null_count and (column.id in target.schema.key or not column.nullable):
            rows = pc.indices_nonzero(known.is_null()).to_pylist()
            row = first_row + rows[0]
            mismatch = Text("Column {name!r} is empty in row {row} and may not be.", name=column.name, row=row)
            errors.append(SchemaMismatch(mismatch, facts={"row": row}))
            reason = Text("column {name!r} is empty and may not be", name=column.name)
            for row in rows[: target.most]:
                bad.setdefault(row, (reason, "required"))
    if not bad:
        return FittedRows(_stored(part, target), (), None)
    rejected = [
        RejectedRow(first_row + row, reason, _text(part, row), rule=rule) for row, (reason, rule) in sorted(bad.items())
    ]
    kept = part.take(pa.array([row for row in range(part.num_rows) if row not in bad], pa.int64()))
    if len(bad) >= target.most:
        kept = kept.slice(0, 0)  # the import fails, and not every row that does not fit was looked for
    return FittedRows(_stored(kept, target), rejected, errors[0])


def _stored(part: pa.Table, target: Target) -> Hashed:
    arrays = []
    for column in target.schema.columns:
        kind = to_arrow(column.type)
        if column.name not in target.types:
            arrays.append(pa.chunked_array([pa.nulls(part.num_rows, kind)], kind))
            continue
        found = converted(part.column(column.name), target.types[column.name], column.type)
        assert found is not None  # noqa: S101 - what does not fit has been taken out
        arrays.append(found)
    table = pa.table(arrays, names=[column.id for column in target.schema.columns])
    return table, hash_rows(table, target.schema)


def _text(part: pa.Table, row: int) -> str:
    cells = (text_of(part.column(at).slice(row, 1))[0].as_py() for at in range(min(part.num_columns, _COLUMNS_SHOWN)))
    return ",".join("" if cell is None else str(cell) for cell in cells)[:_SHOWN]


@dataclass(slots=True)
class Rejections:
    """The rows of one table that are left out: those the reader could not read, then those that do not fit."""

    unread: Sequence[RejectedRow]
    most: int
    places: Callable[[Sequence[int]], Sequence[tuple[int, int]]]
    _found: list[RejectedRow]
    _error: SchemaMismatch | None = None

    @classmethod
    def of(
        cls,
        unread: Sequence[RejectedRow],
        most: int,
        places: Callable[[Sequence[int]], Sequence[tuple[int, int]]],
    ) -> Rejections:
        """None found yet; `places` gives the numbers of rows in the file, and their lines, for numbers in the table."""
        return cls(unread, most, places, [])

    @property
    def count(self) -> int:
        """Rows left out so far."""
        return len(self.unread) + len(self._found)

    @property
    def fails(self) -> bool:
        """Whether there are more than may be left out."""
        return self.count > self.most

    def add(self, part: FittedRows) -> None:
        """Note the rows of a part; raises once there are more than are listed."""
        self._found += part.rejected
        self._error = self._error or part.error
        if self.count > max(self.most, REJECTED_LISTED):
            self.check()

    def listed(self) -> list[RejectedRow]:
        """All of them in the order of the file, with their places in it."""
        places = self.places([row.row for row in self._found]) if self._found else []
        found = [replace(item, row=row, line=line) for item, (row, line) in zip(self._found, places, strict=True)]
        return sorted([*self.unread, *found], key=lambda item: item.row)

    def check(self) -> None:
        """Raise TooManyRejectedRows, or SchemaMismatch where no row may be left out, with every row that is listed."""
        if self.fails:
            raise self._refusal()

    def _refusal(self) -> ImportRefused:
        listed = self.listed()
        if self.most or self._error is None:
            return too_many(listed, self.count, self.most)
        self._error.facts |= listed_rows(listed, self.count)
        return self._error
