"""The OpenAPI document of the API: FastAPI's own, completed with what dependencies and middleware do."""

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from dataforge.http.call import KEYED
from dataforge.http.csv_lists import ListRoute
from dataforge.http.openapi import PROBLEM_SCHEMA, UNKEYED, requirement_of
from dataforge.kernel.errors import DataForgeError
from infra.openapi.answers import complete_answers, problem_examples, used_headers
from infra.openapi.examples import add_examples
from infra.openapi.lists import complete_with_formats
from infra.openapi.names import GROUPS, TAG_DESCRIPTIONS, context_of, operation_id, tag_of
from infra.openapi.schemas import for_generators
from infra.openapi.xapi import add_xapi

_SCHEMAS = "#/components/schemas/"
_LONG_NAME = re.compile(r"dataforge__(?:contexts__)?(?P<context>[a-z]+)__.*__(?P<name>[A-Za-z]+)")


INFO: dict[str, Any] = {
    "title": "DataForge API",
    "version": "1",
    "summary": "Learning records, academics, versioned datasets and the workspaces of those who use them.",
    "description": (
        "Sign in with `POST /api/auth/login`, or send a personal access token; every refusal is a problem document"
        " (RFC 9457) whose `code` `/errors` explains. What is versioned has an ETag: changes take it as `If-Match`."
        " Lists go on with `next_cursor`. Every POST that makes something may be repeated with an `Idempotency-Key`."
    ),
    "license": {"name": "MIT", "identifier": "MIT"},
}
SERVERS = [{"url": "/", "description": "the API that serves this document"}]
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT, or a personal access token"},
    "basic": {"type": "http", "scheme": "basic", "description": "any name, and a personal access token"},
}


def openapi_document(routes: Sequence[APIRoute]) -> dict[str, Any]:
    """The document (OpenAPI 3.1) of these routes: names, tags, security, headers, problems and examples included.

    Raises ValueError when two operations would have one name.
    """
    routes = [route for route in routes if route.include_in_schema]  # pages are for people
    document = get_openapi(title=INFO["title"], version=INFO["version"], routes=routes)
    document["info"] = INFO
    document["servers"] = SERVERS
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = _SECURITY
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    met: set[type[DataForgeError]] = set()
    for route in routes:
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            operation["operationId"] = operation_id(route, routes)
            operation["tags"] = [tag_of(route)]
            if method == "GET":
                complete_with_formats(operation, ListRoute(route, Request))
            met |= _complete(operation, route, method.lower())
    components["examples"] = problem_examples(met)
    components["headers"] = used_headers(document)
    _refuse_repeated_names(document)
    document["tags"] = _tags(routes)
    document["x-tagGroups"] = _tag_groups(routes)
    document = for_generators(_with_short_names(document))
    add_examples(document)
    add_xapi(document)
    return document


def operations_of(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation of each."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method, path, operation


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> set[type[DataForgeError]]:
    """Say who may call an operation, and what it answers; returns the errors that it may answer with."""
    required = requirement_of(route)
    operation["responses"].pop("422", None)  # validation answers 400 here
    keyed, unkeyed = operation.pop(KEYED, False), operation.pop(UNKEYED, False)
    if required is None:
        operation.setdefault("security", [])
    else:
        operation["security"] = [{"bearer": []}] if required.interactive else [{"bearer": []}, {"basic": []}]
        if required.roles:
            roles = f"Roles: {', '.join(sorted({'admin', *required.roles}))}."
            operation["description"] = f"{operation.get('description', '')}\n\n{roles}".strip()
    keyed = required is not None and (keyed or (method == "post" and not unkeyed))
    return complete_answers(operation, route, method, required, keyed=keyed)


def _refuse_repeated_names(document: dict[str, Any]) -> None:
    uses = Counter(operation["operationId"] for _, _, operation in operations_of(document))
    if repeated := sorted(name for name, times in uses.items() if times > 1):
        message = f"Several operations are called {', '.join(repeated)}: name them in infra/openapi/names.py."
        raise ValueError(message)


def _tags(routes: Sequence[APIRoute]) -> list[dict[str, str]]:
    """Each tag once, described by what its modules of routes say of themselves."""
    described: dict[str, list[str]] = {}
    for module, tag in sorted({(route.endpoint.__module__, tag_of(route)) for route in routes}):
        text = " ".join((sys.modules[module].__doc__ or "").split()).removeprefix("REST of ")
        described.setdefault(tag, []).append(text[:1].upper() + text[1:])
    return [
        {"name": tag, "description": TAG_DESCRIPTIONS.get(tag) or " ".join(texts)}
        for tag, texts in sorted(described.items())
    ]


def _tag_groups(routes: Sequence[APIRoute]) -> list[dict[str, Any]]:
    """Tags by context, as readers of documents with `x-tagGroups` show them."""
    grouped: dict[str, set[str]] = {}
    for route in routes:
        grouped.setdefault(GROUPS[context_of(route)], set()).add(tag_of(route))
    return [{"name": name, "tags": sorted(tags)} for name, tags in sorted(grouped.items())]


def _with_short_names(document: dict[str, Any]) -> dict[str, Any]:
    """Models of one name in two contexts are told apart by the context, not by the module."""
    schemas = document["components"]["schemas"]
    short = {
        f"{_SCHEMAS}{name}": f"{_SCHEMAS}{match['context'].capitalize()}{match['name']}"
        for name in schemas
        if (match := _LONG_NAME.fullmatch(name))
    }
    if len(set(short.values())) < len(short):
        message = f"Models of one name in one context: {', '.join(sorted(short.values()))}."
        raise ValueError(message)
    document["components"]["schemas"] = {
        short.get(_SCHEMAS + name, _SCHEMAS + name).removeprefix(_SCHEMAS): schema for name, schema in schemas.items()
    }
    _replace_references(document, short)
    return document


def _replace_references(value: object, replacements: dict[str, str]) -> None:
    if isinstance(value, dict):
        if value.get("$ref") in replacements:
            value["$ref"] = replacements[value["$ref"]]
        for item in value.values():
            _replace_references(item, replacements)
    elif isinstance(value, list):
        for item in value:
            _replace_references(item, replacements)
