"""Schemas as generators like them: named by their component alone, with a type for every value."""

from typing import Any

_MAPS = ("properties", "patternProperties", "$defs")
_SINGLE = ("items", "additionalProperties", "not", "contains", "propertyNames")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SCALARS = [{"type": name} for name in ("string", "number", "boolean", "null")]
_OBJECT = {"type": "object", "additionalProperties": True}
_INNER: dict[str, Any] = {"type": "array", "items": {"oneOf": [*_SCALARS, _OBJECT]}}
# Any JSON value: pydantic writes `{}`, of which generators make `any`, or nothing. It is not recursive, because few
# generators follow that: lists within lists within lists go unsaid.
JSON_VALUE: dict[str, Any] = {
    "description": "Any JSON value.",
    "oneOf": [*_SCALARS, _OBJECT, {"type": "array", "items": {"oneOf": [*_SCALARS, _OBJECT, _INNER]}}],
}


def without_titles(document: dict[str, Any]) -> dict[str, Any]:
    """Take out the titles that pydantic makes of names: generators would name types by them, and names would clash."""
    schemas = document["components"]["schemas"]
    if "JsonValue" in schemas:
        schemas["JsonValue"] = JSON_VALUE
    for schema in schemas.values():
        _clean(schema)
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                _clean(parameter.get("schema", {}))
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (media for body in bodies for media in body.get("content", {}).values()):
                _clean(content.get("schema", {}))
    return document


def _clean(schema: Any) -> None:  # noqa: ANN401 - a schema, or true or false
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("title"), str):
        del schema["title"]
    for key in _MAPS:
        for child in schema.get(key, {}).values():
            _clean(child)
    for key in _SINGLE:
        _clean(schema.get(key))
    for key in _LISTS:
        for child in schema.get(key, ()):
            _clean(child)
