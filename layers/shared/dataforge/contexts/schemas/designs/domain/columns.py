"""Columns of the target format."""

from dataforge.contexts.schemas.designs.domain.draft import COUNTING, Draft, default_of, options_of, read_counter
from dataforge.contexts.schemas.designs.domain.model import Column, Counter
from dataforge.contexts.schemas.designs.domain.names import SYSTEM_COLUMNS
from dataforge.contexts.schemas.designs.domain.reading import Node
from dataforge.kernel.texts import Text

_COLUMN_MEMBERS = (
    "id name previousName dataType primaryKey nullable unique default identity generated collation comment using "
    "backfill storage compression statistics options"
)
_STORAGES = {word: word.upper() for word in ("plain", "external", "extended", "main")}
COLUMN = frozenset(_COLUMN_MEMBERS.split())


def read_column(node: Node, draft: Draft, table: str) -> Column | None:
    """One column of a table; notes its hints."""
    name = node.name()
    if name is None:
        return None
    if name in SYSTEM_COLUMNS:
        node.refuse("name", Text('every table has a column "{name}" of PostgreSQL\'s own', name=name), "reserved_name")
    draft.identify(node, "column", name, (table,))
    draft.places[f"column {table}.{name}"] = node.at
    sql, user_type, serial = node.type("dataType", draft.own)
    identity, counter = _identity(node)
    if serial and identity is None:
        identity = "BY DEFAULT"
    generated = _generated(node)
    default = default_of(node)
    if sum(part is not None for part in (identity, generated, default)) > 1:
        node.refuse("default", Text("a column has one of default, identity and generated"), "default")
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
        storage=node.choice("storage", _STORAGES) or None,
        compression=node.choice("compression", {"pglz": "pglz", "lz4": "lz4"}) or None,
        statistics=node.number("statistics", least=0, most=10_000),
        settings=options_of(node),
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
