"""An example of each request body: what its schema allows, with values that people would send."""

import re
from typing import Any

Schema = dict[str, Any]

_ID = "0193b8a4-7d2e-7c18-b3f4-6a1e9d0c5b83"
_FORMATS: dict[str, str] = {
    "date": "2026-09-01",
    "date-time": "2026-09-01T09:00:00Z",
    "email": "ana.roux@example.org",
    "time": "09:00:00",
    "uri": "https://lms.example.org/fire-safety",
    "uuid": _ID,
    "binary": "",
}
# By the end of the field's name, the longer one first where both fit; used where the schema allows it.
_VALUES: dict[str, Any] = {
    "activity_iri": "https://lms.example.org/fire-safety",
    "base_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "branch": "main",
    "capacity": 20,
    "client_id": "dataforge",
    "code": "SAFE-101",
    "column": "mark",
    "content_type": "text/csv",
    "default_branch": "main",
    "description": "What to do when the alarm rings.",
    "display_name": "Ana Roux",
    "email": "ana.roux@example.org",
    "file_name": "marks.csv",
    "first_name": "Ana",
    "folder": "projects",
    "issuer": "https://sign-in.example.org",
    "last_name": "Roux",
    "locale": "de",
    "message": "Marks of the first term",
    "name": "Fire safety",
    "number": "N-1042",
    "path": "projects/kick-off",
    "plan_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "reason": "Agreed with the department.",
    "ref": "main",
    "room": "Room 12",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sql": "SELECT avg(mark) FROM marks",
    "tags": ["training"],
    "text": "# Kick-off",
    "time_zone": "Europe/Berlin",
    "title": "Fire safety",
    "token": "the-token-of-the-mailed-link",
    "url": "https://lms.example.org/hooks/dataforge",
    "username": "ana_roux",
    "version": "main",
    "password": "correct horse battery staple",
}
_TEXTS = ("Fire safety", "SAFE-101", "main", "safe", "09:00", "de", _VALUES["sha256"], "1")
# Where rules that no schema tells choose between members.
_WHOLE: dict[str, Any] = {
    "convert_schema": {"workspace_id": _ID, "sql": "CREATE TABLE people (id uuid PRIMARY KEY, name text NOT NULL);"},
    "create_transcript": {
        "workspace_id": _ID,
        "title": "Fire safety",
        "phrases": [{"offset_milliseconds": 0, "duration_in_ticks": 25_000_000, "display": "When it rings, leave."}],
    },
    "deploy_schema": {"workspace_id": _ID, "plan_id": _ID, "plan_hash": _VALUES["plan_hash"]},
    "enroll_student": {"student_id": _ID, "course_id": "0193b8a4-7d2e-7c18-b3f4-6a1e9d0c5b84"},
    "import_snapshot": {"source": {"iceberg": {"table": "cleaned"}}, "message": "Marks without typing errors"},
    "plan_schema_promotion": {
        "from_workspace_id": _ID,
        "revision": 1,
        "workspace_id": "0193b8a4-7d2e-7c18-b3f4-6a1e9d0c5b84",
    },
    "preview_statement_erasure": {"agents": [{"mbox": "mailto:ana.roux@example.org"}]},
    "replace_lesson_aliases": {"aliases": ["https://lms.example.org/fire-safety-2025"]},
    "replay_webhook": {"failed": True},
}
_DEPTH = 6


def add_examples(document: dict[str, Any]) -> None:
    """Give each JSON body of a request an example, unless its schema has one."""
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content and "example" not in content and "examples" not in content:
                whole = _WHOLE.get(operation["operationId"])
                content["example"] = whole or example_of(content["schema"], schemas)


def example_of(schema: Schema, schemas: dict[str, Schema], name: str = "", depth: int = 0) -> Any:  # noqa: ANN401 - JSON
    """A value that the schema allows: what is required, and what else has a value that people would send."""
    schema = _followed(schema, schemas)
    if examples := schema.get("examples"):
        return examples[0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return example_of(schema[key][0], schemas, name, depth)
    match schema.get("type"):
        case "object":
            return _object(schema, schemas, depth)
        case "array":
            wanted = max(schema.get("minItems", 0), 1 if depth < _DEPTH else 0)
            value = _VALUES.get(name)
            if isinstance(value, list):
                return value
            return [example_of(schema.get("items", {}), schemas, name, depth + 1) for _ in range(min(wanted, 1))]
        case "integer" | "number":
            return _number(schema, name)
        case "boolean":
            return True
        case "null":
            return None
    return _text(schema, name)


def _object(schema: Schema, schemas: dict[str, Schema], depth: int) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    value = {}
    for name, member in schema.get("properties", {}).items():
        if name in required or (depth == 0 and not required and _known(member, schemas, name)):
            value[name] = example_of(member, schemas, name, depth + 1)
    return value


def _known(schema: Schema, schemas: dict[str, Schema], name: str) -> bool:
    kind = _followed(schema, schemas).get("type")
    return name in _VALUES and kind == "string"


def _number(schema: Schema, name: str) -> float:
    wanted = _VALUES.get(name, 1)
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    most = schema.get("maximum", 1_000_000)
    value = wanted if isinstance(wanted, int) and least <= wanted <= most else max(least, min(1, most))
    return int(value) if schema["type"] == "integer" else value


def _text(schema: Schema, name: str) -> str:
    known = next((_VALUES[end] for end in sorted(_VALUES, key=len, reverse=True) if name.endswith(end)), None)
    candidates: list[str] = [_FORMATS[schema["format"]]] if schema.get("format") in _FORMATS else []
    candidates += [value for value in (known, *_TEXTS) if isinstance(value, str)]
    for value in candidates:
        fits = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        if fits and re.search(schema.get("pattern", ""), value):
            return value
    return "x" * int(schema.get("minLength", 1))


def _followed(schema: Schema, schemas: dict[str, Schema]) -> Schema:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema
