"""The committed OpenAPI document and error list say what the code does."""

import json
import re
from pathlib import Path
from typing import Any

from infra.openapi.generate import HERE, REGISTRY, documented_routes, error_list, error_registry, openapi
from infra.openapi.names import OPERATIONS, TAG_DESCRIPTIONS, operation_id

# Here an empty body would ask for everything, or say nothing about whom it is for.
NEEDS_A_BODY = {
    "/api/webhooks/{webhook_id}/replays",
    "/api/attributions/preview",
    "/api/erasures/preview",
    "/api/repo-webhooks/{repo_id}",
    "/api/user-profiles",
    "/api/xapi/purges/preview",
    "/xapi/activities/profile",
    "/xapi/activities/state",
    "/xapi/agents/profile",
}


def test_the_committed_document_is_current() -> None:
    assert json.loads((HERE / "openapi.json").read_text()) == json.loads(json.dumps(openapi()))


def test_the_committed_error_list_is_current() -> None:
    assert Path(HERE / "errors.md").read_text() == error_list()
    assert json.loads(REGISTRY.read_text()) == error_registry()


def test_every_operation_has_a_summary_and_answers_problems() -> None:
    operations = [item for path in openapi()["paths"].values() for item in path.values()]

    assert operations
    for operation in operations:
        assert operation["summary"]
        assert {"400", "4XX", "500", "503", "5XX"} <= set(operation["responses"])
        assert "security" in operation


def test_every_error_code_that_an_operation_names_has_an_example_with_its_status() -> None:
    document = openapi()
    examples = document["components"]["examples"]
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                problem = response.get("content", {}).get("application/problem+json", {})
                for code, reference in problem.get("examples", {}).items():
                    assert reference == {"$ref": f"#/components/examples/{code}"}
                    assert (examples[code]["value"]["code"], examples[code]["value"]["status"]) == (code, int(status))


def test_operations_declare_the_conditions_that_they_have() -> None:
    paths = openapi()["paths"]
    change, read, create = (
        paths["/api/courses/{course_id}"]["patch"],
        paths["/api/courses/{course_id}"]["get"],
        paths["/api/courses"]["post"],
    )

    def headers(operation: dict[str, Any]) -> dict[str, bool]:
        return {one["name"]: one["required"] for one in operation["parameters"] if one["in"] == "header"}

    assert headers(change) == {"If-Match": True}
    assert {"412", "428"} <= set(change["responses"])
    assert headers(read) == {"If-None-Match": False}
    assert "304" in read["responses"]
    assert headers(create) == {"Idempotency-Key": False}
    assert set(create["responses"]["201"]["headers"]) >= {"ETag", "Location", "Idempotency-Replayed", "X-Request-Id"}
    assert "Link" in paths["/api/courses"]["get"]["responses"]["200"]["headers"]
    assert set(create["responses"]["409"]["content"]["application/problem+json"]["examples"]) >= {"already_exists"}


def test_no_type_takes_its_name_from_a_title() -> None:
    schemas = openapi()["components"]["schemas"]

    assert [name for name, schema in schemas.items() if "title" in schema] == []
    assert [name for name in schemas if not name.isidentifier() or "__" in name] == []


def test_a_body_that_requires_nothing_can_be_left_out() -> None:
    document = openapi()

    def requires_something(body: dict[str, Any]) -> bool:
        schema = body["content"].get("application/json", {}).get("schema", {})
        schema = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
        return bool(schema.get("required")) or schema.get("type") != "object"

    posts = {
        path: item["post"]["requestBody"]
        for path, item in document["paths"].items()
        if "requestBody" in item.get("post", {})
    }
    insisted = {path for path, body in posts.items() if body.get("required") and not requires_something(body)}

    assert insisted == NEEDS_A_BODY


def test_an_operation_has_a_short_name_of_its_own() -> None:
    names = [item["operationId"] for path in openapi()["paths"].values() for item in path.values()]

    assert len(set(names)) == len(names)
    wrong = [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name) or len(name) > 40]
    assert wrong == ["unsubscribe"]


def test_no_name_is_given_to_what_is_no_operation() -> None:
    document = openapi()
    names = {item["operationId"] for path in document["paths"].values() for item in path.values()}

    assert set(OPERATIONS.values()) - names == set()
    assert set(TAG_DESCRIPTIONS) - {tag["name"] for tag in document["tags"]} == set()


def test_every_operation_has_one_tag_and_every_tag_says_what_it_is_for() -> None:
    document = openapi()
    described = {tag["name"]: tag["description"] for tag in document["tags"]}
    used = {tuple(item["tags"]) for path in document["paths"].values() for item in path.values()}

    assert used == {(name,) for name in described}
    assert all(len(text) > 15 and text.endswith(".") for text in described.values())
    grouped = [tag for group in document["x-tagGroups"] for tag in group["tags"]]
    assert sorted(grouped) == sorted(described)


def test_every_json_body_has_an_example_that_its_model_takes() -> None:
    document = openapi()
    bodies = {
        operation["operationId"]: operation["requestBody"]["content"]["application/json"]["example"]
        for path in document["paths"].values()
        for operation in path.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    refused = {}
    for route in documented_routes():
        body = route.body_field
        name = operation_id(route, documented_routes())
        if body is None or name not in bodies:
            continue
        _, errors = body.validate(bodies[name], {}, loc=("body",))
        if errors:
            refused[name] = [(error["loc"], error["msg"]) for error in errors]

    assert len(bodies) > 130
    assert refused == {}
