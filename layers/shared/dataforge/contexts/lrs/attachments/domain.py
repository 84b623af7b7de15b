"""Statements and attachments in one body of multipart/mixed, in and out (Communication 1.5.2, RFC 2046 §5.1)."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email.message import Message
from secrets import token_hex

from dataforge.contexts.lrs.statements.domain import StatementsBody, actor_key, parse_body
from dataforge.contexts.lrs.statements.domain.validation.attachments import SIGNATURE_USAGE
from dataforge.kernel.errors import MalformedBody, NotFound, PayloadTooLarge
from dataforge.kernel.texts import Text

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,199}[0-9A-Za-z'()+_,\-./:=?]\Z")
_HASHES = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_PREFIX = "attachments/"


MAX_UPLOAD_BYTES = 5 * 1024**3
"""What S3 takes in one PUT."""
MAX_PLAYER_UPLOAD_BYTES = 100 * 1024**2
"""What a course player may upload at once: whoever may launch a lesson has its credential."""


class AttachmentsTooLarge(PayloadTooLarge):
    """Statements and attachments are more than a request may have.

    POST to `uploads` for an address to PUT each large attachment to, and send the statements with their `sha2` alone.
    """

    code = "attachments_too_large"
    title = "The attachments are too large for one request"


class AttachmentNotFound(NotFound):
    """No data was stored under the hash, or the credential may not read it."""

    code = "attachment_not_found"
    title = "There is no such attachment"


class AttachmentInvalid(MalformedBody):
    """A multipart/mixed body is not statements with their attachments (Communication 1.5.2)."""

    code = "attachment_invalid"
    title = "The attachments do not go with the statements"


@dataclass(frozen=True, slots=True)
class Attachment:
    """The data of an attachment under its SHA-2 hash in lower-case hex digits."""

    sha2: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Part:
    headers: Message
    content: bytes


def is_mixed(content_type: str) -> bool:
    """Whether a body of this type is several parts of statements and attachments."""
    return content_type.partition(";")[0].strip().lower() == "multipart/mixed"


def read_mixed(body: bytes, content_type: str) -> tuple[StatementsBody, dict[str, Attachment]]:
    """The statements of a multipart/mixed body, and the attachments by hash.

    Raises AttachmentInvalid, UnsupportedStatementBody and whatever `parse_json` raises.
    """
    first, *others = _parts(body, _boundary(content_type))
    statements = parse_body(first.content, str(first.headers.get("content-type", "")))
    attachments = {found.sha2: found for found in map(_attachment, others)}
    unused = sorted(attachments.keys() - {sha2 for _, sha2, _ in named_in(statements.statements)})
    if unused:
        message = Text("No statement of this request names the attachment with the hash {unused}.", unused=unused[0])
        raise AttachmentInvalid(message)
    found = StatementsBody(statements.statements, statements.is_array, part_hashes=frozenset(attachments))
    return found, attachments


def _boundary(content_type: str) -> bytes:
    # Clients leave the quotes away also where the standard wants them (RFC 2045 §5.1).
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not _BOUNDARY.match(boundary):
        message = Text("Content-Type multipart/mixed names no boundary, such as multipart/mixed; boundary=abc.")
        raise AttachmentInvalid(message)
    return boundary.encode()


def _parts(body: bytes, boundary: bytes) -> list[_Part]:
    # The line break before a delimiter belongs to it, not to the part.
    delimiter = rb"\r?\n--" + re.escape(boundary) + rb"(?=--|[ \t]*\r?\n)"
    pieces = re.split(delimiter, b"\r\n" + body)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        message = Text(
            "The parts of the body are not between lines of -- and the boundary, the last one with -- behind it."
        )
        raise AttachmentInvalid(message)
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> _Part:
    line = re.match(rb"[ \t]*\r?\n", piece)
    end = re.search(rb"\r?\n\r?\n", piece)
    if line is None or end is None:
        message = Text("A part of the body has no head: its headers and an empty line.")
        raise AttachmentInvalid(message)
    headers = Message()
    for text in piece[line.end() : end.start()].decode("latin-1").splitlines():
        name, colon, value = text.partition(":")
        if not colon:
            message = Text("The head of a part has the line {text!r}, which is no header.", text=text[:60])
            raise AttachmentInvalid(message)
        headers[name.strip()] = value.strip()
    return _Part(headers, piece[end.end() :])


def _attachment(part: _Part) -> Attachment:
    sha2 = str(part.headers.get("x-experience-api-hash", "")).lower()
    algorithm = _HASHES.get(len(sha2))
    if algorithm is None:
        message = Text(
            "Each part after the statements has X-Experience-API-Hash: the SHA-2 hash of its data in hex digits."
        )
        raise AttachmentInvalid(message)
    if str(part.headers.get("content-transfer-encoding", "")).lower() != "binary":
        message = Text("Each part after the statements has Content-Transfer-Encoding: binary.")
        raise AttachmentInvalid(message)
    if hashlib.new(algorithm, part.content).hexdigest() != sha2:
        message = Text("The data of the attachment {sha2} has another hash; it was changed on its way.", sha2=sha2)
        raise AttachmentInvalid(message)
    return Attachment(sha2, str(part.headers.get("content-type", "application/octet-stream")), part.content)


def named_in(statements: Sequence[object]) -> Iterator[tuple[Mapping[str, object], str, str]]:
    """What statements and their SubStatements name as attachments: the statement, hash and media type of each."""
    for statement in statements:
        if not isinstance(statement, dict):
            continue
        target = statement.get("object")
        for part in (statement, target if isinstance(target, dict) else {}):
            listed = part.get("attachments")
            for item in listed if isinstance(listed, list) else ():
                if isinstance(item, dict) and isinstance(item.get("sha2"), str):
                    yield statement, item["sha2"].lower(), str(item.get("contentType"))


def shas_named(statement: Mapping[str, object]) -> set[str]:
    """The hashes of a statement's attachments, those of a signature among them."""
    target = statement.get("object")
    if "attachments" not in statement and not (isinstance(target, dict) and "attachments" in target):
        return set()
    return {sha2 for _, sha2, _ in named_in([statement])}


