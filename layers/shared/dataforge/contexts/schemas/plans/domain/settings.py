"""Changes of what is set on tables beside their columns."""

from collections.abc import Iterator

from dataforge.contexts.schemas.designs.domain.model import Table
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.designs.domain.rendering import change_options, comment_on, replicate_by
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk, change
from dataforge.contexts.schemas.plans.domain.scene import EXCLUSIVE, SHARE_UPDATE


def settings_of_table(old: Table, new: Table, *, kind: str = "table") -> Iterator[Change]:
    """Whether it is logged, its storage parameters, what replication knows rows by, and its comment."""
    name, thing = quoted(new.name), f"{kind} {new.name}"
    if old.unlogged != new.unlogged:
        sql = f"ALTER TABLE {name} SET {'UNLOGGED' if new.unlogged else 'LOGGED'}"
        yield change("change persistence", thing, 60, sql, risk=Risk.REWRITING, lock=EXCLUSIVE, table=new.name)
    if texts := change_options(f"ALTER TABLE {name}", old.options, new.options):
        yield change("change options", thing, 60, *texts, lock=SHARE_UPDATE)
    if old.replica_identity != new.replica_identity:
        # Its index may be built between the transactions.
        sql = replicate_by(new)
        yield change("change replica identity", thing, 94, sql, phase=Phase.FINISH, lock=EXCLUSIVE, table=new.name)
    if old.comment != new.comment:
        yield change("comment", thing, 95, comment_on(f"TABLE {name}", new.comment))
