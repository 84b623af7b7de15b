"""Errors as RFC 9457 problem documents."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from dataforge.http.addresses import own_address, this_address
from dataforge.http.encoding import dump_json
from dataforge.http.languages import language_of, say_language, translated
from dataforge.http.negotiation import preferred_media_type
from dataforge.kernel.errors import (
    BadRequest,
    DataForgeError,
    MethodNotAllowed,
    NotFound,
    UnsupportedMediaType,
    ValidationFailed,
    Violation,
)
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import and_more, plain_message
from dataforge.platform.texts.translation import translate

if TYPE_CHECKING:
    # The xAPI function answers problems too and does not pay for FastAPI when it starts.
    from fastapi.exceptions import RequestValidationError

MEDIA_TYPE = "application/problem+json"
PAGES = "/ui"  # where pages begin: what is asked for there is asked for by people
PROBLEM_PAGE = "dataforge.problem_page"  # where an app with pages leaves what makes one of a problem
MAX_ERRORS = 100  # places listed at most: a body with a hundred thousand wrong members must not make a larger answer
_MAX_PLACE = 200  # characters
_MOST_PLACES = 5
ERRORS = "/errors"  # where the registry of codes is served; `type` points into it
_BY_STATUS: dict[int, type[DataForgeError]] = {404: NotFound, 405: MethodNotAllowed, 415: UnsupportedMediaType}


def problem_response(error: DataForgeError, scope: Scope) -> Response:
    """The problem document of an error (RFC 9457 §3) met by the request of this scope: no stack trace, no SQL.

    A page instead for people: below /ui, and for a browser that was pointed at something else of an app with pages.
    """
    as_page: Callable[[DataForgeError, Scope], Response] | None = scope.get(PROBLEM_PAGE)
    if as_page is not None and _is_for_people(scope):
        return as_page(error, scope)
    language = language_of(scope)
    document: dict[str, object] = {
        "type": own_address(scope, ERRORS, error.code),
        "title": translate(error.title, language),
        "status": error.status,
        "detail": translate(error.detail, language),
        "instance": this_address(scope),
        "code": error.code,
        "request_id": str(scope.get("dataforge.request_id", "")),
    }
    if error.violations:
        document["errors"] = [
            {"pointer": item.pointer, "detail": translate(item.message, language), "rule": item.rule}
            for item in error.violations
        ]
    for key, value in error.facts.items():
        document.setdefault(key, translated(value, language))
    response = Response(dump_json(document), status_code=error.status, media_type=MEDIA_TYPE, headers=error.headers)
    say_language(response.headers, scope)
    return response


def _is_for_people(scope: Scope) -> bool:
    path = str(scope["path"])
    if path in ("/", PAGES) or path.startswith(PAGES + "/"):
        return True
    accept = Headers(scope=scope).get("accept", "")
    return scope["method"] in ("GET", "HEAD") and preferred_media_type(accept, (MEDIA_TYPE, "text/html")) == "text/html"


def _pointer(location: Iterable[object]) -> str:
    # FastAPI's location starts with where the value came from: body, query, path or header.
    source, *rest = [str(part).replace("~", "~0").replace("/", "~1") for part in location]
    return "".join(f"/{part}" for part in rest) if source == "body" else f"{source}:" + "/".join(rest)


def from_validation(error: "RequestValidationError") -> ValidationFailed:
    """FastAPI's validation errors as ours, with one JSON pointer each, a hundred at most."""
    mistakes = error.errors()
    violations = [
        Violation(_pointer(item["loc"])[:_MAX_PLACE], plain_message(item), str(item["type"]))
        for item in mistakes[:MAX_ERRORS]
    ]
    omitted = len(mistakes) - len(violations)
    return ValidationFailed(
        _advice(violations),
        violations=violations,
        facts={"errors_omitted": omitted} if omitted else None,
    )


def _advice(violations: list[Violation]) -> str:
    if len(violations) == 1:
        place = violations[0].pointer or Text("The request body")
        return Text("{place}: {message}.", place=place, message=violations[0].message)
    places = list(dict.fromkeys(item.pointer or Text("the request body") for item in violations))
    return Text(
        "Correct what `errors` lists and send the request again: {places}.", places=and_more(places, _MOST_PLACES)
    )


def unforeseen() -> DataForgeError:
    """The answer to an error that nobody foresaw."""
    return DataForgeError(Text("The request could not be completed. Quote the request id if you report this."))


async def handle_domain_error(request: Request, error: Exception) -> Response:
    """Handler of the whole DataForgeError tree."""
    assert isinstance(error, DataForgeError)  # noqa: S101 - registered for this class only
    from dataforge.http.auth import find_locale  # it answers problems itself

    await find_locale(request)
    return problem_response(error, request.scope)


async def handle_unforeseen_error(request: Request, _error: Exception) -> Response:
    """Handler of everything else; the envelope around the app logs and counts it."""
    return await handle_domain_error(request, unforeseen())


async def handle_validation_error(request: Request, error: Exception) -> Response:
    """Handler of FastAPI's request validation."""
    from fastapi.exceptions import RequestValidationError

    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    return await handle_domain_error(request, from_validation(error))


async def handle_http_exception(request: Request, error: Exception) -> Response:
    """Handler of Starlette's own refusals: unknown path, wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    cause = error.__cause__
    if isinstance(cause, DataForgeError):  # raised while FastAPI read the body, which wraps whatever happens there
        return await handle_domain_error(request, cause)
    kind = _BY_STATUS.get(error.status_code, BadRequest)
    details = {
        404: Text("There is nothing at this address."),
        405: Text("{method} is not offered at {scope}.", method=request.method, scope=this_address(request.scope)),
    }
    detail = details.get(error.status_code, str(error.detail))
    return await handle_domain_error(request, kind(detail, headers=error.headers))
