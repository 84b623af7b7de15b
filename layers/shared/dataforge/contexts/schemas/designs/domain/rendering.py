"""A schema as the statements that make it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from dataforge.contexts.schemas.designs.domain.composites import create_composite, create_range
from dataforge.contexts.schemas.designs.domain.model import (
    Column,
    CompositeType,
    Constraint,
    Counter,
    DomainType,
    EnumType,
    Index,
    Partition,
    RangeType,
    Schema,
    Sequence,
    Table,
    View,
    ViewColumn,
)
from dataforge.contexts.schemas.designs.domain.names import literal, mentions, quoted, reads, storage_parameters
from dataforge.contexts.schemas.designs.domain.printing import normal_options
from dataforge.contexts.schemas.designs.domain.statistics import create_statistics

MadeType = DomainType | CompositeType | RangeType
_DEFERRING = re.compile(r" DEFERRABLE(?: INITIALLY DEFERRED)?$")


@dataclass(frozen=True, slots=True)
class Creation:
    """A statement that makes something, and what: `table people`."""

    sql: str
    thing: str


def create_schema(schema: Schema) -> Iterator[Creation]:
    """Everything of a schema in an order that works, circular foreign keys included."""
    for enum in schema.enums.values():
        yield from (Creation(sql, f"enum {enum.name}") for sql in create_enum(enum))
    for item in ordered_types(schema):
        yield from (Creation(sql, f"{kind_of_type(item)} {item.name}") for sql in create_type(item))
    for sequence in schema.sequences.values():
        yield from (Creation(sql, f"sequence {sequence.name}") for sql in create_sequence(sequence))
    yield from _create_tables(schema)
    for view in ordered_views(schema.views.values()):
        yield from (Creation(sql, f"view {view.name}") for sql in create_view(view))
    for about in schema.statistics.values():
        yield from (Creation(sql, f"statistics {about.name}") for sql in create_statistics(about))
    yield from comments(schema)


def write_sql(schema: Schema) -> str:
    """The statements that make the schema, as one text."""
    return "".join(f"{creation.sql};\n" for creation in create_schema(schema))


def _create_tables(schema: Schema) -> Iterator[Creation]:
    late: list[tuple[Table, Constraint]] = []
    for table in schema.tables.values():
        inline, later = split_constraints(table)
        late += [(table, item) for item in later]
        yield Creation(create_table(table, inline), f"table {table.name}")
        for column in table.columns.values():
            thing = f"column {table.name}.{column.name}"
            yield from (Creation(sql, thing) for sql in settings_of_column(table.name, column))
    for partition in ordered_partitions(schema):
        inline, later = split_constraints(partition.own)
        late += [(partition.own, item) for item in later]
        yield Creation(create_partition(partition, inline), f"partition {partition.name}")
    for sequence in schema.sequences.values():
        if sequence.owner is not None:
            yield Creation(own_sequence(sequence), f"sequence {sequence.name}")
    for table in (*schema.tables.values(), *(part.own for part in schema.partitions.values())):
        for index in table.indexes.values():
            yield from (Creation(sql, f"index {index.name}") for sql in make_index(index, table.name))
        if table.replica_identity is not None:
            yield Creation(replicate_by(table), f"table {table.name}")
    for table, constraint in late:
        yield Creation(add_constraint(table.name, constraint), f"constraint {table.name}.{constraint.name}")


def comments(schema: Schema) -> Iterator[Creation]:
    """The comments of tables and partitions and of everything in them."""
    for table in (*schema.tables.values(), *(part.own for part in schema.partitions.values())):
        yield from (Creation(sql, f"comment of {table.name}") for sql in comments_of_table(table))


def comments_of_table(table: Table) -> Iterator[str]:
    """The comments of a table and of everything in it."""
    name = quoted(table.name)
    if table.comment is not None:
        yield comment_on(f"TABLE {name}", table.comment)
    for column in table.columns.values():
        if column.comment is not None:
            yield comment_on(f"COLUMN {name}.{quoted(column.name)}", column.comment)
    for constraint in table.constraints.values():
        if constraint.comment is not None:
            yield comment_on(f"CONSTRAINT {quoted(constraint.name)} ON {name}", constraint.comment)
    for index in table.indexes.values():
        if index.comment is not None:
            yield comment_on(f"INDEX {quoted(index.name)}", index.comment)


def comment_on(thing: str, comment: str | None) -> str:
    """Set or remove a comment."""
    return f"COMMENT ON {thing} IS {'NULL' if comment is None else literal(comment)}"


def create_enum(enum: EnumType) -> Iterator[str]:
    """CREATE TYPE … AS ENUM, and the comment."""
    yield f"CREATE TYPE {quoted(enum.name)} AS ENUM ({', '.join(map(literal, enum.values))})"
    if enum.comment is not None:
        yield comment_on(f"TYPE {quoted(enum.name)}", enum.comment)


def create_domain(domain: DomainType) -> Iterator[str]:
    """CREATE DOMAIN, and the comments of it and its checks."""
    parts = [f"CREATE DOMAIN {quoted(domain.name)} AS {domain.type}"]
    if domain.collation is not None:
        parts.append(f"COLLATE {quoted(domain.collation)}")
    if domain.default is not None:
        parts.append(f"DEFAULT {domain.default}")
    if not domain.nullable:
        parts.append("NOT NULL")
    checks = [f"CONSTRAINT {quoted(item.name)} {item.definition}" for item in domain.constraints.values()]
    # A check that old rows were never held against can only be added.
    late = [text for text in checks if text.endswith(" NOT VALID")]
    yield " ".join([*parts, *(text for text in checks if text not in late)])
    yield from (f"ALTER DOMAIN {quoted(domain.name)} ADD {text}" for text in late)
    for item in domain.constraints.values():
        if item.comment is not None:
            yield comment_on(f"CONSTRAINT {quoted(item.name)} ON DOMAIN {quoted(domain.name)}", item.comment)
    if domain.comment is not None:
        yield comment_on(f"DOMAIN {quoted(domain.name)}", domain.comment)


def create_type(item: MadeType) -> Iterator[str]:
    """CREATE DOMAIN or CREATE TYPE of one that is made of others, with everything that is said of it."""
    if isinstance(item, DomainType):
        return create_domain(item)
    return create_composite(item) if isinstance(item, CompositeType) else create_range(item)


def kind_of_type(item: MadeType | EnumType) -> str:
    """`domain`, `composite`, `range` or `enum`."""
    words = {DomainType: "domain", CompositeType: "composite", RangeType: "range", EnumType: "enum"}
    return words[type(item)]


def counting(counter: Counter) -> str:
    """The options of a sequence that are given."""
    options = (
        ("START WITH", counter.start),
        ("INCREMENT BY", counter.increment),
        ("MINVALUE", counter.minimum),
        ("MAXVALUE", counter.maximum),
        ("CACHE", counter.cache),
    )
    parts = [f"{word} {value}" for word, value in options if value is not None]
    if counter.cycle is not None:
        parts.append("CYCLE" if counter.cycle else "NO CYCLE")
    return " ".join(parts)


def create_sequence(sequence: Sequence) -> Iterator[str]:
    """CREATE SEQUENCE and the comment; who owns it comes later, with the table."""
    kind = "UNLOGGED SEQUENCE" if sequence.unlogged else "SEQUENCE"
    yield f"CREATE {kind} {quoted(sequence.name)} AS {sequence.type} {counting(sequence.counter)}".rstrip()
    if sequence.comment is not None:
        yield comment_on(f"SEQUENCE {quoted(sequence.name)}", sequence.comment)


def own_sequence(sequence: Sequence) -> str:
    """Bind a sequence to its column, or free it."""
    owner = "NONE" if sequence.owner is None else ".".join(map(quoted, sequence.owner))
    return f"ALTER SEQUENCE {quoted(sequence.name)} OWNED BY {owner}"


def identity_clause(column: Column) -> str:
    """GENERATED … AS IDENTITY with the options that are given."""
    options = counting(column.counter)
    return f"GENERATED {column.identity} AS IDENTITY" + (f" ({options})" if options else "")


def identity_names(made: Schema, meant: Schema) -> Iterator[str]:
    """Give the sequences of identities in a copy the names that they have in the schema it was made of."""
    moves = [
        (str(copied.sequence), str(column.sequence))
        for name, table in meant.tables.items()
        for column in table.columns.values()
        if (copied := made.tables[name].columns[column.name]).sequence != column.sequence
    ]
    for number, (old, _) in enumerate(moves):
        yield f"ALTER SEQUENCE {quoted(old)} RENAME TO {quoted(f'identity_{number}')}"
    for number, (_, new) in enumerate(moves):
        yield f"ALTER SEQUENCE {quoted(f'identity_{number}')} RENAME TO {quoted(new)}"


def column_definition(column: Column, *, nullable: bool | None = None) -> str:
    """A column as in CREATE TABLE; `nullable` overrides the column's own."""
    parts = [quoted(column.name), column.type]
    if column.collation is not None:
        parts.append(f"COLLATE {quoted(column.collation)}")
    if column.generated is not None:
        parts.append(f"GENERATED ALWAYS AS ({column.generated}) STORED")
    elif column.identity is not None:
        parts.append(identity_clause(column))
    elif column.default is not None:
        parts.append(f"DEFAULT {column.default}")
    if not (column.nullable if nullable is None else nullable):
        parts.append("NOT NULL")
    return " ".join(parts)


