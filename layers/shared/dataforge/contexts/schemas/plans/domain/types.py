"""Changes of enums, domains and sequences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from dataforge.contexts.schemas.designs.domain.document import Hints
from dataforge.contexts.schemas.designs.domain.model import Column, DomainType, EnumType, Schema
from dataforge.contexts.schemas.designs.domain.names import generated_name, literal, quoted
from dataforge.contexts.schemas.designs.domain.rendering import (
    comment_on,
    counting,
    create_domain,
    create_enum,
    create_sequence,
    ordered_domains,
    own_sequence,
)
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk, Statement, change


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The types that are made anew under their names, and how values get from the old one to the new one."""

    names: frozenset[str] = frozenset()
    changes: tuple[Change, ...] = ()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def cast(self, name: str, old: Column, new: Column) -> str:
        """The expression for a column's values in the new type."""
        if old.user_type not in self.names:
            return f"{name}::{new.type}"
        mapped = self.values.get(old.user_type or "", {})
        if old.type.endswith("[]"):
            text = f"{name}::text[]"
            for before, after in mapped.items():
                text = f"array_replace({text}, {literal(before)}, {literal(after)})"
            return f"{text}::{new.type}"
        if not mapped:
            return f"{name}::text::{new.type}"
        cases = " ".join(f"WHEN {literal(before)} THEN {literal(after)}" for before, after in mapped.items())
        return f"(CASE {name}::text {cases} ELSE {name}::text END)::{new.type}"


def type_changes(current: Schema, wanted: Schema, hints: Hints) -> Rebuilt:
    """What happens to enums and domains, and which of them are made anew."""
    names: set[str] = set()
    changes: list[Change] = []
    for name, enum in wanted.enums.items():
        before = current.enums.get(name)
        if before is None:
            changes.append(change("create enum", f"enum {name}", 41, create_enum(enum)))
            if enum.comment is not None:
                changes.append(_comment("TYPE", "enum", name, enum.comment))
            continue
        if before.values != enum.values:
            added = list(_added_values(before, enum))
            if added:
                changes.append(_add_values(name, added))
            else:
                names.add(name)
                changes += _rebuild(f"enum {name}", name, create_enum(enum), set(before.values) - set(enum.values))
        if before.comment != enum.comment or (name in names and enum.comment is not None):
            changes.append(_comment("TYPE", "enum", name, enum.comment))
    changes += _domain_changes(current, wanted, names)
    for kind, old, new in (("enum", current.enums, wanted.enums), ("domain", current.domains, wanted.domains)):
        word = "TYPE" if kind == "enum" else "DOMAIN"
        for name in old:
            if name not in new:
                changes.append(change(f"drop {kind}", f"{kind} {name}", 85, f"DROP {word} {quoted(name)}"))
    return Rebuilt(frozenset(names), tuple(changes), hints.values)


def _comment(word: str, kind: str, name: str, comment: str | None) -> Change:
    return change("comment", f"{kind} {name}", 95, comment_on(f"{word} {quoted(name)}", comment))


def _added_values(before: EnumType, after: EnumType) -> Iterator[str]:
    """The ADD VALUE clauses; none when values went or moved."""
    if tuple(value for value in after.values if value in before.values) != before.values:
        return
    known = list(before.values)
    for index, value in enumerate(after.values):
        if value in known:
            continue
        if index == 0:
            place = f" BEFORE {literal(known[0])}" if known else ""
        else:
            place = f" AFTER {literal(after.values[index - 1])}"
        known.append(value)
        yield f"ADD VALUE IF NOT EXISTS {literal(value)}{place}"


def _add_values(name: str, clauses: list[str]) -> Change:
    statements = tuple(Statement(f"ALTER TYPE {quoted(name)} {clause}") for clause in clauses)
    return Change("add enum values", f"enum {name}", statements, 0, phase=Phase.ENUM_VALUES)


