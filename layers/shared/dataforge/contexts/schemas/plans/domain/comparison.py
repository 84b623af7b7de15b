"""Two states of a schema in one picture: everything of both, with what is new, changed or dropped between them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from dataforge.contexts.schemas.designs.domain.cards import short_type
from dataforge.contexts.schemas.designs.domain.marks import Mark, Marks, State
from dataforge.contexts.schemas.designs.domain.model import Column, Constraint, EnumType, Schema, Table, text_of
from dataforge.contexts.schemas.designs.domain.names import KEYWORDS, quoted
from dataforge.contexts.schemas.plans.domain.renames import Rename

Thing = TypeVar("Thing")
_FEW = 12  # so many cards are shown whole
_FIELDS = {"table": "tables", "view": "views", "materialized view": "views", "sequence": "sequences"}
_FIELDS |= {"enum": "enums", "domain": "domains", "composite": "composites", "range": "ranges"}
# What has nothing in it that is marked: by field of a schema, its kind in marks.
_PLAIN_KINDS = {
    item.name: "statistics" if item.name == "statistics" else item.name.removesuffix("s")
    for item in fields(Schema)
    if item.name not in ("tables", "enums")
}
_WORDS = {
    "nullable": "may be null",
    "definition": "definition",
    "partition_by": "partition key",
    "counter": "counter",
    "shown": "its columns",
    "unlogged": "unlogged",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both states as one schema, under the names of the later one, and what is different."""

    schema: Schema
    marks: Marks

    def shown(self) -> Schema:
        """What matters of a large schema: what is marked, and the tables that it refers to or that refer to it."""
        whole = self.schema
        if len(whole.tables) + len(whole.views) + whole.type_count <= _FEW:
            return whole
        marked: dict[str, set[str]] = defaultdict(set)
        for key in self.marks:
            marked[key[0]].add(key[1])
        parted = {whole.partitions[name].parent for name in marked["partition"] & set(whole.partitions)}
        near = marked["table"] | parted
        for table in whole.tables.values():
            for item in table.constraints.values():
                if item.references is not None and {table.name, item.references} & marked["table"]:
                    near |= {table.name, item.references}
        chosen = {field: marked[kind] for field, kind in _PLAIN_KINDS.items()}
        chosen |= {"tables": near, "enums": marked["enum"], "partitions": set(whole.partitions)}
        parts = {
            name: {key: item for key, item in getattr(whole, name).items() if key in kept}
            for name, kept in chosen.items()
        }
        return replace(whole, **parts)


def compare_schemas(before: Schema, after: Schema, renames: Iterable[Rename] = ()) -> Comparison:
    """What is different between two states that were read from the catalog; renames lead from the first on."""
    marking = _Marking(after, list(renames))
    return marking.compare(_under_new_names(before, after, marking.renames))


def changes_of(marks: Marks) -> list[dict[str, Any]]:
    """Marks in plain values: kind, path, state and words of each, in the order in which they were found."""
    return [
        {"kind": key[0], "path": list(key[1:]), "state": mark.state.value, "words": mark.words}
        for key, mark in marks.items()
    ]


