"""A table's live rows as they would be after a plan, as SQL: under their new names, in their new types, filled.

What a target demands of rows (checks, keys, foreign keys, partitions) is asked of them as if the plan had been run.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from dataforge.contexts.schemas.designs.domain.document import Hints
from dataforge.contexts.schemas.designs.domain.model import Column, DomainType, EnumType, Partition, Schema, Table
from dataforge.contexts.schemas.designs.domain.names import literal, mentions, quoted, quoted_list
from dataforge.contexts.schemas.designs.domain.rendering import (
    create_enum,
    create_partition,
    create_table,
    ordered_domains,
    ordered_partitions,
)
from dataforge.contexts.schemas.plans.domain.changes import Change
from dataforge.contexts.schemas.plans.domain.plan import Plan

ROW = "ctid"  # no column of a table can have this name


@dataclass(frozen=True, slots=True)
class FutureRows:
    """Rows that are there, in the states before (`current`) and after (`wanted`) a plan."""

    plan: Plan
    current: Schema
    wanted: Schema
    hints: Hints = field(default_factory=Hints)
    conversions: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (table, column) → its new value
    ways_back: Mapping[tuple[str, str], str] = field(default_factory=dict)  # the same of the way back, by live names

    @classmethod
    def of(cls, plan: Plan, current: Schema, wanted: Schema, hints: Hints) -> "FutureRows":
        """With the conversions that the plan's own statements make."""
        there, back = dict(_conversions(plan.up, wanted)), dict(_conversions(plan.down, current))
        return cls(plan, current, wanted, hints, there, back)

    def old_name(self, kind: str, path: str, name: str) -> str:
        """The name of something before the plan; `path` is the new name of the table it is in, and a dot."""
        return dict(self.plan.old_names).get(f"{kind} {path}{name}", name)

    def are_relabelled(self, table: str, column: str) -> bool:
        """Whether a column keeps its enum, some labels of which get other names: live values have those of before."""
        old, name = self.live_column(table, column), self.wanted.tables[table].columns[column].user_type or ""
        enum = self.wanted.enums.get(name)
        if old is None or enum is None or old.user_type != self.old_name("enum", "", name):
            return False
        return any(self.old_name("value", f"{name}.", label) != label for label in enum.values)

    def live(self, table: str | None) -> Table | None:
        """The live table by its new name."""
        return self.current.tables.get(self.old_name("table", "", table)) if table is not None else None

    def target(self, table: str | None) -> Table | None:
        """The table as it will be; what becomes a partition has the columns of what it is a part of."""
        if table is None:
            return None
        return self.wanted.tables.get(table) or self.wanted.tables.get(root_of(self.wanted, table))

    def live_column(self, table: str, column: str) -> Column | None:
        """The live column by its new name and its table's."""
        here = self.live(table)
        return None if here is None else here.columns.get(self.old_name("column", f"{table}.", column))

    def address(self, live_name: str) -> str:
        """A live relation by its whole name: the scratch schema in front of it may have one of that name."""
        return f"{quoted(self.plan.namespace)}.{quoted(live_name)}"

    def key(self, table: str) -> tuple[str, ...]:
        """The columns that tell rows apart, by their new names, as far as they are there."""
        here = self.live(table)
        for item in here.constraints.values() if here is not None else ():
            if item.kind == "p":
                names = {self.old_name("column", f"{table}.", name): name for name in self.columns(table)}
                if all(name in names for name in item.columns):
                    return tuple(names[name] for name in item.columns)
        return (ROW,)

    def renamed(self, table: str, without: Collection[str] = ()) -> str:
        """The rows with nothing but their new names; without those of some live partitions."""
        here = self.live(table)
        names = [] if here is None else here.columns
        new_names = {self.old_name("column", f"{table}.", name): name for name in self.columns(table)}
        chosen = [
            f"{quoted(name)} AS {quoted(new_names.get(name, name))}" for name in names if self._stays(name, new_names)
        ]
        live_name = table if here is None else here.name
        left_out = ", ".join(f"{literal(self.address(name))}::regclass" for name in without)
        where = f" WHERE tableoid NOT IN ({left_out})" if left_out else ""
        return f"(SELECT {', '.join([*chosen, f'{ROW}::text AS {ROW}'])} FROM {self.address(live_name)}{where})"

    def _stays(self, name: str, new_names: Mapping[str, str]) -> bool:
        # A column that goes is still read by backfills, unless another one takes its name.
        return name in new_names or name not in new_names.values()

    def columns(self, table: str) -> Collection[str]:
        """The names of the columns that there will be."""
        target = self.target(table)
        return () if target is None else target.columns

    def rows(self, table: str, columns: Collection[str], without: Collection[str] = ()) -> str:
        """The rows as they would be; only these columns are computed, others are as they are."""
        target = self.target(table)
        wanted = target if target is not None else Table(name=table, columns={})
        computed = {name for name in columns if name in wanted.columns and wanted.columns[name].generated is not None}
        needed = {
            name
            for name in wanted.columns
            if name in columns or any(mentions(wanted.columns[item].generated or "", name) for item in computed)
        } - computed
        # Keys tell rows apart; those that are computed otherwise are as they are now.
        for name in self.key(table):
            if name != ROW and name not in needed | computed:
                needed.add(name)
        chosen = [f"{self._value(table, wanted.columns[name])} AS {quoted(name)}" for name in sorted(needed)]
        source = f"(SELECT {', '.join([*chosen, ROW])} FROM {self.renamed(table, without)} AS n)"
        if not computed:
            return source
        more = [f"({wanted.columns[name].generated}) AS {quoted(name)}" for name in sorted(computed)]
        return f"(SELECT g.*, {', '.join(more)} FROM {source} AS g)"

    def _value(self, table: str, column: Column) -> str:
        name = quoted(column.name)
        live = self.live_column(table, column.name)
        backfill = self.hints.backfill.get((table, column.name))
        if live is None:
            return f"({backfill or column.default or 'NULL'})::{column.type}"
        value = self.conversions.get((table, column.name), name)
        if column.user_type in self.new_types and (table, column.name) not in self.conversions:
            value = f"{name}::text::{column.type}"
        if backfill is not None and not column.nullable and live.nullable:
            return f"coalesce({value}, ({backfill}))"
        return value

    @property
    def new_types(self) -> frozenset[str]:
        """The enums and domains that are not, or not as they will be, in the live schema."""
        kinds: tuple[tuple[Mapping[str, EnumType | DomainType], Mapping[str, EnumType | DomainType]], ...] = (
            (self.current.enums, self.wanted.enums),
            (self.current.domains, self.wanted.domains),
        )
        return frozenset(
            name
            for old, new in kinds
            for name, item in new.items()
            if name not in old or _kind(old[name]) != _kind(item)
        )

    def type_statements(self) -> Iterator[str]:
        """The statements that make those types; domains without what they demand, which is asked of rows by itself."""
        for name, enum in self.wanted.enums.items():
            if name in self.new_types:
                yield from create_enum(enum)
        for domain in ordered_domains(self.wanted):
            if domain.name in self.new_types:
                collation = f" COLLATE {quoted_list([domain.collation])}" if domain.collation else ""
                yield f"CREATE DOMAIN {quoted(domain.name)} AS {domain.type}{collation}"

    def skeleton(self) -> Iterator[str]:
        """The statements that make the partitioned tables with rows, with their parts and nothing else."""
        for name, table in self.wanted.tables.items():
            parts = [part for part in self.wanted.partitions if root_of(self.wanted, part) == name]
            if table.partition_by is None or not any(self.live(item) for item in (name, *parts)):
                continue
            columns = {key: Column(name=key, type=item.type) for key, item in table.columns.items()}
            yield create_table(Table(name=name, columns=columns, partition_by=table.partition_by), [])
            for part in ordered_partitions(self.wanted):
                if part.name in parts:
                    bare = Partition(name=part.name, parent=part.parent, bound=part.bound)
                    yield create_partition(replace(bare, partition_by=part.partition_by))


def root_of(schema: Schema, name: str) -> str:
    """The table at the top of a partition."""
    while name in schema.partitions:
        name = schema.partitions[name].parent
    return name


def _kind(item: EnumType | DomainType) -> object:
    return item.values if isinstance(item, EnumType) else item.type


def _conversions(changes: Iterable[Change], wanted: Schema) -> Iterator[tuple[tuple[str, str], str]]:
    """What the statements that change types compute, by the new names of table and column."""
    for item in changes:
        table = wanted.tables.get(item.table or "")
        column = None if table is None else table.columns.get(item.column or "")
        for name, value in item.values:
            yield (item.table or "", name), value
        if item.op != "change type" or column is None:
            continue
        for statement in item.statements:
            head, found, expression = statement.sql.partition(" USING ")
            if head.startswith("ALTER TABLE ") and " TYPE " in head:
                key = (item.table or "", column.name)
                yield key, expression if found else f"{quoted(column.name)}::{column.type}"
