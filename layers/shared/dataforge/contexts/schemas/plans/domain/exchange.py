"""A table that becomes partitioned, partitioned otherwise or by another type: it is made anew, and its rows move."""

from collections.abc import Iterator

from dataforge.contexts.schemas.designs.domain.model import Column, Table
from dataforge.contexts.schemas.designs.domain.names import generated_name, literal, quoted, quoted_list
from dataforge.contexts.schemas.designs.domain.rendering import own_sequence
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk, Statement, change
from dataforge.contexts.schemas.plans.domain.columns import conversion
from dataforge.contexts.schemas.plans.domain.partitions import lost_parts
from dataforge.contexts.schemas.plans.domain.rows import copying
from dataforge.contexts.schemas.plans.domain.scene import EXCLUSIVE, Scene, holders
from dataforge.kernel.texts import Text


def exchange_table(scene: Scene, old: Table, new: Table) -> Iterator[Change]:
    """Put the old table aside, write its rows into the new one (which others make), and drop it."""
    thing = f"table {new.name}"
    aside = _aside(scene, old.name)
    yield from _names_freed(scene, old, aside)
    for column in old.columns.values():
        if column.name not in new.columns and column.generated is None:
            sql = f"ALTER TABLE {quoted(aside)} DROP COLUMN {quoted(column.name)} CASCADE"
            reason = Text("the values of the column are deleted")
            yield change(
                *("drop column", f"column {new.name}.{column.name}", 66, sql),
                risk=Risk.DESTRUCTIVE,
                lock=EXCLUSIVE,
                reason=reason,
                table=new.name,
                column=column.name,
            )
    copied, computed = _copy(scene, old, new, aside)
    statements = [copied, *map(Statement, _numbers(old, new, aside))]
    statements.append(Statement(f"DROP TABLE {quoted(aside)}"))
    reason = Text("made again under its name, and all rows are written into it")
    yield Change(
        *("exchange table", thing, tuple(statements), 67),
        risk=Risk.REWRITING,
        lock=EXCLUSIVE,
        reason=reason,
        table=new.name,
        values=tuple(computed.items()),
    )
    for sequence in scene.wanted.sequences.values():
        before = scene.current.sequences.get(sequence.name)
        owner = None if before is None or before.owner != sequence.owner else sequence.owner
        if owner is not None and owner[0] == new.name:
            yield change("own sequence", f"sequence {sequence.name}", 66, own_sequence(sequence))


def _aside(scene: Scene, name: str) -> str:
    taken = {*scene.current.tables, *scene.current.partitions, *scene.wanted.tables, *scene.wanted.partitions}
    return generated_name(name, "before", taken=taken)


def _names_freed(scene: Scene, old: Table, aside: str) -> Iterator[Change]:
    """Names of the table, its parts, keys, indexes and numbers are needed for what takes its place."""
    lost = lost_parts(scene, old.name)
    parts = [
        part.own
        for name, part in scene.current.partitions.items()
        if scene.root(name) == old.name and not lost & {name, *holders(scene.current, part)}
    ]
    thing = f"table {old.name}"
    foreign = [
        f"ALTER TABLE {quoted(table.name)} DROP CONSTRAINT {quoted(item.name)}"
        for table in (*parts, old)
        for item in table.constraints.values()
        if item.kind == "f"
    ]
    if foreign:
        yield change("put aside", thing, 20, *foreign, lock=EXCLUSIVE, table=old.name)
    sql = [
        f"ALTER TABLE {quoted(table.name)} DROP CONSTRAINT {quoted(item.name)}"
        for table in (*parts, old)
        for item in table.constraints.values()
        if item.kind in "pux"
    ]
    sql += [f"DROP INDEX {quoted(name)}" for table in (*parts, old) for name in table.indexes]
    sql += [f"ALTER TABLE {quoted(part.name)} RENAME TO {quoted(_aside(scene, part.name))}" for part in parts]
    sql += [
        f"ALTER SEQUENCE {quoted(column.sequence)} RENAME TO {quoted(_sequence_aside(column))}"
        for column in old.columns.values()
        if column.sequence is not None
    ]
    sql.append(f"ALTER TABLE {quoted(old.name)} RENAME TO {quoted(aside)}")
    reason = Text("PostgreSQL cannot partition it otherwise in place")
    if old.partition_by == scene.wanted.tables[old.name].partition_by:
        reason = Text("PostgreSQL cannot change the type of what it is partitioned by")
    yield change("put aside", thing, 30, *sql, lock=EXCLUSIVE, risk=Risk.LOCKING, reason=reason, table=old.name)


def _sequence_aside(column: Column) -> str:
    return generated_name(str(column.sequence), "before")


def _copy(scene: Scene, old: Table, new: Table, aside: str) -> tuple[Statement, dict[str, str]]:
    """The statement that copies the rows, and what it computes of columns that were there, by their names."""
    names, values, judged = [], [], []
    computed: dict[str, str] = {}
    hints = scene.options.hints
    for column in new.columns.values():
        before = old.columns.get(column.name)
        if column.generated is not None:
            continue
        name = quoted(column.name)
        using, backfill = hints.using.get((new.name, column.name)), hints.backfill.get((new.name, column.name))
        if before is None and backfill is None:
            continue
        judged += [f"({expression})" for expression in (using, backfill) if expression is not None]
        value = name
        if using is not None:
            value = f"({using})"
        elif before is not None and (before.type != column.type or before.user_type in scene.rebuilt.names):
            value = conversion(name, before, column, scene.rebuilt)
        if value != name:
            computed[column.name] = value
        if backfill is not None:
            value = f"({backfill})" if before is None else f"coalesce({value}, ({backfill}))"
        names.append(column.name)
        values.append(value)
    sql = copying(quoted(aside), quoted(new.name), quoted_list(names), ", ".join(values))
    if not names:
        sql = f"SELECT FROM {quoted(aside)} LIMIT 0"
    shown = ", ".join(f"{expression} AS value{number}" for number, expression in enumerate(judged))
    return Statement(sql, judged=f"SELECT {shown} FROM {quoted(aside)}" if judged else None), computed


def _numbers(old: Table, new: Table, aside: str) -> Iterator[str]:
    """Identities go on counting where they were, or after the highest value that is there."""
    for column in new.columns.values():
        if column.identity is None:
            continue
        sequence = f"pg_get_serial_sequence({literal(quoted(new.name))}, {literal(column.name)})"
        before = old.columns.get(column.name)
        if before is not None and before.sequence is not None:
            yield f"SELECT setval({sequence}, last_value, is_called) FROM {quoted(_sequence_aside(before))}"
        elif before is not None:
            name = quoted(column.name)
            yield f"SELECT setval({sequence}, max({name})) FROM {quoted(aside)} HAVING max({name}) IS NOT NULL"
