"""What other contexts may know of identity.

People are read through the view `identity.directory(user_id, username, email, avatar, display_name, role, time_zone,
locale, suspended_at, reminder_time, quiet_from, quiet_to, proved_email, matches_from)`: its columns only grow, so that
a query of another context never breaks on a change here. E-mail is lower-cased in it.

`email` is where a person is written to, and may have been typed by anybody. People are matched by `proved_email` alone:
it is null unless the person has confirmed the address or the organisation vouches for it, and no two people have the
same. A statement is matched by it only if it was stored at `matches_from` or later: `-infinity` for an address that is
vouched for, else when it was confirmed.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import Conflict, NotFound, ScopeMissing, TooManyRequests, Unauthenticated, Violation
from dataforge.kernel.events import Event
from dataforge.kernel.mail import MailDraft
from dataforge.kernel.rules import RULES, scope_covers
from dataforge.kernel.texts import Text


class UnknownPerson(NotFound):
    """Nobody has the id that something is to be given to."""

    code = "unknown_person"
    title = "There is no such person"


class PersonSuspended(Conflict):
    """Whoever something is to be given to is suspended."""

    code = "person_suspended"
    title = "The person is suspended"


def require_active_person(user_id: UUID, pointer: str, *, suspended: bool | None) -> None:
    """Raise unless the person may be given something; `suspended` as the directory says, None if nobody has the id.

    `pointer` says where the id was given. Raises UnknownPerson, PersonSuspended.
    """
    if suspended is None:
        message = Text("There is no user {user_id}.", user_id=user_id)
        raise UnknownPerson(message, violations=[Violation(pointer, message, "unknown_reference")])
    if suspended:
        message = Text("User {user_id} is suspended; end the suspension first.", user_id=user_id)
        raise PersonSuspended(message, violations=[Violation(pointer, message, "suspended")])


class SignatureInvalid(Unauthenticated):
    """A credential with a public key was used without a valid signature over the body."""

    code = "signature_invalid"
    title = "The signature is missing or wrong"


class CredentialThrottled(TooManyRequests):
    """The credential has sent its requests of this minute; Retry-After says when the next one begins."""

    code = "credential_throttled"
    title = "The credential has sent too many requests"


@dataclass(frozen=True, slots=True)
class SessionGrant:
    """What the token of a course player is for: one learner, one activity, one registration, one session."""

    session_id: UUID
    registration: UUID
    activity_id: str
    actor: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class XapiCredential:
    """A verified xAPI credential: `authority` is the Agent that statements are stored under.

    `rate_limit` is in requests a minute, None being no limit. With `deduplicate` a statement that comes again without
    an id is the one that came before (ADR 3). A `session` bounds everything else that is allowed.
    """

    key_id: str
    scopes: frozenset[str]
    authority: Mapping[str, object]
    public_pem: str | None = field(default=None, repr=False)
    workspace_id: UUID | None = None
    rate_limit: int | None = None
    deduplicate: bool = False
    session: SessionGrant | None = None

    def allows(self, scope: str) -> bool:
        """Whether the scope is granted, itself or by a wider one."""
        return any(scope_covers(held, scope) for held in self.scopes)

    def may(self, action: Action, kind: Kind, *, own: bool = False) -> bool:
        """Whether a scope allows this; with `own` it is enough that it is allowed with what the credential stored."""
        rule = RULES[kind, action]
        return not self.scopes.isdisjoint((*rule.scopes, *rule.own_scopes) if own else rule.scopes)

    def require(self, action: Action, kind: Kind, *, own: bool = False) -> None:
        """Raise ScopeMissing (403), with the narrowest scope that would be enough, unless the credential may."""
        if not self.may(action, kind, own=own):
            rule = RULES[kind, action]
            scope = (*(rule.own_scopes if own else ()), *rule.scopes)[0]
            message = Text("This credential does not have the scope {scope}.", scope=scope)
            raise ScopeMissing(message, facts={"required_scope": scope})

    def check_signature(self, body: bytes, signature: str | None) -> None:
        """Verify `X-Signature`: base64 of RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2) over the raw body.

        Does nothing for a credential without a public key; raises SignatureInvalid (401).
        """
        if self.public_pem is None:
            return
        if not signature:
            message = Text(
                "This credential requires an X-Signature header: base64 of the RSA-SHA256 signature over the body."
            )
            raise SignatureInvalid(message)
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        key = load_pem_public_key(self.public_pem.encode())
        try:
            if not isinstance(key, RSAPublicKey):
                raise InvalidSignature
            key.verify(base64.b64decode(signature, validate=True), body, PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error) as error:
            message = Text("X-Signature does not match the body under this credential's public key.")
            raise SignatureInvalid(message) from error


@dataclass(frozen=True, slots=True)
class XapiCredentialChanged(Event):
    """An xAPI credential was made, changed or revoked."""

    name = "identity.xapi_credential_changed"
    about = "key_id"

    key_id: str


@dataclass(frozen=True, slots=True)
class PasswordResetRequested(Event):
    """Somebody asked for the mail with which a password is set; whether anybody has the address is not known yet."""

    name = "identity.password_reset_requested"
    about = "email"

    email: str


@dataclass(frozen=True, slots=True)
class PasswordChanged(Event):
    """A person has another password."""

    name = "identity.password_changed"
    about = "user_id"

    user_id: UUID


@dataclass(frozen=True, slots=True)
class SecondFactorAdded(Event):
    """Sign-ins of a person need a code from now on."""

    name = "identity.second_factor_added"
    about = "user_id"

    user_id: UUID


@dataclass(frozen=True, slots=True)
class SecondFactorRemoved(Event):
    """Sign-ins of a person need the password only from now on."""

    name = "identity.second_factor_removed"
    about = "user_id"

    user_id: UUID


@dataclass(frozen=True, slots=True)
class EmailConfirmationRequested(Event):
    """An address is to be proved by a link mailed to it: a new account's, or one that is to replace another."""

    name = "identity.email_confirmation_requested"
    about = "user_id"

    user_id: UUID
    email: str


