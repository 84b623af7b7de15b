"""Changes of enums and domains.

What PostgreSQL cannot change in place is made again: the old type moves out of the way, the new one takes its name,
columns are cast, and the old one goes. A domain over such a type, or with an expression that names it, is made again
with it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from dataforge.contexts.schemas.designs.domain.document import Hints
from dataforge.contexts.schemas.designs.domain.model import (
    Column,
    CompositeType,
    DomainType,
    EnumType,
    Schema,
    sql_of,
)
from dataforge.contexts.schemas.designs.domain.names import generated_name, literal, mentions, quoted
from dataforge.contexts.schemas.designs.domain.rendering import (
    MadeType,
    comment_on,
    create_enum,
    create_type,
    kind_of_type,
    ordered_types,
)
from dataforge.contexts.schemas.plans.domain.attributes import (
    as_it_is_cast,
    attribute_changes,
    drop_ranges,
    must_cast,
)
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk, Statement, change
from dataforge.kernel.texts import Text

_WORDS = {"enum": "TYPE", "domain": "DOMAIN", "composite": "TYPE", "range": "TYPE"}
_TYPED = ("enums", "domains", "composites", "ranges", "tables", "views", "sequences")
Labels = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The types that are made anew under their names, and how values get from the old one to the new one.

    `values` maps the labels that a type loses, `arriving` and `leaving` those of columns that come to a type from
    another one or leave it for another one. `listed` are the types over enums, `arrays` those over arrays. `labels`
    are all types over enums, made anew or not.
    """

    names: frozenset[str] = frozenset()
    changes: tuple[Change, ...] = ()
    values: Mapping[str, Labels] = field(default_factory=dict)
    arriving: Mapping[str, Labels] = field(default_factory=dict)
    leaving: Mapping[str, Labels] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    arrays: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()

    def named_in(self, *texts: str | None) -> bool:
        """Whether an expression may name a type that is made anew."""
        return any(text is not None and mentions(text, name) for text in texts for name in self.names)

    def mapped(self, old: Column, new: Column) -> Labels:
        """The labels of a column that become others on the way to its new type."""
        leaving, coming = old.user_type or "", new.user_type or ""
        mapped = self.values.get(leaving, {}) if leaving in self.names else {}
        if leaving != coming:
            mapped = {**self.leaving.get(leaving, {}), **self.arriving.get(coming, {}), **mapped}
        return mapped

    def cast(self, name: str, old: Column, new: Column) -> str:
        """The expression for a column's values in the new type."""
        leaving, mapped = old.user_type or "", self.mapped(old, new)
        if not mapped:
            return f"{name}::text::{new.type}" if leaving in self.listed else f"{name}::{new.type}"
        if old.type.endswith("[]") or leaving in self.arrays:
            text = f"{name}::text[]"
            for before, after in mapped.items():
                text = f"array_replace({text}, {literal(before)}, {_literal(after)})"
            return f"{text}::{new.type}"
        cases = " ".join(f"WHEN {literal(before)} THEN {_literal(after)}" for before, after in mapped.items())
        return f"(CASE {name}::text {cases} ELSE {name}::text END)::{new.type}"


def _literal(label: str | None) -> str:
    return "NULL" if label is None else literal(label)


def type_changes(current: Schema, wanted: Schema, hints: Hints) -> Rebuilt:
    """What happens to enums and domains, and which of them are made anew."""
    return _TypeDifference(current, wanted, hints).rebuilt()


