"""Providers kept by administrators; arriving from one; linking and unlinking identities."""

import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from dataforge.contexts.identity.accounts.domain import Account, AccountSuspended
from dataforge.contexts.identity.contract import EmailConfirmationRequested, EmailConfirmed
from dataforge.contexts.identity.sessions.commands import Rejected, begin_session
from dataforge.contexts.identity.sessions.domain import Session
from dataforge.contexts.identity.sign_in.domain import TryLimits, too_many_tries
from dataforge.contexts.identity.single_sign_on.domain import (
    JOURNEY_LASTS,
    Claims,
    IdentityTaken,
    JourneyUnknown,
    LinkOffer,
    MethodUnknown,
    Provider,
    Step,
    check_may_unlink,
    next_step,
)
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.errors import NotFound, invalid
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget, caller_of
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import Change, Delete, Row, change_row, create_row, delete_row
from dataforge.platform.outgoing import AddressForbidden, check_url
from dataforge.platform.sealing import SecretBox

_NOT_IN_USERNAMES = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class SaveProvider:
    """What is stored of a provider, and its secret if one was given; `private` permits one on this machine."""

    values: Row
    secret: str | None = field(repr=False)
    box: SecretBox
    private: bool


@dataclass(frozen=True, slots=True)
class ChangeProvider:
    """Change a provider; `expected` is the revision the caller read."""

    provider_id: UUID
    expected: str
    saved: SaveProvider


@dataclass(frozen=True, slots=True)
class Arrival:
    """A person who comes back from a provider on a device; with `user_id` to link the account that has gone there."""

    provider: Provider
    claims: Claims
    device: str = ""
    user_id: UUID | None = None


async def create_provider(command: SaveProvider, uow: IdentityUnitOfWork) -> UUID:
    """Add a provider and return its id; raises ValidationFailed, AlreadyExists for an issuer that is there."""
    _check_issuer(command)
    provider_id = uuid7()
    row = await create_row(uow.sign_in_providers, {"id": provider_id, **command.values}, uow)
    await _seal(row, command, uow)
    return provider_id


async def change_provider(command: ChangeProvider, uow: IdentityUnitOfWork) -> UUID:
    """Change a provider at the revision the caller has read; without a secret the old one stays."""
    _check_issuer(command.saved)
    before = await uow.sign_in_providers.lock(command.provider_id)
    if command.saved.secret is None and command.saved.values.get("issuer", before["issuer"]) != before["issuer"]:
        # Else whoever may change a provider could have its secret sent to a place of their own.
        raise invalid("/client_secret", Text("must be entered again, since the issuer is another one"), "missing")
    change = Change(command.provider_id, command.expected, command.saved.values)
    row = await change_row(uow.sign_in_providers, change, uow)
    await _seal(row, command.saved, uow)
    return command.provider_id


async def _seal(row: Row, command: SaveProvider, uow: IdentityUnitOfWork) -> None:
    if command.secret is None:
        return
    sealed = command.box.seal(command.secret, str(row["id"])) if command.secret else None
    await uow.sign_in_providers.change(row, {"sealed_secret": sealed})
    uow.audit(AuditEntry("sign_in_provider.secret_changed", "sign_in_provider", str(row["id"])))


def _check_issuer(command: SaveProvider) -> None:
    issuer = command.values.get("issuer")
    if issuer is None:
        return
    try:
        parts = check_url(str(issuer), private=command.private)
    except AddressForbidden as error:
        raise invalid("/issuer", str(error), "forbidden_address") from error
    if parts.query:
        raise invalid("/issuer", Text("must have no query"), "forbidden_address")


async def delete_provider(command: Delete, uow: IdentityUnitOfWork) -> None:
    """Remove a provider; identities stay linked, and work again with a provider of the same issuer."""
    await delete_row(uow.sign_in_providers, command, uow)


async def active_provider(provider_id: UUID, uow: IdentityUnitOfWork) -> Provider:
    """A provider that people may sign in with; raises NotFound."""
    provider = await uow.sign_in_providers.active(provider_id)
    if provider is None:
        message = Text("There is no such way to sign in any more.")
        raise NotFound(message)
    return provider


def _budget(address: str, limits: TryLimits) -> list[Budget]:
    return [Budget("single_sign_on", (caller_of(address),), limits.sign_in)]


