"""Changes of sequences that stand alone or go with a column's default."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from dataforge.contexts.schemas.designs.domain.model import Schema, Sequence
from dataforge.contexts.schemas.designs.domain.names import literal, quoted
from dataforge.contexts.schemas.designs.domain.rendering import comment_on, counting, create_sequence, own_sequence
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk, change
from dataforge.kernel.texts import Text


def sequence_changes(current: Schema, wanted: Schema, replaced: Collection[str] = ()) -> Iterator[Change]:
    """What happens to sequences; one that is kept goes on counting where it was.

    Those that are `replaced` by an identity go with the change of their column.
    """
    for name, sequence in wanted.sequences.items():
        before, thing = current.sequences.get(name), f"sequence {name}"
        if before is None:
            yield change("create sequence", thing, 43, *create_sequence(sequence))
        else:
            yield from _alter(before, sequence)
        owner = before.owner if before else None
        if before is not None and owner is not None and owner != sequence.owner:
            # It would go with the column or table that owned it.
            yield change("free sequence", thing, 12, own_sequence(replace(before, owner=None)))
            owner = None
        if owner != sequence.owner:
            yield change("own sequence", thing, 66, own_sequence(sequence))
    for name, sequence in current.sequences.items():
        if name not in wanted.sequences:
            if sequence.owner is not None:
                yield change("free sequence", f"sequence {name}", 12, own_sequence(replace(sequence, owner=None)))
            if name in replaced:
                continue
            yield change(
                "drop sequence", f"sequence {name}", 83, f"DROP SEQUENCE {quoted(name)}", risk=Risk.DESTRUCTIVE
            )


def _alter(old: Sequence, new: Sequence) -> Iterator[Change]:
    name, thing = quoted(new.name), f"sequence {new.name}"
    if (old.type, old.counter) != (new.type, new.counter):
        kind = f" AS {new.type}" if old.type != new.type else ""
        sql = [*_narrowed(old, new), f"ALTER SEQUENCE {name}{kind} {counting(new.counter)}".rstrip()]
        reason = Text("it goes on from the nearest number that is still allowed") if len(sql) > 1 else ""
        yield change("change sequence", thing, 43, *sql, reason=reason)
    if old.unlogged != new.unlogged:
        sql = [f"ALTER SEQUENCE {name} SET {'UNLOGGED' if new.unlogged else 'LOGGED'}"]
        yield change("change persistence", thing, 43, *sql)
    if old.comment != new.comment:
        yield change("comment", thing, 95, comment_on(f"SEQUENCE {name}", new.comment))


def _narrowed(old: Sequence, new: Sequence) -> Iterator[str]:
    """Move the last number into limits that become narrower; PostgreSQL refuses them while it is outside.

    It can be set only within the old limits, so both hold for a moment.
    """
    before, after = old.counter, new.counter
    if None in (before.minimum, before.maximum, after.minimum, after.maximum):
        return
    least, most = int(after.minimum or 0), int(after.maximum or 0)
    low, high = int(before.minimum or 0), int(before.maximum or 0)
    if least <= low and most >= high:
        return
    name = quoted(new.name)
    if least < low or most > high:
        kind = " AS bigint" if old.type != "bigint" else ""
        yield f"ALTER SEQUENCE {name}{kind} MINVALUE {min(least, low)} MAXVALUE {max(most, high)}"
    # One that has passed its end has used it: the next number is the first again, or there is none.
    used = f"last_value >= {least}" if (after.increment or 1) > 0 else f"last_value <= {most}"
    nearest = f"least(greatest(last_value, {least}), {most})"
    yield f"SELECT setval({literal(name)}, {nearest}, is_called AND {used}) FROM {name}"
