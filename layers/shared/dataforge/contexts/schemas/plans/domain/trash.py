"""What goes is kept for a while in a PostgreSQL schema beside the one of the workspace, from where it comes back.

The workspace's own schema is exactly what its target says: nothing hidden stands in it. A table is stripped to its
columns and moved; the values of a column are copied beside a key by which their rows are found again (the primary
key, or what the row holds otherwise); the rows of a partitioned table or partition are copied. Types of the schema
become text on the way out, so that nothing in the trash depends on anything outside of it.

What something in the trash is stands in its comment, as JSON, so that it goes along with the data.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dataforge.contexts.schemas.designs.domain.model import Column, Named, Schema, Table
from dataforge.contexts.schemas.designs.domain.names import generated_name, literal, quoted, quoted_list, trash_of
from dataforge.contexts.schemas.designs.domain.rendering import column_definition, comment_on
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk, Statement, change
from dataforge.contexts.schemas.plans.domain.kept import Kept, Past
from dataforge.contexts.schemas.plans.domain.renames import Rename
from dataforge.kernel.texts import Text

DAYS_KEPT = 30
_EXCLUSIVE = "ACCESS EXCLUSIVE"
_FILL = " ".join(("INSERT", "INTO"))  # a text of a plan, run by the workspace's own login: no write of ours


def in_copy(sql: str, namespace: str, copy: str) -> str:
    """A statement of a plan as it is run in a copy of the workspace's schema, with a trash of its own."""
    return sql.replace(quoted(trash_of(namespace)), quoted(trash_of(copy))).replace(quoted(namespace), quoted(copy))


@dataclass(frozen=True, slots=True)
class Trash:
    """The trash of a schema for one plan: what is in it, what goes there, and what comes back.

    `names` are all that are taken; `back` has what comes back by its object, `ids` the stable ids of what goes.
    """

    namespace: str
    names: frozenset[str] = frozenset()
    back: Mapping[str, Kept] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    takes: Callable[[str], bool] = lambda _thing: True
    past: Past = field(default_factory=Past)

    def place(self, name: str) -> str:
        """A table in the trash, as SQL names it."""
        return f"{quoted(trash_of(self.namespace))}.{quoted(name)}"

    def entry(self, kind: str, table: str, column: str | None = None, taken: Iterable[str] = (), **more: Any) -> Kept:  # noqa: ANN401 - members of Kept
        """What something that goes becomes, under a name that is free."""
        plain = table if column is None else f"{table}.{column}"
        turn = 1
        used = self.names | set(taken)
        name = generated_name(plain, taken=())
        while name in used:
            turn += 1
            name = generated_name(plain, str(turn), taken=())
        thing = f"{kind} {plain}"
        return Kept(name=name, kind=kind, table=table, column=column, stable_id=self.ids.get(thing), turn=turn, **more)


def concerned(content: Iterable[Kept], wanted: Schema, renames: Iterable[Rename], past: Past) -> list[Kept]:
    """What in the trash a plan may touch: what the target has, and what is said of anew after renames."""
    pairs = list(renames)
    chosen = []
    for item in content:
        after = past.named(item.renamed(pairs), wanted)
        table = wanted.tables.get(after.table)
        fits = table is not None and (after.column is None or after.column in table.columns)
        if fits or after != item or (item.kind == "partition" and item.table in wanted.partitions):
            chosen.append(item)
    return chosen


