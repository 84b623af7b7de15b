"""Documents, whom they belong to, and when they may be written (xAPI Communication 2.2, 3.1; IEEE 9274.1.1 §4.1.4)."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

import orjson

from dataforge.contexts.lrs.statements.domain import XapiVersion, parse_json, to_json
from dataforge.kernel.errors import BadRequest, Conflict, MalformedBody, PayloadTooLarge, PreconditionFailed
from dataforge.kernel.texts import Text

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
"""Lambda answers 6 MB at most, which is about 4.5 MB of content once it is Base64-encoded."""
DEFAULT_TYPE = "application/octet-stream"
_JSON = "application/json"


class DocumentExists(Conflict):
    """A PUT without If-Match or If-None-Match would overwrite a document unseen (Communication 3.1)."""

    code = "document_exists"
    title = "The document exists already"


class DocumentPreconditionMissing(BadRequest):
    """A PUT of a new profile names neither If-Match nor If-None-Match (XAPI-00273)."""

    code = "document_precondition_missing"
    title = "If-Match or If-None-Match is missing"


class DocumentNotMergeable(BadRequest):
    """A POST merges JSON objects only: the one that is stored and the one that is sent (Communication 2.2)."""

    code = "document_not_mergeable"
    title = "The documents cannot be merged"


class Resource(StrEnum):
    """The three kinds of documents."""

    STATE = "state"
    ACTIVITY_PROFILE = "activity_profile"
    AGENT_PROFILE = "agent_profile"


@dataclass(frozen=True, slots=True)
class DocumentSet:
    """The documents of one activity, agent or both; `registration` belongs to State only, None being any."""

    resource: Resource
    activity_id: str | None = None
    agent_key: str | None = None
    registration: UUID | None = None

    @property
    def digest(self) -> bytes:
        """What the set is found by: SHA-256, because activity ids and accounts have no bound."""
        return _digest(self.resource.value, self.activity_id, self.agent_key)


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """One document: its set, in which a missing registration is none, and its stateId or profileId."""

    group: DocumentSet
    name: str

    @property
    def digest(self) -> bytes:
        """The key of the row, SHA-256."""
        registration = None if self.group.registration is None else str(self.group.registration)
        return _digest(self.group.digest.hex(), registration, self.name)


def _digest(*parts: str | None) -> bytes:
    return hashlib.sha256(orjson.dumps(parts)).digest()


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a document and their media type, both as they were sent."""

    body: bytes
    media_type: str

    @property
    def etag(self) -> str:
        """The SHA-1 of the content in hexadecimal digits (Communication 3.1)."""
        return hashlib.sha1(self.body, usedforsecurity=False).hexdigest()

    @property
    def is_json(self) -> bool:
        """Whether it says that it is JSON."""
        return self.media_type.partition(";")[0].strip().lower() == _JSON

    def require_size(self) -> Self:
        """Itself; raises PayloadTooLarge when a function could not give it back."""
        if len(self.body) > MAX_DOCUMENT_BYTES:
            message = Text(
                "The document has {count:,} bytes; a document may have {max_document_bytes:,}.",
                count=len(self.body),
                max_document_bytes=MAX_DOCUMENT_BYTES,
            )
            raise PayloadTooLarge(message, facts={"limit_bytes": MAX_DOCUMENT_BYTES})
        return self

    def require_well_formed(self) -> Self:
        """Itself; raises MalformedBody when it says it is JSON and is not."""
        if self.is_json:
            try:
                orjson.loads(self.body)
            except orjson.JSONDecodeError as error:
                message = Text("The document is labelled {json} and is not JSON: {error}.", json=_JSON, error=error)
                raise MalformedBody(message) from error
        return self


@dataclass(frozen=True, slots=True)
class Document:
    """What is stored; `previous_etag` is that of the content before, so that a repeated change is recognised."""

    content: Content
    updated_at: datetime
    previous_etag: str | None = None

    @property
    def etag(self) -> str:
        """The tag of the content."""
        return self.content.etag


@dataclass(frozen=True, slots=True)
class Preconditions:
    """If-Match and If-None-Match (RFC 9110 §13.1): None where the header is missing, else tags without quotes."""

    if_match: frozenset[str] | None = None
    if_none_match: frozenset[str] | None = None

    @classmethod
    def of(cls, if_match: str | None, if_none_match: str | None) -> Self:
        """Read both headers; clients send tags with and without quotes."""
        return cls(_tags(if_match), _tags(if_none_match))

    @property
    def are_missing(self) -> bool:
        """Whether neither header was sent."""
        return self.if_match is None and self.if_none_match is None

    def are_met(self, stored: Document | None, sent: Content | None) -> bool:
        """Whether the stored document is the one the client means; `sent` is what it becomes, None for a DELETE.

        A change that was made already, whose answer was lost, is met by the tag from before it.
        """
        if self.if_none_match is not None and stored is not None and _names(self.if_none_match, stored.etag):
            return False
        if self.if_match is None:
            return True
        if stored is None:
            return False
        repeated = sent is not None and stored.content == sent and stored.previous_etag in self.if_match
        return repeated or _names(self.if_match, stored.etag)


def _tags(header: str | None) -> frozenset[str] | None:
    if header is None:
        return None
    return frozenset(tag.strip().removeprefix("W/").strip('"') for tag in header.split(","))


def _names(tags: frozenset[str], etag: str) -> bool:
    return "*" in tags or etag in tags


def require_preconditions(
    resource: Resource, version: XapiVersion, given: Preconditions, stored: Document | None
) -> None:
    """Raise when a PUT must name what it overwrites: a profile always, State under 2.0 when there is one.

    Raises DocumentExists, DocumentPreconditionMissing.
    """
    if not given.are_missing or (resource is Resource.STATE and (version is XapiVersion.V1_0 or stored is None)):
        return
    if stored is None:
        message = Text("Send If-None-Match: * to create the document, or If-Match with the ETag of the one to replace.")
        raise DocumentPreconditionMissing(message)
    message = Text("There is a document. Read it, and send its ETag in If-Match to replace it; nothing was changed.")
    raise DocumentExists(message, headers={"ETag": f'"{stored.etag}"'})


def require_met(given: Preconditions, stored: Document | None, sent: Content | None) -> None:
    """Raise PreconditionFailed (412) unless the preconditions are met."""
    if not given.are_met(stored, sent):
        message = Text(
            "The document is not what If-Match or If-None-Match asks for; read it again. Nothing was changed."
        )
        raise PreconditionFailed(message, headers={} if stored is None else {"ETag": f'"{stored.etag}"'})


def merged(stored: Document | None, sent: Content) -> Content:
    """What a POST makes of a document: the members of the object that was sent replace those of the stored one.

    Raises MalformedBody, InvalidJson, DocumentNotMergeable.
    """
    members = _members(sent, Text("The document that was sent")) if sent.is_json else None
    if stored is None:
        return sent
    if members is None or not stored.content.is_json:
        message = Text(
            "A POST merges documents of type {json} only; use PUT to replace a document. Nothing was changed.",
            json=_JSON,
        )
        raise DocumentNotMergeable(message)
    before = _members(stored.content, Text("The stored document"))
    return replace(stored.content, body=to_json({**before, **members}))


def _members(content: Content, what: str) -> dict[str, object]:
    found = parse_json(content.body)
    if not isinstance(found, dict):
        message = Text("{what} is JSON, but no object; a POST merges objects. Nothing was changed.", what=what)
        raise DocumentNotMergeable(message)
    return found