def split_constraints(table: Table) -> tuple[list[Constraint], list[Constraint]]:
    """Those that are made with the table, and those that come later: foreign keys, and what is not to be checked."""
    inline = [item for item in table.constraints.values() if item.kind != "f" and not item.unchecked]
    return inline, [item for item in table.constraints.values() if item.kind == "f" or item.unchecked]


def settings_of_column(table: str, column: Column, old: Column | None = None) -> list[str]:
    """What is set on a column beside its definition, where it is different from before."""
    prefix = f"ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(column.name)}"
    before = old or Column(name=column.name, type=column.type)
    statements = []
    if column.storage != before.storage:
        statements.append(f"{prefix} SET STORAGE {column.storage or 'DEFAULT'}")
    if column.compression != before.compression:
        statements.append(f"{prefix} SET COMPRESSION {column.compression or 'DEFAULT'}")
    if column.statistics != before.statistics:
        statements.append(f"{prefix} SET STATISTICS {-1 if column.statistics is None else column.statistics}")
    return statements + change_options(prefix, before.settings, column.settings)


def change_options(prefix: str, old: Iterable[str], new: Iterable[str]) -> list[str]:
    """SET and RESET of storage parameters."""
    before, after = set(old), set(new)
    come = sorted(after - before)
    left = {item.partition("=")[0] for item in before} - {item.partition("=")[0] for item in after}
    statements = [f"{prefix} RESET ({', '.join(sorted(left))})"] if left else []
    return statements + ([f"{prefix} SET ({storage_parameters(come)})"] if come else [])