def ids_of(named: Iterable[Named], renames: Iterable[Rename] = ()) -> dict[str, str]:
    """Stable ids by what has them (`column people.mail`), tables by their names after renames."""
    tables = {item.old: item.new for item in renames if item.kind == "table"}
    return {
        f"{item.kind} {'.'.join((*(tables.get(part, part) for part in item.path), item.name))}": item.stable_id
        for item in named
        if item.stable_id is not None and item.kind in ("table", "column")
    }


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a plan uses the trash: what is in it, the tables of it that the proof copies, and what is known by ids.

    `going` are stable ids by object.
    """

    content: tuple[Kept, ...]
    tables: Schema
    going: Mapping[str, str]
    takes: Callable[[str], bool]
    past: Past = field(default_factory=Past)

    @property
    def names(self) -> frozenset[str]:
        """All names that are taken in the trash."""
        return frozenset(item.name for item in self.content)


@dataclass(frozen=True, slots=True)
class Returning:
    """What is in the trash before a way, and which of it may come back."""

    content: tuple[Kept, ...] = ()
    names: frozenset[str] = frozenset()
    past: Past = field(default_factory=Past)


def follow(trash: Trash, content: Iterable[Kept], renames: Iterable[Rename]) -> Iterator[Change]:
    """What is said of things in the trash after renames of what they belong to."""
    pairs = list(renames)
    for item in content:
        after = item.renamed(pairs)
        if after != item:
            sql = comment_on(f"TABLE {trash.place(item.name)}", after.comment())
            yield change("follow name", f"trash {item.name}", -1, sql)


def find_back(content: Iterable[Kept], current: Schema, wanted: Schema, past: Past) -> dict[str, Kept]:
    """What comes back: what the target wants again and the schema does not have, known by its stable id.

    On a way back, names are enough unless ids say otherwise: it means the same things. Names are new ones.
    """
    back: dict[str, Kept] = {}
    for kept in sorted(content, key=lambda kept: kept.turn):
        item = past.named(kept, wanted)
        table, there = wanted.tables.get(item.table), current.tables.get(item.table)
        if item.kind == "column":
            fits = table is not None and item.column in table.columns
            absent = there is None or item.column not in there.columns
        elif item.kind == "partition":
            fits, absent = item.table in wanted.partitions, item.table not in current.partitions
        else:
            fits, absent = table is not None, there is None
        stable_id = past.ids.get(item.object)
        known = stable_id is not None and item.stable_id is not None
        same = stable_id == item.stable_id if known else past.every
        if fits and absent and same:
            back[item.object] = item
    return back


def bring_tables(trash: Trash, here: Schema, wanted: Schema) -> Iterator[Change]:
    """Move tables back, as bare as they are in the trash; what they lack is a difference like any other.

    A view that has the name of one is on its way out and gets another; columns get the names that they shall have.
    """
    for item in trash.back.values():
        if item.kind == "table" and not item.copied:
            home = quoted(trash.namespace)
            sql = []
            if item.table in here.views:
                noun = "MATERIALIZED VIEW" if here.views[item.table].materialized else "VIEW"
                aside = generated_name(item.table, "replaced", taken=(*here.tables, *here.views, *here.sequences))
                sql.append(f"ALTER {noun} {quoted(item.table)} RENAME TO {quoted(aside)}")
            columns = trash.past.columns(item.table, wanted.tables[item.table].columns)
            sql += [f"ALTER TABLE {trash.place(item.name)} SET SCHEMA {home}"]
            if item.name != item.table:
                sql.append(f"ALTER TABLE {quoted(item.name)} RENAME TO {quoted(item.table)}")
            sql += _renamed_columns(item.table, columns)
            reason = Text("it comes back with its rows from the trash")
            yield change("restore table", f"table {item.table}", -1, *sql, reason=reason, lock=_EXCLUSIVE)


def _renamed_columns(table: str, columns: Mapping[str, str]) -> Iterator[str]:
    """By way of names of their own where they take each other's."""
    asides = {last: generated_name(last, "renamed", taken=(*columns, *columns.values())) for last in columns.values()}
    for last in columns.values():
        yield f"ALTER TABLE {quoted(table)} RENAME COLUMN {quoted(last)} TO {quoted(asides[last])}"
    for name, last in columns.items():
        yield f"ALTER TABLE {quoted(table)} RENAME COLUMN {quoted(asides[last])} TO {quoted(name)}"


