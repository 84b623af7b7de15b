"""Extended statistics: what the planner learns about columns together (CREATE STATISTICS)."""

from collections.abc import Collection, Iterator, Mapping

from dataforge.contexts.schemas.designs.domain.draft import Draft
from dataforge.contexts.schemas.designs.domain.model import Partition, Statistics, Table, View
from dataforge.contexts.schemas.designs.domain.names import generated_name, literal, quoted, quoted_list
from dataforge.contexts.schemas.designs.domain.reading import Node
from dataforge.kernel.texts import Text

KINDS = ("ndistinct", "dependencies", "mcv")
MAX_TARGET = 10_000  # PostgreSQL's own (MAX_STATISTICS_TARGET)
_MEMBERS = frozenset({"id", "name", "table", "columns", "expressions", "kinds", "target", "comment"})


def read_statistics(
    top: Node,
    draft: Draft,
    tables: Mapping[str, Table],
    partitions: Mapping[str, Partition],
    views: Mapping[str, View],
) -> dict[str, Statistics]:
    """The statistics of a document."""
    found: dict[str, Statistics] = {}
    for node in top.children("statistics", _MEMBERS):
        table = node.name("table")
        if table is None:
            continue
        kept_as_rows = table in views and views[table].materialized
        if table not in tables and table not in partitions and not kept_as_rows:
            node.refuse("table", Text('there is no table "{table}" in this schema', table=table), "unknown_reference")
            continue
        known = tables[table].columns if table in tables else None
        item = _statistics(node, draft, table, known, found)
        if item is not None:
            found[item.name] = item
    return found


def _statistics(
    node: Node, draft: Draft, table: str, known: Collection[str] | None, taken: Collection[str]
) -> Statistics | None:
    columns = tuple(sorted(node.names("columns")))
    for name in columns:
        if known is not None and name not in known:
            node.refuse(
                "columns", Text('"{name}" is not a column of {table}', name=name, table=table), "unknown_reference"
            )
    expressions = tuple(
        text
        for index, child in enumerate(node.items("expressions", most=8))
        if (text := Node({"expr": child}, f"{node.at}/expressions/{index}", node.problems, {"expr"}).expression("expr"))
    )
    if len(columns) + len(expressions) < 2 and not expressions:
        node.refuse("columns", Text("must name two columns, or there must be an expression"), "required")
        return None
    kinds = _kinds(node, columns, expressions)
    name = node.name(required=False) or generated_name(table, *columns, "stat", taken=taken)
    draft.claim(node, "statistics", name)
    draft.places[f"statistics {name}"] = node.at
    target = node.number("target")
    if target is not None and not 0 <= target <= MAX_TARGET:
        node.refuse("target", Text("must be from 0 to {max_target}", max_target=MAX_TARGET), "range")
    return Statistics(
        name=name,
        table=table,
        definition=statistics_definition(kinds, columns, expressions),
        target=target,
        comment=node.text("comment") or None,
        detail={"kinds": kinds, "columns": columns, "expressions": expressions},
    )


def _kinds(node: Node, columns: Collection[str], expressions: Collection[str]) -> tuple[str, ...]:
    given = node.names("kinds")
    if not columns and len(expressions) == 1:
        if given:
            node.refuse("kinds", Text("statistics of one expression alone have no kinds"), "kinds")
        return ()
    for kind in given:
        if kind not in KINDS:
            node.refuse(
                "kinds", Text('unknown kind "{kind}"; choose from {kinds}', kind=kind, kinds=", ".join(KINDS)), "choice"
            )
    return tuple(kind for kind in KINDS if not given or kind in given)


def statistics_definition(kinds: Collection[str], columns: Collection[str], expressions: Collection[str]) -> str:
    """Kinds, columns in the order of their names, and expressions, as in CREATE STATISTICS."""
    head = f"({', '.join(kinds)}) " if kinds else ""
    parts = [quoted_list(columns)] if columns else []
    return f"{head}ON {', '.join([*parts, *(f'({text})' for text in expressions)])}"


def create_statistics(item: Statistics) -> Iterator[str]:
    """CREATE STATISTICS, the target and the comment."""
    before, on, after = item.definition.partition("ON ")
    yield f"CREATE STATISTICS {quoted(item.name)} {before}{on}{after} FROM {quoted(item.table)}"
    if item.target is not None:
        yield set_target(item)
    if item.comment is not None:
        yield f"COMMENT ON STATISTICS {quoted(item.name)} IS {literal(item.comment)}"


def set_target(item: Statistics) -> str:
    """How many values are looked at, or as many as of columns."""
    return f"ALTER STATISTICS {quoted(item.name)} SET STATISTICS {-1 if item.target is None else item.target}"
