"""Indexes of the target format and their keys."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from dataforge.contexts.schemas.designs.domain.draft import Draft, options_of
from dataforge.contexts.schemas.designs.domain.model import Index
from dataforge.contexts.schemas.designs.domain.names import generated_name, quoted, quoted_list, storage_parameters
from dataforge.contexts.schemas.designs.domain.reading import Node
from dataforge.kernel.texts import Text

_INDEX_MEMBERS = "id name method unique columns keys include where nullsDistinct options comment"
_INDEX = frozenset(_INDEX_MEMBERS.split())
_KEY_MEMBERS = "column expr order nulls opclass opclassOptions collation"
KEY = frozenset(_KEY_MEMBERS.split())
METHODS = {name: name for name in ("btree", "hash", "gin", "gist", "brin", "spgist")}


def all_known(node: Node, key: str, names: Iterable[str], columns: Collection[str] | None, table: str) -> bool:
    """Whether a table has all these columns (None: they are not known); refuses the member otherwise."""
    for name in names:
        if columns is not None and name not in columns:
            near = get_close_matches(name, list(columns), n=1)
            meant = f', did you mean "{near[0]}"?' if near else ""
            node.refuse(
                key,
                Text('"{name}" is not a column of {table}{meant}', name=name, table=table, meant=meant),
                "unknown_reference",
            )
            return False
    return True


def read_indexes(node: Node, draft: Draft, table: str, columns: Collection[str] | None) -> list[Index]:
    """The indexes of a table or materialized view; `columns` is None where they are not known."""
    found = []
    for child in node.children("indexes", _INDEX):
        index = _index(child, draft, table, columns)
        if index is not None:
            found.append(index)
    return found


def _index(node: Node, draft: Draft, table: str, columns: Collection[str] | None) -> Index | None:
    names = node.names("columns") if node.has("columns") else ()
    keys = [quoted(name) for name in names if all_known(node, "columns", (name,), columns, table)]
    parts = list(names)
    statistics = []
    for key_node in node.children("keys", KEY | {"statistics"}):
        key = read_key(key_node, columns, table)
        if key is not None:
            keys.append(key)
            parts.append(str(key_node.value.get("column") or "expr"))
            target = key_node.number("statistics", least=0, most=10_000)
            statistics += [] if target is None else [f"{len(keys)}={target}"]
    if not keys and not (node.value.get("columns") or node.value.get("keys")):
        node.refuse("keys", Text("must have at least one key"), "required")
    if not keys:
        return None
    name = node.name(required=False)
    if name is None:
        name = generated_name(table, *parts, "idx", taken=draft.taken["relation"])
    draft.claim(node, "relation", name)
    draft.places[f"index {name}"] = node.at
    definition = f"USING {node.choice('method', METHODS, 'btree')} ({', '.join(keys)})"
    include, where, options = node.names("include"), node.expression("where"), options_of(node)
    if include and all_known(node, "include", include, columns, table):
        definition += f" INCLUDE ({quoted_list(include)})"
    if not node.flag("nullsDistinct", default=True):
        definition += " NULLS NOT DISTINCT"
    storage = f" WITH ({storage_parameters(options)})" if options else ""
    condition = f" WHERE ({where})" if where else ""
    return Index(
        name=name,
        unique=node.flag("unique"),
        definition=definition + storage + condition,
        bare=definition + condition,
        comment=node.text("comment"),
        options=options,
        statistics=tuple(statistics),
    )


def read_key(node: Node, columns: Collection[str] | None, table: str) -> str | None:
    """One key of an index, an exclusion or a partitioning, as SQL."""
    if node.has("column") == node.has("expr"):
        node.problems.add(node.at, Text('must have either "column" or "expr"'), "required")
        return None
    if node.has("column"):
        name = node.name("column")
        if name is None or not all_known(node, "column", (name,), columns, table):
            return None
        key = quoted(name)
    else:
        expression = node.expression("expr")
        if expression is None:
            return None
        key = f"({expression})"
    if collation := node.name("collation", required=False):
        key += f" COLLATE {quoted(collation)}"
    options = options_of(node, "opclassOptions")
    if opclass := node.name("opclass", required=False):
        key += f" {quoted(opclass)}" + (f" ({storage_parameters(options)})" if options else "")
    elif options:
        node.refuse("opclassOptions", Text("need an opclass"), "required")
    key += node.choice("order", {"asc": "", "desc": " DESC"} | {"asc": " ASC"})
    return key + node.choice("nulls", {"first": " NULLS FIRST", "last": " NULLS LAST"})
