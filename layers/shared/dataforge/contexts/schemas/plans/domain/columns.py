"""Changes of columns."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dataforge.contexts.schemas.designs.domain.document import Hints
from dataforge.contexts.schemas.designs.domain.model import Column
from dataforge.contexts.schemas.designs.domain.names import generated_name, literal, quoted
from dataforge.contexts.schemas.designs.domain.rendering import (
    column_definition,
    counting,
    identity_clause,
    settings_of_column,
)
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk, Statement, change
from dataforge.contexts.schemas.plans.domain.types import Rebuilt
from dataforge.kernel.texts import Text

_EXCLUSIVE = "ACCESS EXCLUSIVE"


def add_column(table: str, column: Column, backfill: str | None) -> Iterator[Change]:
    """Add a column; with a backfill the rows get its values before NOT NULL."""
    name, thing = quoted(table), f"column {table}.{column.name}"
    given = column.default is not None or column.identity is not None or column.generated is not None
    rank = 65 if column.generated is not None else 50
    nullable = True if backfill is not None else None
    statements = [Statement(f"ALTER TABLE {name} ADD COLUMN {column_definition(column, nullable=nullable)}")]
    probe = None
    if backfill is not None:
        statements.append(_fill(name, quoted(column.name), backfill))
        if not column.nullable:
            statements.append(Statement(f"ALTER TABLE {name} ALTER COLUMN {quoted(column.name)} SET NOT NULL"))
    elif not column.nullable and not given:
        probe = "rows"
    reason = Text("fails while the table has rows: give a default or a backfill") if probe else ""
    risk = Risk.REWRITING if column.generated or column.identity or backfill else Risk.SAFE
    statements += map(Statement, settings_of_column(table, column))
    yield Change(
        *("add column", thing, tuple(statements), rank),
        risk=risk,
        lock=_EXCLUSIVE,
        table=table,
        column=column.name,
        probe=probe,
        reason=reason,
    )


def _fill(table: str, column: str, backfill: str, *, where: str = "") -> Statement:
    return Statement(f"UPDATE {table} SET {column} = ({backfill}){where}", judged=_judged(table, backfill))


def _judged(table: str, expression: str) -> str:
    return f"SELECT ({expression}) AS value FROM {table}"


def drop_column(table: str, column: Column, *, remade: bool) -> Change:
    """Drop a column; one that is computed anew loses nothing."""
    sql = f"ALTER TABLE {quoted(table)} DROP COLUMN IF EXISTS {quoted(column.name)} CASCADE"
    thing = f"column {table}.{column.name}"
    if remade and column.generated is not None:
        return change("drop generated column", thing, 35, sql, lock=_EXCLUSIVE, risk=Risk.LOCKING, table=table)
    reason = Text("the values of the column are deleted")
    # A generated column goes first, because what it is computed of may change.
    rank = 35 if remade or column.generated is not None else 60
    return change(
        "drop column",
        thing,
        rank,
        sql,
        risk=Risk.DESTRUCTIVE,
        lock=_EXCLUSIVE,
        reason=reason,
        table=table,
        column=column.name,
    )


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where a column's numbers come from: a sequence that goes (`before`), one that is new (`after`)."""

    before: str | None = None
    after: str | None = None


def alter_column(
    table: str,
    old: Column,
    new: Column,
    hints: Hints,
    rebuilt: Rebuilt,
    *,
    changed: bool,
    online: bool = False,
    numbers: Numbers = Numbers(),
) -> Iterator[Change]:
    """Change a column in place; `online` lets others work while its rows are looked at for NULL."""
    prefix = f"ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(new.name)}"
    thing = f"column {table}.{new.name}"
    if old.generated is not None and new.generated is None:
        yield change("drop expression", thing, 35, f"{prefix} DROP EXPRESSION", lock=_EXCLUSIVE, table=table)
    again = changed or rebuilt.named_in(old.default)
    if old.default is not None and (again or new.default is None):
        yield change("drop default", thing, 35, f"{prefix} DROP DEFAULT", lock=_EXCLUSIVE, table=table)
    if old.identity is not None and new.identity is None:
        if numbers.after is not None and old.sequence is not None:
            yield from _number_by_default(prefix, thing, table, old.sequence, numbers.after)
        else:
            yield change("drop identity", thing, 36, f"{prefix} DROP IDENTITY", lock=_EXCLUSIVE, table=table)
        old = Column(name=old.name, type=old.type, nullable=False, default=None)
    if changed:
        yield _alter_type(prefix, thing, table, old, new, hints, rebuilt)
    if new.default is not None and (again or old.default != new.default):
        yield change("set default", thing, 62, f"{prefix} SET DEFAULT {new.default}", lock=_EXCLUSIVE, table=table)
    if texts := settings_of_column(table, new, old):
        yield change("change settings", thing, 61, *texts, lock=_EXCLUSIVE, table=table)
    yield from _nullability(prefix, thing, table, old, new, hints, online=online)
    if new.identity is not None:
        yield from _identity(prefix, thing, table, old, new, numbers.before)


