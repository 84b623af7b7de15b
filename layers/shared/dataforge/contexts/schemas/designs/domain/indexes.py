"""Indexes of the target format and their keys."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from dataforge.contexts.schemas.designs.domain.draft import Draft
from dataforge.contexts.schemas.designs.domain.model import Index
from dataforge.contexts.schemas.designs.domain.names import generated_name, quoted, quoted_list
from dataforge.contexts.schemas.designs.domain.reading import Node

_INDEX_MEMBERS = "id name method unique columns keys include where nullsDistinct comment"
_INDEX = frozenset(_INDEX_MEMBERS.split())
_KEY_MEMBERS = "column expr order nulls opclass collation"
KEY = frozenset(_KEY_MEMBERS.split())
METHODS = {name: name for name in ("btree", "hash", "gin", "gist", "brin", "spgist")}


def all_known(node: Node, key: str, names: Iterable[str], columns: Collection[str] | None, table: str) -> bool:
    """Whether a table has all these columns (None: they are not known); refuses the member otherwise."""
    for name in names:
        if columns is not None and name not in columns:
            near = get_close_matches(name, list(columns), n=1)
            meant = f', did you mean "{near[0]}"?' if near else ""
            node.refuse(key, f'"{name}" is not a column of {table}{meant}', "unknown_reference")
            return False
    return True


def read_indexes(node: Node, draft: Draft, table: str, columns: Collection[str] | None) -> list[Index]:
    """The indexes of a table or materialized view; `columns` is None where they are not known."""
    found = []
    for child in node.children("indexes", _INDEX):
        names = child.names("columns") if child.has("columns") else ()
        keys = [quoted(name) for name in names if all_known(child, "columns", (name,), columns, table)]
        parts = list(names)
        for key_node in child.children("keys", KEY):
            key = read_key(key_node, columns, table)
            if key is not None:
                keys.append(key)
                parts.append(str(key_node.value.get("column") or "expr"))
        if not keys:
            child.refuse("keys", "must have at least one key", "required")
            continue
        name = child.name(required=False)
        if name is None:
            name = generated_name(table, *parts, "idx", taken=draft.taken["relation"])
        draft.claim(child, "relation", name)
        draft.places[f"index {name}"] = child.at
        definition = f"USING {child.choice('method', METHODS, 'btree')} ({', '.join(keys)})"
        include, where = child.names("include"), child.expression("where")
        if include and all_known(child, "include", include, columns, table):
            definition += f" INCLUDE ({quoted_list(include)})"
        if not child.flag("nullsDistinct", default=True):
            definition += " NULLS NOT DISTINCT"
        if where:
            definition += f" WHERE ({where})"
        unique = child.flag("unique")
        found.append(Index(name=name, unique=unique, definition=definition, comment=child.text("comment")))
    return found


def read_key(node: Node, columns: Collection[str] | None, table: str) -> str | None:
    """One key of an index, an exclusion or a partitioning, as SQL."""
    if node.has("column") == node.has("expr"):
        node.problems.add(node.at, 'must have either "column" or "expr"', "required")
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
    if opclass := node.name("opclass", required=False):
        key += f" {quoted(opclass)}"
    key += node.choice("order", {"asc": "", "desc": " DESC"} | {"asc": " ASC"})
    return key + node.choice("nulls", {"first": " NULLS FIRST", "last": " NULLS LAST"})
