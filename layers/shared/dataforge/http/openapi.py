"""What the OpenAPI document says beyond FastAPI: `infra/openapi` writes it from the routes."""

from typing import Any

from fastapi.routing import APIRoute

from dataforge.http.auth import Require

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


def requirement_of(route: APIRoute) -> Require | None:
    """The role requirement among a route's dependencies; None means the route is public."""
    todo = list(route.dependant.dependencies)
    while todo:
        dependency = todo.pop()
        if isinstance(dependency.call, Require):
            return dependency.call
        todo.extend(dependency.dependencies)
    return None
