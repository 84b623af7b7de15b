"""Entity tags of versioned things (RFC 9110 §8.8.3, §13.1.1)."""

from starlette.requests import Request

from dataforge.kernel.errors import BadRequest, PreconditionRequired


def etag(revision: int | str) -> str:
    """The strong entity tag of a revision."""
    return f'"{revision}"'


def expected_revision(request: Request) -> str:
    """The revision the caller wants to change, from If-Match.

    Raises PreconditionRequired (428) when it is missing, and BadRequest for a list of tags: a change is made to the one
    revision that was read. `*` gives `*`, which matches any revision.
    """
    header = request.headers.get("if-match")
    if header is None:
        message = "Send the ETag you read in an If-Match header, so that nobody's change is overwritten unseen."
        raise PreconditionRequired(message)
    if "," in header:
        message = "If-Match takes one ETag here, the one you read, or *."
        raise BadRequest(message)
    value = header.strip().removeprefix("W/")
    return value.strip('"')