def owner_of(authority: Mapping[str, object]) -> str:
    """What the data of an authority is kept under."""
    return hashlib.sha256(actor_key(authority).encode()).hexdigest()[:32]


def all_places(key: str) -> list[str]:
    """Where the data of an `object_key` may be: it came with its statement, or ahead of it."""
    owner, sha2 = key.removeprefix(_PREFIX).split("/")
    return [key, uploaded_key(owner, sha2)]


def object_key(owner: str, sha2: str) -> str:
    """Where the data is kept: apart by owner, so that to know a hash is not enough to read what others sent."""
    return f"{_PREFIX}{owner}/{sha2}"


def uploaded_key(owner: str, sha2: str) -> str:
    """Where data is kept that was uploaded ahead of its statements.

    Apart from what came with statements: the standard refuses a statement that leaves away the data it once had.
    """
    return f"{_PREFIX}{owner}/uploaded/{sha2}"


def without_data(body: StatementsBody) -> set[str]:
    """The hashes of attachments whose data is nowhere: neither in the request nor at a fileUrl; no signatures."""
    return {
        str(item["sha2"]).lower()
        for statement in body.statements
        for item in _attachments_of(statement)
        if _lacks_data(item, body)
    }


def with_file_urls(body: StatementsBody, urls: Mapping[str, str]) -> StatementsBody:
    """The statements, with where the data is in those attachments whose hash has a URL."""

    def located(part: object) -> object:
        if not isinstance(part, dict):
            return part
        found = dict(part)
        listed = found.get("attachments")
        if isinstance(listed, list):
            found["attachments"] = [
                {**item, "fileUrl": urls[str(item["sha2"]).lower()]}
                if _lacks_data(item, body) and str(item["sha2"]).lower() in urls
                else item
                for item in listed
            ]
        if isinstance(found.get("object"), dict):
            found["object"] = located(found["object"])
        return found

    return replace(body, statements=[located(statement) for statement in body.statements])


def _attachments_of(statement: object) -> Iterator[dict[str, object]]:
    target = statement.get("object") if isinstance(statement, dict) else None
    for part in (statement, target):
        listed = part.get("attachments") if isinstance(part, dict) else None
        yield from (item for item in (listed if isinstance(listed, list) else ()) if isinstance(item, dict))


def _lacks_data(item: object, body: StatementsBody) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("sha2"), str)
        and "fileUrl" not in item
        and item["sha2"].lower() not in body.part_hashes
        and item.get("usageType") != SIGNATURE_USAGE
    )


def mixed_body(json: bytes, attachments: Sequence[Attachment]) -> tuple[bytes, str]:
    """An answer of statements and attachments as multipart/mixed: the body and its Content-Type."""
    boundary = token_hex(24)
    parts = [b"Content-Type: application/json\r\n\r\n" + json]
    for item in attachments:
        # What a client wrote as media type must not become a second header.
        media_type = item.media_type if item.media_type.isprintable() else "application/octet-stream"
        head = f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: {item.sha2}"
        parts.append(head.encode() + b"\r\n\r\n" + item.content)
    delimiter = b"--" + boundary.encode()
    body = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"
    # Clients cut the boundary out of the header as it stands; of hex digits alone, it needs no quotes.
    return body, f"multipart/mixed; boundary={boundary}"