@dataclass(frozen=True, slots=True)
class EmailChangeRequested(Event):
    """A confirmed address is to be replaced; its owner hears of it and can stop it."""

    name = "identity.email_change_requested"
    about = "user_id"

    user_id: UUID
    email: str
    new_email: str


@dataclass(frozen=True, slots=True)
class EmailConfirmed(Event):
    """A person has proved that an address is theirs."""

    name = "identity.email_confirmed"
    about = "user_id"

    user_id: UUID
    email: str


@dataclass(frozen=True, slots=True)
class AccountInvitationSent(Event):
    """An invitation into the organisation is to be mailed, for the first time or again."""

    name = "identity.invitation_sent"
    about = "invitation_id"

    invitation_id: UUID
    sendings: int


@dataclass(frozen=True, slots=True)
class TokenCreated(Event):
    """A person has made a personal access token; if it was somebody else, they hear of it."""

    name = "identity.token_created"
    about = "token_id"

    user_id: UUID
    token_id: UUID


@dataclass(frozen=True, slots=True)
class TokenExpires(Event):
    """A personal access token ends within a week."""

    name = "identity.token_expires"
    about = "token_id"

    user_id: UUID
    token_id: UUID


@dataclass(frozen=True, slots=True)
class PersonalExportEnded(Event):
    """All that is held about a person is in one file; `asked_by` is whoever wanted it."""

    name = "identity.personal_export_ended"
    about = "job_id"

    job_id: UUID
    user_id: UUID
    asked_by: UUID | None


@dataclass(frozen=True, slots=True)
class AccountClaimRequested(Event):
    """A person is to be mailed the link by which they take over the account that an import made for them."""

    name = "identity.account_claim_requested"
    about = "user_id"

    user_id: UUID


AccountEvent = (
    PasswordResetRequested
    | PasswordChanged
    | SecondFactorAdded
    | SecondFactorRemoved
    | EmailConfirmationRequested
    | EmailChangeRequested
    | AccountInvitationSent
    | TokenCreated
    | TokenExpires
    | AccountClaimRequested
    | PersonalExportEnded
)


@dataclass(frozen=True, slots=True)
class AccountsMerged(Event):
    """The account that an import made is gone: its person has proved the address with their own account, `kept`.

    Whoever refers to people lets what named `merged` name `kept`. It comes at once and again after twenty minutes, for
    what was under way.
    """

    name = "identity.accounts_merged"
    about = "kept"

    kept: UUID
    merged: UUID


