"""What goes is dropped or kept in the trash, and what comes is new or comes back from there."""

from collections.abc import Iterator
from dataclasses import replace

from dataforge.contexts.schemas.designs.domain.document import Hints
from dataforge.contexts.schemas.designs.domain.model import Column, Schema, Table
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk, change
from dataforge.contexts.schemas.plans.domain.columns import add_column, alter_column, drop_column
from dataforge.contexts.schemas.plans.domain.scene import Options
from dataforge.contexts.schemas.plans.domain.trash import (
    Trash,
    bring_column,
    trash_column,
    trash_partition,
    trash_table,
)
from dataforge.contexts.schemas.plans.domain.types import Rebuilt

_EXCLUSIVE = "ACCESS EXCLUSIVE"


def lose_table(options: Options, table: Table, current: Schema, wanted: Schema) -> Change:
    """A table goes."""
    trash, thing = options.trash, f"table {options.known_as(table.name)}"
    if trash is not None and trash.takes(thing):
        relations = {name for schema in (current, wanted) for name in _relations(schema)}
        return trash_table(trash, table, options.known_as(table.name), current, relations - {table.name})
    sql, reason = f"DROP TABLE {quoted(table.name)} CASCADE", "the table and its rows are deleted"
    return change("drop table", thing, 15, sql, risk=Risk.DESTRUCTIVE, lock=_EXCLUSIVE, reason=reason, table=table.name)


def lose_partition(options: Options, name: str, root: Table) -> Change:
    """A partition goes; `root` is the table that it is a part of."""
    rank, trash, thing = 29, options.trash, f"partition {options.known_as(name)}"
    if trash is not None and trash.takes(thing):
        return trash_partition(trash, name, options.known_as(name), root, rank)
    sql, reason = f"DROP TABLE IF EXISTS {quoted(name)}", "the rows of the partition are deleted"
    risk = Risk.DESTRUCTIVE
    return change("drop partition", thing, rank, sql, risk=risk, lock=_EXCLUSIVE, reason=reason, table=name)


def lose_column(options: Options, old: Table, new: Table, column: Column) -> Change:
    """A column goes."""
    trash, known = options.trash, options.known_as(new.name, column.name)
    thing = f"column {new.name}.{known}"
    if trash is not None and column.generated is None and trash.takes(thing):
        return trash_column(trash, old, new, column, known)
    return replace(drop_column(new.name, column, remade=False), object=thing)


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
