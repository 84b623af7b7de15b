"""Schemas as generators like them: named by their component alone, with a type for every value."""

import json
from typing import Any
from uuid import UUID

_MAPS = ("properties", "patternProperties", "$defs")
_SINGLE = ("items", "additionalProperties", "not", "contains", "propertyNames")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_OMITTED = str(UUID(int=0))  # stands for what a change leaves out
_SCALARS = [{"type": name} for name in ("string", "number", "boolean", "null")]
_OBJECT = {"type": "object", "additionalProperties": True}
_INNER: dict[str, Any] = {"type": "array", "items": {"oneOf": [*_SCALARS, _OBJECT]}}
# Any JSON value: pydantic writes `{}`, of which generators make `any`, or nothing. It is not recursive, because few
# generators follow that: lists within lists within lists go unsaid.
JSON_VALUE: dict[str, Any] = {
    "description": "Any JSON value.",
    "oneOf": [*_SCALARS, _OBJECT, {"type": "array", "items": {"oneOf": [*_SCALARS, _OBJECT, _INNER]}}],
}


def for_generators(document: dict[str, Any]) -> dict[str, Any]:
    """Rewrite what generators would make the wrong thing of.

    Titles go, because types would be named by them. Defaults of bodies move into descriptions: openapi-typescript
    takes what has a default for always there, also in what is sent. Decimals are numbers and nothing else.
    """
    schemas = document["components"]["schemas"]
    if "JsonValue" in schemas:
        schemas["JsonValue"] = JSON_VALUE
    for schema in schemas.values():
        _clean(schema)
    for operations in document["paths"].values():
        for operation in operations.values():
            _name_the_rest(operation)
            for parameter in operation.get("parameters", ()):
                _clean(parameter.get("schema", {}), parameter=True)
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (media for body in bodies for media in body.get("content", {}).values()):
                _clean(content.get("schema", {}))
                if "example" in content:
                    content["example"] = _whole(content["example"], content["schema"], schemas)
    return document


def _name_the_rest(operation: dict[str, Any]) -> None:
    """Say what answers are that have no model: null where something was only accepted, an object in a schema."""
    for status, response in operation["responses"].items():
        for media_type, content in response.get("content", {}).items():
            if content.get("schema") == {} and status == "202":
                content["schema"] = {"type": "null"}
            elif content.get("schema") == {} and media_type == "application/schema+json":
                content["schema"] = dict(_OBJECT)


def _whole(example: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """An example with null for what is always there and may be null: examples leave it out to be short."""
    options = [_followed(option, schemas) for option in schema.get("anyOf", (schema,))]
    described = next((option for option in options if option.get("type") in ("object", "array")), {})
    if isinstance(example, list):
        return [_whole(item, described.get("items", {}), schemas) for item in example]
    if not isinstance(example, dict):
        return example
    properties = described.get("properties", {})
    given = {name: _whole(value, properties.get(name, {}), schemas) for name, value in example.items()}
    return given | {name: None for name in described.get("required", ()) if name not in given}


def _followed(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    return found


def _take_only_numbers(schema: dict[str, Any]) -> None:
    # Pydantic takes a decimal as text, too, and goes on doing so.
    options = [option for option in schema["anyOf"] if option.get("type") != "string"]
    if len(options) > 1:
        schema["anyOf"] = options
    else:
        del schema["anyOf"]
        schema.update(options[0])


def _clean(schema: Any, *, parameter: bool = False) -> None:  # noqa: ANN401 - a schema, or true or false
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("title"), str):
        del schema["title"]
    if "default" in schema and not parameter:
        value = schema.pop("default")
        if value not in (None, _OMITTED):
            text = f"Default: `{json.dumps(value, ensure_ascii=False)}`."
            schema["description"] = f"{schema.get('description', '')} {text}".strip()
    if any(option.get("type") == "number" for option in schema.get("anyOf", ())):
        _take_only_numbers(schema)
    for key in _MAPS:
        for child in schema.get(key, {}).values():
            _clean(child)
    for key in _SINGLE:
        _clean(schema.get(key))
    for key in _LISTS:
        for child in schema.get(key, ()):
            _clean(child)
