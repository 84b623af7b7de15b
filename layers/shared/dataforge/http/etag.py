"""Entity tags of versioned things (RFC 9110 §8.8.3, §13.1.1)."""

from starlette.requests import Request
from starlette.responses import Response

from dataforge.kernel.errors import BadRequest, PreconditionRequired
from dataforge.kernel.texts import Text

_OF_CONTENT = frozenset({"content-length", "content-type", "content-encoding", "content-disposition"})


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
        message = Text("Send the ETag you read in an If-Match header, so that nobody's change is overwritten unseen.")
        raise PreconditionRequired(message)
    if "," in header:
        message = Text("If-Match takes one ETag here, the one you read, or *.")
        raise BadRequest(message)
    value = header.strip().removeprefix("W/")
    return value.strip('"')


def not_modified(request: Request, response: Response) -> Response:
    """304 instead of an answer to GET whose entity tag is in If-None-Match (RFC 9110 §13.1.2, §15.4.5); else itself.

    Tags are compared weakly. The headers of the answer stay, but those about the content that is left out.
    """
    given = request.headers.get("if-none-match")
    tag = response.headers.get("etag")
    if given is None or tag is None or response.status_code != 200 or request.method not in ("GET", "HEAD"):
        return response
    tags = {item.strip().removeprefix("W/") for item in given.split(",")}
    if given.strip() != "*" and tag.removeprefix("W/") not in tags:
        return response
    kept = {name: value for name, value in response.headers.items() if name not in _OF_CONTENT}
    return Response(status_code=304, headers=kept)
