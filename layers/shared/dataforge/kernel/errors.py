"""The one exception tree of the product.

Every refusal a client can see is a class here or derives from one here. A class carries a stable `code`, an HTTP
`status` and a `title`; an instance carries the sentence that says what was wrong, where, and what to do.

    DataForgeError
    ├── BadRequest                400  the request cannot be understood
    │   ├── FilterRefused         422  a filter names an unknown column or a value of another type
    │   ├── MalformedBody         400  the body is not what its content type says
    │   └── ValidationFailed      400  the body is understood and breaks rules; one `Violation` per place
    ├── Unauthenticated           401
    ├── Forbidden                 403
    │   ├── ScopeMissing          403  the credential or token is not for this
    │   └── SignInRequired        403  no token does this, only somebody who has signed in
    ├── NotFound                  404
    ├── Conflict                  409  the state of the thing does not allow it
    │   ├── AlreadyExists         409
    │   ├── PlanStale             409  what a plan saw has moved
    │   └── IdempotencyInProgress 409  the first request with this key has not ended
    ├── NotAcceptable             406  none of the formats we have is accepted
    ├── AcceptMissing             406  bytes for a client that does not say what it accepts
    ├── PreconditionFailed        412  If-Match names another version
    ├── PayloadTooLarge           413
    ├── UnsupportedMediaType      415
    ├── IdempotencyKeyReused      422  same key, other body
    ├── Locked                    423
    ├── PreconditionRequired      428  If-Match is missing
    ├── TooManyRequests           429
    ├── GatewayRefused            4xx  API Gateway itself answered, in our stead
    ├── ObjectMissing             500  a stored object that something names is not there
    └── Unavailable               503  something behind us did not answer; nothing was done

Contexts derive their own from the closest class and set `code` and `title`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from dataforge.kernel.texts import Text


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: where it is (a JSON pointer, RFC 6901), what is wrong, and a stable rule id."""

    pointer: str
    message: str
    rule: str = "invalid"


def sentence(message: str) -> str:
    """A message as a whole sentence: with a full stop, unless it has a mark at its end already."""
    return message if message.endswith((".", "?")) else Text("{message}.", message=message)


class DataForgeError(Exception):
    """Base of every error with a stable code; `facts` are extra members of the problem document (RFC 9457 §3.2)."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(
        self,
        detail: str,
        *,
        facts: Mapping[str, object] | None = None,
        violations: Iterable[Violation] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts: dict[str, object] = dict(facts or {})
        self.violations: tuple[Violation, ...] = tuple(violations)
        self.headers: dict[str, str] = dict(headers or {})


class BadRequest(DataForgeError):
    """The request cannot be understood."""

    code = "bad_request"
    status = 400
    title = "The request cannot be understood"


class MalformedBody(BadRequest):
    """The body is not what its content type says it is."""

    code = "malformed_body"
    title = "The body cannot be read"


class ValidationFailed(BadRequest):
    """The body breaks rules; `violations` name each place."""

    code = "validation_failed"
    title = "The request breaks one or more rules"


class Unauthenticated(DataForgeError):
    """Nobody is signed in, or the credential is not valid."""

    code = "unauthenticated"
    status = 401
    title = "Sign-in is required"


class Forbidden(DataForgeError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403
    title = "This is not allowed for you"


class ScopeMissing(Forbidden):
    """The credential or personal access token may not do this; `required_scope` says what it lacks."""

    code = "scope_missing"
    title = "The credential lacks a scope"


class SignInRequired(Forbidden):
    """A personal access token may not do this, whatever its scopes: sign in and do it yourself."""

    code = "sign_in_required"
    title = "This needs somebody who has signed in"


class NotFound(DataForgeError):
    """There is no such thing, or the caller may not see it."""

    code = "not_found"
    status = 404
    title = "Not found"


class MethodNotAllowed(DataForgeError):
    """The resource exists and does not answer to this method."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"


