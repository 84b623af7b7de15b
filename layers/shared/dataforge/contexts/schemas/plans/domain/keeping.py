"""What goes is dropped or kept in the trash, and what comes is new or comes back from there."""

from collections.abc import Iterator
from dataclasses import replace

from dataforge.contexts.schemas.designs.domain.document import Hints
from dataforge.contexts.schemas.designs.domain.model import Column, Schema, Table
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk, change
from dataforge.contexts.schemas.plans.domain.columns import add_column, alter_column, drop_column
from dataforge.contexts.schemas.plans.domain.trash import (
    Trash,
    bring_column,
    trash_column,
    trash_partition,
    trash_table,
)
from dataforge.contexts.schemas.plans.domain.types import Rebuilt

_EXCLUSIVE = "ACCESS EXCLUSIVE"


def lose_table(trash: Trash | None, table: Table, current: Schema, wanted: Schema) -> Change:
    """A table goes."""
    if trash is not None and trash.takes(f"table {table.name}"):
        relations = {name for schema in (current, wanted) for name in _relations(schema)}
        return trash_table(trash, table, current, relations - {table.name})
    sql, reason = f"DROP TABLE {quoted(table.name)} CASCADE", "the table and its rows are deleted"
    thing, risk = f"table {table.name}", Risk.DESTRUCTIVE
    return change("drop table", thing, 15, sql, risk=risk, lock=_EXCLUSIVE, reason=reason, table=table.name)


def lose_partition(trash: Trash | None, name: str, root: Table) -> Change:
    """A partition goes; `root` is the table that it is a part of."""
    rank = 29
    if trash is not None and trash.takes(f"partition {name}"):
        return trash_partition(trash, name, root, rank)
    sql, reason = f"DROP TABLE IF EXISTS {quoted(name)}", "the rows of the partition are deleted"
    thing, risk = f"partition {name}", Risk.DESTRUCTIVE
    return change("drop partition", thing, rank, sql, risk=risk, lock=_EXCLUSIVE, reason=reason, table=name)


def lose_column(trash: Trash | None, old: Table, new: Table, column: Column) -> Change:
    """A column goes."""
    keeps = trash is not None and column.generated is None and trash.takes(f"column {new.name}.{column.name}")
    return trash_column(trash, old, new, column) if trash and keeps else drop_column(new.name, column, remade=False)


def gain_column(trash: Trash | None, old: Table, column: Column, hints: Hints, rebuilt: Rebuilt) -> Iterator[Change]:
    """A column comes."""
    back = None if trash is None or column.name in old.columns else bring_column(trash, old, column)
    if back is None:
        yield from add_column(old.name, column, hints.backfill.get((old.name, column.name)))
        return
    restore, plain = back
    yield restore
    # What was kept as text is read as the value it was, an array too, and made into nothing else.
    changed = plain.type != column.type
    way = {(old.name, column.name): f"{quoted(column.name)}::{column.type}"} if changed else {}
    yield from alter_column(old.name, plain, column, replace(hints, using=way), rebuilt, changed=changed)


def _relations(schema: Schema) -> Iterator[str]:
    """The names that no other table, index or sequence can have."""
    yield from (*schema.tables, *schema.partitions, *schema.views, *schema.sequences)
    for view in schema.views.values():
        yield from view.indexes
    for table in schema.tables.values():
        yield from table.indexes
        yield from (item.name for item in table.constraints.values() if item.kind in "pux")
