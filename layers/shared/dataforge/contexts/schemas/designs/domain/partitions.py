"""Partitioned tables of the target format and their parts."""

from collections.abc import Collection

from dataforge.contexts.schemas.designs.domain.draft import Draft
from dataforge.contexts.schemas.designs.domain.expressions import check_bound
from dataforge.contexts.schemas.designs.domain.indexes import KEY, all_known, read_key
from dataforge.contexts.schemas.designs.domain.model import Partition
from dataforge.contexts.schemas.designs.domain.names import quoted, quoted_list
from dataforge.contexts.schemas.designs.domain.reading import Node


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
        given.refuse("keys", "a partitioned table needs a strategy and keys", "required")
        return None
    return f"{strategy} ({', '.join(keys)})"


def read_partitions(node: Node, draft: Draft, parent: str) -> list[Partition]:
    """The parts of a table, and theirs."""
    found = []
    for child in node.children("partitions", {"id", "name", "bound", "partitionBy", "partitions"}):
        name, bound = child.name(), child.sql("bound", check_bound, "bound")
        if not child.has("bound"):
            child.refuse("bound", "must be DEFAULT or FOR VALUES with literals", "required")
        if name is None or bound is None or not draft.claim(child, "relation", name):
            continue
        draft.places[f"partition {name}"] = child.at
        by = None
        if (given := child.child("partitionBy", {"strategy", "columns"})) is not None:
            strategy = given.choice("strategy", {"range": "RANGE", "list": "LIST", "hash": "HASH"}, "RANGE")
            by = f"{strategy} ({quoted_list(given.names('columns'))})"
        found.append(Partition(name=name, parent=parent, bound=bound, partition_by=by))
        found += read_partitions(child, draft, name)
    return found