def _number_by_default(prefix: str, thing: str, table: str, sequence: str, after: str) -> Iterator[Change]:
    """A sequence of its own goes on where that of the identity was."""
    source = sequence
    if sequence == after:
        source = generated_name(sequence, "before")
        sql = f"ALTER SEQUENCE {quoted(sequence)} RENAME TO {quoted(source)}"
        yield change("free name", f"sequence {sequence}", 42, sql)
    sql = _goes_on(literal(quoted(after)), source)
    yield change("drop identity", thing, 61, sql, f"{prefix} DROP IDENTITY", lock=_EXCLUSIVE, table=table)


def _goes_on(sequence: str, source: str) -> str:
    """Set a sequence to where another one is."""
    return f"SELECT setval({sequence}, last_value, is_called) FROM {quoted(source)}"


def conversion(name: str, old: Column, new: Column, rebuilt: Rebuilt) -> str:
    """The values of a column in its new type; a list of one and its member are the same thing."""
    lists = (old.type.endswith("[]"), new.type.endswith("[]"))
    if lists == (False, True) and old.type in ("json", "jsonb"):
        return f"translate({name}::text, '[]', '{{}}')::{new.type}"
    if lists == (False, True) and old.user_type is None:
        return f"CASE WHEN {name} IS NULL THEN NULL ELSE ARRAY[{name}]::{new.type} END"
    if lists == (True, False) and new.type in ("json", "jsonb"):
        return f"to_{new.type}({name})"
    labels = old.user_type in rebuilt.labels and not rebuilt.mapped(old, new)
    if lists == (False, True) and labels:
        return f"CASE WHEN {name} IS NULL THEN NULL ELSE ARRAY[{name}::text]::{new.type} END"
    if lists == (True, False) and (old.user_type is None or labels) and not rebuilt.mapped(old, new):
        return f"array_to_string({name}{'::text[]' if labels else ''}, ',')::{new.type}"
    return rebuilt.cast(name, old, new)


def _alter_type(
    prefix: str, thing: str, table: str, old: Column, new: Column, hints: Hints, rebuilt: Rebuilt
) -> Change:
    name = quoted(new.name)
    collation = f" COLLATE {quoted(new.collation)}" if new.collation else ""
    hint = hints.using.get((table, new.name))
    way = f"({hint})" if hint else conversion(name, old, new, rebuilt)
    through_text = None if hint else f"{name}::text::{new.type}"
    head = f"{prefix} TYPE {new.type}{collation} USING "
    statement = Statement(
        head + way,
        instead=None if through_text is None else head + through_text,
        judged=_judged(quoted(table), hint) if hint else None,
    )
    plain = hint is None and old.user_type not in rebuilt.listed
    return Change(
        *("change type", thing, (statement,), 55),
        risk=Risk.REWRITING,
        lock=_EXCLUSIVE,
        table=table,
        column=new.name,
        probe="cast" if plain else "values",
        reason=f"{old.type} becomes {new.type}",
    )


