"""The three versions of a merge, and rows of them as both kinds of merge handle them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa

from dataforge.contexts.datasets.engine.arrow_types import arrow_schema
from dataforge.contexts.datasets.engine.keys import column_from_json
from dataforge.contexts.datasets.engine.manifest import I64, Change, Manifest
from dataforge.contexts.datasets.engine.reading import addresses_at, hashes_at, rows_at_positions
from dataforge.contexts.datasets.engine.rowhash import RowHashes
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.engine.texts import plain_rows
from dataforge.contexts.datasets.errors import MergeConflicts
from dataforge.contexts.datasets.model.columns import TableSchema
from dataforge.contexts.datasets.model.merges import Conflict, Resolution, Settlement

Row = dict[str, object] | None


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The merged version, or None while conflicts remain."""

    manifest: Manifest | None
    conflicts: list[Conflict]

    def require(self) -> Manifest:
        """The merged version; raises MergeConflicts listing the first hundred."""
        if self.manifest is None:
            raise MergeConflicts(
                f"{len(self.conflicts)} rows were changed on both sides; resolve them by rule or one by one.",
                facts={"conflicts": [c.row_id for c in self.conflicts[:100]]},
            )
        return self.manifest


@dataclass(frozen=True, slots=True)
class Sides:
    """Base, ours and theirs, all seen under the merged schema; ours has it already."""

    tables: TableStore
    base: Manifest
    ours: Manifest
    theirs: Manifest
    schema: TableSchema
    settlement: Settlement

    @property
    def arrow(self) -> pa.Schema:
        """Columns by id."""
        return arrow_schema(self.schema)

    def rows(self, manifest: Manifest, positions: I64) -> pa.Table:
        """Rows of one of the versions under the merged schema."""
        return rows_at_positions(self.tables, replace(manifest, schema=self.schema), positions)

    def hashes(self, manifest: Manifest, positions: I64) -> RowHashes:
        """Their hashes under the merged schema."""
        return hashes_at(self.tables, self.schema, manifest.sources, addresses_at(manifest, positions))

    def unchanged(self) -> Manifest:
        """Ours, when theirs brings nothing new."""
        return replace(self.ours, change=Change(self.ours.digest, complete=True))

    def conflict(self, row_id: str, kind: str, columns: tuple[str, ...], rows: tuple[Row, Row, Row]) -> Conflict:
        """A conflict for people; `rows` are those of base, ours and theirs, columns by id."""
        names = tuple(self.schema.by_id(item).name for item in columns)
        return Conflict(row_id, kind, names, *(self._plain(row) for row in rows))  # type: ignore[arg-type]

    def settled(self, row_id: str, resolution: Resolution, row: Row) -> Row:
        """The chosen row with the cells that the resolution sets. Raises MergeConflicts on columns that there are
        not, and on parts of the key.
        """
        if row is None:
            return None
        for name, value in resolution.values.items():
            column = self.schema.by_name(name)
            if column is None or column.id in self.schema.key:
                raise MergeConflicts(
                    f"The resolution of row {row_id} sets {name!r}, which is no column or part of the key."
                )
            row = {**row, column.id: column_from_json([value], column)[0].as_py()}
        return row

    def _plain(self, row: Row) -> dict[str, object] | None:
        if row is None:
            return None
        return plain_rows(pa.Table.from_pylist([row], self.arrow).rename_columns(self.schema.names))[0]
