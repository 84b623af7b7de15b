"""Versions of a keyed table as plain dictionaries, and how they differ and merge: what the engine is compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

Identity = tuple[str, int]
KEY: Identity = ("k", 0)


class ModelConflict(Exception):
    """Both sides say different things of one column or cell."""


@dataclass(frozen=True)
class Model:
    """Columns in order as identity (the name it was born with, and the how many-eth of that name) -> (name, type);
    rows by key as identity -> value, without the nulls; how often each name was left behind.
    """

    columns: Mapping[Identity, tuple[str, str]] = field(default_factory=lambda: {KEY: ("k", "int")})
    rows: Mapping[int, Mapping[Identity, object]] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.columns.values()]

    def of_name(self, name: str) -> Identity:
        return next(item for item, (known, _) in self.columns.items() if known == name)

    def add(self, name: str, type_: str) -> Model:
        return replace(self, columns={**self.columns, (name, self.left.get(name, 0)): (name, type_)})

    def drop(self, name: str) -> Model:
        gone = self.of_name(name)
        columns = {item: column for item, column in self.columns.items() if item != gone}
        rows = {key: {i: v for i, v in row.items() if i != gone} for key, row in self.rows.items()}
        return replace(self, columns=columns, rows=rows, left=self._leaving(name))

    def rename(self, name: str, new: str) -> Model:
        item = self.of_name(name)
        columns = {**self.columns, item: (new, self.columns[item][1])}
        return replace(self, columns=columns, left=self._leaving(name))

    def retype(self, name: str, type_: str) -> Model:
        item = self.of_name(name)
        rows = {
            key: {i: read_as(v, type_) if i == item else v for i, v in row.items()} for key, row in self.rows.items()
        }
        return replace(self, columns={**self.columns, item: (name, type_)}, rows=rows)

    def put(self, key: int, values: Mapping[str, object]) -> Model:
        row = {**self.rows.get(key, {}), **{self.of_name(name): value for name, value in values.items()}}
        return replace(self, rows={**self.rows, key: {i: v for i, v in row.items() if v is not None}})

    def delete(self, key: int) -> Model:
        return replace(self, rows={k: row for k, row in self.rows.items() if k != key})

    def _leaving(self, name: str) -> dict[str, int]:
        return {**self.left, name: self.left.get(name, 0) + 1}

    def plain(self) -> list[dict[str, object]]:
        """The rows by column name, in key order."""
        return [
            {"k": key, **{name: self.rows[key].get(i) for i, (name, _) in self.columns.items() if i != KEY}}
            for key in sorted(self.rows)
        ]


def read_as(value: object, type_: str) -> object:
    """A value in another type. Raises ModelConflict when it does not fit."""
    if value is None:
        return None
    if type_ == "string":
        return str(value)
    try:
        number = float(value)  # type: ignore[arg-type]  # values of cells are numbers here
    except ValueError as error:
        raise ModelConflict("a value does not fit the type") from error
    if type_ == "float":
        return number
    if number != int(number) or abs(number) >= 2**63:
        raise ModelConflict("a value does not fit the type")
    return int(number)


def counts(base: Model, head: Model) -> dict[str, int]:
    """Rows inserted, updated and deleted; a column that a side lacks is null in it."""
    return {
        "inserted": len(head.rows.keys() - base.rows.keys()),
        "updated": sum(
            any(not _alike(base.rows[key].get(i), head.rows[key].get(i)) for i in {*base.columns, *head.columns})
            for key in base.rows.keys() & head.rows.keys()
        ),
        "deleted": len(base.rows.keys() - head.rows.keys()),
    }


def merged(base: Model, ours: Model, theirs: Model) -> Model:
    """Three-way by column and cell. Raises ModelConflict when both sides say different things, and when a value of ours
    does not fit a type that theirs gave its column, also in a row that theirs deletes: columns are merged first.
    """
    columns = {}
    for item in dict.fromkeys([*ours.columns, *theirs.columns]):
        kept = _merged_column(item, base, ours, theirs)
        if kept is not None:
            columns[item] = kept
    if max(Counter(name for name, _ in columns.values()).values()) > 1:
        raise ModelConflict("two columns of one name")
    for row in ours.rows.values():
        for item, value in row.items():
            read_as(value, columns[item][1] if item in columns else ours.columns[item][1])
    rows = {}
    for key in {*ours.rows, *theirs.rows}:
        row = _merged_row(base.rows.get(key), ours.rows.get(key), theirs.rows.get(key), columns, (ours, theirs))
        if row is not None:
            rows[key] = {i: read_as(v, columns[i][1]) for i, v in row.items() if v is not None}
    left: dict[str, int] = {}
    for side in (ours, theirs):
        for name in {*side.left, *side.names}:
            gone = name in side.names and columns.get(side.of_name(name), ("", ""))[0] != name
            left[name] = max(left.get(name, 0), side.left.get(name, 0) + gone)
    return Model(columns, rows, {name: times for name, times in left.items() if times})


def _merged_column(item: Identity, base: Model, ours: Model, theirs: Model) -> tuple[str, str] | None:
    was, our, their = (side.columns.get(item) for side in (base, ours, theirs))
    if our is not None and their is not None:
        if was is None and our != their:
            raise ModelConflict("added twice, differently")
        parts = zip(was or our, our, their, strict=True)
        return tuple(_cell(*part) for part in parts)  # type: ignore[return-value]  # three parts, which mypy cannot count
    if was is None:
        return our or their
    keeper, column = (ours, our) if our is not None else (theirs, their)
    filled = any(not _alike(base.rows.get(key, {}).get(item), row.get(item)) for key, row in keeper.rows.items())
    if column != was or filled:
        raise ModelConflict("dropped here, changed there")
    return None


def _merged_row(
    was: Mapping[Identity, object] | None,
    our: Mapping[Identity, object] | None,
    their: Mapping[Identity, object] | None,
    columns: Mapping[Identity, object],
    sides: tuple[Model, Model],
) -> dict[Identity, object] | None:
    if our is None or their is None:
        left = our if our is not None else their
        if was is None:
            return None if left is None else {i: v for i, v in left.items() if i in columns}
        if left is not None and any(not _alike(was.get(i), left.get(i)) for i in columns):
            raise ModelConflict("deleted here, changed there")
        return None
    row = {}
    for item in columns:
        one, other = our.get(item), their.get(item)
        if item not in sides[0].columns or item not in sides[1].columns:
            row[item] = one if item in sides[0].columns else other
        elif was is None and not _alike(one, other):
            raise ModelConflict("inserted twice, differently")
        else:
            row[item] = one if was is None else _cell(was.get(item), one, other)
    return row


def _cell(was: object, our: object, their: object) -> object:
    if _alike(was, their) or _alike(our, their):
        return our
    if _alike(was, our):
        return their
    raise ModelConflict("changed to two values")


def _alike(one: object, other: object) -> bool:
    """Equal in the type that holds both."""
    if isinstance(one, str) != isinstance(other, str) and one is not None and other is not None:
        return str(one) == str(other)
    return one == other