class _Marking:
    def __init__(self, after: Schema, renames: list[Rename]) -> None:
        self.after = after
        self.renames = renames
        self.marks: dict[tuple[str, ...], Mark] = {}
        self.old_names = {(_FIELDS.get(item.kind, item.kind), *item.path, item.new): item.old for item in renames}

    def compare(self, before: Schema) -> Comparison:
        after = self.after
        parts: dict[str, dict[str, Any]] = {
            "enums": self._united("enums", "enum", before.enums, after.enums, self._enum),
            "tables": self._united("tables", "table", before.tables, after.tables, self._table),
        }
        for field, kind in _PLAIN_KINDS.items():
            parts[field] = self._united(field, kind, getattr(before, field), getattr(after, field), _kept)
        return Comparison(replace(after, **parts), self.marks)

    def _united(
        self,
        field: str,
        kind: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        joined: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Everything of a kind: `joined` makes one of the two states of a thing and marks what is inside."""
        united = {}
        for name, thing in after.items():
            old = before.get(name)
            if old is None:
                self.marks[kind, name] = Mark(State.ADDED)
                united[name] = thing
                continue
            words = _was_called(self.old_names.get((field, name)))
            count = len(self.marks)
            united[name] = joined(old, thing)
            words += _differences(old, thing)
            if words or len(self.marks) > count:
                self.marks[kind, name] = Mark(State.CHANGED, ", ".join(words))
        for name in before.keys() - after.keys():
            self.marks[kind, name] = Mark(State.DROPPED)
        return {**united, **{name: thing for name, thing in before.items() if name not in after}}

    def _enum(self, old: EnumType, new: EnumType) -> EnumType:
        for value in new.values:
            called = self.old_names.get(("value", new.name, value))
            if called is not None:
                self.marks["value", new.name, value] = Mark(State.CHANGED, f"was called {called}")
            elif value not in old.values:
                self.marks["value", new.name, value] = Mark(State.ADDED)
        for value in old.values:
            if value not in new.values:
                self.marks["value", new.name, value] = Mark(State.DROPPED)
        return replace(new, values=tuple(_merged(dict.fromkeys(old.values), dict.fromkeys(new.values))))

    def _table(self, old: Table, new: Table) -> Table:
        for kind, before, after in (
            ("column", old.columns, new.columns),
            ("constraint", old.constraints, new.constraints),
            ("index", old.indexes, new.indexes),
        ):
            self._mark_inner(kind, new.name, before, after)
        return replace(
            new,
            columns=_merged(old.columns, new.columns),
            constraints=_merged(old.constraints, new.constraints),
            indexes=_merged(old.indexes, new.indexes),
        )

    def _mark_inner(self, kind: str, table: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        for name, thing in after.items():
            old = before.get(name)
            if old is None:
                self.marks[kind, table, name] = Mark(State.ADDED)
                continue
            words = _was_called(self.old_names.get((kind, table, name))) + _differences(old, thing)
            if words:
                self.marks[kind, table, name] = Mark(State.CHANGED, ", ".join(words))
        for name in before:
            if name not in after:
                self.marks[kind, table, name] = Mark(State.DROPPED)


def _kept(_: object, new: Thing) -> Thing:
    return new


def _was_called(name: str | None) -> list[str]:
    return [] if name is None else [f"was called {name}"]


def _differences(old: Any, new: Any) -> list[str]:  # noqa: ANN401 - any thing of the model
    """What is different in words; nothing of what stands in columns, constraints, indexes and values."""
    if isinstance(new, (Table, EnumType)):
        inner = {"columns", "constraints", "indexes", "values"}
        empty: dict[str, Any] = {name: () if name == "values" else {} for name in inner if hasattr(new, name)}
        old, new = replace(old, **empty), replace(new, **empty)
    if text_of(old) == text_of(new):
        return []
    return [
        _in_words(item.name, getattr(old, item.name), getattr(new, item.name))
        for item in fields(new)
        if item.name not in ("depends", "user_type", "detail", "columns", "computed")
        and getattr(old, item.name) != getattr(new, item.name)
    ]


def _in_words(name: str, before: object, after: object) -> str:
    if name == "name":
        return f"was called {before}"
    if name == "type":
        return f"was {short_type(str(before))}"
    if name == "nullable":
        return "may be null now" if after else "not null now"
    if name in ("default", "generated", "identity", "bound", "collation"):
        word = {"generated": "computed as"}.get(name, name)
        if after is None:
            return f"no {name} any more"
        return f"{word} {after}" if before is None else f"{word} was {before}"
    return _WORDS.get(name, name.replace("_", " "))


def _merged(before: Mapping[str, Thing], after: Mapping[str, Thing]) -> dict[str, Thing]:
    """All of both in the order of the later one; what is gone stands after what it stood after."""
    followers: dict[str | None, list[str]] = defaultdict(list)
    last: str | None = None
    for name in before:
        if name in after:
            last = name
        else:
            followers[last].append(name)
    merged = {name: before[name] for name in followers[None]}
    for name, thing in after.items():
        merged[name] = thing
        merged |= {gone: before[gone] for gone in followers[name]}
    return merged


# ------------------------------------------------------------------ the earlier state under the later names


def _under_new_names(before: Schema, after: Schema, renames: Iterable[Rename]) -> Schema:
    """The earlier schema with the names that its things have later.

    What is gone and has lost its name to another thing is called `… (before)`.
    """
    new_names: dict[str, dict[str, str]] = defaultdict(dict)  # by field, or by `column of people` under its old name
    pairs = list(renames)
    old_holders = {(_FIELDS[item.kind], item.new): item.old for item in pairs if item.kind in ("table", "enum")}
    for item in pairs:
        if item.path:
            field = "tables" if item.kind == "column" else "enums"
            holder = old_holders.get((field, item.path[0]), item.path[0])
            new_names[f"{item.kind} of {holder}"][item.old] = item.new
        else:
            new_names[_FIELDS[item.kind]][item.old] = item.new
    if not pairs:
        return _with_same_constraints(before, after)
    everywhere = {old: new for field in set(_FIELDS.values()) for old, new in new_names[field].items()}
    parts: dict[str, dict[str, Any]] = {}
    for part in fields(Schema):
        parts[part.name] = {}
        for name, thing in getattr(before, part.name).items():
            kind = {"tables": "column", "enums": "value"}.get(part.name)
            inner = new_names.get(f"{kind} of {name}", {})
            moved = _moved_thing(thing, {**everywhere, **inner}, new_names, inner)
            new = _new_name(name, new_names[part.name])
            parts[part.name][new] = replace(moved, name=new)
    return _with_same_constraints(Schema(**parts), after)


def _new_name(name: str, names: Mapping[str, str]) -> str:
    if name in names:
        return names[name]
    return f"{name} (before)" if name in names.values() else name


def _moved_thing(
    thing: Any,  # noqa: ANN401 - any thing of the model
    texts: Mapping[str, str],
    new_names: Mapping[str, Mapping[str, str]],
    inner: Mapping[str, str],
) -> Any:  # noqa: ANN401
    """A thing whose texts and references use the later names."""
    pattern = _pattern(texts)
    if isinstance(thing, EnumType):
        return replace(thing, values=tuple(_new_name(value, inner) for value in thing.values))
    if not isinstance(thing, Table):
        return _with_texts(thing, pattern, texts)
    columns: dict[str, Column] = {}
    for column in thing.columns.values():
        name = _new_name(column.name, inner)
        columns[name] = replace(_with_texts(column, pattern, texts), name=name)
    constraints: dict[str, Constraint] = {}
    for item in thing.constraints.values():
        there = new_names.get(f"column of {item.references}", {})
        both = {**texts, **there}
        constraints[item.name] = replace(
            _with_texts(item, _pattern(both), both),
            name=item.name,
            columns=tuple(inner.get(name, name) for name in item.columns),
            references=new_names["tables"].get(item.references or "", item.references),
            reference_columns=tuple(there.get(name, name) for name in item.reference_columns),
        )
    indexes = {
        item.name: replace(
            _with_texts(item, pattern, texts),
            name=item.name,
            columns=tuple(inner.get(name, name) for name in item.columns),
        )
        for item in thing.indexes.values()
    }
    return replace(_with_texts(thing, pattern, texts), columns=columns, constraints=constraints, indexes=indexes)


_TEXTS = frozenset({"definition", "default", "generated", "query", "type", "parent", "partition_by", "user_type"})


def _with_texts(thing: Any, pattern: re.Pattern[str] | None, names: Mapping[str, str]) -> Any:  # noqa: ANN401
    if pattern is None or not is_dataclass(thing):
        return thing
    changed = {
        item.name: pattern.sub(lambda found: _renamed(found[0], names), value)
        for item in fields(thing)
        if item.name in _TEXTS and isinstance(value := getattr(thing, item.name), str)
    }
    return replace(thing, **changed)  # type: ignore[type-var]  # a thing of the model


def _pattern(names: Mapping[str, str]) -> re.Pattern[str] | None:
    """Names as PostgreSQL prints them, with or without quotes; texts in single quotes pass by."""
    if not names:
        return None
    words = "|".join(re.escape(name.replace('"', '""')) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"'(?:[^']|'')*'|\"(?:{words})\"|(?<![\w$\"])(?:{words})(?![\w$\"])")


def _renamed(text: str, names: Mapping[str, str]) -> str:
    if text.startswith("'"):
        return text
    old = text[1:-1].replace('""', '"') if text.startswith('"') else text
    new = names.get(old, old)
    always = text.startswith('"') and not _needs_quotes(old)
    return quoted(new) if always or _needs_quotes(new) else new


def _needs_quotes(name: str) -> bool:
    return not re.fullmatch(r"[a-z_][a-z0-9_$]*", name) or name in KEYWORDS


def _with_same_constraints(before: Schema, after: Schema) -> Schema:
    """Constraints and indexes that only got another name, under the later one."""
    tables = {}
    for name, table in before.tables.items():
        new = after.tables.get(name)
        tables[name] = (
            table
            if new is None
            else replace(
                table,
                constraints=_same_essence(table.constraints, new.constraints),
                indexes=_same_essence(table.indexes, new.indexes),
            )
        )
    return replace(before, tables=tables)


def _same_essence(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    free = {item.essence: name for name, item in after.items() if name not in before}
    followed = {}
    for name, item in before.items():
        new = name if name in after else free.pop(item.essence, name)
        followed[new] = item
    return followed