def trash_table(trash: Trash, table: Table, known: str, schema: Schema, taken: Iterable[str]) -> Change:
    """Move a table to the trash, stripped to its columns; the rows of a partitioned one are copied.

    `known` is the name that people know it by.
    """
    reason = Text("the table and its rows are kept in the trash for {days_kept} days", days_kept=DAYS_KEPT)
    more: dict[str, Any] = {
        "risk": Risk.DESTRUCTIVE,
        "lock": _EXCLUSIVE,
        "reason": reason,
        "kept": True,
        "table": table.name,
    }
    thing = f"table {known}"
    if table.partition_by is not None:
        return change("drop table", thing, 15, *_copied(trash, "table", table.name, known, table), **more)
    name, entry = quoted(table.name), trash.entry("table", known, taken=taken)
    sql = [
        f"ALTER SEQUENCE {quoted(item.name)} OWNED BY NONE"
        for item in schema.sequences.values()
        if item.owner is not None and item.owner[0] == table.name
    ]
    # Foreign keys first: those of others that refer to the table go with its keys.
    constraints = sorted(table.constraints.values(), key=lambda item: item.kind != "f")
    drops = [f"DROP CONSTRAINT IF EXISTS {quoted(item.name)} CASCADE" for item in constraints]
    types = []
    for column in table.columns.values():
        target = f"ALTER COLUMN {quoted(column.name)}"
        if column.generated is not None:
            drops.append(f"DROP COLUMN {quoted(column.name)}")
            continue
        if column.identity is not None:
            drops.append(f"{target} DROP IDENTITY")
        if column.default is not None:
            drops.append(f"{target} DROP DEFAULT")
        if column.user_type is not None:
            types.append(f"{target} TYPE text USING {quoted(column.name)}::text")
    if table.replica_identity is not None:
        sql.append(f"ALTER TABLE {name} REPLICA IDENTITY DEFAULT")
    sql += [f"ALTER TABLE {name} {', '.join(drops)}"] if drops else []
    sql += [f"DROP INDEX {quoted_list(table.indexes)} CASCADE"] if table.indexes else []
    sql += [f"ALTER TABLE {name} {', '.join(types)}"] if types else []
    if entry.name != table.name:
        sql.append(f"ALTER TABLE {name} RENAME TO {quoted(entry.name)}")
    sql.append(f"ALTER TABLE {quoted(entry.name)} SET SCHEMA {quoted(trash_of(trash.namespace))}")
    sql.append(comment_on(f"TABLE {trash.place(entry.name)}", entry.comment()))
    return change("drop table", thing, 15, *sql, **more)


def trash_partition(trash: Trash, name: str, known: str, root: Table, rank: int) -> Change:
    """Copy the rows of a partition, which people know as `known`, to the trash and drop it."""
    reason = Text("the rows of the partition are kept in the trash for {days_kept} days", days_kept=DAYS_KEPT)
    sql = _copied(trash, "partition", name, known, root)
    more: dict[str, Any] = {"risk": Risk.DESTRUCTIVE, "lock": _EXCLUSIVE, "reason": reason, "kept": True, "table": name}
    return change("drop partition", f"partition {known}", rank, *sql, **more)


def _copied(trash: Trash, kind: str, name: str, known: str, table: Table) -> list[str]:
    columns = [column for column in table.columns.values() if column.generated is None]
    entry = trash.entry(kind, known, key=tuple(column.name for column in columns), copied=True)
    values = ", ".join(f"{_plain_value(column)} AS {quoted(column.name)}" for column in columns)
    return [
        f"LOCK TABLE {quoted(name)} IN ACCESS EXCLUSIVE MODE",
        f"CREATE TABLE {trash.place(entry.name)} AS SELECT {values} FROM {quoted(name)}",
        comment_on(f"TABLE {trash.place(entry.name)}", entry.comment()),
        f"DROP TABLE {quoted(name)} CASCADE",
    ]


def bring_rows(trash: Trash, kind: str, name: str, table: Table) -> Iterator[Change]:
    """Insert copied rows again into a table or partition that was made anew."""
    item = trash.back.get(f"{kind} {name}")
    if item is None or not item.copied:
        return
    last = trash.past.columns(table.name, table.columns) if kind == "table" else {}
    sources = {column.name: last.get(column.name, column.name) for column in table.columns.values()}
    columns = [column for column in table.columns.values() if sources[column.name] in item.key and not column.generated]
    if not columns:
        return
    values = ", ".join(f"s.{quoted(sources[column.name])}::{column.type}" for column in columns)
    target = f"{quoted(name)} ({quoted_list(column.name for column in columns)})"
    head = f"{_FILL} {target} OVERRIDING SYSTEM VALUE"
    insert = Statement(f"{head} SELECT {values} FROM {trash.place(item.name)} s")
    steps = [insert, *(_follow(table.name, column) for column in columns if column.identity is not None)]
    steps.append(Statement(f"DROP TABLE {trash.place(item.name)}"))
    reason = Text("they come back from the trash")
    # After the partitions are there, before foreign keys are.
    yield Change("restore rows", f"{kind} {name}", tuple(steps), 47, risk=Risk.LOCKING, reason=reason, table=name)


def _follow(table: str, column: Column) -> Statement:
    name, owner = quoted(column.name), quoted(table)
    sequence = f"pg_get_serial_sequence({literal(owner)}, {literal(column.name)})"
    sql = f"SELECT setval({sequence}, max({name})) FROM {owner} HAVING max({name}) IS NOT NULL"
    return Statement(sql, rehearsal="")