class _TypeDifference:
    def __init__(self, current: Schema, wanted: Schema, hints: Hints) -> None:
        self.current = current
        self.wanted = wanted
        self.hints = hints
        self.names = self._names()
        taken = {name for schema in (current, wanted) for kind in _TYPED for name in getattr(schema, kind)}
        self.asides: dict[str, str] = {}
        for name in sorted((self.names - self.current.ranges.keys()) | self._in_the_way()):
            self.asides[name] = generated_name(name, "before", taken=taken)
            taken.add(self.asides[name])

    def _names(self) -> set[str]:
        """The types to make again under their names."""
        current, wanted = self.current, self.wanted
        old_kinds, new_kinds = _kinds(current), _kinds(wanted)
        names = {name for name, kind in old_kinds.items() if new_kinds.get(name, kind) != kind}
        for name, enum in wanted.enums.items():
            before = current.enums.get(name)
            if before is not None and before.values != enum.values and not list(_added_values(before, enum)):
                names.add(name)
        for item in ordered_types(wanted):
            old = _made_type(current, item.name)
            if old is not None and (
                any(mentions(sql_of(old), name) for name in names) or self._must_be_made_again(old, item)
            ):
                names.add(item.name)
        return names

    def _must_be_made_again(self, old: MadeType, new: MadeType) -> bool:
        if isinstance(old, DomainType) and isinstance(new, DomainType):
            return (old.type, old.collation) != (new.type, new.collation) or (
                _is_stricter(old, new) and self._is_in_arrays(new.name)
            )
        if isinstance(old, CompositeType) and isinstance(new, CompositeType):
            return must_cast(old, new)
        return replace(old, comment=None) != replace(new, comment=None)

    def _is_in_arrays(self, name: str) -> bool:
        """Whether columns hold arrays of a domain: PostgreSQL checks no rows through them and refuses."""
        for schema in (self.current, self.wanted):
            for domain in schema.domains.values():
                if mentions(domain.type, name) and (domain.type.endswith("[]") or self._is_in_arrays(domain.name)):
                    return True
            for table in schema.tables.values():
                if any(item.user_type == name and item.type.endswith("[]") for item in table.columns.values()):
                    return True
        return False

    def _in_the_way(self) -> set[str]:
        """Types that go while a new relation takes the name: relations are types as well."""
        coming = {*self.wanted.tables, *self.wanted.views} - {*self.current.tables, *self.current.views}
        return {name for name in _kinds(self.current) if name in coming}

    def rebuilt(self) -> Rebuilt:
        """The result."""
        changes = (
            *drop_ranges(self.current, self.names),
            *self._aside(),
            *self._enums(),
            *self._made_types(),
            *self._drops(),
        )
        values = {name: self._gone(name) for name in self.names}
        arriving = {name: self._arriving(name) for name in (*self.wanted.enums, *self.wanted.domains)}
        multiranges = {str(item.multirange) for item in self.current.ranges.values() if item.name in self.names}
        listed = {name for name in self.names if self._enum_below(name, self.current) is not None}
        listed |= multiranges | (self.names & {*self.current.composites, *self.current.ranges})
        names = frozenset(self.names | multiranges)
        arrays = {name for name in self.current.domains if self._bases(name, self.current)[-1].endswith("[]")}
        known = _kinds(self.current)
        leaving = {name: self._map_of(name, self.current, self.hints.leaving) for name in known}
        there = (*self.current.enums, *self.current.domains)
        labels = frozenset(name for name in there if self._enum_below(name, self.current) is not None)
        return Rebuilt(names, changes, values, arriving, leaving, frozenset(listed), frozenset(arrays), labels)

    def _gone(self, name: str) -> Labels:
        """What becomes of the labels that a type (or the enum below it) loses."""
        old, new = self._enum_below(name, self.current), self._enum_below(name, self.wanted)
        if old is None:
            return {}
        kept = new.values if new is not None else ()
        mapped = {**self._map_of(name, self.current, self.hints.leaving), **self._arriving(name)}
        return {label: mapped[label] for label in old.values if label not in kept and label in mapped}

    def _arriving(self, name: str) -> Labels:
        return self._map_of(name, self.wanted, self.hints.values)

    def _map_of(self, name: str, schema: Schema, maps: Mapping[str, Labels]) -> Labels:
        enum = self._enum_below(name, schema)
        return maps.get(enum.name, {}) if enum is not None else {}

    def _enum_below(self, name: str, schema: Schema) -> EnumType | None:
        return schema.enums.get(self._bases(name, schema)[-1].removesuffix("[]"))

    def _bases(self, name: str, schema: Schema) -> list[str]:
        """A type, the one it is based on, and so on; the last of them is no domain, or an array."""
        bases = [name]
        while bases[-1] in schema.domains and len(bases) <= len(schema.domains):
            base, tail = schema.domains[bases[-1]].type, ""
            if base.endswith("[]"):
                base, tail = base.removesuffix("[]"), "[]"
            bases.append((base[1:-1].replace('""', '"') if base.startswith('"') else base) + tail)
        return bases

    def _aside(self) -> Iterator[Change]:
        for name, aside in self.asides.items():
            kind = _kinds(self.current)[name]
            sql = [f"ALTER {_WORDS[kind]} {quoted(name)} RENAME TO {quoted(aside)}"]
            if name not in self.names:
                yield change(f"move {kind}", f"{kind} {name}", 40, *sql, reason="its name is taken by something new")
                continue
            lost = set(self.current.enums[name].values) if kind == "enum" else set()
            lost -= set(self.wanted.enums[name].values) if name in self.wanted.enums else set()
            risk = Risk.DESTRUCTIVE if lost else Risk.REWRITING
            reason = (
                Text("values go: {lost}", lost=", ".join(sorted(lost))) if lost else Text("made again under its name")
            )
            yield change(f"rebuild {kind}", f"{kind} {name}", 40, *sql, risk=risk, reason=reason)

    def _enums(self) -> Iterator[Change]:
        for name, enum in self.wanted.enums.items():
            before = self.current.enums.get(name)
            if before is None or name in self.names:
                yield change("create enum", f"enum {name}", 41, *create_enum(enum))
                continue
            added = list(_added_values(before, enum))
            if added:
                yield _add_values(name, added)
            if before.comment != enum.comment:
                yield _comment("enum", name, enum.comment)

    def _made_types(self) -> Iterator[Change]:
        for item in ordered_types(self.wanted):
            kind, before = kind_of_type(item), _made_type(self.current, item.name)
            if before is None or item.name in self.names:
                made = item
                if isinstance(item, CompositeType) and isinstance(before, CompositeType):
                    made = as_it_is_cast(before, item)
                    yield from attribute_changes(before, item, rebuilt=True)
                yield change(f"create {kind}", f"{kind} {item.name}", 42, *create_type(made))
                continue
            if isinstance(item, DomainType) and isinstance(before, DomainType):
                yield from _alter_domain(before, item)
            if isinstance(item, CompositeType) and isinstance(before, CompositeType):
                yield from attribute_changes(before, item, rebuilt=False)
            if before.comment != item.comment:
                yield _comment(kind, item.name, item.comment)

    def _drops(self) -> Iterator[Change]:
        gone: list[MadeType | EnumType] = [*reversed(ordered_types(self.current)), *self.current.enums.values()]
        for item in gone:
            kind = kind_of_type(item)
            rank = 85 if kind == "enum" else 84
            sql = f"DROP {_WORDS[kind]} {quoted(self.asides.get(item.name, item.name))}"
            if item.name in self.names and kind != "range":
                yield change(f"finish {kind}", f"{kind} {item.name}", rank, sql)
            elif item.name not in _kinds(self.wanted) and item.name not in self.names:
                yield change(f"drop {kind}", f"{kind} {item.name}", rank, sql)


