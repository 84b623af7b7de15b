"""Expressions of a target that name columns as they were called before: they are run after the renames."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dataforge.contexts.schemas.designs.domain.document import Hints
from dataforge.contexts.schemas.designs.domain.expressions import replace_names
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.plans.domain.renames import Rename

Expressions = Mapping[tuple[str, str], str]


def by_new_names(hints: Hints, renames: Iterable[Rename], current: Schema) -> Hints:
    """The hints with new names of columns in `using` and `backfill`.

    A column's own former name always means that column; one of another column does unless a column has it afterwards.
    """
    changed = list(renames)
    tables = {item.new: item.old for item in changed if item.kind == "table"}
    columns: dict[str, dict[str, str]] = {}
    for item in changed:
        if item.kind == "column":
            columns.setdefault(item.path[0], {})[item.old] = item.new

    def changed_in(expressions: Expressions) -> Expressions:
        found = {}
        for (table, column), text in expressions.items():
            renamed = columns.get(table, {})
            former = current.tables.get(tables.get(table, table))
            there = {renamed.get(name, name) for name in (former.columns if former else ())}
            names = {old: new for old, new in renamed.items() if new == column or old not in there}
            found[table, column] = replace_names(text, names) if names else text
        return found

    return replace(hints, using=changed_in(hints.using), backfill=changed_in(hints.backfill))
