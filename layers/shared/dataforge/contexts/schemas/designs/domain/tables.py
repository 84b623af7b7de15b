"""Tables of the target format: columns, keys, checks, indexes, relationships and partitions."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches

from dataforge.contexts.schemas.designs.domain.draft import COUNTING, Draft, default_of, options_of, read_counter
from dataforge.contexts.schemas.designs.domain.expressions import check_bound, check_definition
from dataforge.contexts.schemas.designs.domain.model import Column, Constraint, Counter, Index, Partition, Table
from dataforge.contexts.schemas.designs.domain.names import generated_name, quoted, quoted_list
from dataforge.contexts.schemas.designs.domain.reading import Node

MAX_TABLES = 2_000
MAX_COLUMNS = 1_600  # PostgreSQL's own (MaxHeapAttributeNumber)
_TABLE_MEMBERS = (
    "id name previousName columns primaryKey uniques checks exclusions indexes comment options unlogged "
    "partitionBy partitions"
)
_TABLE = frozenset(_TABLE_MEMBERS.split())
_COLUMN_MEMBERS = (
    "id name previousName dataType primaryKey nullable unique default identity generated collation comment using "
    "backfill"
)
_COLUMN = frozenset(_COLUMN_MEMBERS.split())
_UNIQUE_MEMBERS = "id name columns nullsDistinct deferrable initiallyDeferred comment include"
_UNIQUE = frozenset(_UNIQUE_MEMBERS.split())
_CHECK = frozenset({"id", "name", "expr", "noInherit", "comment"})
_EXCLUSION_MEMBERS = "id name method elements where deferrable initiallyDeferred comment definition"
_EXCLUSION = frozenset(_EXCLUSION_MEMBERS.split())
_INDEX_MEMBERS = "id name method unique columns keys include where nullsDistinct comment"
_INDEX = frozenset(_INDEX_MEMBERS.split())
_KEY_MEMBERS = "column expr order nulls opclass collation"
_KEY = frozenset(_KEY_MEMBERS.split())
_RELATIONSHIP_MEMBERS = (
    "id name fk references onDelete onUpdate onDeleteColumns match deferrable initiallyDeferred comment"
)
_RELATIONSHIP = frozenset(_RELATIONSHIP_MEMBERS.split())
_END = frozenset({"table", "column", "columns"})
_ACTIONS = {
    name: action
    for action in ("NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT")
    for name in (action.lower(), action.lower().replace(" ", "_"), action.title().replace(" ", ""), action)
}
_METHODS = {name: name for name in ("btree", "hash", "gin", "gist", "brin", "spgist")}


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
        partitions |= {item.name: item for item in _partitions(node, draft, table.name)}
    foreign: dict[str, dict[str, Constraint]] = {}
    for node in top.children("relationships", _RELATIONSHIP):
        found = _relationship(node, draft, tables, ids)
        if found is not None:
            table_name, constraint = found
            foreign.setdefault(table_name, {})[constraint.name] = constraint
    for name, constraints in foreign.items():
        own = tables[name]
        tables[name] = replace(own, constraints={**own.constraints, **constraints})
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
    for child in node.children("columns", _COLUMN, most=MAX_COLUMNS):
        column = _column(child, draft, name)
        if column is None:
            continue
        if column.name in columns:
            child.refuse("name", f'"{column.name}" is already a column of {name}', "duplicate")
            continue
        columns[column.name] = column
        if child.flag("primaryKey"):
            keys.append(column.name)
        if child.flag("unique"):
            constraints.append(_unique(generated_name(name, column.name, "key", taken=taken), (column.name,)))
            taken.add(constraints[-1].name)
    constraints = [*_primary_key(node, name, keys, columns), *constraints]
    taken |= {item.name for item in constraints}
    for child in node.children("uniques", _UNIQUE):
        constraints += _read_unique(child, name, columns, taken)
    constraints += read_checks(node, draft, name, taken)
    constraints += [
        item for child in node.children("exclusions", _EXCLUSION) for item in _exclusion(child, name, taken)
    ]
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
        partition_by=_partition_by(node, columns),
    )


def _column(node: Node, draft: Draft, table: str) -> Column | None:
    name = node.name()
    if name is None:
        return None
    draft.identify(node, "column", name, (table,))
    draft.places[f"column {table}.{name}"] = node.at
    sql, user_type, serial = node.type("dataType", draft.own)
    identity, counter = _identity(node)
    if serial and identity is None:
        identity = "BY DEFAULT"
    generated = _generated(node)
    default = default_of(node)
    if sum(part is not None for part in (identity, generated, default)) > 1:
        node.refuse("default", "a column has one of default, identity and generated", "default")
    for key, kept in (("using", draft.using), ("backfill", draft.backfill)):
        expression = node.expression(key)
        if expression is not None:
            kept[table, name] = expression
    return Column(
        name=name,
        type=sql,
        nullable=node.flag("nullable", default=True) and identity is None and not node.flag("primaryKey"),
        default=default,
        identity=identity,
        counter=counter,
        generated=generated,
        collation=node.name("collation", required=False),
        comment=node.text("comment"),
        user_type=user_type,
    )


def _identity(node: Node) -> tuple[str | None, Counter]:
    value = node.value.get("identity")
    if value in (None, False):
        return None, Counter()
    if value is True:
        return "BY DEFAULT", Counter()
    if isinstance(value, str):
        value = {"kind": value}
    inner = Node(value, f"{node.at}/identity", node.problems, {"kind", *COUNTING})
    choices = {"always": "ALWAYS", "bydefault": "BY DEFAULT", "by default": "BY DEFAULT", "byDefault": "BY DEFAULT"}
    return inner.choice("kind", choices, "BY DEFAULT"), read_counter(inner)


def _generated(node: Node) -> str | None:
    if not node.has("generated"):
        return None
    if isinstance(node.value["generated"], str):
        return node.expression("generated")
    inner = node.child("generated", {"expr"})
    return inner.expression("expr") if inner else None


def _known(node: Node, key: str, names: Iterable[str], columns: Collection[str] | None, table: str) -> bool:
    for name in names:
        if columns is not None and name not in columns:
            near = get_close_matches(name, list(columns), n=1)
            meant = f', did you mean "{near[0]}"?' if near else ""
            node.refuse(key, f'"{name}" is not a column of {table}{meant}', "unknown_reference")
            return False
    return True


def _primary_key(node: Node, table: str, keys: list[str], columns: Mapping[str, Column]) -> list[Constraint]:
    name, chosen = generated_name(table, "pkey"), tuple(keys)
    comment: str | None = None
    include: tuple[str, ...] = ()
    if isinstance(node.value.get("primaryKey"), list):
        chosen = node.names("primaryKey")
    elif (given := node.child("primaryKey", {"name", "columns", "comment", "include", "id"})) is not None:
        chosen, name = given.names("columns") or chosen, given.name(required=False) or name
        comment, include = given.text("comment"), given.names("include")
    if not chosen or not _known(node, "primaryKey", chosen, columns, table):
        return []
    tail = f" INCLUDE ({quoted_list(include)})" if include else ""
    definition = f"PRIMARY KEY ({quoted_list(chosen)}){tail}"
    return [Constraint(name=name, kind="p", definition=definition, columns=chosen, comment=comment)]


def _unique(
    name: str, columns: tuple[str, ...], *, distinct: bool = True, tail: str = "", comment: str | None = None
) -> Constraint:
    nulls = "" if distinct else " NULLS NOT DISTINCT"
    definition = f"UNIQUE{nulls} ({quoted_list(columns)}){tail}"
    return Constraint(name=name, kind="u", definition=definition, columns=columns, comment=comment)


def _read_unique(node: Node, table: str, columns: Collection[str], taken: set[str]) -> list[Constraint]:
    chosen = node.names("columns")
    if not chosen:
        node.refuse("columns", "must name at least one column", "required")
        return []
    if not _known(node, "columns", chosen, columns, table):
        return []
    name = node.name(required=False) or generated_name(table, *chosen, "key", taken=taken)
    taken.add(name)
    include = node.names("include")
    tail = (f" INCLUDE ({quoted_list(include)})" if include else "") + _deferring(node)
    distinct = node.flag("nullsDistinct", default=True)
    return [_unique(name, chosen, distinct=distinct, tail=tail, comment=node.text("comment"))]


def _deferring(node: Node) -> str:
    deferred = node.flag("initiallyDeferred")
    if not deferred and not node.flag("deferrable"):
        return ""
    return " DEFERRABLE INITIALLY DEFERRED" if deferred else " DEFERRABLE"


def read_checks(node: Node, draft: Draft, owner: str, taken: set[str]) -> list[Constraint]:
    """The checks of a table or domain."""
    found = []
    for child in node.children("checks", _CHECK):
        expression = child.expression("expr")
        if expression is None:
            if not child.has("expr"):
                child.refuse("expr", "must be an expression", "required")
            continue
        name = child.name(required=False) or generated_name(owner, "check", taken=taken)
        if name in taken:
            child.refuse("name", f'"{name}" is taken', "duplicate")
        taken.add(name)
        tail = " NO INHERIT" if child.flag("noInherit") else ""
        definition = f"CHECK ({expression}){tail}"
        draft.places[f"constraint {owner}.{name}"] = child.at
        found.append(Constraint(name=name, kind="c", definition=definition, comment=child.text("comment")))
    return found


def _exclusion(node: Node, table: str, taken: set[str]) -> list[Constraint]:
    if node.has("definition"):
        return _defined_exclusion(node, table, taken)
    elements = []
    for child in node.children("elements", _KEY | {"operator"}):
        key = _key(child, None, table)
        operator = child.text("operator", "=") or "="
        if not operator or set(operator) - set("+-*/<>=~!@#%^&|`?"):
            child.refuse("operator", f'"{operator}" is not an operator', "operator")
            continue
        if key is not None:
            elements.append(f"{key} WITH {operator}")
    if not elements:
        node.refuse("elements", "must have at least one element", "required")
        return []
    name = node.name(required=False) or generated_name(table, "excl", taken=taken)
    taken.add(name)
    where = node.expression("where")
    tail = (f" WHERE ({where})" if where else "") + _deferring(node)
    definition = f"EXCLUDE USING {node.choice('method', _METHODS, 'gist')} ({', '.join(elements)}){tail}"
    return [Constraint(name=name, kind="x", definition=definition, comment=node.text("comment"))]


def _defined_exclusion(node: Node, table: str, taken: set[str]) -> list[Constraint]:
    """One that is given as PostgreSQL prints it."""
    definition = node.sql("definition", check_definition, "definition")
    if definition is None:
        return []
    name = node.name(required=False) or generated_name(table, "excl", taken=taken)
    taken.add(name)
    return [Constraint(name=name, kind="x", definition=definition, comment=node.text("comment"))]


def read_indexes(node: Node, draft: Draft, table: str, columns: Collection[str] | None) -> list[Index]:
    """The indexes of a table or materialized view; `columns` is None where they are not known."""
    found = []
    for child in node.children("indexes", _INDEX):
        names = child.names("columns") if child.has("columns") else ()
        keys = [quoted(name) for name in names if _known(child, "columns", (name,), columns, table)]
        parts = list(names)
        for key_node in child.children("keys", _KEY):
            key = _key(key_node, columns, table)
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
        definition = f"USING {child.choice('method', _METHODS, 'btree')} ({', '.join(keys)})"
        include, where = child.names("include"), child.expression("where")
        if include and _known(child, "include", include, columns, table):
            definition += f" INCLUDE ({quoted_list(include)})"
        if not child.flag("nullsDistinct", default=True):
            definition += " NULLS NOT DISTINCT"
        if where:
            definition += f" WHERE ({where})"
        unique = child.flag("unique")
        found.append(Index(name=name, unique=unique, definition=definition, comment=child.text("comment")))
    return found


def _key(node: Node, columns: Collection[str] | None, table: str) -> str | None:
    if node.has("column") == node.has("expr"):
        node.problems.add(node.at, 'must have either "column" or "expr"', "required")
        return None
    if node.has("column"):
        name = node.name("column")
        if name is None or not _known(node, "column", (name,), columns, table):
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


def _partition_by(node: Node, columns: Collection[str]) -> str | None:
    given = node.child("partitionBy", {"strategy", "keys", "columns"})
    if given is None:
        return None
    strategy = given.choice("strategy", {"range": "RANGE", "list": "LIST", "hash": "HASH"})
    keys = [quoted(name) for name in given.names("columns") if _known(given, "columns", (name,), columns, "the table")]
    keys += [key for child in given.children("keys", _KEY) if (key := _key(child, columns, "the table"))]
    if not strategy or not keys:
        given.refuse("keys", "a partitioned table needs a strategy and keys", "required")
        return None
    return f"{strategy} ({', '.join(keys)})"


def _partitions(node: Node, draft: Draft, parent: str) -> list[Partition]:
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
        found += _partitions(child, draft, name)
    return found


def _relationship(
    node: Node, draft: Draft, tables: Mapping[str, Table], ids: Mapping[str, str]
) -> tuple[str, Constraint] | None:
    ends = []
    for key in ("fk", "references"):
        end = node.child(key, _END)
        if end is None:
            node.refuse(key, "must name a table and its columns", "required")
            return None
        given = str(end.value.get("table", ""))
        table = tables.get(given) or tables.get(ids.get(given, ""))
        if table is None:
            end.refuse("table", f'there is no table "{given}" in this schema', "unknown_reference")
            return None
        columns = end.names("columns") if end.has("columns") else tuple(filter(None, (end.name("column"),)))
        if not columns or not _known(
            end, "columns" if end.has("columns") else "column", columns, table.columns, table.name
        ):
            return None
        ends.append((table.name, columns))
    (table_name, columns), (other, other_columns) = ends
    if len(columns) != len(other_columns):
        node.refuse("references", "must name as many columns as fk", "columns")
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
    definition += _deferring(node)
    return table_name, Constraint(
        name=name,
        kind="f",
        definition=definition,
        columns=columns,
        references=other,
        reference_columns=other_columns,
        comment=node.text("comment"),
    )
