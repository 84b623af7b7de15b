"""What to look for in live rows because of a change, as conditions in SQL over the rows as they are or would be."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dataforge.contexts.schemas.designs.domain.model import (
    Column,
    Constraint,
    DomainType,
    EnumType,
    Index,
    Schema,
    Table,
)
from dataforge.contexts.schemas.designs.domain.names import literal, mentions, quoted
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase
from dataforge.contexts.schemas.plans.domain.future_rows import ROW, FutureRows, root_of
from dataforge.contexts.schemas.plans.domain.losses import losses, merged
from dataforge.kernel.texts import Text

_OPERATOR = re.compile(r" WITH (?:OPERATOR\((?P<named>[^)]*)\)|(?P<plain>[-+*/<>=~!@#%^&|`?]+))$")


@dataclass(frozen=True, slots=True)
class Conversion:
    """A cast that may fail: its value, the column that must not be NULL for it, and the columns it is computed from."""

    value: str
    name: str
    inputs: tuple[tuple[str, str], ...]  # (name, type)
    backwards: bool = False  # a way back makes it, of rows as they would be


@dataclass(frozen=True, slots=True)
class RowCheck:
    """Rows of `source` to count: those that meet the first of the conditions that the server can compute.

    `lost` says that they would lose something, `blocking` that the plan would fail.
    """

    source: str
    conditions: tuple[str, ...] = ("true",)
    code: str = ""
    message: str = ""
    key: tuple[str, ...] = (ROW,)
    blocking: bool = False
    lost: bool = False
    conversion: Conversion | None = None


class RowChecks:
    """Finds the checks of changes."""

    def __init__(self, rows: FutureRows, bounds: Mapping[str, str] | None = None) -> None:
        """With the conditions of partitions, by their new names."""
        self._rows = rows
        self._bounds = bounds or {}
        self._housed: set[str] = set()

    def of(self, item: Change) -> Iterator[RowCheck]:
        """What to look for because of a change."""
        if item.op in ("drop table", "drop partition"):
            name = item.object.partition(" ")[2]
            yield from self._all(name, item)
        elif item.op == "drop column":
            yield from self._dropped(item)
        elif item.op == "add column":
            yield from self._added(item)
        elif item.op == "check not null" or (item.op == "set not null" and item.phase is Phase.CHANGE):
            yield from self._nulls(item.table, item.column)
        elif item.op in ("change type", "exchange table"):
            yield from self._casts(item)
        elif item.op.startswith(("rebuild enum", "rebuild domain")):
            yield from self._labels(item)
        elif item.op == "change domain":
            yield from self._domain(item)
        elif item.op.startswith("add ") and item.object.startswith("constraint "):
            yield from self._constraint(item)
        elif item.op == "create unique index":
            yield from self._index(item)
        if moves_rows(item):
            yield from self._homeless(item)

    # ---------------------------------------------------------------- what goes

    def _all(self, name: str, item: Change) -> Iterator[RowCheck]:
        current = self._rows.current
        old_name = self._rows.old_name("table", "", name)
        root, root_table = old_name, current.tables.get(old_name)
        while root_table is None and root in current.partitions:
            root = current.partitions[root].parent
            root_table = current.tables.get(root)
        if root_table is not None:
            source = self._rows.address(old_name)
            code, what = ("rows_kept", "kept in the trash") if item.kept else ("rows_lost", "deleted")
            message = Text("{{count}} {{rows}} would be {what}", what=what)
            yield RowCheck(source, code=code, message=message, key=_key_of(root_table), lost=not item.kept)

    def _dropped(self, item: Change) -> Iterator[RowCheck]:
        live = self._rows.live(item.table)
        old_name = item.column or ""
        if live is not None and old_name in live.columns:
            code, message = "values_lost", "{count} {rows} would lose a value"
            if item.kept:
                code, message = "values_kept", "the values of {count} {rows} would be kept in the trash"
            source, given = self._rows.address(live.name), f"{quoted(old_name)} IS NOT NULL"
            yield RowCheck(source, (given,), code, message, _key_of(live), lost=not item.kept)

    # ---------------------------------------------------------------- columns

    def _added(self, item: Change) -> Iterator[RowCheck]:
        if item.probe == "rows" and item.table is not None and self._rows.live(item.table) is not None:
            message = Text("{count} {rows} would have no value for a NOT NULL column")
            key = self._rows.key(item.table)
            yield RowCheck(
                self._rows.renamed(item.table), code="rows_without_value", message=message, key=key, blocking=True
            )

    def _nulls(self, table: str | None, column: str | None) -> Iterator[RowCheck]:
        if table is None or column is None or self._rows.live_column(table, column) is None:
            return
        source, key = self._rows.rows(table, {column}), self._rows.key(table)
        condition = f"{quoted(column)} IS NULL"
        yield RowCheck(source, (condition,), "nulls", "{count} {rows} {are} NULL", key, blocking=True)

    def _casts(self, item: Change) -> Iterator[RowCheck]:
        table = item.table or ""
        for column in [name for name, _ in item.values] if item.column is None else [item.column]:
            yield from self._cast(table, column)
            yield from self._cast_back(table, column)

    def _cast_back(self, table: str, column: str) -> Iterator[RowCheck]:
        """Values that the way back could not read, or would not read as what they are now."""
        rows = self._rows
        old, live, value = rows.live_column(table, column), rows.live(table), rows.conversions.get((table, column))
        back = None if old is None or live is None else rows.ways_back.get((live.name, old.name))
        # A type that is made again is meant as it is now, but found as it will be.
        if old is None or live is None or value is None or back is None or old.user_type in rows.new_types:
            return
        name, before, key = quoted(old.name), quoted("value before"), rows.key(table)
        chosen = [f"{value} AS {name}", f"{quoted(column)} AS {before}", ROW]
        chosen += [quoted(part) for part in key if part not in (ROW, old.name)]
        source = f"(SELECT {', '.join(chosen)} FROM {rows.renamed(table, self._lost(live.name))} AS n)"
        cast = Conversion(back, name, ((old.name, rows.wanted.tables[table].columns[column].type),), backwards=True)
        if (table, column) not in rows.hints.using:
            # Whether a cast keeps everything was asked on the way there.
            yield RowCheck(source, ("false",), key=key, conversion=cast)
            return
        conditions = (f"{before} IS DISTINCT FROM ({back})", f"{before}::text IS DISTINCT FROM ({back})::text")
        message = Text("a way back would give {count} {rows} another value than now")
        yield RowCheck(source, conditions, "way_back_loses", message, key, conversion=cast)

    def _cast(self, table: str, column: str) -> Iterator[RowCheck]:
        old, live = self._rows.live_column(table, column), self._rows.live(table)
        converted = self._rows.conversions.get((table, column))
        if old is None or live is None or converted is None or self._rows.are_relabelled(table, column):
            return
        new = self._rows.wanted.tables[table].columns[column]
        name, source, key = quoted(column), self._rows.renamed(table, self._lost(live.name)), self._rows.key(table)
        hint = (table, column) in self._rows.hints.using
        inputs = []
        for other in live.columns.values():
            new_name = next(
                (n for n in self._rows.wanted.tables[table].columns if self._rows.live_column(table, n) == other),
                other.name,
            )
            if new_name == column or (hint and mentions(converted, new_name)):
                # A type of the schema is meant as it is now: the scratch schema may have the one that is to be.
                kind = f"{quoted(self._rows.plan.namespace)}.{other.type}" if other.user_type else other.type
                inputs.append((new_name, kind))
        cast = Conversion(converted, name, tuple(inputs))
        kinds = (self._base(old, self._rows.current), self._base(new, self._rows.wanted))
        # What becomes of labels is asked where they go; a label that is none does not fit.
        labels = kinds[1].removesuffix("[]").strip('"') in self._rows.wanted.enums and not hint
        found = [] if labels else losses(name, *kinds, converted, by_hint=hint)
        if hint:
            found.append(merged(name, converted, source))
        if not found:
            yield RowCheck(source, ("false",), key=key, conversion=cast)
        for loss in found:
            yield RowCheck(source, loss.conditions, loss.code, loss.message, key, lost=True, conversion=cast)

    def _base(self, column: Column, schema: Schema) -> str:
        """The type below domains, in lists too."""
        kind, name = column.type, column.user_type
        while name in schema.domains and kind.removesuffix("[]").strip('"') == name:
            base = schema.domains[name].type
            kind = base + "[]" if kind.endswith("[]") and not base.endswith("[]") else base
            name = base.removesuffix("[]").strip('"')
        return kind

    # ---------------------------------------------------------------- types

    def _labels(self, item: Change) -> Iterator[RowCheck]:
        """Values of an enum that are in use and go: what happens to rows depends on where they are mapped to."""
        name = item.object.partition(" ")[2]
        enum = self._rows.wanted.enums.get(name)
        before = self._rows.current.enums.get(self._rows.old_name("enum", "", name))
        if enum is None or before is None:
            return
        renamed = {self._rows.old_name("value", f"{name}.", label) for label in enum.values}
        gone = [label for label in before.values if label not in renamed and label not in enum.values]
        mapped = self._rows.hints.values.get(name, {})
        for live, columns in self._users(before):
            for column in columns:
                source, key = self._staying(live.name), _key_of(live)
                for labels, code, message, blocking in (
                    ([label for label in gone if label in mapped], "values_mapped", "get{s} another value", False),
                    (
                        [label for label in gone if label not in mapped],
                        "labels_in_use",
                        "{have} a value that goes",
                        True,
                    ),
                ):
                    if labels:
                        text = f"{{count}} {{rows}} of {live.name}.{column.strip(chr(34))} {message}"
                        condition = _among(column, labels, array=live.columns[_bare(column)].type.endswith("[]"))
                        yield RowCheck(source, (condition,), code, text, key, blocking=blocking, lost=not blocking)

    def _users(self, kind: EnumType | DomainType) -> Iterator[tuple[Table, list[str]]]:
        for live in self._rows.current.tables.values():
            columns = [quoted(item.name) for item in live.columns.values() if item.user_type == kind.name]
            if columns:
                yield live, columns

    def _domain(self, item: Change) -> Iterator[RowCheck]:
        name = item.object.partition(" ")[2]
        wanted = self._rows.wanted.domains.get(name)
        before = self._rows.current.domains.get(self._rows.old_name("domain", "", name))
        if wanted is None or before is None:
            return
        known = {check.essence for check in before.constraints.values()}
        broken = [f"NOT {_checked(check)}" for check in wanted.constraints.values() if check.essence not in known]
        broken += ["value IS NULL"] if before.nullable and not wanted.nullable else []
        for live, columns in self._users(before) if broken else ():
            for column in columns:
                key = [quoted(part) if part != ROW else part for part in _key_of(live)]
                chosen = [f"{part} AS k{number}" for number, part in enumerate(key)]
                source = f"(SELECT {column} AS value, {', '.join(chosen)} FROM {self._rows.address(live.name)})"
                text = f"{{count}} {{rows}} of {live.name}.{_bare(column)} break{{s}} the domain"
                names = tuple(f"k{number}" for number in range(len(key)))
                yield RowCheck(source, (" OR ".join(broken),), "domain_violated", text, names, blocking=True)

    # ---------------------------------------------------------------- partitions

    def _homeless(self, item: Change) -> Iterator[RowCheck]:
        """Rows of a table for which it would have no partition; those of partitions that go are not looked for."""
        wanted, current = self._rows.wanted, self._rows.current
        name = item.object.partition(" ")[2]
        message = Text("{count} {rows} would have no partition to be in")
        bound = self._bounds.get(name)
        if bound is not None and self._rows.live(name) is not None:  # a table becomes a part
            columns = [column for column in self._rows.columns(name) if mentions(bound, column)]
            source, key = self._rows.rows(name, columns), self._rows.key(name)
            yield RowCheck(source, (f"({bound}) IS NOT TRUE",), "rows_without_partition", message, key, blocking=True)
            return
        table = root_of(wanted, name) if name in wanted.partitions else root_of(current, name)
        known = wanted.tables.get(table)
        if known is None or known.partition_by is None or table in self._housed or self._rows.live(table) is None:
            return
        self._housed.add(table)
        parents = {part.parent for part in wanted.partitions.values()}
        leaves = [part for part in wanted.partitions if part not in parents and root_of(wanted, part) == table]
        if any(part not in self._bounds for part in leaves):
            return
        homes = " OR ".join(f"({self._bounds[part]})" for part in leaves) or "false"
        columns = [column for column in known.columns if mentions(f"{known.partition_by} {homes}", column)]
        source, key = self._rows.rows(table, columns, self._lost(table)), self._rows.key(table)
        yield RowCheck(source, (f"({homes}) IS NOT TRUE",), "rows_without_partition", message, key, blocking=True)

    def _lost(self, table: str) -> list[str]:
        """The live partitions of a table that go with their rows."""
        current = self._rows.current
        gone = {change.object.partition(" ")[2] for change in self._rows.plan.up if change.op == "drop partition"}
        return [
            part
            for part in current.partitions
            if gone & {part, *_above(current, part)} and root_of(current, part) == table
        ]

    def _staying(self, table: str) -> str:
        """The live rows of a table without those of partitions that go."""
        lost = self._lost(table)
        if not lost:
            return self._rows.address(table)
        names = ", ".join(f"{literal(self._rows.address(name))}::regclass" for name in lost)
        return f"(SELECT *, {ROW}::text AS {ROW} FROM {self._rows.address(table)} WHERE tableoid NOT IN ({names}))"

    # ---------------------------------------------------------------- constraints and indexes

    def _constraint(self, item: Change) -> Iterator[RowCheck]:
        table = item.table or ""
        wanted = self._rows.target(table)
        added = None if wanted is None else wanted.constraints.get(item.object.removeprefix(f"constraint {table}."))
        if added is None or added.unchecked or self._rows.live(table) is None:
            return
        if added.kind in "pu":
            nulls = bool(added.detail.get("nulls_not_distinct"))
            yield from self._duplicates(table, [quoted(name) for name in added.columns], added.columns, nulls=nulls)
        elif added.kind == "f":
            yield from self._orphans(table, added)
        elif added.kind == "c":
            source = self._rows.rows(table, added.columns)
            condition = f"NOT {_checked(added)}"
            key = self._rows.key(table)
            yield RowCheck(
                source, (condition,), "check_violated", "{count} {rows} break{s} the check", key, blocking=True
            )
        elif added.kind == "x":
            yield from self._excluded(table, added)

    def _duplicates(
        self, table: str, keys: list[str], columns: tuple[str, ...], *, nulls: bool, where: str = ""
    ) -> Iterator[RowCheck]:
        inner = self._rows.rows(table, columns)
        given = [where] if where else []
        given += [] if nulls else [f"{key} IS NOT NULL" for key in keys]
        condition = f" WHERE {' AND '.join(f'({part})' for part in given)}" if given else ""
        again = f'count(*) OVER (PARTITION BY {", ".join(keys)}) AS "number of rows"'
        source = f"(SELECT d.*, {again} FROM {inner} AS d{condition})"
        message = Text("{count} {rows} {have} the same key as another")
        key = (*self._rows.key(table), *(name for name in columns if name not in self._rows.key(table)))
        yield RowCheck(source, ('"number of rows" > 1',), "duplicates", message, key, blocking=True)

    def _index(self, item: Change) -> Iterator[RowCheck]:
        table = item.table or ""
        wanted = self._rows.target(table)
        index: Index | None = None if wanted is None else wanted.indexes.get(item.object.removeprefix("index "))
        if index is None or self._rows.live(table) is None:
            return
        parts = [part for part in index.detail.get("keys") or () if not part["included"]]
        keys = [quoted(part["column"]) if part["plain"] else f"({part['text']})" for part in parts]
        if keys:
            nulls = bool(index.detail.get("nulls_not_distinct"))
            where = str(index.detail.get("predicate") or "")
            yield from self._duplicates(table, keys, index.columns, nulls=nulls, where=where)

    def _orphans(self, table: str, added: Constraint) -> Iterator[RowCheck]:
        ours = [f"r.{quoted(name)}" for name in added.columns]
        given = " AND ".join(f"{name} IS NOT NULL" for name in ours)
        condition = given
        if self._rows.live(added.references) is not None:
            there = self._rows.rows(added.references or "", added.reference_columns)
            pairs = zip(added.reference_columns, ours, strict=True)
            match = " AND ".join(f"o.{quoted(theirs)} = {name}" for theirs, name in pairs)
            condition = f"({given} AND NOT EXISTS (SELECT FROM {there} AS o WHERE {match}))"
        if added.detail.get("match") == "f" and len(ours) > 1:
            partly = " OR ".join(f"{name} IS NULL" for name in ours)
            some = " OR ".join(f"{name} IS NOT NULL" for name in ours)
            condition = f"({condition} OR (({partly}) AND ({some})))"
        source, key = self._rows.rows(table, added.columns), self._rows.key(table)
        key = (*key, *(name for name in added.columns if name not in key))
        yield RowCheck(source, (condition,), "orphans", "{count} {rows} refer{s} to nothing", key, blocking=True)

    def _excluded(self, table: str, added: Constraint) -> Iterator[RowCheck]:
        elements, where = exclusion_elements(added.definition)
        if not elements:
            return
        columns = [name for name in self._rows.columns(table) if mentions(added.definition, name)]
        source = self._rows.rows(table, columns)
        number = f'(SELECT x.*, row_number() OVER () AS "number of row" FROM {source} AS x{where})'
        pairs = []
        for expression, operator in elements:
            pairs.append(f"{_of('r', expression, added)} {operator} {_of('b', expression, added)}")
        others = f'SELECT FROM pairs AS b WHERE b."number of row" <> r."number of row" AND {" AND ".join(pairs)}'
        message = Text("{count} {rows} overlap{s} with another")
        # The rows are numbered once; what is compared with what follows from that.
        yield RowCheck(
            f"(WITH pairs AS MATERIALIZED {number} SELECT r.* FROM pairs AS r WHERE EXISTS ({others}))",
            code="exclusion_violated",
            message=message,
            key=self._rows.key(table),
            blocking=True,
        )


def moves_rows(item: Change) -> bool:
    """Whether rows come into partitions by the change."""
    kind = item.object.partition(" ")[0]
    texts = [statement.sql for statement in item.statements]
    return kind in ("table", "partition") and any("ATTACH PARTITION" in sql or "INSERT " in sql for sql in texts)


def _above(schema: Schema, name: str) -> Iterator[str]:
    while name in schema.partitions:
        name = schema.partitions[name].parent
        yield name


def exclusion_elements(definition: str) -> tuple[list[tuple[str, str]], str]:
    """The (expression, operator) pairs of an exclusion constraint, and its WHERE with a space before it."""
    start = definition.find("(")
    depth, end, parts, begun = 0, len(definition), [], start + 1
    for place in range(start, len(definition)):
        sign = definition[place]
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 1:
            parts.append(definition[begun:place].strip())
            begun = place + 1
        if sign == ")" and depth == 0:
            parts.append(definition[begun:place].strip())
            end = place + 1
            break
    found = []
    for part in parts:
        matched = _OPERATOR.search(part)
        if matched is None:
            return [], ""
        operator = matched["plain"] or f"OPERATOR({matched['named']})"
        found.append((part[: matched.start()], operator))
    rest = definition[end:].strip()
    return found, f" {rest}" if rest.startswith("WHERE ") else ""


def _of(alias: str, expression: str, added: Constraint) -> str:
    """An element of an exclusion constraint over one of two rows; only plain columns can be told apart."""
    for name in added.columns:
        if expression in (name, quoted(name)):
            return f"{alias}.{quoted(name)}"
    for name in sorted(added.columns, key=len, reverse=True):
        expression = re.sub(rf'(?<![\w$".]){re.escape(name)}(?![\w$"(])', f"{alias}.{quoted(name)}", expression)
    return expression


def _among(column: str, labels: list[str], *, array: bool) -> str:
    texts = ", ".join(map(literal, labels))
    return f"{column}::text[] && ARRAY[{texts}]" if array else f"{column}::text IN ({texts})"


def _checked(check: Constraint) -> str:
    return check.definition.removeprefix("CHECK ").removesuffix(" NOT VALID").removesuffix(" NO INHERIT")


def _key_of(table: Table) -> tuple[str, ...]:
    for item in table.constraints.values():
        if item.kind == "p":
            return item.columns
    return (ROW,)


def _bare(column: str) -> str:
    return column[1:-1].replace('""', '"')
