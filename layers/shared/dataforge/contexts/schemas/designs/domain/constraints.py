"""Primary keys, uniques, checks, exclusions and relationships of the target format."""

from collections.abc import Collection, Mapping

from dataforge.contexts.schemas.designs.domain.draft import Draft, options_of
from dataforge.contexts.schemas.designs.domain.expressions import check_definition
from dataforge.contexts.schemas.designs.domain.indexes import KEY, METHODS, all_known, read_key
from dataforge.contexts.schemas.designs.domain.model import Column, Constraint, Table
from dataforge.contexts.schemas.designs.domain.names import generated_name, quoted, quoted_list
from dataforge.contexts.schemas.designs.domain.reading import Node
from dataforge.kernel.texts import Text

_UNIQUE_MEMBERS = "id name columns nullsDistinct deferrable initiallyDeferred comment include options"
_UNIQUE = frozenset(_UNIQUE_MEMBERS.split())
_KEY_MEMBERS = frozenset({"id", "name", "columns", "comment", "include", "deferrable", "initiallyDeferred", "options"})
_CHECK = frozenset({"id", "name", "expr", "noInherit", "notValid", "comment"})
_EXCLUSION_MEMBERS = "id name method elements where deferrable initiallyDeferred comment definition"
_EXCLUSION = frozenset(_EXCLUSION_MEMBERS.split())
_RELATIONSHIP_MEMBERS = (
    "id name fk references onDelete onUpdate onDeleteColumns match deferrable initiallyDeferred notValid comment"
)
RELATIONSHIP = frozenset(_RELATIONSHIP_MEMBERS.split())
_END = frozenset({"table", "column", "columns"})
_ACTIONS = {
    name: action
    for action in ("NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT")
    for name in (action.lower(), action.lower().replace(" ", "_"), action.title().replace(" ", ""), action)
}


def read_primary_key(node: Node, table: str, keys: list[str], columns: Mapping[str, Column]) -> list[Constraint]:
    """The primary key of a table, none or one."""
    name, chosen = generated_name(table, "pkey"), tuple(keys)
    comment: str | None = None
    options: tuple[str, ...] = ()
    tail = ""
    if isinstance(node.value.get("primaryKey"), list):
        chosen = node.names("primaryKey")
    elif (given := node.child("primaryKey", _KEY_MEMBERS)) is not None:
        chosen, name = given.names("columns") or chosen, given.name(required=False) or name
        comment, options = given.text("comment"), options_of(given)
        tail = _including(given, columns, table) + _deferring(given)
    if not chosen or not all_known(node, "primaryKey", chosen, columns, table):
        return []
    definition = f"PRIMARY KEY ({quoted_list(chosen)}){tail}"
    return [Constraint(name=name, kind="p", definition=definition, columns=chosen, options=options, comment=comment)]


def unique_of(name: str, columns: tuple[str, ...]) -> Constraint:
    """A plain unique constraint of columns."""
    return Constraint(name=name, kind="u", definition=f"UNIQUE ({quoted_list(columns)})", columns=columns)


def _read_unique(node: Node, table: str, columns: Collection[str], taken: set[str]) -> list[Constraint]:
    chosen = node.names("columns")
    if not chosen:
        node.refuse("columns", Text("must name at least one column"), "required")
        return []
    if not all_known(node, "columns", chosen, columns, table):
        return []
    name = node.name(required=False) or generated_name(table, *chosen, "key", taken=taken)
    taken.add(name)
    nulls = "" if node.flag("nullsDistinct", default=True) else " NULLS NOT DISTINCT"
    definition = f"UNIQUE{nulls} ({quoted_list(chosen)}){_including(node, columns, table)}{_deferring(node)}"
    return [
        Constraint(
            name=name,
            kind="u",
            definition=definition,
            columns=chosen,
            options=options_of(node),
            comment=node.text("comment"),
        )
    ]


def _including(node: Node, columns: Collection[str], table: str) -> str:
    include = node.names("include")
    if not include or not all_known(node, "include", include, columns, table):
        return ""
    return f" INCLUDE ({quoted_list(include)})"


def _deferring(node: Node) -> str:
    deferred = node.flag("initiallyDeferred")
    if not deferred and not node.flag("deferrable"):
        return ""
    return " DEFERRABLE INITIALLY DEFERRED" if deferred else " DEFERRABLE"


def _unchecked(node: Node) -> str:
    return " NOT VALID" if node.flag("notValid") else ""


