"""The part of a schema that a change concerns: a small change of a large schema is planned and proved on it alone.

What changes is the core, together with everything that has to be made again with it. Around it is what the core names
or what refers to it by a foreign key: that must be there for the statements to run, and stays as it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from dataforge.contexts.schemas.designs.domain.model import Schema, Table, sql_of, text_of
from dataforge.contexts.schemas.designs.domain.names import mentions
from dataforge.contexts.schemas.plans.domain.renames import Rename

Thing = tuple[str, str]  # a field of Schema, and a name in it
KINDS = tuple(item.name for item in fields(Schema))
_FIELDS = {
    "table": "tables",
    "partition": "partitions",
    "view": "views",
    "materialized view": "views",
    "sequence": "sequences",
}
_FIELDS |= {"enum": "enums", "domain": "domains", "composite": "composites", "range": "ranges"}
_HOLDERS = {"column": "tables", "value": "enums"}
_NAMED_IN_TEXTS = ("enums", "domains", "composites", "ranges", "sequences")


@dataclass(frozen=True, slots=True)
class Part:
    """What changes (`core`) and what stays around it."""

    core: frozenset[Thing]
    around: frozenset[Thing]

    def cut(self, schema: Schema) -> Schema:
        """The part of a schema: of tables around the core without their foreign keys to others."""
        chosen = self.core | self.around
        found: dict[str, Any] = {
            kind: {name: thing for name, thing in getattr(schema, kind).items() if (kind, name) in chosen}
            for kind in KINDS
        }
        found["tables"] = {
            name: table if ("tables", name) in self.core else self._trimmed(table)
            for name, table in found["tables"].items()
        }
        return Schema(**found)

    def _trimmed(self, table: Table) -> Table:
        kept = {
            name: item
            for name, item in table.constraints.items()
            if item.kind != "f" or ("tables", item.references) in self.core
        }
        return replace(table, constraints=kept)

    def put(self, made: Schema, schema: Schema) -> Schema:
        """A whole schema with its core as it is in `made`."""
        found = {
            kind: {
                **{name: thing for name, thing in getattr(schema, kind).items() if (kind, name) not in self.core},
                **{name: thing for name, thing in getattr(made, kind).items() if (kind, name) in self.core},
            }
            for kind in KINDS
        }
        return Schema(**found)

    def holds(self, before: Schema, after: Schema) -> bool:
        """Whether nothing around the core is different."""
        return all(_text(before, thing) == _text(after, thing) for thing in self.around)


def find_part(current: Schema, deployed: Schema, wanted: Schema, renames: Iterable[Rename]) -> Part:
    """The part that leads from the deployed document to the wanted one, in a live schema that is as deployed."""
    changed = {
        (kind, name)
        for kind in KINDS
        for name in {*getattr(deployed, kind), *getattr(wanted, kind)}
        if getattr(deployed, kind).get(name) != getattr(wanted, kind).get(name)
    }
    for rename in renames:
        changed |= {(_field_of(rename), name) for name in _names_of(rename, renames)}
    schemas = (current, wanted)
    core = _closure(changed, lambda thing: _dependents(thing, schemas))
    around = _closure(set(core), lambda thing: _needs(thing, schemas, whole=thing in core)) - core
    return Part(frozenset(core), frozenset(around))


def _field_of(rename: Rename) -> str:
    return _HOLDERS.get(rename.kind) or _FIELDS[rename.kind]


def _names_of(rename: Rename, renames: Iterable[Rename]) -> tuple[str, ...]:
    if rename.kind not in _HOLDERS:
        return (rename.old, rename.new)
    holder = rename.path[0]
    return (holder, *(other.old for other in renames if other.new == holder and other.kind not in _HOLDERS))


def _closure(start: set[Thing], more: Callable[[Thing], Iterator[Thing]]) -> set[Thing]:
    found, waiting = set(start), list(start)
    while waiting:
        for thing in more(waiting.pop()):
            if thing not in found:
                found.add(thing)
                waiting.append(thing)
    return found


def _dependents(thing: Thing, schemas: Iterable[Schema]) -> Iterator[Thing]:
    """What cannot stay as it is when the thing changes."""
    kind, name = thing
    for schema in schemas:
        if kind == "statistics":
            continue
        if kind in ("tables", "partitions", "views"):
            yield from (("statistics", key) for key, item in schema.statistics.items() if item.table == name)
        if kind == "partitions":
            yield from (("tables", root) for root in _roots(name, schema))
        elif kind == "tables":
            yield from (("partitions", part) for part in schema.partitions if name in _roots(part, schema))
            yield from (("sequences", key) for key, item in schema.sequences.items() if (item.owner or [""])[0] == name)
            yield from _mentioning("views", name, schema)
        elif kind == "views":
            yield from _mentioning("views", name, schema)
        else:
            for other in ("domains", "composites", "ranges", "tables", "views", "statistics"):
                yield from _mentioning(other, name, schema)


def _needs(thing: Thing, schemas: Iterable[Schema], *, whole: bool) -> Iterator[Thing]:
    """What must be there for the thing to be made; foreign keys of and to it only if it is wanted whole."""
    kind, name = thing
    for schema in schemas:
        item = getattr(schema, kind).get(name)
        if item is None:
            continue
        text = sql_of(item)
        for other in (*_NAMED_IN_TEXTS, *(("tables", "views") if kind == "views" else ())):
            yield from ((other, key) for key in getattr(schema, other) if mentions(text, key))
        if kind == "statistics":
            holders = ("tables", "partitions", "views")
            yield from ((holder, item.table) for holder in holders if item.table in getattr(schema, holder))
        if kind == "sequences" and item.owner is not None:
            yield ("tables", item.owner[0])
        elif kind == "tables":
            yield from (("sequences", key) for key, own in schema.sequences.items() if (own.owner or [""])[0] == name)
            if whole:
                yield from (("tables", other) for other in _neighbours(name, schema.tables))


def _neighbours(name: str, tables: Mapping[str, Table]) -> Iterator[str]:
    yield from (item.references for item in tables[name].constraints.values() if item.references is not None)
    for other, table in tables.items():
        if any(item.references == name for item in table.constraints.values()):
            yield other


def _mentioning(kind: str, name: str, schema: Schema) -> Iterator[Thing]:
    for key, item in getattr(schema, kind).items():
        if key != name and mentions(sql_of(item), name):
            yield (kind, key)


def _roots(name: str, schema: Schema) -> Iterator[str]:
    while name in schema.partitions:
        name = schema.partitions[name].parent
    yield name


def _text(schema: Schema, thing: Thing) -> str:
    item = getattr(schema, thing[0]).get(thing[1])
    return "" if item is None else text_of(item)