class AccountMails(Protocol):
    """Writes the mails about accounts; what is secret in them is in no event and in no outbox."""

    async def draft(self, event: AccountEvent) -> MailDraft | None:
        """The mail that the event leads to; None when it leads to none (any more). Twice is the same link."""
        ...


@dataclass(frozen=True, slots=True)
class PersonalClock:
    """When and how a person is written to: texts as forms have them, an empty quiet hour being none."""

    time_zone: str
    locale: str
    reminder_time: str
    quiet_from: str = ""
    quiet_to: str = ""


class PersonalClocks(Protocol):
    """The clocks and languages that people live by."""

    async def read(self, user_id: UUID) -> PersonalClock:
        """A person's own; raises NotFound."""
        ...

    async def change(self, user_id: UUID, clock: PersonalClock) -> None:
        """Replace it, on behalf of the person; raises ValidationFailed with a pointer to each member that is wrong."""
        ...


class LearnerAccounts(Protocol):
    """Accounts of learners, inside the caller's transaction."""

    async def by_email(self, emails: Iterable[str]) -> Mapping[str, UUID]:
        """User ids by lower-cased e-mail address, of those who have proved it or are vouched for."""
        ...

    async def suspended(self, user_ids: Iterable[UUID]) -> set[UUID]:
        """Those of the users who are suspended."""
        ...

    async def ensure(self, people: Sequence[tuple[str, str]], at: datetime) -> Mapping[str, UUID]:
        """User ids by lower-cased e-mail address; (e-mail, display name) without an account get one as learner.

        The organisation vouches for these addresses. Whoever only claims one when signing up does not have it.
        """
        ...


class LearnerDirectory(Protocol):
    """Gives the learner accounts that one transaction sees."""

    def accounts(self, connection: Any) -> LearnerAccounts:  # noqa: ANN401 - a connection; contracts name no framework
        """The accounts within the transaction of this connection."""
        ...


class CredentialUses(Protocol):
    """Notes when credentials were used, at most once a minute each."""

    async def note(self, used: Mapping[str, datetime]) -> None:
        """Key ids and the instant of their last use; an instant earlier than the stored one changes nothing."""
        ...

    async def note_at_once(self, key_id: str, at: datetime) -> None:
        """A use that a request has just made, only if that costs no wait; a database that is away is passed over."""
        ...


class CredentialRefusals(Protocol):
    """Keeps why credentials were last refused something, at most once a minute each and only if that costs no wait."""

    async def note(self, key_id: str, at: datetime, reason: str) -> None:
        """What was said to whoever used the key; unknown keys and a database that is away are passed over."""
        ...


class CredentialRates(Protocol):
    """Counts requests of credentials that have a limit, in all processes together."""

    async def spend(self, credential: XapiCredential) -> None:
        """Count a request; raises CredentialThrottled (429) beyond the limit, and nothing while nobody can count."""
        ...


class WorkspaceCredentials(Protocol):
    """The credentials that belong to workspaces, of which identity knows nothing but their ids."""

    async def revoke_all(self, workspace_id: UUID) -> None:
        """End the credentials of a workspace that is no more; a second time changes nothing."""
        ...

    async def suspend_all(self, workspace_id: UUID, *, suspended: bool) -> None:
        """Let the credentials of a workspace wait, or work again; a second time changes nothing."""
        ...


class CredentialRegister(Protocol):
    """Knows xAPI credentials by their keys alone, for what is done in their name afterwards."""

    async def find(self, key_id: str) -> XapiCredential | None:
        """The credential, also one that was revoked; None when there is none."""
        ...


class SessionCredentials(Protocol):
    """Gives course players the credential of one session."""

    async def issue(self, grant: SessionGrant, expires_at: datetime) -> tuple[str, str]:
        """Key and secret, which are known this once; another call for the same session makes the first ones invalid."""
        ...

    async def end(self, session_id: UUID) -> None:
        """Forget the credential of a session; it stops working within 30 seconds."""
        ...


class CredentialVerifier(Protocol):
    """Checks an xAPI key and secret, or an access token that was given for them, without the database."""

    async def verify(self, key_id: str, secret: str) -> XapiCredential:
        """The credential; raises Unauthenticated (401) for an unknown, revoked or wrong one."""
        ...

    async def verify_token(self, token: str) -> XapiCredential:
        """The credential with the token's scopes; raises Unauthenticated (401) for a token that does not count."""
        ...
