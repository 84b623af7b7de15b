"""Columns with ids that survive renames, table schemas, and the rules by which a schema may change."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from dataforge.kernel.texts import Text, joined
from versioned_tables.errors import SchemaMismatch
from versioned_tables.schema.names import require_distinct
from versioned_tables.schema.sequences import increasing

TYPES = ("bool", "int", "float", "string", "date", "time", "timestamp", "timestamptz", "binary", "json")
_DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)\Z")
_SPELLINGS = {
    "boolean": "bool",
    "integer": "int",
    "bigint": "int",
    "int64": "int",
    "double": "float",
    "float64": "float",
    "number": "float",
    "text": "string",
    "str": "string",
    "datetime": "timestamp",
}

ChangeType = Literal["added", "removed", "renamed", "type_changed", "moved"]


def normal_type(name: str) -> str:
    """The type name as schemas spell it; `decimal(p,s)` with 1 <= p <= 76 and 0 <= s <= p; raises SchemaMismatch."""
    spelled = name.strip().lower().replace(" ", "")
    spelled = _SPELLINGS.get(spelled, spelled)
    if spelled in TYPES:
        return spelled
    match = _DECIMAL.match(spelled)
    if match and 1 <= int(match[1]) <= 76 and int(match[2]) <= int(match[1]):
        return spelled
    message = Text(
        "{name!r} is not a column type; use one of {types} or decimal(precision,scale)",
        name=name,
        types=", ".join(TYPES),
    )
    raise SchemaMismatch(message)


def decimal_digits(type_: str) -> tuple[int, int] | None:
    """Precision and scale of a decimal type, None for every other type."""
    match = _DECIMAL.match(type_)
    return (int(match[1]), int(match[2])) if match else None


def family(type_: str) -> str:
    """The type without its digits."""
    return "decimal" if type_.startswith("decimal") else type_


def kind_of(type_: str) -> str:
    """The hash family of a type: values of one family hash alike, whatever the type that carries them.

    Decimals are a family of their own, because their fractions hash by their digits and those of floats by their bits.
    """
    kinds = {"int": "number", "float": "number", "timestamptz": "timestamp", "json": "string"}
    return kinds.get(type_, family(type_))


def hashed_alike(old: str, new: str) -> bool:
    """Whether a value that fits both types has the same hash in both."""
    return kind_of(old) == kind_of(new) or {family(old), family(new)} == {"int", "decimal"}


def reads_freely(old: str, new: str) -> bool:
    """Whether stored values of the old type can be read as the new one without an error, whatever they are.

    What does not fit is read as the nearest value; only rows that were checked are ever shown so.
    """
    if new in {old, "string"}:
        return True
    pair = (family(old), family(new))
    if pair[1] == "decimal":
        return _digits_fit(old, new)
    return pair in {
        ("int", "float"),
        ("decimal", "float"),
        ("string", "json"),
        ("date", "timestamp"),
        ("timestamp", "timestamptz"),
        ("timestamptz", "timestamp"),
    }


def always_fits(old: str, new: str) -> bool:
    """Whether every value of the old type is one of the new type."""
    lossy = {("int", "float"), ("decimal", "float"), ("string", "json")}
    return reads_freely(old, new) and (family(old), family(new)) not in lossy


def _digits_fit(old: str, new: str) -> bool:
    """Whether a decimal type has room for every whole number or every decimal of the old type."""
    target, source = decimal_digits(new), (19, 0) if old == "int" else decimal_digits(old)
    return bool(target and source and target[1] >= source[1] and target[0] - target[1] >= source[0] - source[1])


def common_type(one: str, other: str) -> str:
    """The narrowest type that every value of both can be read as without loss of meaning."""
    if one == other:
        return one
    pair = {one, other}
    digits = [found for found in map(decimal_digits, pair) if found]
    if len(digits) == 2:
        scale = max(s for _, s in digits)
        whole = max(p - s for p, s in digits)
        return f"decimal({whole + scale},{scale})" if whole + scale <= 76 else "float"
    if digits and "int" in pair:
        scale = digits[0][1]
        whole = max(19, digits[0][0] - scale)
        return f"decimal({whole + scale},{scale})" if whole + scale <= 76 else "float"
    if "float" in pair and (digits or "int" in pair):
        return "float"
    if pair == {"date", "timestamp"}:
        return "timestamp"
    return "string"


def widens(old: str, new: str) -> bool:
    """Whether the new type is meant to hold every value of the old one, so that an import may change it unasked. Whole
    numbers and decimals that a float does not hold are refused when they are met.
    """
    return common_type(old, new) == new


@dataclass(frozen=True, slots=True)
class Column:
    """A column: an id that never changes, its present name, its type; `nullable` False is a promise that imports
    check.
    """

    id: str
    name: str
    type: str
    nullable: bool = True


def column_id(name: str, generation: int = 0) -> str:
    """16 hex digits from the name a column was born with and how often a column of that name had been left behind.

    So the same file imported twice has the same ids, and a name that comes again is a new column.
    """
    text = name if not generation else f"{name}\x00{generation}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class TableSchema:
    """Ordered columns and the ids of the key columns; an empty key means rows in file order without identity.

    `generations` has each name that a column was dropped or renamed away from, and how often, in the ancestry of the
    version; ids of new columns are made of it. It follows from the ancestry, which the commit id covers, and so is no
    part of the content. A table may have 16,384 columns, so they are found by name and id without a search.
    """

    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    generations: tuple[tuple[str, int], ...] = ()

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The key columns in key order."""
        return tuple(self.by_id(item) for item in self.key)

    def keyed_like(self, other: TableSchema) -> bool:
        """Whether keys are the same columns of the same types, so that the same row has the same encoded key."""
        return self.key == other.key and [c.type for c in self.key_columns] == [c.type for c in other.key_columns]

    def same_as(self, other: TableSchema) -> bool:
        """Whether the content is the same: columns, their order and the key, whatever came before them."""
        return (self.columns, self.key) == (other.columns, other.key)

    def by_id(self, wanted: str) -> Column:
        """The column with this id; raises KeyError."""
        return self._ids[wanted]

    def by_name(self, name: str) -> Column | None:
        """The column with this name, if there is one."""
        return self._names.get(name)

    def has(self, wanted: str) -> bool:
        """Whether a column has this id."""
        return wanted in self._ids

    def hashes_within(self, other: TableSchema) -> bool:
        """Whether rows with these columns hash alike under another schema, which may have more, null in them."""
        return self.key == other.key and all(
            other.has(column.id) and kind_of(other.by_id(column.id).type) == kind_of(column.type)
            for column in self.columns
        )

    def left_behind(self, wanted: str) -> bool:
        """Whether a column of this id was in the ancestry and is not in this version: its values may still be stored
        with the rows.
        """
        return wanted in self._left_behind

    def with_new(self, columns: Iterable[tuple[str, str]]) -> TableSchema:
        """The schema with new columns, given as (name, type), behind its own. Their ids were never used before."""
        generations, ids = dict(self.generations), set(self._ids)
        made: list[Column] = []
        for name, type_ in columns:
            generation = generations.get(name, 0)
            while (identity := column_id(name, generation)) in ids:
                # Only where a version was made before generations were kept.
                generation += 1
                generations[name] = generation
            ids.add(identity)
            made.append(Column(identity, name, normal_type(type_)))
        return replace(self, columns=(*self.columns, *made), generations=tuple(sorted(generations.items())))

    def after(self, *parents: TableSchema) -> TableSchema:
        """The schema with the generations it has as the successor of these versions: the larger number of each."""
        generations = dict(self.generations)
        for parent in parents:
            counted = dict(parent.generations)
            for column in parent.columns:
                if not self.has(column.id) or self.by_id(column.id).name != column.name:
                    counted[column.name] = counted.get(column.name, 0) + 1
            for name, times in counted.items():
                generations[name] = max(times, generations.get(name, 0))
        return replace(self, generations=tuple(sorted(generations.items())))

    @cached_property
    def _left_behind(self) -> frozenset[str]:
        used = {column_id(name, number) for name, times in self.generations for number in range(times)}
        return frozenset(used - set(self._ids))

    @cached_property
    def _ids(self) -> dict[str, Column]:
        return {column.id: column for column in self.columns}

    @cached_property
    def _names(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def signature(self) -> str:
        """What row hashes depend on: the set of column ids and hash families, neither names nor order."""
        text = (
            "|".join(sorted(f"{column.id}:{kind_of(column.type)}" for column in self.columns))
            + "#"
            + ",".join(self.key)
        )
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def content_json(self) -> dict[str, object]:
        """What content hashes are made of: columns in order and the key, as plain JSON."""
        return {
            "columns": [{"id": c.id, "name": c.name, "type": c.type, "nullable": c.nullable} for c in self.columns],
            "key": list(self.key),
        }

    def to_json(self) -> dict[str, object]:
        """Plain JSON for storage; `generations` only where a column was ever left behind."""
        content = self.content_json()
        return {**content, "generations": dict(self.generations)} if self.generations else content

    @staticmethod
    def from_json(value: Mapping[str, object]) -> TableSchema:
        """The schema that `to_json` wrote; raises KeyError or TypeError on anything else."""
        columns, key, generations = value["columns"], value["key"], value.get("generations", {})
        if not isinstance(columns, list) or not isinstance(key, list) or not isinstance(generations, dict):
            message = "a schema has a list of columns, a list of key column ids, and generations by name"
            raise TypeError(message)
        return TableSchema(
            tuple(Column(str(c["id"]), str(c["name"]), str(c["type"]), bool(c["nullable"])) for c in columns),
            tuple(str(item) for item in key),
            tuple(sorted((str(name), int(times)) for name, times in generations.items())),
        )


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One difference of two schemas, `column` by its present name (its last name when it was removed)."""

    column: str
    change_type: ChangeType
    before: str | None = None
    after: str | None = None


def make_schema(
    columns: Iterable[tuple[str, str]], key: Iterable[str] = (), *, base: TableSchema | None = None
) -> TableSchema:
    """A schema from (name, type) pairs and key names; columns known to `base` by name keep their ids.

    Raises SchemaMismatch on duplicate or missing names, and on names that the database cannot store.
    """
    pairs = list(columns)
    names = [name for name, _ in pairs]
    for number, name in enumerate(names, 1):
        if "\x00" in name:
            raise SchemaMismatch(
                Text("The name of column {number} has a NUL character: {name!r:.100}.", number=number, name=name)
            )
    require_distinct(names, "columns")
    grown = (base or TableSchema(())).with_new(
        (name, type_) for name, type_ in pairs if base is None or base.by_name(name) is None
    )
    known = {column.name: column.id for column in grown.columns}
    made = tuple(Column(known[name], name, normal_type(type_)) for name, type_ in pairs)
    schema = TableSchema(made, (), grown.generations)
    ids: list[str] = []
    for name in key:
        column = schema.by_name(name)
        if column is None:
            message = Text(
                "the key names a column {name!r} that the table does not have; it has {names}",
                name=name,
                names=", ".join(names[:20]),
            )
            raise SchemaMismatch(message)
        if column.id in ids:
            raise SchemaMismatch(Text("the key names the column {name!r} twice", name=name))
        ids.append(column.id)
    return replace(schema, key=tuple(ids))


def retyped(before: TableSchema, after: TableSchema) -> list[tuple[Column, Column]]:
    """Columns of both whose type differs, as they were and as they are."""
    both = [(before.by_id(column.id), column) for column in after.columns if before.has(column.id)]
    return [(old, new) for old, new in both if old.type != new.type]


def schema_changes(before: TableSchema, after: TableSchema) -> list[SchemaChange]:
    """Added, removed, renamed, retyped and moved columns, in the order of the new schema, removed ones last."""
    old = {column.id: column for column in before.columns}
    changes: list[SchemaChange] = []
    shared_before = [column.id for column in before.columns if after.has(column.id)]
    shared_after = [column.id for column in after.columns if column.id in old]
    position = {item: index for index, item in enumerate(shared_before)}
    # What a smallest set of moves leaves in place.
    stays = {shared_after[at] for at in increasing([position[item] for item in shared_after])}
    for column in after.columns:
        was = old.get(column.id)
        if was is None:
            changes.append(SchemaChange(column.name, "added", None, column.type))
            continue
        if was.name != column.name:
            changes.append(SchemaChange(column.name, "renamed", was.name, column.name))
        if was.type != column.type:
            changes.append(SchemaChange(column.name, "type_changed", was.type, column.type))
        if column.id not in stays:
            changes.append(SchemaChange(column.name, "moved"))
    changes.extend(SchemaChange(c.name, "removed", c.type) for c in before.columns if not after.has(c.id))
    return changes


@dataclass(frozen=True, slots=True)
class EvolutionRules:
    """What a new import may change of the schema it finds; everything else fails the import."""

    add_columns: bool = True
    drop_columns: bool = True
    widen_types: bool = True
    change_types: bool = False


def evolve(
    base: TableSchema, found: TableSchema, rules: EvolutionRules, *, pinned: frozenset[str] = frozenset()
) -> TableSchema:
    """The schema of the next commit: `found`, with types of `base` kept where they hold more.

    Columns match by id. `pinned` ids have a declared type that decides. Raises SchemaMismatch naming each broken rule.
    """
    problems: list[str] = []
    columns: list[Column] = []
    for column in found.columns:
        if not base.has(column.id):
            if not rules.add_columns:
                problems.append(Text("column {name!r} is new", name=column.name))
            columns.append(column)
            continue
        old = base.by_id(column.id)
        type_ = column.type if column.id in pinned else common_type(old.type, column.type)
        if type_ != old.type:
            if widens(old.type, type_):
                if not (rules.widen_types or rules.change_types):
                    problems.append(
                        Text(
                            "column {name!r} would widen from {type} to {type_2}",
                            name=column.name,
                            type=old.type,
                            type_2=type_,
                        )
                    )
            elif not rules.change_types:
                problems.append(
                    Text(
                        "column {name!r} would change from {type} to {type_2}",
                        name=column.name,
                        type=old.type,
                        type_2=type_,
                    )
                )
        columns.append(replace(column, type=type_, nullable=old.nullable))
    if not rules.drop_columns:
        problems.extend(Text("column {name!r} is missing", name=c.name) for c in base.columns if not found.has(c.id))
    if problems:
        raise SchemaMismatch(
            Text("The schema may not change like this: {problems}.", problems=joined(problems[:20], "; "))
        )
    return replace(found, columns=tuple(columns)).after(base)
