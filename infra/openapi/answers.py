"""What each operation can answer besides its success: error codes by status, with examples, and headers."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from fastapi.routing import APIRoute

from dataforge.http.auth import Require
from dataforge.http.csv_lists import EXCEL
from dataforge.http.file_answers import ListTooLong
from dataforge.http.parameters import UnknownParameter
from dataforge.kernel import errors
from dataforge.kernel.errors import DataForgeError
from dataforge.platform.db.database import DatabaseUnavailable
from infra.openapi.reach import Reach, reach_of

PROBLEM = "#/components/schemas/Problem"
_EXAMPLES, _HEADERS = "#/components/examples/", "#/components/headers/"
_TEXT = {"type": "string"}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "repeat a request safely: the same key and body get the same answer",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "the ETag that was read, so that nobody's change is overwritten unseen; `*` for any",
    "schema": {**_TEXT, "minLength": 1},
    "example": '"3"',
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "the ETag of what the client has: 304 if it is the current one",
    "schema": _TEXT,
    "example": '"3"',
}
HEADERS: dict[str, dict[str, Any]] = {
    "Content-Disposition": {"description": "the name of the file", "schema": _TEXT},
    "ETag": {"description": "the version; changes take it as If-Match, reads as If-None-Match", "schema": _TEXT},
    "Idempotency-Replayed": {"description": "`true`: the answer to the first request with this key", "schema": _TEXT},
    "Last-Modified": {"description": "when it was last changed (RFC 9110 §8.8.2)", "schema": _TEXT},
    "Link": {"description": "the next page (RFC 8288), if there is one", "schema": _TEXT},
    "Location": {"description": "where what was made, or the job that makes it, is found", "schema": _TEXT},
    "Retry-After": {"description": "seconds until it is worth asking again", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"description": "how to sign in (RFC 9110 §11.6.1)", "schema": _TEXT},
    "X-Request-Id": {"description": "quote it when you report a problem", "schema": _TEXT},
}
# Notes are changed by If-Match, or by the hash of the text that was read.
_OPTIONAL_IF_MATCH = frozenset({"change_note", "restore_revision"})
_READS = ("get", "head")


def complete_answers(
    operation: dict[str, Any], route: APIRoute, method: str, required: Require | None, *, keyed: bool
) -> set[type[DataForgeError]]:
    """Declare the headers that are sent and looked at, and the problems; returns their errors.

    `keyed` says whether the operation honours Idempotency-Key.
    """
    reach = reach_of(route.endpoint)
    for dependency in _dependencies(route):
        more = reach_of(dependency)
        reach.errors |= more.errors
        reach.functions |= more.functions
    conditional = "expected_revision" in reach.functions
    parameters: list[dict[str, Any]] = operation.setdefault("parameters", [])
    declared = {parameter["name"].lower() for parameter in parameters if parameter["in"] == "header"}
    if conditional and "if-match" not in declared:
        parameters.append({**IF_MATCH, "required": route.name not in _OPTIONAL_IF_MATCH})
    if keyed:
        parameters.append(IDEMPOTENCY_KEY)
    if method in _READS and "ETag" in reach.headers:
        if "if-none-match" not in declared:
            parameters.append(IF_NONE_MATCH)
        operation["responses"].setdefault("304", {"description": "It is the one that If-None-Match names."})
    if not parameters:
        del operation["parameters"]
    met = set(_errors(operation, reach, required, conditional=conditional, keyed=keyed))
    met |= set(_refused_by_the_route_class(operation, method))
    _declare_headers(operation, method, reach, keyed=keyed)
    _declare_problems(operation, met)
    return met


def problem_examples(met: Iterable[type[DataForgeError]]) -> dict[str, Any]:
    """An example of each error's problem document."""
    return {
        error.code: {
            "summary": error.title,
            "value": {
                "type": f"/errors/{error.code}",
                "title": error.title,
                "status": error.status,
                "detail": " ".join((error.__doc__ or error.title).split()),
                "instance": "/api/…",
                "code": error.code,
                "request_id": "5f2b6c0f8a7e4d21b1c9d6a3e4f50718",
                **_violations(error),
            },
        }
        # Of several with one code the most general one speaks.
        for error in sorted(met, key=lambda error: (error.code, -len(error.__mro__), error.__qualname__))
    }


