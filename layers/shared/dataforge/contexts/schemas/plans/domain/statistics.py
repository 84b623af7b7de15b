"""Changes of extended statistics."""

from collections.abc import Collection, Iterator

from dataforge.contexts.schemas.designs.domain.model import Statistics
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.designs.domain.rendering import comment_on
from dataforge.contexts.schemas.designs.domain.statistics import create_statistics, set_target
from dataforge.contexts.schemas.plans.domain.changes import Change, change
from dataforge.contexts.schemas.plans.domain.scene import Scene

_LOCK = "SHARE UPDATE EXCLUSIVE"


def statistics_changes(scene: Scene, views_made_again: Collection[str]) -> Iterator[Change]:
    """What happens to statistics; those of a table or view that goes go with it."""
    old, new = scene.current.statistics, scene.wanted.statistics
    spare = [item for item in old.values() if item.name not in new and _stays(scene, item, views_made_again)]
    for item in new.values():
        before = old.get(item.name)
        if before is not None and (before.essence != item.essence or not _stays(scene, before, views_made_again)):
            yield _drop(before)
            before = None
        elif before is None:
            twin = next((other for other in spare if other.essence == item.essence), None)
            if twin is not None:
                spare.remove(twin)
                sql = f"ALTER STATISTICS {quoted(twin.name)} RENAME TO {quoted(item.name)}"
                yield change("rename statistics", f"statistics {item.name}", 28, sql)
                before = twin
        if before is None:
            rank = 93 if item.table in scene.wanted.views else 77
            yield change("create statistics", f"statistics {item.name}", rank, *create_statistics(item), lock=_LOCK)
        else:
            yield from _in_place(before, item)
    gone = [item for item in old.values() if item.name not in new and not _stays(scene, item, views_made_again)]
    yield from (_drop(item) for item in [*spare, *gone])


def _stays(scene: Scene, item: Statistics, views_made_again: Collection[str]) -> bool:
    """Whether what they are about stays in place; columns of another type take their statistics along."""
    if item.table in scene.current.views:
        return item.table not in views_made_again
    if item.table in scene.current.partitions:
        return item.table in scene.wanted.partitions and not scene.rebuilt.named_in(item.definition)
    touched = scene.touched.get(item.table)
    if touched is None or scene.rebuilt.named_in(item.definition):
        return False
    kinds = {touched[name] for name in item.detail["columns"] if name in touched}
    return not kinds - {"type"} and not (touched and item.detail["expressions"])


def _drop(item: Statistics) -> Change:
    # They may have gone with a column already.
    sql = f"DROP STATISTICS IF EXISTS {quoted(item.name)}"
    return change("drop statistics", f"statistics {item.name}", 9, sql, lock=_LOCK)


def _in_place(old: Statistics, new: Statistics) -> Iterator[Change]:
    thing = f"statistics {new.name}"
    if old.target != new.target:
        yield change("change statistics", thing, 78, set_target(new))
    if old.comment != new.comment:
        yield change("comment", thing, 95, comment_on(f"STATISTICS {quoted(new.name)}", new.comment))
