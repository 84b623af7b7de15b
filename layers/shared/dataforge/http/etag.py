"""Entity tags of versioned things (RFC 9110 §8.8.3, §13.1.1)."""

from starlette.requests import Request

from dataforge.kernel.errors import PreconditionFailed, PreconditionRequired


def etag(revision: int | str) -> str:
    """The strong entity tag of a revision."""
    return f'"{revision}"'


def expected_revision(request: Request) -> str:
    """The revision the caller wants to change, from If-Match.

    Raises PreconditionRequired (428) when it is missing; `*` gives `*`, which matches any revision.
    """
    header = request.headers.get("if-match")
    if header is None:
        message = "Send the ETag you read in an If-Match header, so that nobody's change is overwritten unseen."
        raise PreconditionRequired(message)
    value = header.strip().removeprefix("W/")
    return value.strip('"')


def check_revision(expected: str, current: int | str) -> None:
    """Raise PreconditionFailed (412) unless the expected revision is the current one."""
    if expected not in ("*", str(current)):
        message = "It has been changed since you read it; read it again and repeat your change."
        raise PreconditionFailed(message, facts={"current": etag(current)}, headers={"ETag": etag(current)})
