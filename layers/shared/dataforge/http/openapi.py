"""The OpenAPI document of an app: FastAPI's own, completed with what dependencies and middleware do."""

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from dataforge.http.auth import Require

_PROBLEM = {
    "description": "Problem document (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what was wrong, where, and what to do"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "stable; `type` is where it is explained, /errors lists all"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail", "rule"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) into the body"},
                    "detail": {"type": "string"},
                    "rule": {"type": "string"},
                },
            },
        },
    },
}
# Marks a POST without Idempotency-Key: its answer holds a secret (a presigned URL, say), which is not kept, or it
# changes nothing and may be repeated anyway.
UNKEYED = "x-unkeyed"
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "repeat a request safely: the same key and body get the same answer",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def requirement_of(route: APIRoute) -> Require | None:
    """The role requirement among a route's dependencies; None means the route is public."""
    todo = list(route.dependant.dependencies)
    while todo:
        dependency = todo.pop()
        if isinstance(dependency.call, Require):
            return dependency.call
        todo.extend(dependency.dependencies)
    return None


def openapi_document(title: str, routes: Sequence[APIRoute]) -> dict[str, Any]:
    """The document (OpenAPI 3.1) of these routes: security, problem answers and idempotency keys included."""
    routes = [route for route in routes if route.include_in_schema]  # pages are for people
    document = get_openapi(title=title, version="1", routes=routes)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT, or a personal access token"},
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "any name, and a personal access token",
        },
    }
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    for route in routes:
        required = requirement_of(route)
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            _complete(operation, method, required)
    return document


def _complete(operation: dict[str, Any], method: str, required: Require | None) -> None:
    responses = operation["responses"]
    responses.pop("422", None)  # validation answers 400 here
    responses["4XX"] = _PROBLEM
    if required is None:
        return
    operation["security"] = [{"bearer": []}] if required.interactive else [{"bearer": []}, {"basic": []}]
    if required.roles:
        operation["description"] = (
            operation.get("description", "") + f"\n\nRoles: {', '.join(sorted({'admin', *required.roles}))}."
        ).strip()
    if method == "POST" and not operation.pop(UNKEYED, False):
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
