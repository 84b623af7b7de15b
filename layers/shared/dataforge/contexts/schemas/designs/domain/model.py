"""A schema as values: the same model holds what somebody wants and what the catalog says there is.

Expressions and definitions are SQL text. In a model that was read from the catalog they are as PostgreSQL prints them
with the search path at that schema, so that equal texts mean equal things.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

from dataforge.kernel.canonical import canonical_json, content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """How a sequence or identity column counts; None leaves it to PostgreSQL."""

    start: int | None = None
    increment: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    cache: int | None = None
    cycle: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; `default` and `generated` are SQL expressions, `user_type` the enum or domain it is of."""

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    identity: str | None = None  # "ALWAYS" or "BY DEFAULT"
    counter: Counter = Counter()
    generated: str | None = None
    collation: str | None = None
    comment: str | None = None
    user_type: str | None = None
    storage: str | None = None  # None is what the type does
    compression: str | None = None
    statistics: int | None = None
    settings: tuple[str, ...] = ()  # n_distinct=… and the like
    sequence: str | None = field(default=None, compare=False)  # that of an identity, where it is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A constraint; kinds are those of pg_constraint: p, u, c, f, x. `detail` is its JSON form.

    `options` are the storage parameters of its index. The definition of one whose old rows were never checked ends in
    NOT VALID.
    """

    name: str
    kind: str
    definition: str
    comment: str | None = None
    columns: tuple[str, ...] = ()
    references: str | None = None
    reference_columns: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    @property
    def essence(self) -> tuple[str, str]:
        """What makes two constraints the same but for their name."""
        return (self.kind, self.definition)

    @property
    def unchecked(self) -> bool:
        """Whether old rows may break it."""
        return self.definition.endswith(" NOT VALID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index that no constraint owns; `definition` begins with USING."""

    name: str
    unique: bool
    definition: str
    comment: str | None = None
    columns: tuple[str, ...] = ()
    computed: bool = False  # has expressions or a predicate
    options: tuple[str, ...] = ()  # in the definition, too
    bare: str = ""  # the definition without them
    statistics: tuple[str, ...] = ()  # `2=500`: the target of the second key
    detail: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    @property
    def essence(self) -> tuple[bool, str]:
        """What makes two indexes the same but for their name."""
        return (self.unique, self.definition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; `partition_by` is `RANGE (day)` and the like."""

    name: str
    columns: Mapping[str, Column]
    constraints: Mapping[str, Constraint] = field(default_factory=dict)
    indexes: Mapping[str, Index] = field(default_factory=dict)
    comment: str | None = None
    options: tuple[str, ...] = ()
    unlogged: bool = False
    partition_by: str | None = None
    replica_identity: str | None = None  # FULL, NOTHING, or USING INDEX …


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A part of a partitioned table; `bound` is `FOR VALUES …` or DEFAULT.

    Columns, and the constraints and indexes that the table has for all of its parts, are the table's; here is what the
    part has of its own.
    """

    name: str
    parent: str
    bound: str
    partition_by: str | None = None
    constraints: Mapping[str, Constraint] = field(default_factory=dict)
    indexes: Mapping[str, Index] = field(default_factory=dict)
    comment: str | None = None
    options: tuple[str, ...] = ()
    unlogged: bool = False

    @property
    def own(self) -> Table:
        """What the part has of its own, as a table without columns."""
        return Table(
            name=self.name,
            columns={},
            constraints=self.constraints,
            indexes=self.indexes,
            comment=self.comment,
            options=self.options,
            unlogged=self.unlogged,
            partition_by=self.partition_by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewColumn:
    """What is said about a column of a view: a default is for those who insert, `statistics` for materialized ones."""

    name: str
    default: str | None = None
    comment: str | None = None
    statistics: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view or materialized view; `columns` are those of which something is said.

    `depends` names the relations, `type:…` and `key:…` (primary keys by constraint) it reads, `shown` what it shows:
    names and types.
    """

    name: str
    query: str
    materialized: bool = False
    options: tuple[str, ...] = ()
    comment: str | None = None
    columns: Mapping[str, ViewColumn] = field(default_factory=dict)
    indexes: Mapping[str, Index] = field(default_factory=dict)
    depends: tuple[str, ...] = ()
    shown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumType:
    """An enum with its values in order."""

    name: str
    values: tuple[str, ...]
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainType:
    """A domain over another type."""

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    collation: str | None = None
    constraints: Mapping[str, Constraint] = field(default_factory=dict)
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A part of a composite type."""

    name: str
    type: str
    collation: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeType:
    """A type of several attributes."""

    name: str
    attributes: Mapping[str, Attribute]
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeType:
    """A type of ranges over another; None leaves a choice to PostgreSQL. `difference` is a built-in function."""

    name: str
    subtype: str
    opclass: str | None = None
    collation: str | None = None
    difference: str | None = None
    multirange: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A sequence of its own; `owner` is the (table, column) it goes with."""

    name: str
    type: str = "bigint"
    counter: Counter = Counter()
    owner: tuple[str, str] | None = None
    unlogged: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Extended statistics of a table, partition or materialized view; `definition` holds kinds and what they are of.

    `target` is how many values are looked at; None is as many as of the columns.
    """

    name: str
    table: str
    definition: str
    target: int | None = None
    comment: str | None = None
    detail: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), hash=False, compare=False)

    @property
    def essence(self) -> tuple[str, str]:
        """What makes two of them the same but for their name."""
        return (self.table, self.definition)