class NotAcceptable(DataForgeError):
    """The header Accept names none of the formats that this resource has; the detail lists them."""

    code = "not_acceptable"
    status = 406
    title = "The format is not available"


class Conflict(DataForgeError):
    """The state of the thing does not allow this."""

    code = "conflict"
    status = 409
    title = "The current state does not allow this"


class AlreadyExists(Conflict):
    """Another one has the same natural key, such as a code or a number."""

    code = "already_exists"
    title = "Already exists"


class InUse(Conflict):
    """Something else refers to it, so it is kept."""

    code = "in_use"
    title = "It is in use and cannot be deleted"


class InvalidTransition(Conflict):
    """The state machine has no such step."""

    code = "invalid_transition"
    title = "This step is not possible from the present state"


class PlanStale(Conflict):
    """The state a plan was made from has moved; nothing was applied."""

    code = "plan_stale"
    title = "The plan is stale"


class IdempotencyInProgress(Conflict):
    """The first request with this Idempotency-Key has not ended yet."""

    code = "idempotency_in_progress"
    title = "The first request with this key is still running"


class PreconditionFailed(DataForgeError):
    """If-Match names a version that is no longer the current one."""

    code = "stale_version"
    status = 412
    title = "It has been changed since you read it"


class PayloadTooLarge(DataForgeError):
    """The body is over the documented limit."""

    code = "payload_too_large"
    status = 413
    title = "The body is too large"


class UnsupportedMediaType(DataForgeError):
    """The content type is not one this resource reads."""

    code = "unsupported_media_type"
    status = 415
    title = "The content type is not supported"


class IdempotencyKeyReused(DataForgeError):
    """The Idempotency-Key was used before with another body."""

    code = "idempotency_key_reused"
    status = 422
    title = "The key belongs to another request"


class Locked(DataForgeError):
    """The thing is locked against changes."""

    code = "locked"
    status = 423
    title = "Locked against changes"


class PreconditionRequired(DataForgeError):
    """A versioned thing is changed without If-Match."""

    code = "precondition_required"
    status = 428
    title = "If-Match is required"


class TooManyRequests(DataForgeError):
    """Too many attempts; the Retry-After header says when to come back."""

    code = "too_many_requests"
    status = 429
    title = "Too many attempts"


class GatewayRefused(DataForgeError):
    """The gateway in front of us refused the request or got no answer; the document's own `status` says which."""

    code = "gateway_error"  # template.yaml, GatewayResponses
    status = 400
    title = "The gateway did not pass the request on"


class Unavailable(DataForgeError):
    """Something behind us did not answer; nothing was done and the request may be repeated."""

    code = "unavailable"
    status = 503
    title = "Temporarily unavailable"


class FilterRefused(BadRequest):
    """A filter names an unknown column, an unknown operator, or a value of another type."""

    code = "filter_refused"
    status = 422
    title = "The filter cannot be applied"


class ObjectMissing(DataForgeError):
    """A stored object that something names is not there."""

    code = "stored_object_missing"
    title = "Stored data is missing"


def invalid(pointer: str, message: str, rule: str = "invalid") -> ValidationFailed:
    """The refusal of one field of a body; `pointer` is its JSON pointer."""
    return ValidationFailed(message, violations=[Violation(pointer, message, rule)])


def registered_errors() -> dict[str, type[DataForgeError]]:
    """Every error class loaded so far by code; raises ValueError if two classes with other statuses share a code."""
    errors: dict[str, type[DataForgeError]] = {}
    todo: list[type[DataForgeError]] = [DataForgeError]
    while todo:
        error = todo.pop()
        known = errors.setdefault(error.code, error)
        if known.status != error.status:
            message = f"{error.code} has two statuses: {known.status} and {error.status}"
            raise ValueError(message)
        todo.extend(error.__subclasses__())
    return dict(sorted(errors.items()))
