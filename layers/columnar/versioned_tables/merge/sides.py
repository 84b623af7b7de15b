"""The three versions of a merge, and rows of them as both kinds of merge handle them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import ColumnConflict, MergeConflicts
from versioned_tables.format.keys import column_from_json
from versioned_tables.format.manifest import I64, Change, Manifest
from versioned_tables.hashing.row_hash import RowHashes
from versioned_tables.merge.conflicts import Conflict, Resolution, Settlement
from versioned_tables.read.union import hashes_in, rows_in
from versioned_tables.schema.arrow_types import arrow_schema
from versioned_tables.schema.columns import TableSchema
from versioned_tables.schema.texts import plain_rows
from versioned_tables.storage.table_store import TableStore

Row = dict[str, object] | None


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The merged version, or None while conflicts remain; `settled` is it with ours wherever they do."""

    manifest: Manifest | None
    conflicts: list[Conflict]
    settled: Manifest

    @staticmethod
    def of(settled: Manifest, conflicts: list[Conflict]) -> MergeResult:
        """The merged version if nothing stands in its way."""
        return MergeResult(None if conflicts else settled, conflicts, settled)

    def require(self) -> Manifest:
        """The merged version; raises MergeConflicts listing the first hundred."""
        if self.manifest is None:
            raise MergeConflicts(
                Text(
                    "{count} rows were changed on both sides; resolve them by rule or one by one.",
                    count=len(self.conflicts),
                ),
                facts={"conflicts": [c.row_id for c in self.conflicts[:100]]},
            )
        return self.manifest


@dataclass(frozen=True, slots=True)
class Sides:
    """Base, ours and theirs with those of their columns that the merged table has, in their own types.

    `target` is ours as the merged table has it: the same rows in the same order, under the merged schema. `compared`
    has the merged columns in the types in which values of all three are compared.
    """

    store: TableStore
    base: Manifest
    ours: Manifest
    theirs: Manifest
    target: Manifest
    compared: TableSchema
    settlement: Settlement

    @property
    def schema(self) -> TableSchema:
        """The merged schema."""
        return self.target.schema

    @property
    def arrow(self) -> pa.Schema:
        """Merged columns by id."""
        return arrow_schema(self.schema)

    def rows(self, manifest: Manifest, positions: I64) -> pa.Table:
        """Rows of one of the versions as the merged table has them. Raises ColumnConflict when a value does not fit."""
        return self._read(self.target if manifest is self.ours else manifest, self.schema, positions)

    def keys(self, manifest: Manifest, positions: I64) -> pa.Table:
        """Their keys."""
        return self._read(manifest, replace(self.schema, columns=self.schema.key_columns), positions)

    def seen(self, manifest: Manifest, positions: I64) -> pa.Table:
        """Rows in the types in which they are compared."""
        return self._read(manifest, self.compared, positions)

    def hashes(self, manifest: Manifest, positions: I64) -> RowHashes:
        """Hashes that are equal where rows of two versions are."""
        return hashes_in(self.store, manifest, self.compared, positions)

    def _read(self, manifest: Manifest, schema: TableSchema, positions: I64) -> pa.Table:
        try:
            return rows_in(self.store, manifest, schema, positions)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ColumnConflict(
                Text(
                    "A column has another type on one side, and a value of the other does not fit it: {error}.",
                    error=error,
                )
            ) from error

    def unchanged(self) -> Manifest:
        """Ours under the merged schema, when theirs brings no other rows."""
        return replace(self.target, change=Change(self.target.digest, complete=True))

    def conflict(self, row_id: str, kind: str, columns: tuple[str, ...], rows: tuple[Row, Row, Row]) -> Conflict:
        """A conflict for people; `rows` are those of base, ours and theirs, columns by id."""
        names = tuple(self.schema.by_id(item).name for item in columns)
        return Conflict(row_id, kind, names, *(self._plain(row) for row in rows))  # type: ignore[arg-type]  # three rows, which mypy cannot count

    def resolved(self, row_id: str, resolution: Resolution, row: Row) -> Row:
        """The chosen row with the cells that the resolution sets. Raises MergeConflicts on columns that there are
        not, and on parts of the key.
        """
        if row is None:
            return None
        for name, value in resolution.values.items():
            column = self.schema.by_name(name)
            if column is None or column.id in self.schema.key:
                raise MergeConflicts(
                    Text(
                        "The resolution of row {row_id} sets {name!r}, which is no column or part of the key.",
                        row_id=row_id,
                        name=name,
                    )
                )
            row = {**row, column.id: column_from_json([value], column)[0].as_py()}
        return row

    def _plain(self, row: Row) -> dict[str, object] | None:
        if row is None:
            return None
        return plain_rows(pa.Table.from_pylist([row], self.arrow).rename_columns(self.schema.names))[0]