@dataclass(frozen=True, kw_only=True)
class Schema:
    """All of one PostgreSQL schema, by kind and name."""

    enums: Mapping[str, EnumType] = field(default_factory=dict)
    domains: Mapping[str, DomainType] = field(default_factory=dict)
    composites: Mapping[str, CompositeType] = field(default_factory=dict)
    ranges: Mapping[str, RangeType] = field(default_factory=dict)
    sequences: Mapping[str, Sequence] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    partitions: Mapping[str, Partition] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    statistics: Mapping[str, Statistics] = field(default_factory=dict)

    @property
    def type_count(self) -> int:
        """How many types of its own it has."""
        return len(self.enums) + len(self.domains) + len(self.composites) + len(self.ranges)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over what the schema is, in 64 hex digits; the order of columns and what is derived stay out."""
        return content_hash(_plain(self))


@dataclass(frozen=True, slots=True)
class Named:
    """One thing that may have had another name: `path` is (table,) for columns and (enum,) for values."""

    kind: str
    path: tuple[str, ...]
    name: str
    stable_id: str | None = None
    previous: str | None = None


# What is in other texts already, or only helps to plan.
_DERIVED = frozenset(
    {"detail", "depends", "shown", "user_type", "references", "reference_columns", "computed", "bare", "sequence"}
)
# What the model did not have at first: left out while it is empty, so that fingerprints of before still hold.
_LATER = frozenset({"composites", "ranges", "storage", "compression", "statistics", "settings", "replica_identity"})
_LATER_OF: Mapping[type[Any], frozenset[str]] = {
    Constraint: frozenset({"options"}),
    Index: frozenset({"options"}),
    Sequence: frozenset({"unlogged"}),
    View: frozenset({"columns"}),
    Partition: frozenset({"constraints", "indexes", "comment", "options", "unlogged"}),
}


def text_of(thing: object) -> str:
    """A thing of the model as one text, by which it is compared."""
    return canonical_json(_plain(thing))


def sql_of(thing: object) -> str:
    """All SQL of a thing of the model, to look for names in."""
    return "\n".join(_texts(_plain(thing)))


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any plain part of the model
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)


@cache
def _telling(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - a class of the model
    """The fields that make two things of a kind different."""
    names = {item.name for item in fields(kind)} - _DERIVED - set(_later(kind))
    # The columns of a constraint or index are in its definition.
    return tuple(sorted(names - {"columns"} if "definition" in names else names))


@cache
def _later(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - a class of the model
    added = _LATER | _LATER_OF.get(kind, frozenset())
    return tuple(item.name for item in fields(kind) if item.name in added)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any part of the model
    if value is None or isinstance(value, (str, int, tuple)):
        return value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    kind = value.__class__
    found = {name: _plain(getattr(value, name)) for name in _telling(kind)}
    for name in _later(kind):
        item = getattr(value, name)
        if item is not None and item is not False and item not in ((), {}):
            found[name] = _plain(item)
    return found