def _rebuild(thing: str, name: str, create: str, gone: set[str]) -> list[Change]:
    aside = generated_name(name, "before")
    kind = thing.partition(" ")[0]
    word = "TYPE" if kind == "enum" else "DOMAIN"
    risk = Risk.DESTRUCTIVE if gone else Risk.REWRITING
    reason = f"values go: {', '.join(sorted(gone))}" if gone else "made again under its name"
    return [
        change(
            f"rebuild {kind}",
            thing,
            40,
            f"ALTER {word} {quoted(name)} RENAME TO {quoted(aside)}",
            create,
            risk=risk,
            reason=reason,
        ),
        change(f"finish {kind}", thing, 84, f"DROP {word} {quoted(aside)}"),
    ]


def _domain_changes(current: Schema, wanted: Schema, names: set[str]) -> Iterator[Change]:
    for domain in ordered_domains(wanted):
        name, thing = domain.name, f"domain {domain.name}"
        before = current.domains.get(name)
        if before is None:
            yield change("create domain", thing, 42, create_domain(domain))
            if domain.comment is not None:
                yield _comment("DOMAIN", "domain", name, domain.comment)
            continue
        if (before.type, before.collation) != (domain.type, domain.collation):
            names.add(name)
            yield from _rebuild(thing, name, create_domain(domain), set())
        else:
            yield from _alter_domain(before, domain)
        if before.comment != domain.comment or (name in names and domain.comment is not None):
            yield _comment("DOMAIN", "domain", name, domain.comment)


def _alter_domain(old: DomainType, new: DomainType) -> Iterator[Change]:
    prefix, thing = f"ALTER DOMAIN {quoted(new.name)}", f"domain {new.name}"
    sql = []
    if old.default != new.default:
        sql.append(f"{prefix} DROP DEFAULT" if new.default is None else f"{prefix} SET DEFAULT {new.default}")
    for item in old.constraints.values():
        after = new.constraints.get(item.name)
        if after is None or after.essence != item.essence:
            sql.append(f"{prefix} DROP CONSTRAINT {quoted(item.name)}")
    for item in new.constraints.values():
        before = old.constraints.get(item.name)
        if before is None or before.essence != item.essence:
            sql.append(f"{prefix} ADD CONSTRAINT {quoted(item.name)} {item.definition}")
    if old.nullable != new.nullable:
        sql.append(f"{prefix} {'DROP' if new.nullable else 'SET'} NOT NULL")
    if sql:
        reason = "every row of the domain is checked under a lock"
        yield change("change domain", thing, 58, *sql, risk=Risk.LOCKING, lock="SHARE", reason=reason)


def sequence_changes(current: Schema, wanted: Schema) -> Iterator[Change]:
    """What happens to sequences that stand alone or go with a column's default."""
    for name, sequence in wanted.sequences.items():
        before, thing = current.sequences.get(name), f"sequence {name}"
        if before is None:
            yield change("create sequence", thing, 43, create_sequence(sequence))
        elif (before.type, before.counter) != (sequence.type, sequence.counter):
            kind = f" AS {sequence.type}" if before.type != sequence.type else ""
            sql = f"ALTER SEQUENCE {quoted(name)}{kind} {counting(sequence.counter)}".rstrip()
            yield change("change sequence", thing, 43, sql)
        if (before.owner if before else None) != sequence.owner:
            yield change("own sequence", thing, 66, own_sequence(sequence))
        if (before.comment if before else None) != sequence.comment:
            yield _comment("SEQUENCE", "sequence", name, sequence.comment)
    for name, sequence in current.sequences.items():
        if name not in wanted.sequences:
            if sequence.owner is not None:
                yield change("free sequence", f"sequence {name}", 12, own_sequence(replace(sequence, owner=None)))
            yield change(
                "drop sequence", f"sequence {name}", 83, f"DROP SEQUENCE {quoted(name)}", risk=Risk.DESTRUCTIVE
            )
