"""The changes that make one schema another; both were read from the catalog, names included.

What PostgreSQL refuses to change in place is taken down before and put up after: views that read what changes, foreign
keys, computed indexes, checks and generated columns on columns whose type changes.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from dataforge.contexts.schemas.designs.domain.document import Hints
from dataforge.contexts.schemas.designs.domain.model import Column, Constraint, Index, Schema, Table
from dataforge.contexts.schemas.designs.domain.names import mentions, quoted
from dataforge.contexts.schemas.designs.domain.rendering import (
    add_constraint,
    comment_on,
    comments_of_table,
    create_index,
    create_partition,
    create_table,
    ordered_partitions,
)
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk, Statement, change
from dataforge.contexts.schemas.plans.domain.columns import add_column, alter_column, drop_column
from dataforge.contexts.schemas.plans.domain.sequences import sequence_changes
from dataforge.contexts.schemas.plans.domain.types import Rebuilt, type_changes
from dataforge.contexts.schemas.plans.domain.views import view_changes, views_in_the_way

EXCLUSIVE, SHARE, SHARE_ROW = "ACCESS EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE"
SHARE_UPDATE = "SHARE UPDATE EXCLUSIVE"
_WORDS = {"p": "primary key", "u": "unique constraint", "c": "check", "f": "foreign key", "x": "exclusion constraint"}


@dataclass(frozen=True, slots=True)
class Options:
    """How to plan: `online` takes forms that let others work, for tables that are there and `filled`."""

    online: bool = True
    filled: frozenset[str] = frozenset()
    hints: Hints = field(default_factory=Hints)


def find_changes(current: Schema, wanted: Schema, options: Options) -> list[Change]:
    """The changes from one to the other, in order; empty exactly when their fingerprints are equal."""
    if current.fingerprint == wanted.fingerprint:
        return []
    found = sorted(_Difference(current, wanted, options).changes(), key=lambda item: item.order)
    return [item for item in found if item.statements]


class _Difference:
    def __init__(self, current: Schema, wanted: Schema, options: Options) -> None:
        self.current = current
        self.wanted = wanted
        self.options = options
        self.rebuilt: Rebuilt = type_changes(current, wanted, options.hints)
        self.kept = {name for name in current.tables if name in wanted.tables and not self._is_remade(name)}
        self.touched = {name: self._touched(name) for name in self.kept}

    def _is_remade(self, name: str) -> bool:
        # PostgreSQL cannot make a table partitioned, or partition it otherwise.
        return self.current.tables[name].partition_by != self.wanted.tables[name].partition_by

    def _touched(self, name: str) -> dict[str, str]:
        """Columns whose values get another type (`type`), that go (`gone`) or are computed anew (`remade`)."""
        old, new = self.current.tables[name], self.wanted.tables[name]
        touched: dict[str, str] = {}
        for column in old.columns.values():
            after = new.columns.get(column.name)
            if after is None:
                touched[column.name] = "gone"
            elif after.generated != column.generated:
                touched[column.name] = "remade" if after.generated or column.generated is None else "type"
            elif (after.type, after.collation) != (
                column.type,
                column.collation,
            ) or self._is_of_rebuilt(column):
                touched[column.name] = "remade" if column.generated else "type"
        for column in old.columns.values():
            if column.generated and column.name not in touched and any(mentions(column.generated, n) for n in touched):
                touched[column.name] = "remade"
        return touched

    def _is_of_rebuilt(self, column: Column) -> bool:
        return column.user_type in self.rebuilt.names or self.rebuilt.named_in(column.generated)

    def changes(self) -> Iterator[Change]:
        yield from self.rebuilt.changes
        old_views, moved = self.current.views, self._moved()
        yield from view_changes(old_views, self.wanted.views, moved)
        going = views_in_the_way(old_views, self.wanted.views, moved)
        for name, view in self.wanted.views.items():
            if name in old_views and name not in going:
                yield from self._indexes(name, old_views[name].indexes, view.indexes, {}, online=False)
        yield from sequence_changes(self.current, self.wanted)
        for name, table in self.current.tables.items():
            if name not in self.kept:
                yield _drop_table(table)
        for name, table in self.wanted.tables.items():
            if name in self.kept:
                yield from self._table(self.current.tables[name], table)
            else:
                yield from self._new_table(table)
        yield from self._partitions()

    def _moved(self) -> set[str]:
        """What views cannot go on reading while it changes."""
        moved = {name for name, touched in self.touched.items() if touched}
        moved |= {name for name in self.current.tables if name not in self.kept}
        return moved | {f"type:{name}" for name in self.rebuilt.names}

    # ---------------------------------------------------------------- tables

    def _new_table(self, table: Table) -> Iterator[Change]:
        inline = [item for item in table.constraints.values() if item.kind != "f"]
        sql = [create_table(table, inline)]
        sql += [create_index(index, table.name) for index in table.indexes.values()]
        sql += comments_of_table(replace(table, constraints={item.name: item for item in inline}))
        yield change("create table", f"table {table.name}", 45, *sql, table=table.name)
        for item in table.constraints.values():
            if item.kind == "f":
                yield from self._add_constraint(table.name, item)

    def _table(self, old: Table, new: Table) -> Iterator[Change]:
        touched = self.touched[new.name]
        name = quoted(new.name)
        for column in new.columns.values():
            before = old.columns.get(column.name)
            where = f"column {new.name}.{column.name}"
            key = (new.name, column.name)
            if before is None or touched.get(column.name) == "remade":
                yield from add_column(new.name, column, self.options.hints.backfill.get(key))
            elif before != column or column.name in touched or self.rebuilt.named_in(before.default):
                changed = touched.get(column.name) == "type"
                yield from alter_column(new.name, before, column, self.options.hints, self.rebuilt, changed=changed)
            said = None if before is None or touched.get(column.name) == "remade" else before.comment
            if said != column.comment:
                yield change("comment", where, 95, comment_on(f"COLUMN {name}.{quoted(column.name)}", column.comment))
        for column in old.columns.values():
            if touched.get(column.name) in ("gone", "remade"):
                yield drop_column(new.name, column, remade=touched[column.name] == "remade")
        yield from self._constraints(old, new)
        online = self.options.online and new.partition_by is None and new.name in self.options.filled
        yield from self._indexes(new.name, old.indexes, new.indexes, touched, online=online)
        yield from _settings(old, new)

    def _constraints(self, old: Table, new: Table) -> Iterator[Change]:
        twins = self._twins(old, new)
        for item in new.constraints.values():
            before = old.constraints.get(item.name) or twins.get(item.name)
            if before is None:
                yield from self._add_constraint(new.name, item)
            elif before.definition == item.definition + " NOT VALID":
                yield _validate(new.name, item)
            elif before.essence != item.essence or self._must_rebuild(new.name, before):
                yield _drop_constraint(new.name, before, rebuilt=True)
                yield from self._add_constraint(new.name, item)
            else:
                if before.name != item.name:
                    sql = (
                        f"ALTER TABLE {quoted(new.name)} RENAME CONSTRAINT {quoted(before.name)} TO {quoted(item.name)}"
                    )
                    yield change("rename constraint", f"constraint {new.name}.{item.name}", 27, sql, lock=EXCLUSIVE)
                if before.comment != item.comment:
                    yield _comment_constraint(new.name, item)
        used = {item.name for item in twins.values()}
        for item in old.constraints.values():
            if item.name not in new.constraints and item.name not in used:
                yield _drop_constraint(new.name, item, rebuilt=False)

    def _twins(self, old: Table, new: Table) -> dict[str, Constraint]:
        """By new name, constraints that are there under another one."""
        spare = defaultdict(list)
        for item in old.constraints.values():
            if item.name not in new.constraints:
                spare[item.essence].append(item)
        wanted = [item for item in new.constraints.values() if item.name not in old.constraints]
        return {item.name: spare[item.essence].pop() for item in wanted if spare[item.essence]}

    def _must_rebuild(self, table: str, item: Constraint) -> bool:
        touched = {column: self.touched[table].get(column) for column in item.columns if column in self.touched[table]}
        if item.kind == "f":
            other = self.touched.get(item.references or "")
            if item.references not in self.kept:
                return True
            if set(item.reference_columns) & set(other or ()) or self._key_goes(item):
                return True
        if item.kind in "cxf":
            return bool(touched) or (item.kind != "f" and self.rebuilt.named_in(item.definition))
        return any(kind != "type" for kind in touched.values())

    def _key_goes(self, foreign: Constraint) -> bool:
        # The unique constraint or primary key below a foreign key cannot be taken away from under it.
        old, new = self.current.tables[foreign.references or ""], self.wanted.tables[foreign.references or ""]
        for item in old.constraints.values():
            if item.kind in "pu" and set(item.columns) == set(foreign.reference_columns):
                after = [other for other in new.constraints.values() if other.essence == item.essence]
                if not after:
                    return True
        kept = {index.essence for index in new.indexes.values()}
        return any(
            index.unique and set(index.columns) == set(foreign.reference_columns) and index.essence not in kept
            for index in old.indexes.values()
        )

    def _add_constraint(self, table: str, item: Constraint) -> Iterator[Change]:
        thing, op = f"constraint {table}.{item.name}", f"add {_WORDS[item.kind]}"
        there = table in self.kept and table in self.options.filled
        comment = []
        if item.comment is not None:
            comment = [comment_on(f"CONSTRAINT {quoted(item.name)} ON {quoted(table)}", item.comment)]
        lock = SHARE_ROW if item.kind == "f" else EXCLUSIVE
        if item.kind in "cf" and there and self.options.online and self.wanted.tables[table].partition_by is None:
            first = Statement(add_constraint(table, item, validated=False), rehearsal=add_constraint(table, item))
            statements = (first, *map(Statement, comment))
            reason = "old rows are checked afterwards, while others read and write"
            yield Change(op, thing, statements, 80, lock=lock, reason=reason, table=table, probe=item.name)
            later = Statement(f"ALTER TABLE {quoted(table)} VALIDATE CONSTRAINT {quoted(item.name)}", rehearsal="")
            yield Change("validate", thing, (later,), 80, phase=Phase.VALIDATE, lock=SHARE_UPDATE, table=table)
            return
        rank = {"p": 70, "u": 71, "f": 80}.get(item.kind, 75)
        risk, reason = (Risk.LOCKING, "every row is checked under the lock") if there else (Risk.SAFE, "")
        sql = (add_constraint(table, item), *comment)
        yield change(op, thing, rank, *sql, risk=risk, lock=lock if there else None, reason=reason, table=table)

    # ---------------------------------------------------------------- indexes

    def _indexes(
        self,
        table: str,
        old: Mapping[str, Index],
        new: Mapping[str, Index],
        touched: Mapping[str, str],
        *,
        online: bool,
    ) -> Iterator[Change]:
        def again(index: Index) -> bool:
            return self._is_built_again(index, touched)

        spare = defaultdict(list)
        for index in old.values():
            if index.name not in new and not again(index):
                spare[index.essence].append(index)
        for index in new.values():
            before = old.get(index.name)
            thing = f"index {index.name}"
            if before is not None and before.essence == index.essence and not again(before):
                if before.comment != index.comment:
                    yield change("comment", thing, 95, comment_on(f"INDEX {quoted(index.name)}", index.comment))
                continue
            if before is None and spare[index.essence]:
                twin = spare[index.essence].pop()
                sql = [f"ALTER INDEX {quoted(twin.name)} RENAME TO {quoted(index.name)}"]
                if twin.comment != index.comment:
                    sql.append(comment_on(f"INDEX {quoted(index.name)}", index.comment))
                yield change("rename index", thing, 28, *sql, lock=SHARE_UPDATE)
                continue
            if before is not None:
                yield change("drop index", thing, 26, f"DROP INDEX {quoted(index.name)}", lock=EXCLUSIVE)
            yield _create_index(index, table, online=online)
        left = {id(index) for group in spare.values() for index in group}
        for index in old.values():
            if index.name not in new and (id(index) in left or again(index)):
                drop = f"DROP INDEX {quoted(index.name)}"
                yield change("drop index", f"index {index.name}", 26, drop, lock=EXCLUSIVE, risk=Risk.LOCKING)

    def _is_built_again(self, index: Index, touched: Mapping[str, str]) -> bool:
        if index.computed and self.rebuilt.named_in(index.definition):
            return True
        kinds = {touched[name] for name in index.columns if name in touched}
        return bool(kinds - {"type"}) or bool(kinds and (index.computed or "_ops" in index.definition))

    # ---------------------------------------------------------------- partitions

    def _partitions(self) -> Iterator[Change]:
        old, new = self.current.partitions, self.wanted.partitions
        for name, part in old.items():
            after = new.get(name)
            if after == part and part.parent in (*self.kept, *new):
                continue
            thing = f"partition {name}"
            if after is not None and after.parent == part.parent and after.partition_by == part.partition_by:
                parent = quoted(part.parent)
                sql = f"ALTER TABLE {parent} DETACH PARTITION {quoted(name)}"
                yield change("detach partition", thing, 29, sql, lock=EXCLUSIVE, risk=Risk.LOCKING)
                sql = f"ALTER TABLE {parent} ATTACH PARTITION {quoted(name)} {after.bound}"
                yield change("attach partition", thing, 46, sql, lock=SHARE_UPDATE, risk=Risk.LOCKING)
            elif self._root(part.parent) in self.kept:
                sql = f"DROP TABLE IF EXISTS {quoted(name)}"
                reason = "the rows of the partition are deleted"
                yield change(
                    "drop partition", thing, 29, sql, risk=Risk.DESTRUCTIVE, lock=EXCLUSIVE, reason=reason, table=name
                )
        for part in ordered_partitions(self.wanted):
            before = old.get(part.name)
            same = before is not None and before.parent == part.parent and before.partition_by == part.partition_by
            if not (same and self._root(part.parent) in self.kept):
                yield change("create partition", f"partition {part.name}", 46, create_partition(part))

    def _root(self, name: str) -> str:
        while name in self.current.partitions:
            name = self.current.partitions[name].parent
        return name


def _drop_table(table: Table) -> Change:
    reason = "the table and its rows are deleted"
    sql = f"DROP TABLE {quoted(table.name)} CASCADE"
    return change(
        "drop table",
        f"table {table.name}",
        15,
        sql,
        risk=Risk.DESTRUCTIVE,
        lock=EXCLUSIVE,
        reason=reason,
        table=table.name,
    )


def _drop_constraint(table: str, item: Constraint, *, rebuilt: bool) -> Change:
    sql = f"ALTER TABLE {quoted(table)} DROP CONSTRAINT IF EXISTS {quoted(item.name)}"
    reason = "made again: what it is about changes" if rebuilt else ""
    rank = {"f": 20, "c": 24, "x": 24}.get(item.kind, 25)
    op, thing = f"drop {_WORDS[item.kind]}", f"constraint {table}.{item.name}"
    return change(op, thing, rank, sql, risk=Risk.LOCKING, lock=EXCLUSIVE, reason=reason, table=table)


def _comment_constraint(table: str, item: Constraint) -> Change:
    sql = comment_on(f"CONSTRAINT {quoted(item.name)} ON {quoted(table)}", item.comment)
    return change("comment", f"constraint {table}.{item.name}", 95, sql)


def _validate(table: str, item: Constraint) -> Change:
    sql = f"ALTER TABLE {quoted(table)} VALIDATE CONSTRAINT {quoted(item.name)}"
    return change("validate constraint", f"constraint {table}.{item.name}", 82, sql, lock=SHARE_UPDATE)


def _create_index(index: Index, table: str, *, online: bool) -> Change:
    comment = [] if index.comment is None else [comment_on(f"INDEX {quoted(index.name)}", index.comment)]
    op, thing = ("create unique index" if index.unique else "create index"), f"index {index.name}"
    plain = create_index(index, table)
    if not online:
        return change(op, thing, 72, plain, *comment, lock=SHARE, risk=Risk.LOCKING, table=table)
    built = Statement(create_index(index, table, concurrently=True), rehearsal=plain)
    statements = (built, *map(Statement, comment))
    reason = "built while others read and write"
    return Change(op, thing, statements, 72, phase=Phase.BUILD, lock=SHARE_UPDATE, reason=reason, table=table)


def _settings(old: Table, new: Table) -> Iterator[Change]:
    name, thing = quoted(new.name), f"table {new.name}"
    if old.unlogged != new.unlogged:
        sql = f"ALTER TABLE {name} SET {'UNLOGGED' if new.unlogged else 'LOGGED'}"
        yield change("change persistence", thing, 60, sql, risk=Risk.REWRITING, lock=EXCLUSIVE, table=new.name)
    gone = [item.partition("=")[0] for item in old.options if item not in new.options]
    come = [item for item in new.options if item not in old.options]
    gone = [key for key in gone if key not in {item.partition("=")[0] for item in come}]
    texts = [f"ALTER TABLE {name} RESET ({', '.join(gone)})"] if gone else []
    texts += [f"ALTER TABLE {name} SET ({', '.join(come)})"] if come else []
    if texts:
        yield change("change options", thing, 60, *texts, lock=SHARE_UPDATE)
    if old.comment != new.comment:
        yield change("comment", thing, 95, comment_on(f"TABLE {name}", new.comment))
