"""The OpenAPI document takes nothing away from clients of the last release, and the gate sees each kind of break."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from infra.openapi.breaking import CODES, RELEASED, breaking_changes, main, wrong_acceptances
from infra.openapi.fits import Comparison

COURSE_IN = {
    "type": "object",
    "required": ["title"],
    "properties": {
        "title": {"type": "string", "maxLength": 200, "minLength": 1},
        "level": {"type": "string", "enum": ["basic", "advanced"], "default": "basic"},
        "credits": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    },
}
COURSE_OUT = {
    "type": "object",
    "required": ["id", "title"],
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "level": {"type": "string", "enum": ["basic", "advanced"]},
        "after": {"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/CourseOut"}, {"type": "null"}]}},
    },
}
RELEASE: dict[str, Any] = {
    "paths": {
        "/courses": {
            "get": {
                "operationId": "list_courses_courses_get",
                "parameters": [
                    {"in": "query", "name": "q", "schema": {"type": "string", "maxLength": 100}},
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100, "default": 20}},
                ],
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/CourseOut"}}
                            },
                            "text/csv": {},
                        }
                    }
                },
            },
            "post": {
                "operationId": "create_course",
                "security": [{"bearer": []}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/CourseIn"}}}},
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/CourseOut"}}}}
                },
            },
        }
    },
    "components": {"schemas": {"CourseIn": COURSE_IN, "CourseOut": COURSE_OUT}},
    CODES: {"not_found": 404},
}
GET, POST = "paths /courses get", "paths /courses post"
IN, OUT = "components schemas CourseIn", "components schemas CourseOut"
GONE = object()


def changed(place: str, value: object) -> dict[str, Any]:
    """The release with the value at a place replaced, added or (GONE) taken out."""
    document: dict[str, Any] = deepcopy(RELEASE)
    *steps, last = place.split()
    node: Any = document
    for step in steps:
        node = node[int(step)] if isinstance(node, list) else node[step]
    if value is GONE:
        del node[int(last) if isinstance(node, list) else last]
    elif isinstance(node, list):
        node.insert(int(last), value)
    else:
        node[last] = value
    return document


BREAKS = [
    ("paths /courses", GONE, "GET /courses: is gone"),
    (POST, GONE, "POST /courses: is gone"),
    (f"{GET} parameters 0", GONE, "GET /courses: query parameter q: is gone"),
    (f"{GET} parameters 0 required", True, "GET /courses: query parameter q: is required now"),
    (f"{GET} parameters 0 schema maxLength", 50, "GET /courses: query parameter q: maxLength is 50 now"),
    (f"{GET} parameters 0 schema pattern", "a+", "GET /courses: query parameter q: pattern is a+ now"),
    (f"{GET} parameters 0 schema type", "integer", "GET /courses: query parameter q: string became integer"),
    (
        f"{GET} parameters 1 schema default",
        50,
        "GET /courses: query parameter limit: the default is 50 now, not 20",
    ),
    (
        f"{GET} parameters 1",
        {"in": "header", "name": "If-Match", "required": True, "schema": {"type": "string"}},
        "GET /courses: header parameter If-Match: is required now",
    ),
    (f"{GET} security", [{"bearer": []}], "GET /courses: asks for other credentials"),
    (
        f"{POST} operationId",
        "add_course",
        "POST /courses: operation create_course is called add_course now",
    ),
    (f"{POST} security", [{"basic": []}], "POST /courses: asks for other credentials"),
    (f"{POST} requestBody required", True, "POST /courses: a body is required now"),
    (
        f"{POST} requestBody content application/json",
        GONE,
        "POST /courses: request: application/json is gone",
    ),
    (f"{IN} required", ["level", "title"], "POST /courses: request /level: is required now"),
    (f"{IN} properties credits", GONE, "POST /courses: request /credits: is gone"),
    (f"{IN} properties credits", {"type": "number"}, "POST /courses: request /credits: null became number"),
    (f"{IN} properties level enum", ["basic"], "POST /courses: request /level: no longer takes 'advanced'"),
    (f"{IN} properties title enum", ["Algebra"], "POST /courses: request /title: only takes 'Algebra' now"),
    (f"{IN} properties title minLength", 2, "POST /courses: request /title: minLength is 2 now"),
    (f"{IN} additionalProperties", False, "POST /courses: request: takes no further fields now"),
    (f"{POST} responses 201", GONE, "POST /courses: response 201: is gone"),
    (f"{GET} responses 200 content text/csv", GONE, "GET /courses: response 200: text/csv is gone"),
    (f"{OUT} properties title", GONE, "GET /courses: response 200 /*/title: is gone"),
    (f"{OUT} required", ["id"], "GET /courses: response 200 /*/title: is no longer always there"),
    (f"{OUT} properties id", {"type": "integer"}, "GET /courses: response 200 /*/id: string became integer"),
    (
        f"{OUT} properties id",
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "GET /courses: response 200 /*/id: string became null",
    ),
    (f"{CODES} not_found", GONE, "error not_found: is gone"),
    (f"{CODES} not_found", 410, "error not_found: has status 410 now"),
]

ADDITIONS = [
    ("paths /rooms", {"get": {"responses": {"200": {}}}}),
    (f"{GET} parameters 1", {"in": "query", "name": "room", "schema": {"type": "string"}}),
    (f"{GET} parameters 0 schema maxLength", 200),
    (f"{GET} parameters 0 schema maxLength", GONE),
    (f"{POST} security", [{"bearer": []}, {"basic": []}]),
    (f"{POST} summary", "Create a course"),
    (f"{GET} operationId", "list_courses"),
    (f"{IN} required", []),
    (f"{IN} properties room", {"type": "string"}),
    (f"{IN} properties title", {"anyOf": [{"type": "string", "maxLength": 200}, {"type": "null"}]}),
    (f"{IN} properties level enum", ["basic", "advanced", "expert"]),
    (f"{IN} properties title description", "What it is called."),
    (f"{OUT} properties room", {"type": "string"}),
    (f"{OUT} properties level enum", ["basic", "advanced", "expert"]),
    (f"{OUT} required", ["id", "title", "level"]),
    (f"{CODES} conflict", 409),
]


def test_nothing_breaks_clients_of_the_last_release(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(release=False)

    assert (status, capsys.readouterr().out) == (0, "")


@pytest.mark.parametrize(("place", "value", "line"), BREAKS, ids=[line for *_, line in BREAKS])
def test_a_break_is_named_with_its_place(place: str, value: object, line: str) -> None:
    assert line in breaking_changes(RELEASE, changed(place, value))


@pytest.mark.parametrize(("place", "value"), ADDITIONS)
def test_an_addition_breaks_nothing(place: str, value: object) -> None:
    after = changed(place, value)

    assert after != RELEASE
    assert breaking_changes(RELEASE, after) == []


def test_a_schema_under_another_name_breaks_nothing() -> None:
    after = json.loads(json.dumps(RELEASE).replace("CourseOut", "Course"))

    assert breaking_changes(RELEASE, after) == []


@pytest.mark.parametrize("name", ["CourseOut", "PrerequisitesIn", "JsonValue"])
def test_recursive_schemas_are_compared_to_the_end(name: str) -> None:
    document: Mapping[str, Any] = RELEASE if name == "CourseOut" else json.loads(RELEASED.read_text())
    reference = {"$ref": f"#/components/schemas/{name}"}

    assert Comparison(document, document, "request").breaks(reference, reference) == []


def test_what_takes_anything_may_list_all_that_there_is() -> None:
    everything = {"oneOf": [{"type": name} for name in ("string", "number", "boolean", "null", "array", "object")]}

    assert Comparison({}, {}, "request").breaks({}, everything) == []
    assert Comparison({}, {}, "response").breaks(everything, {}) == []
    assert Comparison({}, {}, "request").breaks({}, {"type": "string"})


@pytest.mark.parametrize(
    ("accepted", "changelog", "wrong"),
    [
        ({}, "", ["GET /a: is gone"]),
        ({"GET /a: is gone": "Nobody used it."}, "## [Unreleased]\n- Nobody used\n  it.", []),
        ({"* /a: is gone": "Nobody used it."}, "## [Unreleased]\n- Nobody used it.", []),
        (
            {"GET /a: is gone": "Nobody used it."},
            "## [Unreleased]\n\n## [1.0.0]\n- Nobody used it.",
            ["GET /a: is gone (accepted, but CHANGELOG.md does not say: Nobody used it.)"],
        ),
        (
            {"GET /a: is gone": "Nobody used it.", "GET /b: is gone": "Nobody used it."},
            "## [Unreleased]\n- Nobody used it.",
            ["GET /b: is gone (accepted in accepted_breaks.toml, but not so)"],
        ),
    ],
)
def test_an_accepted_break_is_one_and_the_changelog_has_its_reason(
    accepted: dict[str, str], changelog: str, wrong: list[str]
) -> None:
    assert wrong_acceptances(["GET /a: is gone"], accepted, changelog) == wrong