def read_checks(node: Node, draft: Draft, owner: str, taken: set[str]) -> list[Constraint]:
    """The checks of a table or domain."""
    found = []
    for child in node.children("checks", _CHECK):
        expression = child.expression("expr")
        if expression is None:
            if not child.has("expr"):
                child.refuse("expr", Text("must be an expression"), "required")
            continue
        name = child.name(required=False) or generated_name(owner, "check", taken=taken)
        if name in taken:
            child.refuse("name", Text('"{name}" is taken', name=name), "duplicate")
        taken.add(name)
        tail = (" NO INHERIT" if child.flag("noInherit") else "") + _unchecked(child)
        definition = f"CHECK ({expression}){tail}"
        draft.places[f"constraint {owner}.{name}"] = child.at
        found.append(Constraint(name=name, kind="c", definition=definition, comment=child.text("comment")))
    return found


def read_constraints(
    node: Node, draft: Draft, table: str, columns: Collection[str], taken: set[str]
) -> list[Constraint]:
    """The uniques, checks and exclusions of a table; their names are added to those that are taken."""
    uniques = [(child, _read_unique(child, table, columns, taken)) for child in node.children("uniques", _UNIQUE)]
    checks = read_checks(node, draft, table, taken)
    exclusions = [(child, _exclusion(child, table, taken)) for child in node.children("exclusions", _EXCLUSION)]
    for child, items in (*uniques, *exclusions):
        draft.places |= {f"constraint {table}.{item.name}": child.at for item in items}
    found = [item for _, items in uniques for item in items]
    return [*found, *checks, *(item for _, items in exclusions for item in items)]


def _exclusion(node: Node, table: str, taken: set[str]) -> list[Constraint]:
    if node.has("definition"):
        return _defined_exclusion(node, table, taken)
    elements = []
    for child in node.children("elements", KEY | {"operator"}):
        key = read_key(child, None, table)
        operator = child.text("operator", "=") or "="
        if not operator or set(operator) - set("+-*/<>=~!@#%^&|`?"):
            child.refuse("operator", Text('"{operator}" is not an operator', operator=operator), "operator")
            continue
        if key is not None:
            elements.append(f"{key} WITH {operator}")
    if not elements:
        node.refuse("elements", Text("must have at least one element"), "required")
        return []
    name = node.name(required=False) or generated_name(table, "excl", taken=taken)
    taken.add(name)
    where = node.expression("where")
    tail = (f" WHERE ({where})" if where else "") + _deferring(node)
    definition = f"EXCLUDE USING {node.choice('method', METHODS, 'gist')} ({', '.join(elements)}){tail}"
    return [Constraint(name=name, kind="x", definition=definition, comment=node.text("comment"))]


def _defined_exclusion(node: Node, table: str, taken: set[str]) -> list[Constraint]:
    """One that is given as PostgreSQL prints it."""
    definition = node.sql("definition", check_definition, "definition")
    if definition is None:
        return []
    name = node.name(required=False) or generated_name(table, "excl", taken=taken)
    taken.add(name)
    return [Constraint(name=name, kind="x", definition=definition, comment=node.text("comment"))]


def read_relationship(
    node: Node, draft: Draft, tables: Mapping[str, Table], ids: Mapping[str, str]
) -> tuple[str, Constraint] | None:
    """A foreign key and the table that has it."""
    ends = []
    for key in ("fk", "references"):
        end = node.child(key, _END)
        if end is None:
            node.refuse(key, Text("must name a table and its columns"), "required")
            return None
        given = str(end.value.get("table", ""))
        table = tables.get(given) or tables.get(ids.get(given, ""))
        if table is None:
            end.refuse("table", Text('there is no table "{given}" in this schema', given=given), "unknown_reference")
            return None
        columns = end.names("columns") if end.has("columns") else tuple(filter(None, (end.name("column"),)))
        if not columns or not all_known(
            end, "columns" if end.has("columns") else "column", columns, table.columns, table.name
        ):
            return None
        ends.append((table.name, columns))
    (table_name, columns), (other, other_columns) = ends
    if len(columns) != len(other_columns):
        node.refuse("references", Text("must name as many columns as fk"), "columns")
        return None
    taken = {*draft.taken.get(f"constraint of {table_name}", ()), *tables[table_name].constraints}
    name = node.name(required=False) or generated_name(table_name, *columns, "fkey", taken=taken)
    draft.claim(node, f"constraint of {table_name}", name)
    draft.places[f"constraint {table_name}.{name}"] = node.at
    definition = f"FOREIGN KEY ({quoted_list(columns)}) REFERENCES {quoted(other)} ({quoted_list(other_columns)})"
    definition += node.choice("match", {"full": " MATCH FULL", "simple": " "}).rstrip()
    if action := node.choice("onUpdate", _ACTIONS):
        definition += f" ON UPDATE {action}"
    if action := node.choice("onDelete", _ACTIONS):
        definition += f" ON DELETE {action}"
        some = node.names("onDeleteColumns")
        definition += f" ({quoted_list(some)})" if some else ""
    definition += _deferring(node) + _unchecked(node)
    return table_name, Constraint(
        name=name,
        kind="f",
        definition=definition,
        columns=columns,
        references=other,
        reference_columns=other_columns,
        comment=node.text("comment"),
    )
