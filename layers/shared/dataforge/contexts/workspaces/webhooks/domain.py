"""Deliveries of GitHub, GitLab, Gitea and Forgejo: whether they are theirs, and what they say.

GitHub, Gitea and Forgejo sign the body (`X-Hub-Signature-256`). GitLab signs id, time and body as Standard Webhooks has
it (`webhook-signature`), or sends the secret itself (`X-Gitlab-Token`). One secret serves them all: as it stands for
GitHub and for GitLab's token, and decoded as the key of GitLab's signature.
"""

import binascii
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from dataforge.contexts.workspaces.remotes.domain import BRANCHES, is_hash, is_ref_name, kind_of
from dataforge.contexts.workspaces.remotes.domain import RefKind as Kind
from dataforge.kernel.errors import BadRequest, MalformedBody, Unauthenticated
from dataforge.kernel.texts import Text

PREFIX = "whsec_"
TRIES = 300  # deliveries a minute from one address, good or not
KEPT_FOR = timedelta(days=30)  # how long the ids of deliveries are remembered
MAX_DELIVERY_ID = 200
_SECRET_BYTES = 32
_TIME_DIGITS = 11  # of seconds since 1970: what has more is in no calendar
_TOLERANCE = timedelta(minutes=5)  # of the time in a signature (Standard Webhooks, "Verifying webhook authenticity")
_FORM = "application/x-www-form-urlencoded"


class WebhookSignatureInvalid(Unauthenticated):
    """The delivery is not signed with the repo's secret, or there is no such repo, or it has no secret."""

    code = "webhook_signature_invalid"
    title = "The signature of the delivery is not valid"


class WebhookOtherRepository(BadRequest):
    """The delivery is about another repository than the remote of the repo."""

    code = "webhook_other_repository"
    status = 422
    title = "The delivery is about another repository"


