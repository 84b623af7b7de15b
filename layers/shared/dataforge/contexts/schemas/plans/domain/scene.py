"""What planning looks at: two schemas, and what follows from their difference for what stays in place."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dataforge.contexts.schemas.designs.domain.document import Hints
from dataforge.contexts.schemas.designs.domain.model import Column, Constraint, Index, Partition, Schema
from dataforge.contexts.schemas.designs.domain.names import mentions
from dataforge.contexts.schemas.plans.domain.trash import Trash
from dataforge.contexts.schemas.plans.domain.types import Rebuilt, type_changes

EXCLUSIVE, SHARE, SHARE_ROW = "ACCESS EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE"
SHARE_UPDATE = "SHARE UPDATE EXCLUSIVE"


_NEXTVAL = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)")


@dataclass(frozen=True, slots=True)
class Options:
    """How to plan: `online` takes forms that let others work, for tables that are there and `filled`.

    With a `trash`, what goes is kept there and what comes again may come from there. `back` is the way back, on which
    nothing may be lost that can be kept. `asides` are the names of what had to give its own to something else, by where
    it is now: `("people_replaced",)`, `("people", "mail_replaced")`.
    """

    online: bool = True
    filled: frozenset[str] = frozenset()
    hints: Hints = field(default_factory=Hints)
    trash: Trash | None = None
    back: bool = False
    asides: Mapping[tuple[str, ...], str] = field(default_factory=dict)

    def known_as(self, *path: str) -> str:
        """The name that people know something by: what is at `path` may have given it to something else."""
        return self.asides.get(path, path[-1])


def _sequence_of(column: Column) -> str | None:
    """The sequence that a default takes numbers from."""
    found = None if column.default is None else _NEXTVAL.fullmatch(column.default)
    if found is None:
        return None
    name = found[1].replace("''", "'")
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def holders(schema: Schema, part: Partition) -> Iterator[str]:
    """What a part is in, from its parent to the top."""
    name = part.parent
    yield name
    while name in schema.partitions:
        name = schema.partitions[name].parent
        yield name


class Scene:
    """A schema and the wanted one.

    `kept` are the tables that stay, `exchanged` those that are made again with their rows, `touched` says what happens
    to columns of the former.
    """

    def __init__(self, current: Schema, wanted: Schema, options: Options) -> None:
        self.current = current
        self.wanted = wanted
        self.options = options
        self.rebuilt: Rebuilt = type_changes(current, wanted, options.hints)
        self.kept = {name for name in current.tables if name in wanted.tables and not self._is_remade(name)}
        self.exchanged = {name for name in current.tables if name in wanted.tables and name not in self.kept}
        self.touched: Mapping[str, dict[str, str]] = {name: self._touched(name) for name in self.kept}

    def _is_remade(self, name: str) -> bool:
        # PostgreSQL cannot make a table partitioned, partition it otherwise, or change the type of what its key is of.
        return self.current.tables[name].partition_by != self.wanted.tables[name].partition_by or self._key_changes(
            name
        )

    def _key_changes(self, name: str) -> bool:
        """Whether a column changes its type by which a table, or a part of it, is partitioned."""
        old, new = self.current.tables[name], self.wanted.tables[name]
        if old.partition_by is None:
            return False
        keys = [old.partition_by]
        keys += [
            part.partition_by
            for schema in (self.current, self.wanted)
            for part in schema.partitions.values()
            if part.partition_by is not None and name in holders(schema, part)
        ]
        if self.rebuilt.named_in(*keys):
            return True
        changed = [
            column.name
            for column in old.columns.values()
            if (after := new.columns.get(column.name)) is not None
            and ((after.type, after.collation) != (column.type, column.collation) or self._is_of_rebuilt(column))
        ]
        return any(mentions(key.partition("(")[2], column) for key in keys for column in changed)

    def _touched(self, name: str) -> dict[str, str]:
        """Columns whose values get another type (`type`), that go (`gone`) or are computed anew (`remade`)."""
        old, new = self.current.tables[name], self.wanted.tables[name]
        touched: dict[str, str] = {}
        for column in old.columns.values():
            after = new.columns.get(column.name)
            if after is None:
                touched[column.name] = "gone"
            elif after.generated != column.generated:
                touched[column.name] = "remade" if after.generated or column.generated is None else "type"
            elif (after.type, after.collation) != (
                column.type,
                column.collation,
            ) or self._is_of_rebuilt(column):
                touched[column.name] = "remade" if column.generated else "type"
        for column in old.columns.values():
            if column.generated and column.name not in touched and any(mentions(column.generated, n) for n in touched):
                touched[column.name] = "remade"
        return touched

    def _is_of_rebuilt(self, column: Column) -> bool:
        return column.user_type in self.rebuilt.names or self.rebuilt.named_in(column.generated)

    def root(self, name: str) -> str:
        """The table that a partition is a part of, at the top; a table is its own."""
        while name in self.current.partitions:
            name = self.current.partitions[name].parent
        return name

    def touched_in(self, table: str) -> Mapping[str, str]:
        """What happens to the columns of a table or of what a partition is a part of."""
        return self.touched.get(self.root(table), {})

    def online_for(self, table: str) -> bool:
        """Whether the forms that let others work are possible and worth it: a plain table that stays and has rows."""
        known = self.wanted.tables.get(table)
        plain = known is None or known.partition_by is None
        return self.options.online and plain and self.stays(table) and table in self.options.filled

    def stays(self, table: str) -> bool:
        """Whether a table or partition is there and stays."""
        return table in self.kept or (table in self.current.partitions and self.root(table) in self.kept)

    def must_rebuild(self, table: str, item: Constraint) -> bool:
        """Whether a constraint cannot stay while the columns that it is about change."""
        known = self.touched_in(table)
        touched = {column: known[column] for column in item.columns if column in known}
        if item.kind == "f":
            other = self.touched.get(item.references or "")
            if item.references not in self.kept:
                return True
            if set(item.reference_columns) & set(other or ()) or self._key_goes(item):
                return True
        if item.kind in "cxf":
            return bool(touched) or (item.kind != "f" and self.rebuilt.named_in(item.definition))
        return any(kind != "type" for kind in touched.values())

    def numbers_before_and_after(self, old: Column, new: Column) -> tuple[str | None, str | None]:
        """The sequence that a column's numbers come from and that goes; the new one they come from afterwards."""
        before, after = _sequence_of(old), _sequence_of(new)
        return (
            before if before in self.current.sequences and before not in self.wanted.sequences else None,
            after if after in self.wanted.sequences and after not in self.current.sequences else None,
        )

    def replaced_sequences(self) -> set[str]:
        """Sequences that go because identities go on counting for them."""
        found: set[str] = set()
        for name in self.kept:
            old, new = self.current.tables[name].columns, self.wanted.tables[name].columns
            for column in new.values():
                before = old.get(column.name)
                if before is not None and before.identity is None and column.identity is not None:
                    sequence, _ = self.numbers_before_and_after(before, column)
                    found |= set() if sequence is None else {sequence}
        return found

    def is_built_again(self, index: Index, touched: Mapping[str, str]) -> bool:
        """Whether an index cannot stay while the columns of its table change as `touched` says."""
        if index.computed and self.rebuilt.named_in(index.definition):
            return True
        kinds = {touched[name] for name in index.columns if name in touched}
        return bool(kinds - {"type"}) or bool(kinds and (index.computed or "_ops" in index.definition))

    def _key_goes(self, foreign: Constraint) -> bool:
        # The unique constraint or primary key below a foreign key cannot be taken away from under it.
        old, new = self.current.tables[foreign.references or ""], self.wanted.tables[foreign.references or ""]
        for item in old.constraints.values():
            if item.kind in "pu" and set(item.columns) == set(foreign.reference_columns):
                after = [other for other in new.constraints.values() if other.essence == item.essence]
                if not after:
                    return True
        kept = {index.essence for index in new.indexes.values()}
        return any(
            index.unique and set(index.columns) == set(foreign.reference_columns) and index.essence not in kept
            for index in old.indexes.values()
        )
