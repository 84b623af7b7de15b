"""Changes of indexes that no constraint owns."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from dataforge.contexts.schemas.designs.domain.model import Index
from dataforge.contexts.schemas.designs.domain.names import generated_name, quoted
from dataforge.contexts.schemas.designs.domain.rendering import (
    change_options,
    comment_on,
    create_index,
    index_statistics,
)
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk, Statement, change
from dataforge.contexts.schemas.plans.domain.scene import EXCLUSIVE, SHARE, SHARE_UPDATE, Scene
from dataforge.kernel.texts import Text

_RENAMES = ("rename index", "rename constraint")
_NAME = r'"(?:[^"]|"")+"'
_RENAME = re.compile(
    rf"(?P<head>ALTER INDEX |ALTER TABLE {_NAME} RENAME CONSTRAINT )(?P<old>{_NAME})"
    rf"(?P<to> RENAME TO | TO )(?P<new>{_NAME})"
)


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


def untangled(changes: list[Change]) -> list[Change]:
    """Changes in which indexes and constraints can take names from each other: by way of names of their own."""
    moves = {
        id(item): found
        for item in changes
        if item.op in _RENAMES and (found := _RENAME.fullmatch(item.statements[0].sql))
    }
    leaving = {found["old"] for found in moves.values()}
    result: list[Change] = []
    for item in changes:
        found = moves.get(id(item))
        if found is None or found["new"] not in leaving:
            result.append(item)
            continue
        between = quoted(generated_name(found["new"].strip('"'), "renamed"))
        head, middle = found["head"], found["to"]
        aside = Statement(f"{head}{found['old']}{middle}{between}")
        again = Statement(f"{head}{between}{middle}{found['new']}")
        result.append(replace(item, statements=(aside,)))
        result.append(replace(item, statements=(again, *item.statements[1:]), rank=29))
    return result


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
    reason = Text("built while others read and write")
    return Change(op, thing, statements, 72, phase=Phase.BUILD, lock=SHARE_UPDATE, reason=reason, table=table)
