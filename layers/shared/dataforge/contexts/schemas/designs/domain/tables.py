"""Tables of the target format with everything in them."""

from dataclasses import replace

from dataforge.contexts.schemas.designs.domain.columns import COLUMN, read_column
from dataforge.contexts.schemas.designs.domain.constraints import (
    RELATIONSHIP,
    read_constraints,
    read_primary_key,
    read_relationship,
    unique_of,
)
from dataforge.contexts.schemas.designs.domain.draft import Draft, options_of
from dataforge.contexts.schemas.designs.domain.indexes import read_indexes
from dataforge.contexts.schemas.designs.domain.model import Column, Constraint, Partition, Table
from dataforge.contexts.schemas.designs.domain.names import generated_name, quoted
from dataforge.contexts.schemas.designs.domain.partitions import owners_of, read_partition_key, read_partitions
from dataforge.contexts.schemas.designs.domain.reading import Node

MAX_TABLES = 2_000
MAX_COLUMNS = 1_600  # PostgreSQL's own (MaxHeapAttributeNumber)
_TABLE_MEMBERS = (
    "id name previousName columns primaryKey uniques checks exclusions indexes comment options unlogged "
    "partitionBy partitions replicaIdentity"
)
_TABLE = frozenset(_TABLE_MEMBERS.split())


def read_tables(top: Node, draft: Draft) -> tuple[dict[str, Table], dict[str, Partition]]:
    """The tables and partitions of a document."""
    tables: dict[str, Table] = {}
    partitions: dict[str, Partition] = {}
    ids: dict[str, str] = {}
    for node in top.children("tables", _TABLE, most=MAX_TABLES):
        table = _table(node, draft)
        if table is None:
            continue
        tables[table.name] = table
        if node.has("id"):
            ids[str(node.value["id"])] = table.name
        partitions |= {item.name: item for item in read_partitions(node, draft, table)}
    owners = {**tables, **owners_of(partitions, tables)}
    foreign: dict[str, dict[str, Constraint]] = {}
    for node in top.children("relationships", RELATIONSHIP):
        found = read_relationship(node, draft, owners, ids)
        if found is not None:
            table_name, constraint = found
            foreign.setdefault(table_name, {})[constraint.name] = constraint
    for name, constraints in foreign.items():
        if name in tables:
            tables[name] = replace(tables[name], constraints={**tables[name].constraints, **constraints})
        else:
            partitions[name] = replace(partitions[name], constraints={**partitions[name].constraints, **constraints})
    return tables, partitions


def _table(node: Node, draft: Draft) -> Table | None:
    name = node.name()
    if name is None or not draft.claim(node, "relation", name):
        return None
    draft.identify(node, "table", name)
    draft.places[f"table {name}"] = node.at
    columns: dict[str, Column] = {}
    keys: list[str] = []
    constraints: list[Constraint] = []
    taken: set[str] = set()
    for child in node.children("columns", COLUMN, most=MAX_COLUMNS):
        column = read_column(child, draft, name)
        if column is None:
            continue
        if column.name in columns:
            child.refuse("name", f'"{column.name}" is already a column of {name}', "duplicate")
            continue
        columns[column.name] = column
        if child.flag("primaryKey"):
            keys.append(column.name)
        if child.flag("unique"):
            constraints.append(unique_of(generated_name(name, column.name, "key", taken=taken), (column.name,)))
            taken.add(constraints[-1].name)
    constraints = [*read_primary_key(node, name, keys, columns), *constraints]
    taken |= {item.name for item in constraints}
    constraints += read_constraints(node, draft, name, columns, taken)
    for item in constraints:
        if item.kind in "pux":
            draft.claim(node, "relation", item.name)
    indexes = read_indexes(node, draft, name, columns)
    for key in {key for item in constraints if item.kind == "p" for key in item.columns}:
        columns[key] = replace(columns[key], nullable=False)
    return Table(
        name=name,
        columns=columns,
        constraints={item.name: item for item in constraints},
        indexes={item.name: item for item in indexes},
        comment=node.text("comment"),
        options=options_of(node),
        unlogged=node.flag("unlogged"),
        partition_by=read_partition_key(node, columns),
        replica_identity=_replica_identity(node),
    )


def _replica_identity(node: Node) -> str | None:
    """What replication tells rows apart by; None is the primary key."""
    given = node.value.get("replicaIdentity")
    if isinstance(given, dict):
        inner = node.child("replicaIdentity", {"index"})
        name = inner.name("index") if inner else None
        return None if name is None else f"USING INDEX {quoted(name)}"
    return node.choice("replicaIdentity", {"full": "FULL", "nothing": "NOTHING"}) or None
