"""What a diagram says of each thing of a schema: a card with a head, rows and notes; no coordinates yet."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dataforge.contexts.schemas.designs.domain.marks import Mark, Marks
from dataforge.contexts.schemas.designs.domain.model import (
    Column,
    CompositeType,
    Constraint,
    Partition,
    RangeType,
    Schema,
    Table,
    View,
)

_SHORT_TYPES = (
    ("character varying", "varchar"),
    ("timestamp with time zone", "timestamptz"),
    ("timestamp without time zone", "timestamp"),
    ("time with time zone", "timetz"),
    ("time without time zone", "time"),
    ("character(", "char("),
)
_ROWS = ((60, 40), (200, 16), (10_000, 8))  # up to so many cards: so many rows each
_MOST_MARKED = 60
MAX_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a card: `flag` is PK, FK or UQ, `whole` what a pointer on it shows."""

    name: str
    flag: str = ""
    type: str = ""
    whole: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A table, view, type or sequence; `kind` is which, `notes` stand below its rows."""

    key: str
    kind: str
    name: str
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    mark: Mark | None = None
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Tie:
    """A foreign key, or a view that reads: from card to card, at a row each or at the head.

    `alone` says that one row at most refers to each, `optional` that a row may refer to none.
    """

    source: str
    target: str
    source_row: str | None
    target_row: str | None
    words: str
    label: str = "reads"
    reads: bool = False
    alone: bool = False
    optional: bool = False
    mark: Mark | None = None


def short_type(text: str) -> str:
    """A type as designers write it."""
    for long, short in _SHORT_TYPES:
        text = text.replace(long, short)
    return text.replace('"', "")


def cards_of(schema: Schema, marks: Marks, *, every_row: bool = False) -> list[Card]:
    """The cards of a schema: tables and views, then types and sequences; of many, fewer rows each."""
    count = len(schema.tables) + len(schema.views) + schema.type_count
    most = next((rows for cards, rows in _ROWS if count <= cards), _ROWS[-1][1])
    most = MAX_ROWS if every_row else most
    parts: dict[str, list[Partition]] = {}
    for part in schema.partitions.values():
        parts.setdefault(_root(part, schema), []).append(part)
    referred = _referred_columns(schema)
    cards = [
        _card_of_table(table, parts.get(table.name, ()), referred.get(table.name, set()), marks, most)
        for table in schema.tables.values()
    ]
    cards += [_card_of_view(view, marks) for view in schema.views.values()]
    cards += [
        Card(
            f"enum {enum.name}",
            "enum",
            enum.name,
            *_shortened([Row(value, mark=marks.get(("value", enum.name, value))) for value in enum.values], most),
            marks.get(("enum", enum.name)),
            enum.comment or "",
        )
        for enum in schema.enums.values()
    ]
    for domain in schema.domains.values():
        notes = [short_type(domain.type) + ("" if domain.nullable else ", not null")]
        notes += [item.definition for item in domain.constraints.values()]
        mark = marks.get(("domain", domain.name))
        cards.append(Card(f"domain {domain.name}", "domain", domain.name, (), tuple(notes), mark, domain.comment or ""))
    cards += [_card_of_composite(composite, marks, most) for composite in schema.composites.values()]
    cards += [_card_of_range(item, marks) for item in schema.ranges.values()]
    for sequence in schema.sequences.values():
        owner = f"of {'.'.join(sequence.owner)}" if sequence.owner else "of its own"
        mark = marks.get(("sequence", sequence.name))
        cards.append(
            Card(
                f"sequence {sequence.name}",
                "sequence",
                sequence.name,
                (),
                (f"{short_type(sequence.type)}, {owner}",),
                mark,
            )
        )
    return cards


def ties_of(schema: Schema, marks: Marks) -> list[Tie]:
    """What refers to what: foreign keys, and what views read."""
    ties = []
    for table in schema.tables.values():
        ties += [
            _tie_of_key(table, item, item.references, marks)
            for item in table.constraints.values()
            if item.kind == "f" and item.references is not None and item.references in schema.tables
        ]
    for view in schema.views.values():
        for name in view.depends:
            kind = "table" if name in schema.tables else "view" if name in schema.views else None
            if kind is not None and name != view.name:
                words = f"{view.name} reads {name}"
                mark = marks.get(("view", view.name))
                ties.append(Tie(f"view {view.name}", f"{kind} {name}", None, None, words, reads=True, mark=mark))
    return ties


def _tie_of_key(table: Table, item: Constraint, target: str, marks: Marks) -> Tie:
    names = ", ".join(item.columns), ", ".join(item.reference_columns)
    words = f"{table.name} ({names[0]}) refers to {target} ({names[1]})"
    mark = marks.get(("constraint", table.name, item.name))
    optional = any(table.columns[name].nullable for name in item.columns if name in table.columns)
    return Tie(
        f"table {table.name}",
        f"table {target}",
        next(iter(item.columns), None),
        next(iter(item.reference_columns), None),
        words + (f", {mark.state}" if mark else ""),
        names[0],
        alone=any(set(key) <= set(item.columns) for key in _unique_keys(table)),
        optional=optional,
        mark=mark,
    )


def _unique_keys(table: Table) -> Iterator[Sequence[str]]:
    yield from (item.columns for item in table.constraints.values() if item.kind in "pu" and item.columns)
    yield from (item.columns for item in table.indexes.values() if item.unique and not item.computed and item.columns)


def _root(part: Partition, schema: Schema) -> str:
    name = part.parent
    for _ in schema.partitions:
        if name not in schema.partitions:
            break
        name = schema.partitions[name].parent
    return name


def _referred_columns(schema: Schema) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table in schema.tables.values():
        for item in table.constraints.values():
            if item.references is not None:
                found.setdefault(item.references, set()).update(item.reference_columns)
    return found


def _card_of_table(table: Table, parts: Sequence[Partition], referred: set[str], marks: Marks, most: int) -> Card:
    flags = _flags(table)
    rows = [
        Row(
            column.name,
            " ".join(flags.get(column.name, ())),
            short_type(column.type) + (" null" if column.nullable else ""),
            _in_words(column),
            marks.get(("column", table.name, column.name)),
        )
        for column in table.columns.values()
    ]
    shown, notes = _shortened(rows, most, {*flags, *referred})
    named = [("constraint", item.name) for item in table.constraints.values() if item.kind != "f"]
    named += [("index", index.name) for index in table.indexes.values()]
    beside = [
        Row(f"{kind} {name}", mark=mark)
        for kind, name in named
        if (mark := marks.get((kind, table.name, name))) is not None
    ]
    beside += [
        Row(f"partition {part.name}", mark=mark)
        for part in parts
        if (mark := marks.get(("partition", part.name))) is not None
    ]
    if table.partition_by is not None:
        number = f"{len(parts)} partition{'' if len(parts) == 1 else 's'}"
        notes = (*notes, f"by {table.partition_by}", number)
    return Card(
        f"table {table.name}",
        "table",
        table.name,
        (*shown, *beside[:_MOST_MARKED]),
        notes,
        marks.get(("table", table.name)),
        table.comment or "",
    )


def _card_of_view(view: View, marks: Marks) -> Card:
    kind = "materialized view" if view.materialized else "view"
    return Card(f"view {view.name}", kind, view.name, (), (), marks.get(("view", view.name)), view.comment or "")


def _card_of_composite(composite: CompositeType, marks: Marks, most: int) -> Card:
    rows = [
        Row(item.name, type=short_type(item.type), whole="; ".join(filter(None, (item.type, item.comment))))
        for item in composite.attributes.values()
    ]
    mark = marks.get(("composite", composite.name))
    key = f"composite {composite.name}"
    return Card(key, "composite", composite.name, *_shortened(rows, most), mark, composite.comment or "")


def _card_of_range(item: RangeType, marks: Marks) -> Card:
    notes = (f"of {short_type(item.subtype)}",)
    return Card(
        f"range {item.name}", "range", item.name, (), notes, marks.get(("range", item.name)), item.comment or ""
    )


def _shortened(rows: Sequence[Row], most: int, first: Iterable[str] = ()) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """So many rows, those that are marked or matter before others, and a note of how many more there are."""
    if len(rows) <= most + 1:
        return tuple(rows), ()
    telling = set(first)
    ranked = sorted(range(len(rows)), key=lambda index: (rows[index].mark is None, rows[index].name not in telling))
    marked = sum(row.mark is not None for row in rows)
    kept = sorted(ranked[: max(most, min(marked, _MOST_MARKED))])
    return tuple(rows[index] for index in kept), (f"and {len(rows) - len(kept)} more",)


def _flags(table: Table) -> Mapping[str, list[str]]:
    flags: dict[str, list[str]] = {}
    for kind, flag in (("p", "PK"), ("f", "FK"), ("u", "UQ")):
        for item in table.constraints.values():
            if item.kind == kind and (kind != "u" or len(item.columns) == 1):
                for name in item.columns:
                    if flag not in flags.setdefault(name, []):
                        flags[name].append(flag)
    return flags


def _in_words(column: Column) -> str:
    parts = [f"{column.name}: {column.type}", "may be null" if column.nullable else "not null"]
    if column.default is not None:
        parts.append(f"default {column.default}")
    if column.identity is not None:
        parts.append(f"generated {column.identity.lower()} as identity")
    if column.generated is not None:
        parts.append(f"computed as {column.generated}")
    if column.comment:
        parts.append(column.comment)
    return "; ".join(parts)
