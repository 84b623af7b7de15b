"""A labelled change."""

from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Label:
    """From SQL with rows to a target; `loses` says whether rows are left with less.

    `respelled` values are the same to a reader and not to a machine (`yes` becomes `true`), or were changed on purpose:
    an observer who compares texts is not asked about them. `names` are the old names of tables and columns by the new
    ones. A plan that would `fail` on the rows is only made.
    """

    before: str
    after: Document
    loses: bool = False
    respelled: bool = False
    fails: bool = False
    names: dict[str, str] = field(default_factory=dict)


def col(name: str, kind: str, **more: Any) -> Document:
    return {"name": name, "dataType": kind, **more}


def tab(name: str, *columns: Document, **more: Any) -> Document:
    return {"name": name, "columns": [col("id", "INTEGER", primaryKey=True), *columns], **more}


def doc(*tables: Document, **more: Any) -> Document:
    return {"tables": list(tables), **more}


def filled(columns: str, *rows: str, name: str = "t", tail: str = "") -> str:
    """SQL that makes a table with an id and rows."""
    values = ", ".join(f"({number}, {row})" for number, row in enumerate(rows, 1))
    names = ", ".join(part.split()[0] for part in columns.split(";"))
    made = f"CREATE TABLE {name} (id integer PRIMARY KEY, {columns.replace(';', ',')}){tail}"
    return f"{made}; INSERT INTO {name} (id, {names}) VALUES {values}"


DROPPED: Document = {"onDrop": "drop"}  # what goes is deleted at once