async def admit_arrival(address: str, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Take a try before the provider is asked; raises TooManyRequests."""
    wait = await uow.throttle.take(_budget(address, limits))
    if wait is not None:
        raise too_many_tries("sign-ins", wait)


async def end_try(address: str, uow: IdentityUnitOfWork, *, limits: TryLimits, failed: bool) -> None:
    """Count a try that was admitted as failed, or give it back."""
    await uow.throttle.close(_budget(address, limits), failed=failed)


async def arrive(command: Arrival, uow: IdentityUnitOfWork) -> Session | LinkOffer | Rejected:
    """Sign in whom the provider has named, by the identity alone, or see what a new identity leads to.

    Raises EmailUnverified, AccountUnknown, DuplicateEmail, IdentityTaken.
    """
    claims = command.claims
    known = await uow.linked_identities.find(claims.issuer, claims.subject)
    if command.user_id is not None:
        if known is not None and known.user_id != command.user_id:
            raise _taken()
        return _offer_link(command.user_id, command.provider, claims, uow)
    found = await _of_new_identity(command, uow) if known is None else await uow.users.account_by_id(known.user_id)
    if isinstance(found, LinkOffer):
        return found
    if found is None or found.suspended:
        return Rejected(AccountSuspended(Text("This account is suspended; ask an administrator.")))
    if known is not None:
        await uow.linked_identities.note_use(known.id, claims)
    return await begin_session(found, command.device, uow)


async def _of_new_identity(command: Arrival, uow: IdentityUnitOfWork) -> Account | LinkOffer:
    claims, provider = command.claims, command.provider
    account = await uow.users.account_by_email(claims.proved_email) if claims.proved_email else None
    guarded = account is not None and await _is_guarded(account.user_id, claims.issuer, uow)
    step = next_step(provider, claims, account, guarded=guarded)
    if account is None or step is Step.CREATE:
        account = await _create_learner(command, uow)
    elif account.suspended:
        return account  # and linked to nothing
    elif step is Step.CONFIRM:
        return _offer_link(account.user_id, provider, claims, uow)
    elif not account.email_confirmed:
        await _confirm_email(account.user_id, claims.proved_email, uow)
    await _link(account.user_id, claims.issuer, claims.subject, claims.label, uow, used=True)
    return account


async def _is_guarded(user_id: UUID, issuer: str, uow: IdentityUnitOfWork) -> bool:
    return await uow.linked_identities.knows(user_id, issuer) or await uow.second_factors.is_on(user_id)


async def _create_learner(command: Arrival, uow: IdentityUnitOfWork) -> Account:
    claims = command.claims
    user_id, email = uuid7(), claims.proved_email
    shown = "".join(character for character in claims.name if character.isprintable()).strip()
    start = _NOT_IN_USERNAMES.sub("_", email.partition("@")[0])[:40]
    username = f"{start if start[:1].isalpha() else f'u{start}'}_{secrets.token_hex(4)}"
    await uow.users.add(
        {
            "id": user_id,
            "username": username,
            "email": email,
            "avatar": f"learner-{secrets.token_hex(6)}",
            "display_name": (shown or email.partition("@")[0])[:255],
            "role": Role.LEARNER.value,
            "created_at": uow.now,
            "updated_at": uow.now,
        }
    )
    uow.audit(
        AuditEntry("signed_up", "user", str(user_id), after={"role": Role.LEARNER.value, "issuer": claims.issuer})
    )
    if command.provider.decides(email):
        await _confirm_email(user_id, email, uow)
    else:
        uow.publish(EmailConfirmationRequested(user_id, email))
    return Account(user_id, username, Role.LEARNER, None, suspended=False, email=email)


async def _confirm_email(user_id: UUID, email: str, uow: IdentityUnitOfWork) -> None:
    await uow.users.update(user_id, {"email_confirmed_at": uow.now, "updated_at": uow.now})
    uow.audit(AuditEntry("email_confirmed", "user", str(user_id), after={"email": email}))
    uow.publish(EmailConfirmed(user_id, email))


def _offer_link(user_id: UUID, provider: Provider, claims: Claims, uow: IdentityUnitOfWork) -> LinkOffer:
    """What the person of an account is asked before the identity becomes a way in."""
    until = uow.now + JOURNEY_LASTS
    return LinkOffer(user_id, provider.id, claims.issuer, claims.subject, claims.label, until)


async def accept_link(offer: LinkOffer, uow: IdentityUnitOfWork) -> None:
    """Link an identity that was offered to the person who asks; raises JourneyUnknown, IdentityTaken, NotFound."""
    if offer.user_id != uow.principal.user_id or uow.now >= offer.expires_at:
        message = Text("This was offered to another account, or too long ago. Begin again.")
        raise JourneyUnknown(message)
    await active_provider(offer.provider_id, uow)
    known = await uow.linked_identities.find(offer.issuer, offer.subject)
    if known is None:
        await _link(offer.user_id, offer.issuer, offer.subject, offer.label, uow, used=False)
    elif known.user_id != offer.user_id:
        raise _taken()


async def _link(user_id: UUID, issuer: str, subject: str, label: str, uow: IdentityUnitOfWork, *, used: bool) -> None:
    if not await uow.linked_identities.add(user_id, issuer, subject, label, used=used):
        raise _taken()
    uow.audit(AuditEntry("identity_linked", "user", str(user_id), after={"issuer": issuer}))


def _taken() -> IdentityTaken:
    return IdentityTaken(Text("Another account here is linked to this sign-in. Unlink it there first."))


async def unlink(identity_id: UUID, uow: IdentityUnitOfWork) -> None:
    """Take a way in from the person who asks; raises MethodUnknown, LastSignInMethod."""
    user_id = uow.principal.user_id
    # Under the person's lock: of two that are taken away at once one is the last.
    user = None if user_id is None else await uow.users.lock(user_id)
    issuer = None if user is None else await uow.linked_identities.remove(user["id"], identity_id)
    if user is None or issuer is None:
        message = Text("You have no linked sign-in {identity_id}.", identity_id=identity_id)
        raise MethodUnknown(message)
    check_may_unlink(
        has_password=user["password_hash"] is not None, others=await uow.linked_identities.usable(user["id"])
    )
    uow.audit(AuditEntry("identity_unlinked", "user", str(user["id"]), before={"issuer": issuer}))