def replicate_by(table: Table) -> str:
    """ALTER TABLE … REPLICA IDENTITY."""
    return f"ALTER TABLE {quoted(table.name)} REPLICA IDENTITY {table.replica_identity or 'DEFAULT'}"


def constraint_definition(constraint: Constraint) -> str:
    """What stands behind the name of a constraint, the storage parameters of its index included."""
    if not constraint.options:
        return constraint.definition
    head, deferring = split_deferring(constraint.definition)
    return f"{head} WITH ({storage_parameters(constraint.options)}){deferring}"


def split_deferring(definition: str) -> tuple[str, str]:
    """The definition of a constraint, and when it is checked."""
    found = _DEFERRING.search(definition)
    return (definition, "") if found is None else (definition[: found.start()], found.group())


def create_table(table: Table, constraints: Iterable[Constraint]) -> str:
    """CREATE TABLE with these constraints inside."""
    lines = [column_definition(column) for column in table.columns.values()]
    lines += [f"CONSTRAINT {quoted(item.name)} {constraint_definition(item)}" for item in constraints]
    sql = (
        f"CREATE {'UNLOGGED ' if table.unlogged else ''}TABLE {quoted(table.name)} (\n  " + ",\n  ".join(lines) + "\n)"
    )
    if table.partition_by is not None:
        sql += f" PARTITION BY {table.partition_by}"
    if table.options:
        sql += f" WITH ({storage_parameters(table.options)})"
    return sql


def create_partition(partition: Partition, constraints: Iterable[Constraint] = ()) -> str:
    """CREATE TABLE … PARTITION OF with these constraints of its own inside."""
    kind = "UNLOGGED TABLE" if partition.unlogged else "TABLE"
    sql = f"CREATE {kind} {quoted(partition.name)} PARTITION OF {quoted(partition.parent)}"
    lines = [f"CONSTRAINT {quoted(item.name)} {constraint_definition(item)}" for item in constraints]
    if lines:
        sql += " (" + ", ".join(lines) + ")"
    sql += f" {partition.bound}"
    if partition.partition_by is not None:
        sql += f" PARTITION BY {partition.partition_by}"
    if partition.options:
        sql += f" WITH ({storage_parameters(partition.options)})"
    return sql


def create_index(index: Index, table: str, *, concurrently: bool = False) -> str:
    """CREATE INDEX."""
    kind = ("UNIQUE " if index.unique else "") + "INDEX" + (" CONCURRENTLY" if concurrently else "")
    return f"CREATE {kind} {quoted(index.name)} ON {quoted(table)} {index.definition}"


def make_index(index: Index, table: str, *, concurrently: bool = False) -> list[str]:
    """CREATE INDEX and what is set on it afterwards, its comment aside."""
    return [create_index(index, table, concurrently=concurrently), *index_statistics(index)]


def index_statistics(index: Index, old: Index | None = None) -> list[str]:
    """The statistics targets of an index's expressions, where they are different from before."""
    before = dict(item.split("=") for item in old.statistics) if old else {}
    after = dict(item.split("=") for item in index.statistics)
    return [
        f"ALTER INDEX {quoted(index.name)} ALTER COLUMN {number} SET STATISTICS {after.get(number, '-1')}"
        for number in sorted({*before, *after})
        if before.get(number) != after.get(number)
    ]


