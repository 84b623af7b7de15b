"""Changes of partitions."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from dataforge.contexts.schemas.designs.domain.model import Counter, Partition, Schema, Table
from dataforge.contexts.schemas.designs.domain.names import generated_name, literal, quoted, quoted_list
from dataforge.contexts.schemas.designs.domain.rendering import (
    comments_of_table,
    create_partition,
    make_index,
    ordered_partitions,
    split_constraints,
)
from dataforge.contexts.schemas.plans.domain.bounds import alike, contains, listed, related
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk, change
from dataforge.contexts.schemas.plans.domain.constraints import add_one, constraint_changes
from dataforge.contexts.schemas.plans.domain.indexes import index_changes
from dataforge.contexts.schemas.plans.domain.keeping import lose_partition
from dataforge.contexts.schemas.plans.domain.rows import copying, moving
from dataforge.contexts.schemas.plans.domain.scene import EXCLUSIVE, SHARE_UPDATE, Options, Scene, holders
from dataforge.contexts.schemas.plans.domain.settings import settings_of_table
from dataforge.contexts.schemas.plans.domain.trash import bring_rows
from dataforge.kernel.texts import Text


def partition_changes(scene: Scene) -> Iterator[Change]:
    """What happens to the parts of tables that stay, and the parts of new ones."""
    steps = list(_changes_of_parts(scene))
    yield from _freed(scene, {item.object.partition(" ")[2] for item in steps if item.op == "detach partition"})
    yield from steps


def _freed(scene: Scene, leaving: set[str]) -> Iterator[Change]:
    """Foreign keys to rows of parts that are taken off: PostgreSQL lets none of them go; they are made again later."""
    roots = {scene.root(name) for name in leaving} & scene.kept
    for table in scene.current.tables.values():
        for item in table.constraints.values():
            if item.kind == "f" and item.references in roots and table.name in scene.wanted.tables:
                sql = f"ALTER TABLE {quoted(table.name)} DROP CONSTRAINT IF EXISTS {quoted(item.name)}"
                reason = Text("made again: rows that it refers to are moved")
                thing = f"constraint {table.name}.{item.name}"
                yield change("drop foreign key", thing, 20, sql, risk=Risk.LOCKING, lock=EXCLUSIVE, reason=reason)


def _changes_of_parts(scene: Scene) -> Iterator[Change]:
    old, new = scene.current.partitions, scene.wanted.partitions
    staged, emptied = set(_staged(scene)), _with_heirs(scene)
    lost = {part for table in scene.exchanged for part in lost_parts(scene, table)}
    for name, part in old.items():
        if emptied & set(holders(scene.current, part)):
            continue  # its rows are moved with those of what it is a part of
        if scene.root(name) in scene.exchanged:
            if name in lost:
                yield lose_partition(scene.options, name, scene.current.tables[scene.root(name)])
            continue
        after = new.get(name)
        if after is not None and _is_same(part, after) and part.parent in (*scene.kept, *new) and name not in staged:
            continue
        if after is not None and (after.parent, after.partition_by) == (part.parent, part.partition_by):
            yield from _attached_again(scene, part, after, staged=name in staged)
        elif scene.root(part.parent) in scene.kept:
            yield from _leaving(scene, part, emptied=name in emptied)
    for part in ordered_partitions(scene.wanted):
        before = old.get(part.name)
        same = before is not None and before.parent == part.parent and before.partition_by == part.partition_by
        if before is not None and same and scene.root(part.parent) in scene.kept:
            yield from _own_changes(scene, before, part)
        else:
            yield from _create(scene, part)


def _is_same(part: Partition, after: Partition) -> bool:
    """Whether it stands at the same place with the same bounds."""
    return (part.parent, part.bound, part.partition_by) == (after.parent, after.bound, after.partition_by)


def _attached_again(scene: Scene, part: Partition, after: Partition, *, staged: bool) -> Iterator[Change]:
    """Take a part off and put it back; when its rows may belong elsewhere, they go by way of a table of their own."""
    thing, parent, name = f"partition {part.name}", quoted(part.parent), quoted(part.name)
    sql = [f"ALTER TABLE {parent} DETACH PARTITION {name}"]
    stage = quoted(generated_name(part.name, "rows", taken=(*scene.current.tables, *scene.current.partitions)))
    if staged:
        sql.append(f"CREATE TABLE {stage} (LIKE {name})")
        sql.append(moving(name, stage))
    yield change("detach partition", thing, 29, *sql, lock=EXCLUSIVE, risk=Risk.LOCKING)
    rank = 47 if after.bound == "DEFAULT" else 46
    sql = [f"ALTER TABLE {parent} ATTACH PARTITION {name} {after.bound}"]
    yield change("attach partition", thing, rank, *sql, lock=SHARE_UPDATE, risk=Risk.LOCKING)
    if staged:
        yield _move(scene, part, stage)


def _leaving(scene: Scene, part: Partition, *, emptied: bool) -> Iterator[Change]:
    """A part that goes: its rows go to new parts that have room for them, or with it."""
    thing, name = f"partition {part.name}", quoted(part.name)
    if emptied:
        sql = [f"ALTER TABLE {quoted(part.parent)} DETACH PARTITION {name}"]
        taken = {*scene.current.tables, *scene.current.partitions, *scene.wanted.partitions}
        source = name
        for other in scene.current.partitions.values():
            inside = other.name == part.name or part.name in holders(scene.current, other)
            if inside and other.name in scene.wanted.partitions:  # the name is needed
                aside = generated_name(other.name, "before", taken=taken)
                taken.add(aside)
                sql.append(f"ALTER TABLE {quoted(other.name)} RENAME TO {quoted(aside)}")
                source = quoted(aside) if other.name == part.name else source
        yield change("detach partition", thing, 29, *sql, lock=EXCLUSIVE, risk=Risk.LOCKING)
        yield _move(scene, part, source)
        return
    yield lose_partition(scene.options, part.name, scene.current.tables[scene.root(part.parent)])


def _move(scene: Scene, part: Partition, source: str) -> Change:
    root = scene.current.tables[scene.root(part.name)]
    columns = quoted_list(column.name for column in root.columns.values() if column.generated is None)
    sql = copying(source, quoted(root.name), columns)
    reason = Text("its rows are written again where they belong now")
    thing = f"partition {part.name}"
    return change("move rows", thing, 67, sql, f"DROP TABLE {source}", risk=Risk.REWRITING, reason=reason)


def _with_heirs(scene: Scene) -> set[str]:
    """Parts with rows that go while new parts of the same table take over values of theirs."""
    old, new = scene.current.partitions, scene.wanted.partitions
    come = [
        part
        for part in new.values()
        if part.name not in old
        or not _is_same(old[part.name], part)
        or (scene.options.back and part.bound == "DEFAULT")
    ]
    gone = {
        name
        for name, part in old.items()
        if name in scene.options.filled
        and (name not in new or (new[name].parent, new[name].partition_by) != (part.parent, part.partition_by))
    }
    return {name for name in gone if any(_takes_over(old[name], heir) for heir in come)}


def _takes_over(gone: Partition, heir: Partition) -> bool:
    return heir.parent == gone.parent and (heir.bound == "DEFAULT" or related(heir.bound, gone.bound))


def lost_parts(scene: Scene, table: str) -> set[str]:
    """Parts that go with their rows while their table is made again.

    The rows of others that go are written into new parts, or have values now that belong elsewhere.
    """
    old, new = scene.current.partitions, scene.wanted.partitions
    if scene.current.tables[table].partition_by != scene.wanted.tables[table].partition_by:
        return set()
    come = any(
        part.name not in old
        or not alike(old[part.name].bound, part.bound)
        or (scene.options.back and part.bound == "DEFAULT")
        for part in new.values()
        if _root(scene.wanted, part) == table
    )
    mapped, gone = _labels(scene)
    lost = set()
    for name, part in old.items():
        if name in new or scene.root(name) != table or not (part.parent == table or part.parent in new):
            continue
        values = listed(part.bound)
        if (values and values <= gone) or not (come or values & mapped):
            lost.add(name)
    return lost


def _labels(scene: Scene) -> tuple[set[str], set[str]]:
    """The labels of enums that become others, and those that go for good, as bounds spell them."""
    mapped, gone = set(), set()
    for name in scene.rebuilt.names & scene.current.enums.keys():
        after = scene.wanted.enums.get(name)
        values = scene.rebuilt.values.get(name, {})
        for label in scene.current.enums[name].values:
            if label in values:
                mapped.add(literal(label))
            elif after is not None and label not in after.values:
                gone.add(literal(label))
    return mapped, gone


def _staged(scene: Scene) -> Iterator[str]:
    """Parts that stay, with rows that may belong elsewhere: their bounds change, or others come beside a default."""
    old, new = scene.current.partitions, scene.wanted.partitions
    for name, part in old.items():
        after = new.get(name)
        if after is None or name not in scene.options.filled or part.partition_by is not None:
            continue
        if (after.parent, after.partition_by) != (part.parent, part.partition_by):
            continue
        if after.bound != "DEFAULT":
            if not contains(after.bound, part.bound):
                yield name
        elif any(
            other.parent == part.parent and (other.name not in old or not _is_same(old[other.name], other))
            for other in new.values()
        ):
            yield name


def _root(schema: Schema, part: Partition) -> str:
    return [*holders(schema, part)][-1]


def first_changes(current: Schema, wanted: Schema, options: Options) -> list[Change]:
    """What must happen to partitions before the rest can be planned.

    Parts that become tables are taken off, and parts under other names renamed. Rows are moved between parts while
    the columns of their table are still as they were.
    """
    steps = [*_detached(current, wanted), *_renamed(current, wanted)]
    if steps:
        return steps
    scene = Scene(current, wanted, options)
    moving = {scene.root(name) for name in (*_with_heirs(scene), *_staged(scene))} & scene.kept
    if not moving:
        return []
    kept = {name: part for name, part in current.partitions.items() if scene.root(name) not in moving}
    for name, part in wanted.partitions.items():
        if _root(wanted, part) in moving:
            own = current.partitions.get(name)
            kept[name] = (
                replace(part, constraints={}, indexes={})
                if own is None or own.partition_by != part.partition_by
                else replace(own, bound=part.bound, parent=part.parent, partition_by=part.partition_by)
            )
    between = replace(current, partitions=kept)
    return list(partition_changes(Scene(current, between, options)))


def _detached(current: Schema, wanted: Schema) -> Iterator[Change]:
    for name, part in current.partitions.items():
        if name in wanted.tables and name not in wanted.partitions:
            sql = f"ALTER TABLE {quoted(part.parent)} DETACH PARTITION {quoted(name)}"
            reason = Text("becomes a table of its own with its rows")
            yield change("detach partition", f"partition {name}", 5, sql, lock=EXCLUSIVE, reason=reason)


def _renamed(current: Schema, wanted: Schema) -> Iterator[Change]:
    """Parts with the bounds of others that go: there can be one with them only, so it is the same."""
    come = {
        (part.parent, part.bound): part for name, part in wanted.partitions.items() if name not in current.partitions
    }
    taken = {*current.tables, *current.views, *current.sequences}
    for name, part in current.partitions.items():
        twin = come.get((part.parent, part.bound))
        if name in wanted.partitions or name in wanted.tables or twin is None or twin.name in taken:
            continue
        if twin.partition_by == part.partition_by:
            sql = f"ALTER TABLE {quoted(name)} RENAME TO {quoted(twin.name)}"
            yield change("rename partition", f"partition {twin.name}", 1, sql, lock=EXCLUSIVE)


def joining(current: Schema, wanted: Schema) -> tuple[Schema, list[Change]]:
    """The target with tables that become parts still as tables of the right shape, and how they are attached."""
    tables, parts = dict(wanted.tables), dict(wanted.partitions)
    steps: list[Change] = []
    for name, part in wanted.partitions.items():
        old = current.tables.get(name)
        if old is None or old.partition_by != part.partition_by:
            continue
        tables[name] = _shaped(old, part, wanted.tables[_root(wanted, part)])
        del parts[name]
        sql = f"ALTER TABLE {quoted(part.parent)} ATTACH PARTITION {quoted(name)} {part.bound}"
        reason = Text("becomes a part with its rows")
        thing = f"partition {name}"
        steps.append(
            change("attach partition", thing, 69, sql, lock=SHARE_UPDATE, risk=Risk.LOCKING, reason=reason, table=name)
        )
    return replace(wanted, tables=tables, partitions=parts), steps


def _shaped(table: Table, part: Partition, root: Table) -> Table:
    """A table as it must be to become a part: with the columns and checks of the whole, and what is the part's own."""
    columns = {}
    for name, column in root.columns.items():
        own = table.columns.get(name)
        said = None if own is None else own.comment
        columns[name] = replace(column, identity=None, counter=Counter(), comment=said)
    keys = {item.essence for item in root.constraints.values() if item.kind in "puf"}
    constraints = {name: item for name, item in table.constraints.items() if item.essence in keys}
    constraints |= {name: item for name, item in root.constraints.items() if item.kind == "c"}
    known = {index.essence for index in root.indexes.values()}
    indexes = {name: index for name, index in table.indexes.items() if index.essence in known}
    return replace(
        part.own,
        columns=columns,
        constraints={**constraints, **part.constraints},
        indexes={**indexes, **part.indexes},
        replica_identity=table.replica_identity,
    )


