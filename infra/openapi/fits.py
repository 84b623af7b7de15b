"""Whether every value of one JSON Schema is also one of another, as far as the schemas that FastAPI writes can say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Schema = Mapping[str, Any]
Direction = Literal["request", "response"]

# Limits of which a higher value allows more, and of which a lower one does.
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_ANNOTATIONS = {"title", "description", "examples", "default", "deprecated"}
_ANYTHING = ("string", "number", "integer", "boolean", "null", "array", "object")


@dataclass(frozen=True)
class Comparison:
    """What breaks when `old` becomes `new`, the schemas of one field of two documents.

    A request must go on taking what it took, a response must give nothing that it did not give. Two things are free in
    responses: a field may be added, and so may a value of an enum, because clients are asked to ignore what they do not
    know. Limits on lengths and numbers bind the sender only.
    """

    before: Schema
    after: Schema
    direction: Direction
    _open: set[tuple[int, int]] = field(default_factory=set)

    def breaks(self, old: Schema, new: Schema, place: str = "") -> list[str]:
        """One sentence each, behind the place as a JSON pointer into the value and a colon."""
        pair = (id(old), id(new))
        if pair in self._open:
            return []  # a recursive schema: this pair is being compared further up
        self._open.add(pair)
        try:
            return self._alternatives(old, new, place)
        finally:
            self._open.discard(pair)

    def _alternatives(self, old: Schema, new: Schema, place: str) -> list[str]:
        olds, news = _alternatives(self.before, old), _alternatives(self.after, new)
        # Each alternative of the one side must have a place among those of the other.
        if self.direction == "request":
            tries = [[self._plain(one, other, place) for other in news] for one in olds]
        else:
            tries = [[self._plain(one, other, place) for one in olds] for other in news]
        return [line for candidates in tries for line in min(candidates, key=len)]

    def _plain(self, old: Schema, new: Schema, place: str) -> list[str]:
        inner, outer = (old, new) if self.direction == "request" else (new, old)
        if not _same_type(inner.get("type"), outer.get("type")):
            return [f"{place}: {_named(old)} became {_named(new)}"]
        lines = list(_tightened(old, new, place)) if self.direction == "request" else []
        if "properties" in old or "properties" in new:
            lines += self._fields(old, new, place)
        for key, step in (("items", "/*"), ("additionalProperties", "/*")):
            if isinstance(old.get(key), Mapping) and isinstance(new.get(key), Mapping):
                lines += self.breaks(old[key], new[key], place + step)
        return lines

    def _fields(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        had, has = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name in had:
            if name not in has:
                yield f"{place}/{name}: is gone"
            else:
                yield from self.breaks(had[name], has[name], f"{place}/{name}")
        changed = needs - needed if self.direction == "request" else needed & set(has) - needs
        for name in sorted(changed):
            yield f"{place}/{name}: is {'required now' if self.direction == 'request' else 'no longer always there'}"


def _alternatives(document: Schema, schema: Schema) -> list[Schema]:
    """The schemas of which a value need match one, with references followed."""
    while "$ref" in schema:
        target: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return [found for option in schema[key] for found in _alternatives(document, option)]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": name} for name in schema["type"]]
    if not set(schema) - _ANNOTATIONS:  # what takes anything may as well list all that there is
        return [{**schema, "type": name} for name in _ANYTHING]
    return [schema]


def _same_type(inner: object, outer: object) -> bool:
    return outer is None or inner == outer or (inner, outer) == ("integer", "number")


def _named(schema: Schema) -> str:
    return str(schema.get("type", "anything"))


def _tightened(old: Schema, new: Schema, place: str) -> Iterator[str]:
    """What the new schema refuses of what the old one took."""
    if (values := _values(new)) is not None:
        had = _values(old)
        if had is None:
            yield f"{place}: only takes {_listed(values)} now"
        elif lost := [value for value in had if value not in values]:
            yield f"{place}: no longer takes {_listed(lost)}"
    for key in (*_UPPER, *_LOWER):
        tighter = key in new and (key not in old or (new[key] < old[key] if key in _UPPER else new[key] > old[key]))
        if tighter:
            yield f"{place}: {key} is {new[key]} now"
    for key in ("pattern", "format", "multipleOf"):
        if key in new and new[key] != old.get(key):
            yield f"{place}: {key} is {new[key]} now"
    if new.get("uniqueItems") and not old.get("uniqueItems"):
        yield f"{place}: items must be unique now"
    if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        yield f"{place}: takes no further fields now"
    if "default" in old and "default" in new and old["default"] != new["default"]:
        yield f"{place}: the default is {new.get('default')!r} now, not {old['default']!r}"


def _values(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _listed(values: list[Any]) -> str:
    return ", ".join(repr(value) for value in values)
