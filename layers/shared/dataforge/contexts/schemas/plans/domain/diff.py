"""The changes that make one schema another; both were read from the catalog, names included.

What PostgreSQL refuses to change in place is taken down before and put up after: views that read what changes, foreign
keys, computed indexes, checks and generated columns on columns whose type changes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dataforge.contexts.schemas.designs.domain.model import Column, Schema, Table
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.designs.domain.rendering import (
    comment_on,
    comments_of_table,
    create_table,
    make_index,
    replicate_by,
    settings_of_column,
    split_constraints,
)
from dataforge.contexts.schemas.plans.domain.changes import Change, change
from dataforge.contexts.schemas.plans.domain.columns import Numbers, alter_column, drop_column
from dataforge.contexts.schemas.plans.domain.constraints import add_one, constraint_changes
from dataforge.contexts.schemas.plans.domain.exchange import exchange_table
from dataforge.contexts.schemas.plans.domain.indexes import index_changes, untangled
from dataforge.contexts.schemas.plans.domain.keeping import gain_column, lose_column, lose_table
from dataforge.contexts.schemas.plans.domain.partitions import first_changes, joining, partition_changes
from dataforge.contexts.schemas.plans.domain.scene import Options, Scene
from dataforge.contexts.schemas.plans.domain.sequences import sequence_changes
from dataforge.contexts.schemas.plans.domain.settings import persistence_changes, settings_of_table
from dataforge.contexts.schemas.plans.domain.statistics import statistics_changes
from dataforge.contexts.schemas.plans.domain.trash import bring_rows
from dataforge.contexts.schemas.plans.domain.views import view_changes, views_in_the_way


def find_changes(current: Schema, wanted: Schema, options: Options) -> list[Change]:
    """The changes from one to the other, in order; empty exactly when their fingerprints are equal."""
    if current.fingerprint == wanted.fingerprint:
        return []
    first = first_changes(current, wanted, options)
    if first:
        return _ordered(first)
    shaped, attached = joining(current, wanted)
    return _ordered(_Difference(current, shaped, options).changes()) or attached


def _ordered(changes: Iterable[Change]) -> list[Change]:
    found = untangled([item for item in changes if item.statements])
    return sorted(found, key=lambda item: item.order)


class _Difference(Scene):
    def changes(self) -> Iterator[Change]:
        yield from self.rebuilt.changes
        old_views, moved = self.current.views, self._moved()
        yield from view_changes(old_views, self.wanted.views, moved)
        going = views_in_the_way(old_views, self.wanted.views, moved)
        for name, view in self.wanted.views.items():
            if name in old_views and name not in going:
                yield from index_changes(self, name, old_views[name].indexes, view.indexes, {}, online=False)
        yield from sequence_changes(self.current, self.wanted, self.replaced_sequences())
        yield from statistics_changes(self, going)
        for name, table in self.current.tables.items():
            if name in self.exchanged:
                yield from exchange_table(self, table, self.wanted.tables[name])
            elif name not in self.kept:
                yield lose_table(self.options, table, self.current, self.wanted)
        for name, table in self.wanted.tables.items():
            if name in self.kept:
                yield from self._table(self.current.tables[name], table)
            else:
                yield from self._new_table(table)
        yield from persistence_changes(self.current, self.wanted, self.kept)
        yield from partition_changes(self)

    def _moved(self) -> set[str]:
        """What views cannot go on reading while it changes."""
        moved = {name for name, touched in self.touched.items() if touched}
        moved |= {name for name in self.current.tables if name not in self.kept}
        moved |= {f"type:{name}" for name in self.rebuilt.names}
        for name, composite in self.current.composites.items():
            after = self.wanted.composites.get(name)
            if name in self.rebuilt.names or after is None or set(composite.attributes) - set(after.attributes):
                moved |= {name, f"type:{name}"}
        return moved | {f"key:{key}" for name in self.kept for key in self._keys_to_drop(name)}

    def _keys_to_drop(self, table: str) -> set[str]:
        """Primary keys that go: a view may count on them to group by less than it shows."""
        old, new = self.current.tables[table].constraints, self.wanted.tables[table].constraints
        kept = {item.essence for item in new.values()}
        return {item.name for item in old.values() if item.kind == "p" and item.essence not in kept}

    # ---------------------------------------------------------------- tables

    def _new_table(self, table: Table) -> Iterator[Change]:
        inline, later = split_constraints(table)
        sql = [create_table(table, inline)]
        sql += [text for column in table.columns.values() for text in settings_of_column(table.name, column)]
        sql += [text for index in table.indexes.values() for text in make_index(index, table.name)]
        sql += [replicate_by(table)] if table.replica_identity is not None else []
        sql += comments_of_table(replace(table, constraints={item.name: item for item in inline}))
        yield change("create table", f"table {table.name}", 45, *sql, table=table.name)
        for item in later:
            yield from add_one(self, table.name, item)
        if self.options.trash is not None:
            yield from bring_rows(self.options.trash, "table", table.name, table)

    def _table(self, old: Table, new: Table) -> Iterator[Change]:
        touched = self.touched[new.name]
        name = quoted(new.name)
        for column in new.columns.values():
            before = old.columns.get(column.name)
            where = f"column {new.name}.{column.name}"
            if before is None or touched.get(column.name) == "remade":
                yield from gain_column(self.options.trash, old, column, self.options.hints, self.rebuilt)
            elif before != column or column.name in touched or self.rebuilt.named_in(before.default):
                changed = touched.get(column.name) == "type"
                later = self.online_for(new.name) and not _is_needed_at_once(new, column)
                yield from alter_column(
                    *(new.name, before, column, self.options.hints, self.rebuilt),
                    changed=changed,
                    online=later,
                    numbers=Numbers(*self.numbers_before_and_after(before, column)),
                )
            said = None if before is None or touched.get(column.name) == "remade" else before.comment
            if said != column.comment:
                yield change("comment", where, 95, comment_on(f"COLUMN {name}.{quoted(column.name)}", column.comment))
        for column in old.columns.values():
            if touched.get(column.name) == "gone":
                yield lose_column(self.options, old, new, column)
            elif touched.get(column.name) == "remade":
                yield drop_column(new.name, column, remade=True)
        yield from constraint_changes(self, old, new)
        yield from index_changes(self, new.name, old.indexes, new.indexes, touched, online=self.online_for(new.name))
        yield from settings_of_table(old, new)


def _is_needed_at_once(table: Table, column: Column) -> bool:
    """Whether something of the same transaction wants the column without NULL: a key, or numbers of its own."""
    keys = {name for item in table.constraints.values() if item.kind == "p" for name in item.columns}
    return column.identity is not None or column.name in keys or table.replica_identity is not None
