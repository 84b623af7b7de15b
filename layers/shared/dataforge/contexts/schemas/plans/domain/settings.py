"""Changes of what is set on tables beside their columns."""

from collections.abc import Collection, Iterator

from dataforge.contexts.schemas.designs.domain.model import Schema, Table
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.designs.domain.rendering import change_options, comment_on, replicate_by
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk, change
from dataforge.contexts.schemas.plans.domain.scene import EXCLUSIVE, SHARE_UPDATE


def persistence_changes(current: Schema, wanted: Schema, kept: Collection[str]) -> Iterator[Change]:
    """Which tables are logged: a logged table refers to logged ones only, so that those come first, or last."""
    changed = [name for name in wanted.tables if name in kept and _unlogged(current, name) != _unlogged(wanted, name)]
    needs = {
        name: {item.references for item in current.tables[name].constraints.values() if item.references in changed}
        - {name}
        for name in changed
    }
    order: list[str] = []
    while len(order) < len(changed):
        left = [name for name in changed if name not in order]
        order += [name for name in left if needs[name] <= set(order)] or left
    logged = [name for name in order if not _unlogged(wanted, name)]
    for name in (*logged, *(name for name in reversed(order) if _unlogged(wanted, name))):
        yield _persistence(wanted.tables[name], "table")


def _persistence(table: Table, kind: str) -> Change:
    sql = f"ALTER TABLE {quoted(table.name)} SET {'UNLOGGED' if table.unlogged else 'LOGGED'}"
    more: dict[str, object] = {"risk": Risk.REWRITING, "lock": EXCLUSIVE, "table": table.name}
    return change("change persistence", f"{kind} {table.name}", 60, sql, **more)


def _unlogged(schema: Schema, name: str) -> bool:
    return schema.tables[name].unlogged


def settings_of_table(old: Table, new: Table, *, kind: str = "table") -> Iterator[Change]:
    """The storage parameters of a table or partition, what replication knows rows by, and the comment."""
    name, thing = quoted(new.name), f"{kind} {new.name}"
    if kind == "partition" and old.unlogged != new.unlogged:
        yield _persistence(new, kind)
    if texts := change_options(f"ALTER TABLE {name}", old.options, new.options):
        yield change("change options", thing, 60, *texts, lock=SHARE_UPDATE)
    if old.replica_identity != new.replica_identity:
        # Its index may be built between the transactions.
        sql = replicate_by(new)
        yield change("change replica identity", thing, 94, sql, phase=Phase.FINISH, lock=EXCLUSIVE, table=new.name)
    if old.comment != new.comment:
        yield change("comment", thing, 95, comment_on(f"TABLE {name}", new.comment))