class Outcome(StrEnum):
    """What became of a delivery."""

    PONG = "pong"  # a test of the connection
    KNOWN = "known"  # delivered before
    TAKEN = "taken"
    IGNORED = "ignored"  # about something that is not kept


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """A branch or tag that was moved to `hash`, or deleted (None); `pushed_at` where the host says so."""

    name: str
    hash: str | None
    commit_hash: str | None
    pushed_at: datetime | None

    @property
    def kind(self) -> Kind:
        """Whether it is a branch or a tag."""
        return kind_of(self.name)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery says: the addresses of its repository, its default branch, and what was pushed."""

    event: str
    addresses: tuple[str, ...]
    default_branch: str | None
    update: RefUpdate | None

    @property
    def is_ping(self) -> bool:
        """Whether it tests the connection."""
        return self.event == "ping"


def new_secret() -> str:
    """A secret as Standard Webhooks writes it."""
    return PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def is_signed(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
    """Whether the delivery comes from somebody who has the secret; the strongest proof that it carries counts.

    `headers` have lower-case names.
    """
    if signature := headers.get("x-hub-signature-256"):
        digest = hmac.new(secret.encode(), body, "sha256").hexdigest()
        return _same(signature, f"sha256={digest}")
    if signatures := headers.get("webhook-signature"):
        return _is_standard(headers, signatures, body, secret, now)
    return _same(headers.get("x-gitlab-token", ""), secret)


def _is_standard(headers: Mapping[str, str], signatures: str, body: bytes, secret: str, now: datetime) -> bool:
    sent = headers.get("webhook-timestamp", "")
    if not sent.isascii() or not sent.isdigit() or len(sent) > _TIME_DIGITS:
        return False
    if abs(now - datetime.fromtimestamp(int(sent), UTC)) > _TOLERANCE:
        return False
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return False
    signed = f"{headers.get('webhook-id', '')}.{sent}.".encode() + body
    expected = "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()
    # While a key is changed there are several; a list longer than that is none.
    return any(_same(signature, expected) for signature in signatures.split()[:5])


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def delivery_id(headers: Mapping[str, str]) -> str | None:
    """What the host calls the delivery, the same when it is sent again; None where it does not say."""
    names: tuple[str, ...] = ("x-github-delivery", "webhook-id", "idempotency-key", "x-gitlab-event-uuid")
    if "webhook-signature" in headers and "x-hub-signature-256" not in headers:
        names = ("webhook-id",)  # the one that is signed: another name would make a copy a delivery of its own
    for name in names:
        given = headers.get(name, "").strip()
        if given:
            return given[:MAX_DELIVERY_ID]
    return None


def read_delivery(headers: Mapping[str, str], body: bytes) -> Delivered:
    """What a delivery says; raises MalformedBody. GitHub also sends JSON inside of a form."""
    document = _document(headers, body)
    event = headers.get("x-github-event") or headers.get("x-gitlab-event") or str(document.get("object_kind", ""))
    repository, project = _part(document, "repository"), _part(document, "project")
    named = [repository.get(name) for name in ("clone_url", "ssh_url", "html_url", "git_http_url", "git_ssh_url")]
    named += [project.get(name) for name in ("git_http_url", "git_ssh_url", "web_url")]
    default = repository.get("default_branch") or project.get("default_branch")
    return Delivered(
        event=event,
        addresses=tuple(address for address in named if isinstance(address, str)),
        default_branch=default if isinstance(default, str) and is_ref_name(BRANCHES + default) else None,
        update=_update(document, repository) if event in ("push", "Push Hook", "Tag Push Hook") else None,
    )


def _document(headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
    import orjson

    if headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        try:
            [text] = parse_qs(body.decode(), max_num_fields=10)["payload"]
        except (KeyError, ValueError) as error:
            message = Text("A form has one field `payload`, which is the JSON of the delivery.")
            raise MalformedBody(message) from error
        body = text.encode()
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message = Text("The body is not JSON.")
        raise MalformedBody(message) from error
    if not isinstance(document, dict):
        message = Text("The body is not a JSON object.")
        raise MalformedBody(message)
    return document


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = document.get(name)
    return part if isinstance(part, dict) else {}


def _update(document: Mapping[str, Any], repository: Mapping[str, Any]) -> RefUpdate | None:
    """The branch or tag of a push; None for one that is not kept."""
    name, after = str(document.get("ref", "")), str(document.get("after", ""))
    if not is_ref_name(name) or not is_hash(after):
        return None
    pushed_at = _instant(repository.get("pushed_at"))
    if not after.strip("0"):
        return RefUpdate(name, None, None, pushed_at)
    # `after` is the object of an annotated tag; what it leads to stands elsewhere.
    commit = document.get("checkout_sha") or _part(document, "head_commit").get("id")
    resolved = str(commit) if isinstance(commit, str) and is_hash(commit) else None
    return RefUpdate(name, after, after if kind_of(name) is Kind.BRANCH else resolved, pushed_at)


def _instant(seconds: object) -> datetime | None:
    if isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds < 1 << 34:
        return datetime.fromtimestamp(seconds, UTC)
    return None


def is_about(remote_url: str | None, addresses: Iterable[str]) -> bool:
    """Whether one of the addresses is that of the remote, by whatever protocol."""
    own = None if remote_url is None else repository_of(remote_url)
    return own is not None and any(repository_of(address) == own for address in addresses)


def repository_of(address: str) -> tuple[str, str] | None:
    """Host and path of a repository, the same for its https, ssh and page addresses; None for what is no address."""
    if "://" in address:
        try:
            parts = urlsplit(address)
            host, path = parts.hostname or "", parts.path
        except ValueError:
            return None
    else:
        before, _, path = address.partition(":")
        host = before.rpartition("@")[2].lower()
    path = unquote(path).strip("/").removesuffix(".git")
    # Hosts take the names of their repositories in any case.
    return (host, path.casefold()) if host and path else None
