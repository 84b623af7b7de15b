"""Rules of single sign-on: whom a provider may vouch for, and what an identity of a provider leads to.

An identity is an issuer and a subject (OpenID Connect Core §5.7): an e-mail address may pass to somebody else, and
finds an account only where the provider decides who has it.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from uuid import UUID

from dataforge.contexts.identity.accounts.domain import Account
from dataforge.kernel.email import normal_email
from dataforge.kernel.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text

JOURNEY_LASTS = timedelta(minutes=10)  # to the provider and back, and to sign in the other way
WANTED_MAX = 1000  # characters; browsers keep 4,096 bytes of a cookie (RFC 6265 §6.1)
SUBJECT_MAX = 255  # OpenID Connect Core §2
LABEL_MAX = 255


class ProviderUnavailable(Unavailable):
    """The sign-in provider does not answer as it should; signing in with a password goes on."""

    code = "sign_in_provider_unavailable"
    title = "The sign-in provider does not answer"


class SignInRefused(Unauthenticated):
    """What the sign-in provider said of the person does not hold; begin again."""

    code = "sign_in_refused"
    title = "The sign-in at the provider failed"


class JourneyUnknown(BadRequest):
    """The answer of a provider came to a browser that did not ask for it, or too late; begin again."""

    code = "sign_in_not_begun"
    title = "This browser has not begun this sign-in"


class EmailUnverified(Forbidden):
    """The provider has not verified the person's e-mail address, without which no account is made or found."""

    code = "email_unverified"
    title = "The provider has not verified the e-mail address"


class AccountUnknown(Forbidden):
    """No account is linked to the person at the provider, and the provider makes none."""

    code = "account_unknown"
    title = "No account belongs to this sign-in"


class IdentityTaken(Conflict):
    """The person at the provider is linked to another account."""

    code = "identity_taken"
    title = "Another account is linked to this sign-in"


class LastSignInMethod(Conflict):
    """Without it the person could not sign in any more; set a password first."""

    code = "last_sign_in_method"
    title = "This is the only way to sign in"


class MethodUnknown(NotFound):
    """The person has no such way to sign in."""

    code = "sign_in_method_unknown"
    title = "There is no such way to sign in"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as signing in needs it; `domains` are those whose addresses it gives out itself."""

    id: UUID
    name: str
    issuer: str
    client_id: str
    sealed_secret: bytes | None = field(repr=False)
    domains: tuple[str, ...]
    creates_accounts: bool

    def decides(self, email: str) -> bool:
        """Whether it is this provider that says who has the address."""
        return email.rpartition("@")[2].lower() in self.domains


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says of a person, once its signature and everything about the token was checked."""

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""

    @property
    def proved_email(self) -> str:
        """The address as people are found by it, if the provider has verified it and it is one; else empty."""
        return (normal_email(self.email) or "") if self.email_verified else ""

    @property
    def label(self) -> str:
        """How the person recognises the identity."""
        return (self.email or self.name or self.subject)[:LABEL_MAX]


class Step(StrEnum):
    """What becomes of an identity that no account is linked to."""

    LINK = "link"
    CONFIRM = "confirm"  # after its person has signed in the other way
    CREATE = "create"


def next_step(provider: Provider, claims: Claims, account: Account | None, *, guarded: bool = False) -> Step:
    """What becomes of an identity without an account; `account` has the address or claims it.

    An account is not linked by an address alone if it is an administrator's, or `guarded`: by a second factor, which
    a link would go round, or because somebody else of this provider is linked to it, from whom the address has passed
    on. Raises EmailUnverified, AccountUnknown.
    """
    if not claims.proved_email:
        message = Text(
            "{name} does not say that it has verified your e-mail address. If you have an account here, "
            "sign in to it and link the two under your sign-in methods.",
            name=provider.name,
        )
        raise EmailUnverified(message)
    if account is not None and (account.email_confirmed or account.email_vouched):
        at_once = provider.decides(claims.proved_email) and account.role is not Role.ADMIN and not guarded
        return Step.LINK if at_once else Step.CONFIRM
    if not provider.creates_accounts:
        message = Text(
            "No account here belongs to {proved_email}. Ask an administrator for one.", proved_email=claims.proved_email
        )
        raise AccountUnknown(message)
    return Step.CREATE


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """An identity of a provider and the account it signs in to."""

    id: UUID
    user_id: UUID


def check_may_unlink(*, has_password: bool, others: int) -> None:
    """Raise LastSignInMethod unless the person keeps a way in; `others` are identities at providers in use."""
    if not has_password and not others:
        message = Text("This is your only way to sign in. Set a password first, by the mail for a forgotten one.")
        raise LastSignInMethod(message)


@dataclass(frozen=True, slots=True)
class Journey:
    """A way to a provider and back, as this browser began it; with `user_id` to link, else to sign in."""

    provider_id: UUID
    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    expires_at: datetime
    wanted: str = ""
    user_id: UUID | None = None


def new_journey(
    provider_id: UUID, redirect_uri: str, now: datetime, *, wanted: str = "", user_id: UUID | None = None
) -> Journey:
    """A journey that begins now, with secrets of 256 bits and more (RFC 6749 §10.10, RFC 7636 §7.1).

    An address that is `wanted` and would not fit into a cookie with them is forgotten.
    """
    kept = wanted if len(wanted) <= WANTED_MAX else ""
    state, nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    return Journey(provider_id, redirect_uri, state, nonce, verifier, now + JOURNEY_LASTS, kept, user_id)


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What a browser brings from a provider: a code or an error (RFC 6749 §4.1.2), and who says so (RFC 9207)."""

    provider_id: UUID
    code: str = field(repr=False)
    state: str = field(repr=False)
    issuer: str = ""
    error: str = ""

    def belongs_to(self, journey: Journey | None) -> bool:
        """Whether the browser has asked for this answer."""
        return (
            journey is not None
            and journey.provider_id == self.provider_id
            and compare_digest(journey.state.encode(), self.state.encode())
        )


@dataclass(frozen=True, slots=True)
class LinkOffer:
    """An identity that waits for the person of one account to say yes."""

    user_id: UUID
    provider_id: UUID
    issuer: str
    subject: str
    label: str
    expires_at: datetime
