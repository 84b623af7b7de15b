"""What is in the trash, as its comment says, and what it is called in a target that wants it again."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.plans.domain.renames import Rename
from dataforge.kernel.canonical import canonical_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Something in the trash: the table `name` there holds a `table`, `column` or `partition`.

    `table` is the table's (or partition's) name in the schema today. `key` names the columns by which the rows of a
    column are found again, or the columns whose rows were copied; a `unique` key finds one row, `copied` rows are
    inserted again, others come back as the table that they are. `turn` counts things of one name, the newest highest.
    """

    name: str
    kind: str
    table: str
    column: str | None = None
    key: tuple[str, ...] = ()
    unique: bool = False
    copied: bool = False
    stable_id: str | None = None
    turn: int = 1

    @property
    def object(self) -> str:
        """What it was, as plans say it: `column people.mail`."""
        return f"{self.kind} {self.table}" + ("" if self.column is None else f".{self.column}")

    def comment(self) -> str:
        """What it is, as the comment says it."""
        members = {key: value for key, value in asdict(self).items() if key != "name" and value is not None}
        return canonical_json(members)

    @classmethod
    def read(cls, name: str, comment: str | None) -> Self | None:
        """What a comment says; None for a table that no plan has put there."""
        try:
            found: Any = json.loads(comment or "")
            found["key"] = tuple(found.get("key", ()))
            return cls(name=name, **found)
        except (ValueError, TypeError, AttributeError):
            return None

    def renamed(self, renames: Iterable[Rename]) -> Self:
        """The same after tables and columns have got other names."""
        if self.kind != "column":
            return self  # what is in the schema under its name now is something else
        pairs = list(renames)
        table = next((item.new for item in pairs if item.kind == "table" and item.old == self.table), self.table)
        columns = {item.old: item.new for item in pairs if item.kind == "column" and item.path == (table,)}
        return replace(self, table=table, key=tuple(columns.get(name, name) for name in self.key))


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of what comes back: stable ids by object, and last names by kind, path and name in the target.

    `every` lets names alone bring things back, as a way back does.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    gone: Mapping[tuple[str, tuple[str, ...], str], str] = field(default_factory=dict)
    every: bool = False

    def named(self, item: Kept, wanted: Schema) -> Kept:
        """What something in the trash is called in the target: by its stable id, or by what it was called last."""
        if item.kind == "table":
            for name in wanted.tables:
                if self._is(f"table {name}", item) or self._was(("table", (), name), item.table):
                    return replace(item, table=name)
        elif item.kind == "column" and item.table in wanted.tables:
            for name in wanted.tables[item.table].columns:
                if self._is(f"column {item.table}.{name}", item) or self._was(
                    ("column", (item.table,), name), item.column
                ):
                    return replace(item, column=name)
        return item

    def columns(self, table: str, names: Iterable[str]) -> dict[str, str]:
        """Columns of a table that comes back with other names: their last names by those in the target."""
        pairs = ((name, self.gone.get(("column", (table,), name), name)) for name in names)
        return {name: last for name, last in pairs if last != name}

    def _is(self, thing: str, item: Kept) -> bool:
        return item.stable_id is not None and self.ids.get(thing) == item.stable_id

    def _was(self, key: tuple[str, tuple[str, ...], str], name: str | None) -> bool:
        return self.every and self.gone.get(key) == name
