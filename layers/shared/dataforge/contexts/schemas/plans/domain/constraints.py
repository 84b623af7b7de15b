"""Changes of constraints."""

import re
from collections import defaultdict
from collections.abc import Iterator

from dataforge.contexts.schemas.designs.domain.model import Constraint, Index, Table
from dataforge.contexts.schemas.designs.domain.names import quoted, storage_parameters
from dataforge.contexts.schemas.designs.domain.rendering import (
    add_constraint,
    change_options,
    comment_on,
    create_index,
    split_deferring,
)
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk, Statement, change
from dataforge.contexts.schemas.plans.domain.scene import EXCLUSIVE, SHARE_ROW, SHARE_UPDATE, Scene
from dataforge.kernel.texts import Text

_WORDS = {"p": "primary key", "u": "unique constraint", "c": "check", "f": "foreign key", "x": "exclusion constraint"}
_UNIQUE = re.compile(r"(PRIMARY KEY|UNIQUE)( NULLS NOT DISTINCT)? (\(.*)", re.DOTALL)


def constraint_changes(scene: Scene, old: Table, new: Table) -> Iterator[Change]:
    """What happens to the constraints of a table that stays."""
    twins = _twins(old, new)
    for item in new.constraints.values():
        before = old.constraints.get(item.name) or twins.get(item.name)
        if before is None:
            yield from add_one(scene, new.name, item)
        elif before.definition == item.definition + " NOT VALID" and not scene.must_rebuild(new.name, before):
            yield _validate(new.name, item)
        elif scene.must_rebuild(new.name, before):
            yield _drop(new.name, before, rebuilt=True)
            yield from add_one(scene, new.name, item)
        elif before.essence != item.essence:
            yield from _exchange(scene, new.name, before, item)
        else:
            yield from _adjust(new.name, before, item)
    used = {item.name for item in twins.values()}
    for item in old.constraints.values():
        if item.name not in new.constraints and item.name not in used:
            yield _drop(new.name, item, rebuilt=False)


def _twins(old: Table, new: Table) -> dict[str, Constraint]:
    """By new name, constraints that are there under another one."""
    spare = defaultdict(list)
    for item in old.constraints.values():
        if item.name not in new.constraints:
            spare[item.essence].append(item)
    wanted = [item for item in new.constraints.values() if item.name not in old.constraints]
    return {item.name: spare[item.essence].pop() for item in wanted if spare[item.essence]}


def _exchange(scene: Scene, table: str, before: Constraint, item: Constraint) -> Iterator[Change]:
    """Another constraint under the name; when a foreign key is checked can be changed in place."""
    (head, _), (same, deferring) = split_deferring(before.definition), split_deferring(item.definition)
    if item.kind == before.kind == "f" and head == same:
        sql = f"ALTER TABLE {quoted(table)} ALTER CONSTRAINT {quoted(item.name)}{deferring or ' NOT DEFERRABLE'}"
        thing = f"constraint {table}.{item.name}"
        yield change("change foreign key", thing, 27, sql, lock=SHARE_ROW, table=table)
        if before.comment != item.comment:
            yield _comment(table, item)
        return
    yield _drop(table, before, rebuilt=True)
    yield from add_one(scene, table, item)


def _adjust(table: str, before: Constraint, item: Constraint) -> Iterator[Change]:
    """Another name, comment or setting."""
    thing = f"constraint {table}.{item.name}"
    if before.name != item.name:
        sql = f"ALTER TABLE {quoted(table)} RENAME CONSTRAINT {quoted(before.name)} TO {quoted(item.name)}"
        yield change("rename constraint", thing, 27, sql, lock=EXCLUSIVE)
    if texts := change_options(f"ALTER INDEX {quoted(item.name)}", before.options, item.options):
        yield change("change options", thing, 60, *texts, lock=SHARE_UPDATE)
    if before.comment != item.comment:
        yield _comment(table, item)