def filled_after(wanted: Schema, filled: Collection[str]) -> set[str]:
    """Tables and parts that may have rows when the plan has run: all parts of a table with rows."""
    return {name for name, part in wanted.partitions.items() if name in filled or _root(wanted, part) in filled} | set(
        filled
    )


def _create(scene: Scene, part: Partition) -> Iterator[Change]:
    inline, later = split_constraints(part.own)
    sql = [create_partition(part, inline)]
    sql += [text for index in part.indexes.values() for text in make_index(index, part.name)]
    sql += comments_of_table(replace(part.own, constraints={item.name: item for item in inline}))
    yield change("create partition", f"partition {part.name}", 46, *sql)
    for item in later:
        yield from add_one(scene, part.name, item)
    if scene.options.trash is not None:
        yield from bring_rows(
            scene.options.trash, "partition", part.name, scene.wanted.tables[_root(scene.wanted, part)]
        )


def _own_changes(scene: Scene, old: Partition, new: Partition) -> Iterator[Change]:
    """What a part has of its own."""
    before, after = old.own, new.own
    yield from constraint_changes(scene, before, after)
    touched, online = scene.touched_in(new.name), scene.online_for(new.name) and new.partition_by is None
    yield from index_changes(scene, new.name, before.indexes, after.indexes, touched, online=online)
    yield from settings_of_table(before, after, kind="partition")