def used_headers(document: dict[str, Any]) -> dict[str, Any]:
    """The headers that some operation sends."""
    sent = {
        name
        for operations in document["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for name in response.get("headers", ())
    }
    return {name: header for name, header in HEADERS.items() if name in sent}


def _violations(error: type[DataForgeError]) -> dict[str, Any]:
    if error is not errors.ValidationFailed:
        return {}
    return {"errors": [{"pointer": "/title", "detail": "must not be empty", "rule": "string_too_short"}]}


def _dependencies(route: APIRoute) -> Iterator[Any]:
    todo = list(route.dependant.dependencies)
    while todo:
        dependency = todo.pop()
        if dependency.call is not None and not isinstance(dependency.call, Require):
            yield dependency.call
        todo.extend(dependency.dependencies)


def _errors(
    operation: dict[str, Any], reach: Reach, required: Require | None, *, conditional: bool, keyed: bool
) -> Iterator[type[DataForgeError]]:
    """What the handler may raise, and what is refused before it is asked."""
    yield from reach.errors
    yield errors.BadRequest
    parameters = operation.get("parameters", ())
    if "requestBody" in operation:
        yield from (errors.MalformedBody, errors.PayloadTooLarge)
    if "requestBody" in operation or parameters:
        yield errors.ValidationFailed
    if any(parameter["in"] == "path" for parameter in parameters):
        yield errors.NotFound
    if required is not None:
        yield from (errors.Unauthenticated, errors.Forbidden)
        yield errors.SignInRequired if required.interactive else errors.ScopeMissing
    if conditional:
        yield from (errors.PreconditionFailed, errors.PreconditionRequired)
    if keyed:
        yield from (errors.IdempotencyInProgress, errors.IdempotencyKeyReused)
    yield from (errors.DataForgeError, DatabaseUnavailable)


def _refused_by_the_route_class(operation: dict[str, Any], method: str) -> Iterator[type[DataForgeError]]:
    yield UnknownParameter
    if method in _READS and "application/json" in operation["responses"].get("200", {}).get("content", {}):
        yield errors.NotAcceptable
    if any(parameter["name"] == EXCEL for parameter in operation.get("parameters", ())):
        yield ListTooLong


def _declare_problems(operation: dict[str, Any], met: Iterable[type[DataForgeError]]) -> None:
    responses = operation["responses"]
    by_status: dict[int, set[type[DataForgeError]]] = {}
    for error in met:
        by_status.setdefault(error.status, set()).add(error)
    for status, found in sorted(by_status.items()):
        response = responses.setdefault(str(status), {"description": HTTPStatus(status).phrase})
        examples = {error.code: {"$ref": _EXAMPLES + error.code} for error in sorted(found, key=lambda one: one.code)}
        content = response.setdefault("content", {})
        content.setdefault("application/problem+json", {"schema": {"$ref": PROBLEM}, "examples": examples})
        names = {401: ("WWW-Authenticate",), 412: ("ETag",), 429: ("Retry-After",), 503: ("Retry-After",)}
        _add_headers(response, (*names.get(status, ()), "X-Request-Id"))
    for range_of, text in (("4XX", "refused"), ("5XX", "failed on our side; the request may be repeated")):
        responses[range_of] = {
            "description": f"Problem document (RFC 9457): {text}",
            "content": {"application/problem+json": {"schema": {"$ref": PROBLEM}}},
        }


def _declare_headers(operation: dict[str, Any], method: str, reach: Reach, *, keyed: bool) -> None:
    for status, response in operation["responses"].items():
        if not status.startswith(("2", "3")):
            continue
        names = ["X-Request-Id"]
        if status in ("200", "201", "304") and "ETag" in reach.headers:
            names.append("ETag")
        if status in ("201", "202", "303") and ("Location" in reach.headers or status == "303"):
            names.append("Location")
        if status == "202" and "Retry-After" in reach.headers:
            names.append("Retry-After")
        if status == "200" and method in _READS:
            names += [name for name in ("Link", "Content-Disposition", "Last-Modified") if name in reach.headers]
            if "page_response" in reach.functions:
                names.append("Link")
        if keyed and status.startswith("2"):
            names.append("Idempotency-Replayed")
        _add_headers(response, names)


def _add_headers(response: dict[str, Any], names: Iterable[str]) -> None:
    headers = response.setdefault("headers", {})
    for name in names:
        headers.setdefault(name, {"$ref": _HEADERS + name})