def add_one(scene: Scene, table: str, item: Constraint) -> Iterator[Change]:
    """Add a constraint, to a table that may be there with its rows."""
    thing, op = f"constraint {table}.{item.name}", f"add {_WORDS[item.kind]}"
    there = scene.stays(table) and table in scene.options.filled
    comment = []
    if item.comment is not None:
        comment = [comment_on(f"CONSTRAINT {quoted(item.name)} ON {quoted(table)}", item.comment)]
    lock = SHARE_ROW if item.kind == "f" else EXCLUSIVE
    if item.unchecked:
        sql = (add_constraint(table, item), *comment)
        yield change(op, thing, 80, *sql, lock=lock, reason="old rows are not checked", table=table)
        return
    if item.kind in "cf" and scene.online_for(table):
        first = Statement(add_constraint(table, item, validated=False), rehearsal=add_constraint(table, item))
        statements = (first, *map(Statement, comment))
        reason: str = Text("old rows are checked afterwards, while others read and write")
        yield Change(op, thing, statements, 80, lock=lock, reason=reason, table=table, probe=item.name)
        later = Statement(f"ALTER TABLE {quoted(table)} VALIDATE CONSTRAINT {quoted(item.name)}", rehearsal="")
        yield Change("validate", thing, (later,), 80, phase=Phase.VALIDATE, lock=SHARE_UPDATE, table=table)
        return
    if item.kind in "pu" and scene.online_for(table) and not _is_referred_to(scene, table, item):
        yield from _build(table, item, op, comment)
        return
    rank = {"p": 70, "u": 71, "f": 80}.get(item.kind, 75)
    risk, reason = (Risk.LOCKING, "every row is checked under the lock") if there else (Risk.SAFE, "")
    sql = (add_constraint(table, item), *comment)
    yield change(op, thing, rank, *sql, risk=risk, lock=lock if there else None, reason=reason, table=table)


def _is_referred_to(scene: Scene, table: str, item: Constraint) -> bool:
    """Whether a foreign key needs the constraint: it cannot wait for what is built outside of a transaction."""
    return any(
        other.references == table and set(other.reference_columns) == set(item.columns)
        for known in scene.wanted.tables.values()
        for other in known.constraints.values()
    )


def _build(table: str, item: Constraint, op: str, comment: list[str]) -> Iterator[Change]:
    """Build the index while others work, and make it a constraint afterwards."""
    head, deferring = split_deferring(item.definition)
    found = _UNIQUE.fullmatch(head)
    if found is None:
        message = Text("{head} is not a unique constraint", head=head)
        raise ValueError(message)
    kind, nulls, keys = found.groups(default="")
    options = f" WITH ({storage_parameters(item.options)})" if item.options else ""
    index = Index(name=item.name, unique=True, definition=f"USING btree {keys}{nulls}{options}")
    built = Statement(create_index(index, table, concurrently=True), rehearsal=create_index(index, table))
    reason = Text("built while others read and write")
    thing = f"index {item.name}"
    yield Change("build index", thing, (built,), 71, phase=Phase.BUILD, lock=SHARE_UPDATE, reason=reason, table=table)
    sql = f"ALTER TABLE {quoted(table)} ADD CONSTRAINT {quoted(item.name)} {kind} USING INDEX {quoted(item.name)}"
    attach = f"{sql}{deferring}"
    thing = f"constraint {table}.{item.name}"
    rank = 70 if item.kind == "p" else 71
    yield change(op, thing, rank, attach, *comment, phase=Phase.FINISH, lock=EXCLUSIVE, table=table)


def _drop(table: str, item: Constraint, *, rebuilt: bool) -> Change:
    sql = f"ALTER TABLE {quoted(table)} DROP CONSTRAINT IF EXISTS {quoted(item.name)}"
    reason = Text("made again: what it is about changes") if rebuilt else ""
    rank = {"f": 20, "c": 24, "x": 24}.get(item.kind, 25)
    op, thing = f"drop {_WORDS[item.kind]}", f"constraint {table}.{item.name}"
    return change(op, thing, rank, sql, risk=Risk.LOCKING, lock=EXCLUSIVE, reason=reason, table=table)


def _comment(table: str, item: Constraint) -> Change:
    sql = comment_on(f"CONSTRAINT {quoted(item.name)} ON {quoted(table)}", item.comment)
    return change("comment", f"constraint {table}.{item.name}", 95, sql)


def _validate(table: str, item: Constraint) -> Change:
    sql = f"ALTER TABLE {quoted(table)} VALIDATE CONSTRAINT {quoted(item.name)}"
    return change("validate constraint", f"constraint {table}.{item.name}", 82, sql, lock=SHARE_UPDATE)
