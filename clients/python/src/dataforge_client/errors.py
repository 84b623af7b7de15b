"""What can go wrong, as one tree.

ClientError
├── NotConfigured              no address or token was given
├── Unreachable                the server did not answer
├── NotAnApi                   what answered is no DataForge
├── Ambiguous                  a name fits several things
├── Missing                    a package that an optional part needs is not installed
├── TransferFailed             the object store refused a file, or a transfer broke off
├── JobFailed                  a job ended without doing its work; `job` tells why
│   └── JobTimeout             it did not end in the time given; it goes on
└── ApiError                   the API refused: `status`, `code`, `errors`, `request_id`
    ├── BadRequest (400)   ValidationFailed (422)   Unauthorized (401)   Forbidden (403)
    ├── NotFound (404, 410)    TooLarge (413)           Locked (423)
    ├── Conflict (409)     ── MergeConflict, PlanStale, RefMoved
    ├── PreconditionFailed (412, 428)
    ├── TooManyRequests (429)
    └── ServerError (5xx)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataforge_client.models import Job


class ClientError(Exception):
    """Anything that this package raises on purpose."""


class NotConfigured(ClientError):
    """Nobody said which server to talk to, or as whom."""


class Unreachable(ClientError):
    """The server did not answer, also when it was asked again."""


class NotAnApi(ClientError):
    """What answered is not the API: the address is another site's, or that of a page."""


class Ambiguous(ClientError):
    """A name fits several things; name one of them by its id."""


class Missing(ClientError):
    """A package is needed that is not installed."""


class TransferFailed(ClientError):
    """The object store did not take or give a file."""


class JobFailed(ClientError):
    """A job ended without doing its work."""

    def __init__(self, message: str, job: Job) -> None:
        super().__init__(message)
        self.job = job


class JobTimeout(JobFailed):
    """A job did not end in the time that was given; it goes on on the server."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a request: `pointer` is where in the body (RFC 6901), `rule` what it breaks."""

    pointer: str
    detail: str
    rule: str


class ApiError(ClientError):
    """The API refused a request.

    `code` is stable and meant for programs, `detail` for people; quote `request_id` in a report of a problem. `facts`
    are the other members of the problem document, such as `conflicts`.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], *, retry_after: float | None = None) -> None:
        self.status = status
        self.code = str(problem.get("code", "")) or f"http_{status}"
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", ""))
        self.request_id = str(problem.get("request_id", ""))
        self.errors = tuple(
            Violation(str(item.get("pointer", "")), str(item.get("detail", "")), str(item.get("rule", "")))
            for item in problem.get("errors", ())
            if isinstance(item, Mapping)
        )
        known = {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}
        self.facts: dict[str, Any] = {key: value for key, value in problem.items() if key not in known}
        self.retry_after = retry_after
        super().__init__(self._text())

    def _text(self) -> str:
        lines = [f"{self.detail or self.title or 'The request was refused.'} [{self.status} {self.code}]"]
        if len(self.errors) > 1:
            lines += [f"  {item.pointer or '(body)'}: {item.detail}" for item in self.errors]
        if self.request_id:
            lines.append(f"  request {self.request_id}")
        return "\n".join(lines)


class BadRequest(ApiError):
    """The request is not understood."""


class ValidationFailed(BadRequest):
    """Members of the request are wrong; `errors` lists them."""


class Unauthorized(ApiError):
    """The token is unknown, expired or revoked."""


class Forbidden(ApiError):
    """The person or token may not do this."""


class NotFound(ApiError):
    """There is no such thing, or it is not for this person to know of."""


class TooLarge(ApiError):
    """The request is larger than the route takes."""


class Locked(ApiError):
    """What would change is locked or protected."""


class Conflict(ApiError):
    """What is there does not allow it."""


class RefMoved(Conflict):
    """Somebody else committed on the branch meanwhile."""


class PlanStale(Conflict):
    """What a plan saw has changed since; make a new plan."""


class MergeConflict(Conflict):
    """Both sides of a merge changed the same; `conflicts` lists rows with base, ours and theirs."""

    @property
    def conflicts(self) -> list[dict[str, Any]]:
        """The conflicts that the answer lists."""
        return list(self.facts.get("conflicts", ()))


class PreconditionFailed(ApiError):
    """What the change was made on is no longer there."""


class TooManyRequests(ApiError):
    """Too much at once, also after waiting."""


class ServerError(ApiError):
    """The server failed."""


_BY_CODE: dict[str, type[ApiError]] = {
    "validation_failed": ValidationFailed,
    "ref_moved": RefMoved,
    "plan_stale": PlanStale,
    "merge_conflicts": MergeConflict,
}
_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: PreconditionFailed,
    413: TooLarge,
    422: ValidationFailed,
    423: Locked,
    428: PreconditionFailed,
    429: TooManyRequests,
}


def api_error(status: int, body: bytes, retry_after: float | None = None) -> ApiError:
    """The exception for an answer that is no success."""
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {"detail": body[:500].decode(errors="replace").strip()}
    kind = _BY_CODE.get(str(problem.get("code"))) or _BY_STATUS.get(status)
    if kind is None:
        kind = ServerError if status >= 500 else ApiError
    return kind(status, problem, retry_after=retry_after)
