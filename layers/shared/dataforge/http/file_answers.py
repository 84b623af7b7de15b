"""Files that are made for one answer: what fits is in it, what does not is an object that it points to (303).

Lambda answers through Mangum when everything is there, and 6 MB at most: nothing streams. An object's address holds for
an hour; the bucket's rules delete it after a day, so that nobody has to.
"""

import hashlib
import time
from typing import IO, Any

from starlette.requests import Request
from starlette.responses import Response

from dataforge.http.addresses import object_location
from dataforge.http.bounds import MAX_ANSWER_BYTES, AnswerTooLarge
from dataforge.http.etag import etag
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text

PREFIX = "lists/"
AT_LOCATION: dict[str, Any] = {
    "description": f"The file is larger than {MAX_ANSWER_BYTES // 1024**2} MiB and is at Location, for an hour",
    "headers": {"Location": {"required": True, "schema": {"type": "string", "format": "uri"}}},
}
# The gateway waits for 29 seconds; and a function has 512 MB on its disk.
MOST_SECONDS = 24.0
MOST_BYTES = 400 * 1024 * 1024


class ListTooLong(AnswerTooLarge):
    """A list takes longer to write, or is larger, than one request may: filter it, or take it page by page."""

    code = "list_too_long"
    title = "The list is too long for one file"


class Bounds:
    """How long a file may take to make, and how large it may become."""

    def __init__(self) -> None:
        self._until = time.monotonic() + MOST_SECONDS

    def check(self, file: IO[bytes], lines: int) -> None:
        """Raise ListTooLong when one of them is reached after so many lines."""
        if time.monotonic() <= self._until and file.tell() <= MOST_BYTES:
            return
        message = Text(
            "The list was too long for one file after {lines:,} lines. Narrow it with its filters, or take it page by "
            "page: send `limit`, and follow the header Link.",
            lines=lines,
        )
        raise ListTooLong(message, facts={"lines": lines})


def tagged(response: Response) -> Response:
    """The response with an entity tag of what is in it: a weak one, since packed the bytes are others."""
    tag = etag(hashlib.sha256(response.body).hexdigest()[:32])
    response.headers["ETag"] = f"W/{tag}"
    return response


async def store_file(request: Request, file: IO[bytes], *, name: str, media_type: str) -> Response:
    """Keep a file as an object and point to it."""
    objects = request.app.state.platform.objects
    key = f"{PREFIX}{uuid7()}/{name}"
    file.seek(0)
    await objects.put_file(key, file, content_type=media_type)
    return Response(status_code=303, headers=object_location(await objects.download_url(key)))


def fits(file: IO[bytes]) -> bool:
    """Whether what was written so far may be in an answer."""
    return file.tell() <= MAX_ANSWER_BYTES