def trash_column(trash: Trash, old: Table, new: Table, column: Column, known: str) -> Change:
    """Copy the values of a column, which people know as `known`, to the trash with the keys of their rows; drop it."""
    key, unique = _key_of(old, new, column.name)
    entry = trash.entry("column", new.name, known, key=key, unique=unique)
    table, place = quoted(new.name), trash.place(entry.name)
    value = _plain_value(column)
    some = f" WHERE {quoted(column.name)} IS NOT NULL" if column.default is None and unique else ""
    sql = (
        # Nobody writes a value between the copy and the end of the column.
        f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
        f"CREATE TABLE {place} AS SELECT {_keys(key, unique=unique)}, {value} AS value FROM {table}{some}",
        comment_on(f"TABLE {place}", entry.comment()),
        f"ALTER TABLE {table} DROP COLUMN IF EXISTS {quoted(column.name)} CASCADE",
    )
    reason = Text("the values of the column are kept in the trash for {days_kept} days", days_kept=DAYS_KEPT)
    more: dict[str, Any] = {"table": new.name, "column": column.name, "kept": True}
    thing = f"column {new.name}.{known}"
    return change("drop column", thing, 60, *sql, risk=Risk.DESTRUCTIVE, lock=_EXCLUSIVE, reason=reason, **more)


def _plain_value(column: Column) -> str:
    name = quoted(column.name)
    return f"{name}::text" if column.user_type is not None else name


def _key_of(old: Table, new: Table, gone: str) -> tuple[tuple[str, ...], bool]:
    """The primary key when it stays, or the columns that stay as they are."""
    kept = {name for name, column in old.columns.items() if name in new.columns and name != gone}
    for item in old.constraints.values():
        if item.kind == "p" and kept.issuperset(item.columns):
            return item.columns, True
    same = (name for name in old.columns if name in kept and old.columns[name] == new.columns[name])
    return tuple(name for name in same if old.columns[name].generated is None), False


def _digest(key: Iterable[str]) -> str:
    # The text of a row is the same for an int that became a bigint, and for an enum that was made again.
    return f"sha256(convert_to(ROW({quoted_list(key)})::text, 'UTF8'))"


def _keys(key: tuple[str, ...], *, unique: bool) -> str:
    digest = _digest(key)
    if unique:
        return f"{digest} AS key"
    return f"{digest} AS key, row_number() OVER (PARTITION BY {digest} ORDER BY tableoid, ctid) AS turn"


def bring_column(trash: Trash, here: Table, column: Column) -> tuple[Change, Column] | None:
    """Add a column that comes back with its values from the trash, and what it is then; None when none comes back.

    The rows that were there find their values by their key; the rest of the column is changed in place afterwards.
    """
    item = trash.back.get(f"column {here.name}.{column.name}")
    if item is None or column.generated is not None or not here.columns.keys() >= set(item.key):
        return None
    plain = Column(name=column.name, type=column.type, default=column.default, collation=column.collation)
    plain = replace(plain, user_type=column.user_type)
    if column.user_type is not None:
        # A domain may take no NULL, not even until the values are there.
        default = None if column.default is None else f"({column.default})::text"
        plain = replace(plain, type="text", user_type=None, collation=None, default=default)
    table, name, place = quoted(here.name), quoted(column.name), trash.place(item.name)
    add = Statement(f"ALTER TABLE {table} ADD COLUMN {column_definition(plain)}")
    fill = _fill(item, table, name, place, f"s.value::{plain.type}")
    through_text = _fill(item, table, name, place, f"s.value::text::{plain.type}")
    drop = Statement(f"DROP TABLE {place}")
    more: dict[str, Any] = {"risk": Risk.REWRITING, "lock": _EXCLUSIVE, "table": here.name, "column": column.name}
    reason = Text("its values come back from the trash")
    steps = [add, Statement(fill, instead=through_text), drop]
    if plain.user_type != column.user_type and plain.default is not None:
        steps.append(Statement(f"ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT"))
        plain = replace(plain, default=None)
    restore = Change("restore column", f"column {here.name}.{column.name}", tuple(steps), 50, reason=reason, **more)
    return restore, plain


def _fill(item: Kept, table: str, name: str, place: str, value: str) -> str:
    if item.unique:
        return f"UPDATE {table} SET {name} = {value} FROM {place} s WHERE s.key = {_digest(item.key)}"
    rows = f"SELECT tableoid AS source, ctid AS place, {_keys(item.key, unique=False)} FROM {table}"
    return (
        f"UPDATE {table} SET {name} = {value} FROM {place} s JOIN ({rows}) h ON h.key = s.key AND h.turn = s.turn "
        f"WHERE {table}.tableoid = h.source AND {table}.ctid = h.place"
    )
