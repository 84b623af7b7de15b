"""The target format, version 1: a JSON document that says what a schema shall be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from dataforge.contexts.schemas.designs.domain.composites import COMPOSITE, RANGE, read_composite, read_range
from dataforge.contexts.schemas.designs.domain.constraints import read_checks
from dataforge.contexts.schemas.designs.domain.draft import COUNTING, Draft, default_of, options_of, read_counter
from dataforge.contexts.schemas.designs.domain.indexes import read_indexes
from dataforge.contexts.schemas.designs.domain.model import (
    CompositeType,
    DomainType,
    EnumType,
    Named,
    RangeType,
    Schema,
    Sequence,
    Table,
    View,
    ViewColumn,
)
from dataforge.contexts.schemas.designs.domain.reading import Node, check_texts, pointer
from dataforge.contexts.schemas.designs.domain.statistics import read_statistics
from dataforge.contexts.schemas.designs.domain.tables import read_tables
from dataforge.contexts.schemas.designs.domain.types import ALIASES
from dataforge.kernel.errors import ValidationFailed, Violation, sentence
from dataforge.kernel.texts import Text

_TOP_MEMBERS = (
    "$schema version namespace name enums domains composites ranges sequences tables relationships views statistics "
    "allowDestructive onlineChanges onDrop drops"
)
_TOP = frozenset(_TOP_MEMBERS.split())
_ENUM = frozenset({"id", "name", "previousName", "values", "valueMap", "comment"})
_DOMAIN = frozenset({"id", "name", "previousName", "dataType", "nullable", "default", "collation", "checks", "comment"})
_SEQUENCE = frozenset({"id", "name", "previousName", "dataType", "ownedBy", "unlogged", "comment"}) | COUNTING
_DROP = frozenset({"object", "onDrop"})
_WAYS = {"trash": "trash", "drop": "drop"}
_VIEW = frozenset({"id", "name", "previousName", "query", "materialized", "options", "comment", "columns", "indexes"})
_VIEW_COLUMN = frozenset({"name", "default", "comment", "statistics"})


class InvalidTarget(ValidationFailed):
    """The target breaks rules of the format; each violation points to its place."""

    code = "invalid_target"
    title = "The target schema is not valid"


@dataclass(frozen=True, slots=True)
class Hints:
    """What a target says about the way: per (table, column) expressions, per enum the map of removed values.

    `leaving` maps values of columns that leave an enum, or that it loses, on the way back.
    """

    using: Mapping[tuple[str, str], str] = field(default_factory=dict)
    backfill: Mapping[tuple[str, str], str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    leaving: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)

    def back(self, old_names: Mapping[str, str]) -> "Hints":
        """What can be said about the way back: maps turned round where only one value was mapped to another.

        `old_names` are those of renamed enums, by new name.
        """
        leaving: dict[str, dict[str, str | None]] = {}
        for name, mapped in self.values.items():
            ends = list(mapped.values())
            turned = {new: old for old, new in mapped.items() if new is not None and ends.count(new) == 1}
            leaving[old_names.get(name, name)] = dict(turned)
        return Hints(leaving=leaving)


@dataclass(frozen=True, slots=True)
class Design:
    """A target that has been read: the schema it wants and what it says about names and ways.

    One with `allowDestructive: false` gets no plan that loses anything. What goes is kept for a while (`on_drop` is
    `trash`) or not (`drop`); `drops` says so for single objects (`column people.mail`), and that they shall go.
    In a design of the past, `gone` has the last names of what has gone since, by its kind, path and name in it.
    """

    schema: Schema
    named: tuple[Named, ...] = ()
    hints: Hints = field(default_factory=Hints)
    places: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[Violation, ...] = ()
    allow_destructive: bool = True
    online: bool = True
    on_drop: str = "trash"
    drops: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    gone: Mapping[tuple[str, tuple[str, ...], str], str] = field(default_factory=lambda: MappingProxyType({}))

    def goes_to_trash(self, thing: str) -> bool:
        """Whether something that goes (`column people.mail`) is kept for a while."""
        return self.drops.get(thing, self.on_drop) == "trash"


def parse_design(document: object) -> Design:
    """Read a target; raises InvalidTarget with a pointer to everything that is wrong."""
    design, problems = read_design(document)
    if problems:
        raise invalid_target(problems)
    return design


def invalid_target(problems: Iterable[Violation]) -> InvalidTarget:
    """The error for what is wrong in a target."""
    found = list(problems)
    return InvalidTarget(sentence(f"{found[0].pointer or '/'}: {found[0].message}"), violations=found)


def read_design(document: object) -> tuple[Design, list[Violation]]:
    """What of a target can be read, and what is wrong with the rest."""
    draft = Draft()
    check_texts(document, draft.problems)
    if draft.problems.violations:
        raise invalid_target(draft.problems.violations)
    top = Node(document, "", draft.problems, _TOP)
    if top.has("version") and top.value["version"] != 1:
        top.refuse("version", Text("this service reads version 1"), "version")
    draft.own = _own_types(top)
    enums = {enum.name: enum for node in top.children("enums", _ENUM) if (enum := _enum(node, draft))}
    domains = {domain.name: domain for node in top.children("domains", _DOMAIN) if (domain := _domain(node, draft))}
    made_types = (_composite(node, draft) for node in top.children("composites", COMPOSITE))
    composites = {composite.name: composite for composite in made_types if composite}
    ranges = {span.name: span for node in top.children("ranges", RANGE) if (span := _range(node, draft))}
    sequences = {item.name: item for node in top.children("sequences", _SEQUENCE) if (item := _sequence(node, draft))}
    tables, partitions = read_tables(top, draft)
    views = {view.name: view for node in top.children("views", _VIEW) if (view := _view(node, draft))}
    statistics = read_statistics(top, draft, tables, partitions, views)
    _check_owners(sequences, tables, draft)
    on_drop = top.choice("onDrop", _WAYS, "trash")
    drops = _drops(top, on_drop)
    design = Design(
        Schema(
            enums=enums,
            domains=domains,
            composites=composites,
            ranges=ranges,
            sequences=sequences,
            tables=tables,
            partitions=partitions,
            views=views,
            statistics=statistics,
        ),
        tuple(draft.named),
        Hints(draft.using, draft.backfill, draft.values),
        draft.places,
        tuple(draft.warnings),
        top.flag("allowDestructive", default=True),
        top.flag("onlineChanges", default=True),
        on_drop,
        drops,
    )
    return design, draft.problems.violations


def _drops(top: Node, on_drop: str) -> dict[str, str]:
    """What shall go, and where to: `{"object": "column people.mail", "onDrop": "drop"}`."""
    ways = {}
    for node in top.children("drops", _DROP):
        thing = node.text("object", most=300)
        if not thing or " " not in thing:
            node.refuse("object", Text('must name something that goes, such as "column people.mail"'), "required")
            continue
        ways[thing] = node.choice("onDrop", _WAYS, on_drop)
    return ways


def _check_owners(sequences: Mapping[str, Sequence], tables: Mapping[str, Table], draft: Draft) -> None:
    for name, sequence in sequences.items():
        if sequence.owner is None:
            continue
        table = tables.get(sequence.owner[0])
        if table is None or sequence.owner[1] not in table.columns:
            draft.problems.add(
                draft.places[f"sequence {name}"] + "/ownedBy", Text("names no column"), "unknown_reference"
            )


def _enum(node: Node, draft: Draft) -> EnumType | None:
    name = node.name()
    if name is None:
        return None
    _claim_type(node, draft, name, "enum")
    values: list[str] = []
    for index, item in enumerate(node.items("values")):
        value = item.get("name") if isinstance(item, Mapping) else item
        at = f"{node.at}/values/{index}"
        if not isinstance(value, str) or not value or len(value.encode(errors="replace")) > 63:
            draft.problems.add(at, Text("must be a text of 1 to 63 bytes"), "enum_value")
            continue
        if value in values:
            draft.problems.add(at, Text('"{value}" is there twice', value=value), "duplicate")
            continue
        values.append(value)
        draft.places[f"value {name}.{value}"] = at
        if isinstance(item, Mapping):
            inner = Node(item, at, draft.problems, {"id", "name", "previousName"})
            draft.named.append(Named("value", (name,), value, inner.text("id"), inner.text("previousName")))
        else:
            draft.named.append(Named("value", (name,), value))
    value_map = node.value.get("valueMap") or {}
    if not isinstance(value_map, Mapping) or any(not isinstance(value, str | None) for value in value_map.values()):
        node.refuse("valueMap", Text("must map removed values to values or null"), "type")
        value_map = {}
    for old, new in value_map.items():
        if new is not None and new not in values:
            draft.problems.add(
                f"{node.at}/valueMap" + pointer(old),
                Text('"{new}" is not a value of {name}', new=new, name=name),
                "unknown_reference",
            )
    draft.values[name] = dict(value_map)
    return EnumType(name=name, values=tuple(values), comment=node.text("comment"))


def _own_types(top: Node) -> frozenset[str]:
    kinds = ("enums", "domains", "composites", "ranges")
    items = [item for key in kinds for item in top.items(key) if isinstance(item, Mapping)]
    names = [item.get(member) for item in items for member in ("name", "multirange")]
    return frozenset(name for name in names if isinstance(name, str))


def _composite(node: Node, draft: Draft) -> CompositeType | None:
    composite = read_composite(node, draft)
    if composite is not None:
        _claim_type(node, draft, composite.name, "composite")
    return composite


def _range(node: Node, draft: Draft) -> RangeType | None:
    found = read_range(node, draft)
    if found is not None:
        _claim_type(node, draft, found.name, "range")
    return found


def _claim_type(node: Node, draft: Draft, name: str, kind: str) -> None:
    if name.lower() in ALIASES:
        node.refuse("name", Text('"{name}" is a type of PostgreSQL', name=name), "reserved_name")
    draft.claim(node, "type", name)
    draft.identify(node, kind, name)
    draft.places[f"{kind} {name}"] = node.at


def _domain(node: Node, draft: Draft) -> DomainType | None:
    name = node.name()
    if name is None:
        return None
    _claim_type(node, draft, name, "domain")
    sql, _, _ = node.type("dataType", draft.own - {name})
    return DomainType(
        name=name,
        type=sql,
        nullable=node.flag("nullable", default=True),
        default=default_of(node),
        collation=node.name("collation", required=False),
        constraints={item.name: item for item in read_checks(node, draft, name, set())},
        comment=node.text("comment"),
    )


def _sequence(node: Node, draft: Draft) -> Sequence | None:
    name = node.name()
    if name is None:
        return None
    draft.claim(node, "relation", name)
    draft.identify(node, "sequence", name)
    draft.places[f"sequence {name}"] = node.at
    sql, _, _ = node.type("dataType", ()) if node.has("dataType") else ("bigint", None, False)
    owner = node.child("ownedBy", {"table", "column"})
    owned = (str(owner.name("table")), str(owner.name("column"))) if owner else None
    return Sequence(
        name=name,
        type=sql,
        counter=read_counter(node),
        owner=owned,
        unlogged=node.flag("unlogged"),
        comment=node.text("comment"),
    )


def _view(node: Node, draft: Draft) -> View | None:
    name, query = node.name(), node.query("query")
    if name is None or query is None:
        return None
    draft.claim(node, "relation", name)
    draft.identify(node, "view", name)
    draft.places[f"view {name}"] = node.at
    materialized = node.flag("materialized")
    indexes = read_indexes(node, draft, name, None)
    if indexes and not materialized:
        node.refuse("indexes", Text("only a materialized view has indexes"), "indexes")
    return View(
        name=name,
        query=query,
        materialized=materialized,
        options=options_of(node),
        comment=node.text("comment"),
        columns=_view_columns(node, materialized=materialized),
        indexes={item.name: item for item in indexes},
    )


def _view_columns(node: Node, *, materialized: bool) -> dict[str, ViewColumn]:
    """What is said about columns of a view; which ones it has, only PostgreSQL knows."""
    columns: dict[str, ViewColumn] = {}
    for child in node.children("columns", _VIEW_COLUMN):
        name = child.name()
        if name is None:
            continue
        if name in columns:
            child.refuse("name", Text('"{name}" is there twice', name=name), "duplicate")
        if child.has("statistics") and not materialized:
            child.refuse("statistics", Text("only a materialized view has statistics"), "statistics")
        if child.has("default") and materialized:
            child.refuse("default", Text("nobody inserts into a materialized view"), "default")
        column = ViewColumn(
            name=name,
            default=default_of(child),
            comment=child.text("comment") or None,
            statistics=child.number("statistics"),
        )
        if column != ViewColumn(name=name):
            columns[name] = column
    return columns
