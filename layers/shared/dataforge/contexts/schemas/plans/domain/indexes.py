"""Changes of indexes that no constraint owns."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from dataforge.contexts.schemas.designs.domain.model import Index
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.designs.domain.rendering import (
    change_options,
    comment_on,
    create_index,
    index_statistics,
)
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk, Statement, change
from dataforge.contexts.schemas.plans.domain.scene import EXCLUSIVE, SHARE, SHARE_UPDATE, Scene


def index_changes(
    scene: Scene,
    table: str,
    old: Mapping[str, Index],
    new: Mapping[str, Index],
    touched: Mapping[str, str],
    *,
    online: bool,
) -> Iterator[Change]:
    """What happens to the indexes of a table or materialized view whose columns change as `touched` says."""

    def again(index: Index) -> bool:
        return scene.is_built_again(index, touched)

    spare = defaultdict(list)
    for index in old.values():
        if index.name not in new and not again(index):
            spare[index.essence].append(index)
    for index in new.values():
        before = old.get(index.name)
        if before is not None and before.unique == index.unique and before.bare == index.bare and not again(before):
            yield from _adjust(before, index)
            continue
        if before is None and spare[index.essence]:
            twin = spare[index.essence].pop()
            sql = f"ALTER INDEX {quoted(twin.name)} RENAME TO {quoted(index.name)}"
            yield change("rename index", f"index {index.name}", 28, sql, lock=SHARE_UPDATE)
            yield from _adjust(twin, index)
            continue
        if before is not None:
            yield _drop(index, Risk.SAFE)
        yield _create(index, table, online=online)
    left = {id(index) for group in spare.values() for index in group}
    for index in old.values():
        if index.name not in new and (id(index) in left or again(index)):
            yield _drop(index, Risk.LOCKING)


def _adjust(before: Index, index: Index) -> Iterator[Change]:
    """Settings and comment of an index that stays."""
    thing = f"index {index.name}"
    texts = change_options(f"ALTER INDEX {quoted(index.name)}", before.options, index.options)
    if texts:
        yield change("change options", thing, 60, *texts, lock=SHARE_UPDATE)
    if targets := index_statistics(index, before):
        yield change("change statistics", thing, 60, *targets, lock=SHARE_UPDATE)
    if before.comment != index.comment:
        yield change("comment", thing, 95, comment_on(f"INDEX {quoted(index.name)}", index.comment))


def _drop(index: Index, risk: Risk) -> Change:
    sql = f"DROP INDEX {quoted(index.name)}"
    return change("drop index", f"index {index.name}", 26, sql, lock=EXCLUSIVE, risk=risk)


def _create(index: Index, table: str, *, online: bool) -> Change:
    more = index_statistics(index)
    if index.comment is not None:
        more.append(comment_on(f"INDEX {quoted(index.name)}", index.comment))
    op, thing = ("create unique index" if index.unique else "create index"), f"index {index.name}"
    plain = create_index(index, table)
    if not online:
        return change(op, thing, 72, plain, *more, lock=SHARE, risk=Risk.LOCKING, table=table)
    built = Statement(create_index(index, table, concurrently=True), rehearsal=plain)
    statements = (built, *map(Statement, more))
    reason = "built while others read and write"
    return Change(op, thing, statements, 72, phase=Phase.BUILD, lock=SHARE_UPDATE, reason=reason, table=table)
