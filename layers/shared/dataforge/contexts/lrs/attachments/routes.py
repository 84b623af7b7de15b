"""Attachments that no request has room for: uploaded ahead of their statements, and read where their fileUrl points.

No resource of the standard: a statement with such a `fileUrl` is what the standard knows (Data 2.4.11).
"""

import re

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from dataforge.contexts.lrs.attachments.domain import (
    MAX_PLAYER_UPLOAD_BYTES,
    MAX_UPLOAD_BYTES,
    AttachmentNotFound,
    AttachmentsTooLarge,
    is_mixed,
    owner_of,
)
from dataforge.contexts.lrs.attachments.uploads import PATH, file_url
from dataforge.contexts.lrs.statements.domain import parse_json
from dataforge.contexts.lrs.xapi_protocol import XapiCall, XapiResource, xapi_json
from dataforge.http.addresses import own_address
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import PayloadTooLarge, ValidationFailed, Violation
from dataforge.kernel.limits import body_too_large
from dataforge.kernel.texts import Text
from dataforge.kernel.uploads import URL_SECONDS

_SHA_256 = re.compile(r"[0-9A-Fa-f]{64}\Z")
_HASH = re.compile(r"[0-9a-f]{56,128}\Z")
_OWNER = re.compile(r"[0-9a-f]{32}\Z")
_MEDIA_TYPE = re.compile(r"[\x21-\x7e]+/[\x20-\x7e]+\Z")


class Attachments(XapiResource):
    """The data of attachments by hash."""

    async def post(self, call: XapiCall) -> Response:
        """Where to PUT the data of an attachment: `{sha2, length, contentType?}`, sha2 being SHA-256 in hex digits.

        Once it is there, statements of this credential name it by `sha2` alone.
        """
        call.require(Action.CREATE, Kind.ATTACHMENT)
        call.check_parameters(())
        most = MAX_UPLOAD_BYTES if call.credential.session is None else MAX_PLAYER_UPLOAD_BYTES
        sha2, length, media_type = _described(parse_json(await call.signed_body()), most)
        owner, store = owner_of(call.credential.authority), call.services.attachments
        url, headers = await store.upload(owner, sha2, length=length, media_type=media_type)
        return xapi_json(
            {
                "sha2": sha2,
                "uploaded": bool(await store.uploaded(owner, [sha2])),
                "upload": {"method": "PUT", "url": url, "headers": headers, "expires_in_seconds": URL_SECONDS},
                "fileUrl": file_url(call, owner, sha2),
            },
            status=201,
        )

    async def get(self, call: XapiCall) -> Response:
        """The data under a hash: a redirect to where it can be read for an hour."""
        call.require(Action.READ, Kind.ATTACHMENT, own=True)
        call.check_parameters(("sha2", "owner"))
        own = owner_of(call.credential.authority)
        sha2, owner = call.required("sha2").lower(), call.parameters.get("owner", own)
        readable = owner == own or call.credential.may(Action.READ, Kind.ATTACHMENT)
        url = None
        if readable and _HASH.match(sha2) and _OWNER.match(owner):
            url = await call.services.attachments.download_url(owner, sha2)
        if url is None:
            message = Text("There is no attachment with the hash {sha2!r} here.", sha2=sha2[:128])
            raise AttachmentNotFound(message)
        return RedirectResponse(url, status_code=307)


def too_large(limit: int, scope: Scope) -> PayloadTooLarge:
    """The refusal of a body over the limit, with the way for large attachments where there are some."""
    if not is_mixed(Headers(scope=scope).get("content-type", "")):
        return body_too_large(limit)
    way = own_address(scope, PATH)
    message = Text(
        "The body is over the limit of {limit:,} bytes. Send fewer statements in one request. For a large attachment, "
        "POST its sha2 (SHA-256), length and contentType to {way}, PUT the data to the URL in the answer, and then "
        "send the statement with the sha2 and without the data.",
        limit=limit,
        way=way,
    )
    return AttachmentsTooLarge(message, facts={"limit_bytes": limit, "uploads": way})


def _described(body: object, most: int) -> tuple[str, int, str]:
    given = body if isinstance(body, dict) else {}
    sha2, length = given.get("sha2"), given.get("length")
    media_type = given.get("contentType", "application/octet-stream")
    violations = []
    if not (isinstance(sha2, str) and _SHA_256.match(sha2)):
        violations.append(Violation("/sha2", Text("must be the SHA-256 of the data in 64 hex digits"), "sha2"))
    if not (isinstance(length, int) and not isinstance(length, bool) and 0 < length <= most):
        violations.append(Violation("/length", Text("must be the number of bytes, 1 to {most:,}", most=most), "length"))
    if not (isinstance(media_type, str) and _MEDIA_TYPE.match(media_type)):
        violations.append(Violation("/contentType", Text("must be a media type such as video/mp4"), "media_type"))
    if violations or not (isinstance(sha2, str) and isinstance(length, int) and isinstance(media_type, str)):
        message = Text(
            "Describe the attachment: {pointer} {message}.",
            pointer=violations[0].pointer,
            message=violations[0].message,
        )
        raise ValidationFailed(message, violations=violations)
    return sha2.lower(), length, media_type
