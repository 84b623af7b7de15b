"""Partitioned tables of the target format and their parts."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from dataforge.contexts.schemas.designs.domain.constraints import read_constraints, read_primary_key
from dataforge.contexts.schemas.designs.domain.draft import Draft, options_of
from dataforge.contexts.schemas.designs.domain.expressions import check_bound
from dataforge.contexts.schemas.designs.domain.indexes import KEY, all_known, read_indexes, read_key
from dataforge.contexts.schemas.designs.domain.model import Partition, Table
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.designs.domain.reading import Node
from dataforge.kernel.texts import Text

_MEMBERS = (
    "id name previousName bound partitionBy partitions primaryKey uniques checks exclusions indexes comment options "
    "unlogged"
)
_PARTITION = frozenset(_MEMBERS.split())


def read_partition_key(node: Node, columns: Collection[str]) -> str | None:
    """How a table is partitioned, as SQL."""
    given = node.child("partitionBy", {"strategy", "keys", "columns"})
    if given is None:
        return None
    strategy = given.choice("strategy", {"range": "RANGE", "list": "LIST", "hash": "HASH"})
    keys = [
        quoted(name) for name in given.names("columns") if all_known(given, "columns", (name,), columns, "the table")
    ]
    keys += [key for child in given.children("keys", KEY) if (key := read_key(child, columns, "the table"))]
    if not strategy or not keys:
        given.refuse("keys", Text("a partitioned table needs a strategy and keys"), "required")
        return None
    return f"{strategy} ({', '.join(keys)})"


def read_partitions(node: Node, draft: Draft, table: Table, parent: str | None = None) -> list[Partition]:
    """The parts of a table, and theirs."""
    found = []
    for child in node.children("partitions", _PARTITION):
        name, bound = child.name(), child.sql("bound", check_bound, "bound")
        if not child.has("bound"):
            child.refuse("bound", Text("must be DEFAULT or FOR VALUES with literals"), "required")
        if name is None or bound is None or not draft.claim(child, "relation", name):
            continue
        draft.identify(child, "partition", name)
        draft.places[f"partition {name}"] = child.at
        constraints = read_primary_key(child, name, [], table.columns)
        constraints += read_constraints(child, draft, name, table.columns, {item.name for item in constraints})
        for item in constraints:
            if item.kind in "pux":
                draft.claim(child, "relation", item.name)
        found.append(
            Partition(
                name=name,
                parent=parent or table.name,
                bound=bound,
                partition_by=read_partition_key(child, table.columns),
                constraints={item.name: item for item in constraints},
                indexes={item.name: item for item in read_indexes(child, draft, name, table.columns)},
                comment=child.text("comment"),
                options=options_of(child),
                unlogged=child.flag("unlogged"),
            )
        )
        found += read_partitions(child, draft, table, name)
    return found


def owners_of(partitions: Mapping[str, Partition], tables: Mapping[str, Table]) -> dict[str, Table]:
    """The parts as tables with the columns of the table that they are parts of, for what refers to them."""
    found: dict[str, Table] = {}
    for name, part in partitions.items():
        root = part.parent
        while root in partitions:
            root = partitions[root].parent
        found[name] = replace(part.own, columns=tables[root].columns)
    return found