def _kinds(schema: Schema) -> dict[str, str]:
    """The types of a schema, and which kind each is of."""
    made: tuple[MadeType | EnumType, ...] = (
        *schema.enums.values(),
        *schema.domains.values(),
        *schema.composites.values(),
        *schema.ranges.values(),
    )
    return {item.name: kind_of_type(item) for item in made}


def _made_type(schema: Schema, name: str) -> MadeType | None:
    return schema.domains.get(name) or schema.composites.get(name) or schema.ranges.get(name)


def _comment(kind: str, name: str, comment: str | None) -> Change:
    return change("comment", f"{kind} {name}", 95, comment_on(f"{_WORDS[kind]} {quoted(name)}", comment))


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


def _add_values(name: str, clauses: Collection[str]) -> Change:
    statements = tuple(Statement(f"ALTER TYPE {quoted(name)} {clause}") for clause in clauses)
    return Change("add enum values", f"enum {name}", statements, 0, phase=Phase.ENUM_VALUES)


def _is_stricter(old: DomainType, new: DomainType) -> bool:
    """Whether a domain comes to check more than it did."""
    known = {item.essence for item in old.constraints.values()}
    return (old.nullable and not new.nullable) or any(item.essence not in known for item in new.constraints.values())


def _alter_domain(old: DomainType, new: DomainType) -> Iterator[Change]:
    prefix = f"ALTER DOMAIN {quoted(new.name)}"
    sql = []
    if old.default != new.default:
        sql.append(f"{prefix} DROP DEFAULT" if new.default is None else f"{prefix} SET DEFAULT {new.default}")
    sql += _domain_constraints(prefix, old, new)
    if old.nullable != new.nullable:
        sql.append(f"{prefix} {'DROP' if new.nullable else 'SET'} NOT NULL")
    if sql and _is_stricter(old, new):
        reason = Text("every row of the domain is checked under a lock")
        yield change("change domain", f"domain {new.name}", 58, *sql, risk=Risk.LOCKING, lock="SHARE", reason=reason)
    elif sql:
        yield change("change domain", f"domain {new.name}", 58, *sql)


def _domain_constraints(prefix: str, old: DomainType, new: DomainType) -> Iterator[str]:
    spare = [item for item in old.constraints.values() if item.name not in new.constraints]
    for item in new.constraints.values():
        before = old.constraints.get(item.name)
        if before is None:
            twin = next((other for other in spare if other.essence == item.essence), None)
            if twin is not None:
                spare.remove(twin)
                yield f"{prefix} RENAME CONSTRAINT {quoted(twin.name)} TO {quoted(item.name)}"
            before = twin
        elif before.definition == item.definition + " NOT VALID":
            yield f"{prefix} VALIDATE CONSTRAINT {quoted(item.name)}"
        elif before.essence != item.essence:
            yield f"{prefix} DROP CONSTRAINT {quoted(item.name)}"
            before = None
        if before is None:
            yield f"{prefix} ADD CONSTRAINT {quoted(item.name)} {item.definition}"
        if (before.comment if before else None) != item.comment:
            yield comment_on(f"CONSTRAINT {quoted(item.name)} ON DOMAIN {quoted(new.name)}", item.comment)
    yield from (f"{prefix} DROP CONSTRAINT {quoted(item.name)}" for item in spare)