def add_constraint(table: str, constraint: Constraint, *, validated: bool = True) -> str:
    """ALTER TABLE … ADD CONSTRAINT."""
    tail = "" if validated or constraint.unchecked else " NOT VALID"
    definition = constraint_definition(constraint).strip()
    return f"ALTER TABLE {quoted(table)} ADD CONSTRAINT {quoted(constraint.name)} {definition}{tail}"


def create_view(view: View) -> Iterator[str]:
    """CREATE VIEW with its options, indexes and comments; a materialized one is made empty."""
    kind = kind_of(view).upper()
    yield view_statement(view)
    for index in view.indexes.values():
        yield from make_index(index, view.name)
        if index.comment is not None:
            yield comment_on(f"INDEX {quoted(index.name)}", index.comment)
    if view.comment is not None:
        yield comment_on(f"{kind} {quoted(view.name)}", view.comment)
    for name, column in view.columns.items():
        yield from view_column(view, ViewColumn(name=name), column)


def view_statement(view: View, *, replacing: bool = False) -> str:
    """CREATE VIEW alone, or the form that keeps what is said about one and what reads it."""
    options = f" WITH ({', '.join(normal_options(view.options))})" if view.options else ""
    verb = "CREATE OR REPLACE" if replacing else "CREATE"
    tail = "\nWITH NO DATA" if view.materialized else ""
    return f"{verb} {kind_of(view).upper()} {quoted(view.name)}{options} AS\n{view.query.strip().rstrip(';')}{tail}"


def view_column(view: View, old: ViewColumn, new: ViewColumn) -> Iterator[str]:
    """The statements that make what is said about a column of a view something else."""
    prefix = f"ALTER {kind_of(view).upper()} {quoted(view.name)} ALTER COLUMN {quoted(new.name)}"
    if old.default != new.default:
        yield f"{prefix} DROP DEFAULT" if new.default is None else f"{prefix} SET DEFAULT {new.default}"
    if old.statistics != new.statistics:
        yield f"{prefix} SET STATISTICS {-1 if new.statistics is None else new.statistics}"
    if old.comment != new.comment:
        yield comment_on(f"COLUMN {quoted(view.name)}.{quoted(new.name)}", new.comment)


def kind_of(view: View) -> str:
    """`view` or `materialized view`."""
    return "materialized view" if view.materialized else "view"


def ordered_views(views: Iterable[View]) -> list[View]:
    """Views after those they read; what reads what is known from the catalog, or guessed from the text.

    A name in a text may be that of a column. Where such guesses contradict each other, only names where relations
    stand count.
    """
    by_name = {view.name: view for view in views}
    for means in (mentions, reads):
        graph: dict[str, set[str]] = {
            name: {
                other
                for other in by_name
                if other != name and (other in view.depends if view.depends else means(view.query, other))
            }
            for name, view in by_name.items()
        }
        if has_order(graph):
            break
    return [by_name[name] for name in sorted_by(graph)]


def ordered_domains(schema: Schema) -> list[DomainType]:
    """Domains after those they are based on."""
    graph = {
        name: {other for other in schema.domains if other != name and mentions(domain.type, other)}
        for name, domain in schema.domains.items()
    }
    return [schema.domains[name] for name in sorted_by(graph)]


def ordered_types(schema: Schema) -> list[MadeType]:
    """Domains, composite types and ranges after those they are made of."""
    by_name: dict[str, MadeType] = {**schema.domains, **schema.composites, **schema.ranges}
    graph = {
        name: {other for other in by_name if other != name and any(mentions(text, other) for text in types_in(item))}
        for name, item in by_name.items()
    }
    return [by_name[name] for name in sorted_by(graph)]


def types_in(item: MadeType) -> list[str]:
    """The types that one is made of."""
    if isinstance(item, DomainType):
        return [item.type]
    return [item.subtype] if isinstance(item, RangeType) else [part.type for part in item.attributes.values()]


def ordered_partitions(schema: Schema) -> list[Partition]:
    """Partitions after what they are parts of."""
    graph = {name: {part.parent} & set(schema.partitions) for name, part in schema.partitions.items()}
    return [schema.partitions[name] for name in sorted_by(graph)]


def has_order(graph: dict[str, set[str]]) -> bool:
    """Whether nothing needs itself in the end."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return False
    return True


def sorted_by(graph: dict[str, set[str]]) -> list[str]:
    """Names after those they need; as given where there is a circle, which PostgreSQL will then refuse."""
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:
        return list(graph)
