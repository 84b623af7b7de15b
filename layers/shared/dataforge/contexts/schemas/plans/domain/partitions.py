"""Changes of partitions."""

from collections.abc import Iterator
from dataclasses import replace

from dataforge.contexts.schemas.designs.domain.model import Partition
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.designs.domain.rendering import (
    comments_of_table,
    create_partition,
    make_index,
    ordered_partitions,
    split_constraints,
)
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk, change
from dataforge.contexts.schemas.plans.domain.constraints import add_one, constraint_changes
from dataforge.contexts.schemas.plans.domain.indexes import index_changes
from dataforge.contexts.schemas.plans.domain.keeping import lose_partition
from dataforge.contexts.schemas.plans.domain.scene import EXCLUSIVE, SHARE_UPDATE, Scene
from dataforge.contexts.schemas.plans.domain.settings import settings_of_table
from dataforge.contexts.schemas.plans.domain.trash import bring_rows


def partition_changes(scene: Scene) -> Iterator[Change]:
    """What happens to the parts of tables that stay, and the parts of new ones."""
    old, new = scene.current.partitions, scene.wanted.partitions
    for name, part in old.items():
        after = new.get(name)
        if after is not None and _is_same(part, after) and part.parent in (*scene.kept, *new):
            continue
        thing = f"partition {name}"
        if after is not None and after.parent == part.parent and after.partition_by == part.partition_by:
            parent = quoted(part.parent)
            sql = f"ALTER TABLE {parent} DETACH PARTITION {quoted(name)}"
            yield change("detach partition", thing, 29, sql, lock=EXCLUSIVE, risk=Risk.LOCKING)
            sql = f"ALTER TABLE {parent} ATTACH PARTITION {quoted(name)} {after.bound}"
            yield change("attach partition", thing, 46, sql, lock=SHARE_UPDATE, risk=Risk.LOCKING)
        elif scene.root(part.parent) in scene.kept:
            yield lose_partition(scene.options.trash, name, scene.current.tables[scene.root(part.parent)])
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


def _create(scene: Scene, part: Partition) -> Iterator[Change]:
    inline, later = split_constraints(part.own)
    sql = [create_partition(part, inline)]
    sql += [text for index in part.indexes.values() for text in make_index(index, part.name)]
    sql += comments_of_table(replace(part.own, constraints={item.name: item for item in inline}))
    yield change("create partition", f"partition {part.name}", 46, *sql)
    for item in later:
        yield from add_one(scene, part.name, item)
    if scene.options.trash is not None:
        yield from bring_rows(scene.options.trash, "partition", part.name, scene.wanted.tables[_root(scene, part)])


def _root(scene: Scene, part: Partition) -> str:
    name = part.parent
    while name in scene.wanted.partitions:
        name = scene.wanted.partitions[name].parent
    return name


def _own_changes(scene: Scene, old: Partition, new: Partition) -> Iterator[Change]:
    """What a part has of its own."""
    before, after = old.own, new.own
    yield from constraint_changes(scene, before, after)
    touched, online = scene.touched_in(new.name), scene.online_for(new.name) and new.partition_by is None
    yield from index_changes(scene, new.name, before.indexes, after.indexes, touched, online=online)
    yield from settings_of_table(before, after, kind="partition")