def _nullability(
    prefix: str, thing: str, table: str, old: Column, new: Column, hints: Hints, *, online: bool
) -> Iterator[Change]:
    if old.nullable == new.nullable:
        return
    if new.nullable:
        yield change("drop not null", thing, 57, f"{prefix} DROP NOT NULL", lock=_EXCLUSIVE, table=table)
        return
    backfill = hints.backfill.get((table, new.name))
    name = quoted(new.name)
    filled = [] if backfill is None else [_fill(quoted(table), name, backfill, where=f" WHERE {name} IS NULL")]
    probe = None if backfill is not None else "nulls"
    demand = Statement(f"{prefix} SET NOT NULL")
    if online:
        yield from _demand_online(thing, table, new.name, filled, demand, probe)
        return
    reason = Text("every row is checked under the lock")
    yield Change(
        *("set not null", thing, (*filled, demand), 63),
        lock=_EXCLUSIVE,
        risk=Risk.LOCKING,
        reason=reason,
        table=table,
        column=new.name,
        probe=probe,
    )


def _demand_online(
    thing: str, table: str, column: str, filled: list[Statement], demand: Statement, probe: str | None
) -> Iterator[Change]:
    """NOT NULL by a check that is validated while others write: PostgreSQL then looks at no row under the lock."""
    name, check = quoted(table), quoted(generated_name(table, column, "given"))
    add = f"ALTER TABLE {name} ADD CONSTRAINT {check} CHECK ({quoted(column)} IS NOT NULL)"
    first = Statement(f"{add} NOT VALID", rehearsal=add)
    reason = Text("rows are looked at for NULL afterwards, while others read and write")
    exclusive, weak = _EXCLUSIVE, "SHARE UPDATE EXCLUSIVE"
    looked = Change("check not null", thing, (*filled, first), 79, lock=exclusive, reason=reason, probe=probe)
    later = Statement(f"ALTER TABLE {name} VALIDATE CONSTRAINT {check}", rehearsal="")
    validated = Change("validate", thing, (later,), 79, phase=Phase.VALIDATE, lock=weak)
    drop = Statement(f"ALTER TABLE {name} DROP CONSTRAINT {check}")
    demanded = Change("set not null", thing, (demand, drop), 63, phase=Phase.FINISH, lock=exclusive)
    yield from (replace(item, table=table, column=column) for item in (looked, validated, demanded))


def _identity(prefix: str, thing: str, table: str, old: Column, new: Column, before: str | None) -> Iterator[Change]:
    if old.identity is None and before is not None:
        aside = generated_name(before, "before")
        yield change(
            *("add identity", thing, 64),
            f"ALTER SEQUENCE {quoted(before)} RENAME TO {quoted(aside)}",
            f"{prefix} ADD {identity_clause(new)}",
            _goes_on(f"pg_get_serial_sequence({literal(quoted(table))}, {literal(new.name)})", aside),
            f"DROP SEQUENCE {quoted(aside)}",
            lock=_EXCLUSIVE,
            table=table,
            reason="it goes on counting where the sequence was",
        )
        return
    if old.identity is None:
        # It goes on after the highest value that is there.
        name, quoted_table = quoted(new.name), quoted(table)
        follow = Statement(
            f"SELECT setval(pg_get_serial_sequence({literal(quoted_table)}, {literal(new.name)}), max({name})) "
            f"FROM {quoted_table} HAVING max({name}) IS NOT NULL",
            rehearsal="",
        )
        add = Statement(f"{prefix} ADD {identity_clause(new)}")
        yield Change("add identity", thing, (add, follow), 64, lock=_EXCLUSIVE, table=table)
        return
    if old.identity != new.identity:
        yield change(
            "change identity", thing, 64, f"{prefix} SET GENERATED {new.identity}", lock=_EXCLUSIVE, table=table
        )
    if old.counter != new.counter:
        options = " ".join(f"SET {part}" for part in _parts(counting(new.counter)))
        yield change("change identity", thing, 64, f"{prefix} {options}", lock=_EXCLUSIVE, table=table)


def _parts(options: str) -> list[str]:
    words = options.split()
    found: list[str] = []
    while words:
        size = {"START": 3, "INCREMENT": 3, "MINVALUE": 2, "MAXVALUE": 2, "CACHE": 2, "CYCLE": 1, "NO": 2}[words[0]]
        found.append(" ".join(words[:size]))
        words = words[size:]
    return found
