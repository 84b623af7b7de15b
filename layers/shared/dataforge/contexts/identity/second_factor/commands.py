"""Add, prove and take away second factors."""

import asyncio
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from dataforge.contexts.identity.accounts.domain import Account
from dataforge.contexts.identity.contract import SecondFactorAdded, SecondFactorRemoved
from dataforge.contexts.identity.passwords.domain import WrongPassword
from dataforge.contexts.identity.passwords.hashing import verify_password
from dataforge.contexts.identity.second_factor.domain import (
    ALREADY_ON,
    CHALLENGE_LIFETIME,
    AppCodes,
    OwnSecondFactor,
    RecoveryCode,
    SecondFactor,
    SecondFactorOff,
    SecondFactorOn,
    SecondFactorRequired,
    TwoCodesRequired,
    WrongCode,
    new_recovery_codes,
    new_secret,
    read_code,
    recovery_hash,
)
from dataforge.contexts.identity.sessions.commands import Rejected
from dataforge.contexts.identity.sessions.domain import token_hash
from dataforge.contexts.identity.sign_in.domain import TryLimits, too_many_tries
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.errors import DataForgeError, NotFound, SignInRequired
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.sealing import SecretBox

ISSUER = "DataForge"
_NONE = Text("You have no second factor.")


@dataclass(frozen=True, slots=True)
class Proof:
    """What a signed-in person shows before their second factor changes; no code where there is no factor yet."""

    user_id: UUID
    password: str = field(repr=False)
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ConfirmSecondFactor:
    """The app has the secret: this is the code that it shows."""

    user_id: UUID
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrollment:
    """The secret that a person's app is to have, and the otpauth URI that its QR code holds."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


def _proof_budgets(command: Proof, limits: TryLimits) -> list[Budget]:
    return [Budget("change_second_factor", (str(command.user_id),), limits.sign_in_name)]


async def admit_factor_proof(command: Proof, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Take a try before the password is hashed; raises TooManyRequests."""
    wait = await uow.throttle.take(_proof_budgets(command, limits))
    if wait is not None:
        raise too_many_tries(Text("wrong passwords"), wait)


async def begin_second_factor(
    command: Proof, uow: IdentityUnitOfWork, *, limits: TryLimits, box: SecretBox
) -> Enrollment | Rejected:
    """Give the person a secret, which replaces one that was begun before and counts once a code has proved it."""
    account = await _check_password(command, uow)
    await uow.throttle.close(_proof_budgets(command, limits), failed=account is None)
    if account is None:
        return Rejected(WrongPassword(Text("The password is wrong.")))
    factor = await uow.second_factors.lock(command.user_id)
    if factor is not None and factor.is_on:
        return Rejected(SecondFactorOn(ALREADY_ON))
    secret = new_secret()
    await uow.second_factors.begin(command.user_id, box.seal(secret, str(command.user_id)))
    return _enrollment(secret, account.username)


async def begun_enrollment(user_id: UUID, uow: IdentityUnitOfWork, *, box: SecretBox) -> Enrollment:
    """The secret that awaits its first code, for a form that is shown again; raises SecondFactorOn, SecondFactorOff."""
    factor = await _begun(user_id, uow)
    account = await uow.users.account_by_id(user_id)
    return _enrollment(box.open(factor.sealed, str(user_id)), account.username if account else "")


def _enrollment(secret: str, username: str) -> Enrollment:
    from pyotp import TOTP

    return Enrollment(secret, TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER))


async def _begun(user_id: UUID, uow: IdentityUnitOfWork) -> SecondFactor:
    factor = await uow.second_factors.lock(user_id)
    if factor is None:
        raise SecondFactorOff(_NONE)
    factor.check_begun(uow.now)
    return factor


async def confirm_second_factor(command: ConfirmSecondFactor, uow: IdentityUnitOfWork, *, box: SecretBox) -> list[str]:
    """Let sign-ins need a code from now on; returns the recovery codes, which are kept as hashes only.

    Raises SecondFactorOn, SecondFactorOff, WrongCode.
    """
    factor = await _begun(command.user_id, uow)
    given = read_code(command.code)
    if not isinstance(given, AppCodes):
        message = Text("Enter the six digits that your app shows.")
        raise WrongCode(message)
    step = factor.take(given, box.open(factor.sealed, str(command.user_id)), uow.now)
    await uow.second_factors.save(command.user_id, confirmed_at=uow.now, last_step=step)
    uow.audit(AuditEntry("second_factor_added", "user", str(command.user_id)))
    uow.publish(SecondFactorAdded(command.user_id))
    return await _give_recovery_codes(command.user_id, uow)


async def replace_recovery_codes(
    command: Proof, uow: IdentityUnitOfWork, *, limits: TryLimits, box: SecretBox
) -> list[str] | Rejected:
    """Give the person other recovery codes; those of before no longer work."""
    refusal = await _prove(command, uow, limits=limits, box=box)
    if refusal is not None:
        return Rejected(refusal)
    uow.audit(AuditEntry("recovery_codes_replaced", "user", str(command.user_id)))
    return await _give_recovery_codes(command.user_id, uow)


async def remove_second_factor(
    command: Proof, uow: IdentityUnitOfWork, *, limits: TryLimits, box: SecretBox
) -> Rejected | None:
    """Take one's own away."""
    refusal = await _prove(command, uow, limits=limits, box=box)
    if refusal is not None:
        return Rejected(refusal)
    await _remove(command.user_id, uow, by_oneself=True)
    return None


async def remove_second_factor_of(user_id: UUID, uow: IdentityUnitOfWork) -> None:
    """Take somebody's away, whose phone is lost; raises OwnSecondFactor, SignInRequired, NotFound, SecondFactorOff."""
    if uow.principal.scopes is not None:
        message = Text("No personal access token takes a second factor away. Sign in and repeat it.")
        raise SignInRequired(message)
    if user_id == uow.principal.user_id:
        message = Text("Take your own second factor away with your password and a code.")
        raise OwnSecondFactor(message)
    if await uow.users.account_by_id(user_id) is None:
        message = Text("There is no user {user_id}.", user_id=user_id)
        raise NotFound(message)
    factor = await uow.second_factors.lock(user_id)
    if factor is None or not factor.is_on:
        message = Text("User {user_id} has no second factor.", user_id=user_id)
        raise SecondFactorOff(message)
    await _remove(user_id, uow, by_oneself=False)


async def remove_second_factor_by_name(username: str, uow: IdentityUnitOfWork) -> None:
    """`remove_second_factor_of` whoever has this username or e-mail address; an operator's way out."""
    account = await uow.users.account(username)
    if account is None:
        message = Text("There is no user {username!r}.", username=username)
        raise NotFound(message)
    await remove_second_factor_of(account.user_id, uow)


async def ask_for_code(user_id: UUID, uow: IdentityUnitOfWork) -> SecondFactorRequired:
    """The refusal of a sign-in whose password is right, with the challenge that its code is to be sent with."""
    challenge = secrets.token_urlsafe(32)
    await uow.sign_in_challenges.add(user_id, token_hash(challenge), uow.now + CHALLENGE_LIFETIME)
    message = Text("Enter the code that your authenticator app shows, or a recovery code.")
    facts = {"challenge": challenge, "expires_in": int(CHALLENGE_LIFETIME.total_seconds())}
    return SecondFactorRequired(message, facts=facts)


async def use_code(user_id: UUID, text: str, uow: IdentityUnitOfWork, *, box: SecretBox) -> DataForgeError | None:
    """Take a code that was not taken before; what it is refused for is returned, because it stays counted."""
    factor = await uow.second_factors.lock(user_id)
    if factor is None or not factor.is_on:
        return SecondFactorOff(_NONE)
    try:
        changes = await _take(factor, text, uow, box)
    except TwoCodesRequired as refusal:
        return refusal
    except WrongCode as refusal:
        await uow.second_factors.save(user_id, failures=factor.failures + 1)
        return refusal
    await uow.second_factors.save(user_id, failures=0, **changes)
    return None


async def _take(factor: SecondFactor, text: str, uow: IdentityUnitOfWork, box: SecretBox) -> dict[str, int]:
    match read_code(text):
        case AppCodes() as given:
            return {"last_step": factor.take(given, box.open(factor.sealed, str(factor.user_id)), uow.now)}
        case RecoveryCode() as given if await uow.second_factors.use_recovery_code(
            factor.user_id, recovery_hash(given)
        ):
            uow.audit(AuditEntry("recovery_code_used", "user", str(factor.user_id)))
            return {}
        case RecoveryCode():
            message = Text("This recovery code is wrong, or was used before.")
            raise WrongCode(message)
        case _:
            message = Text("A code has six digits; a recovery code has sixteen letters and digits.")
            raise WrongCode(message)


async def _check_password(command: Proof, uow: IdentityUnitOfWork) -> Account | None:
    account = await uow.users.account_by_id(command.user_id)
    matches = await asyncio.to_thread(verify_password, account.password_hash if account else None, command.password)
    return account if matches else None


async def _prove(
    command: Proof, uow: IdentityUnitOfWork, *, limits: TryLimits, box: SecretBox
) -> DataForgeError | None:
    account = await _check_password(command, uow)
    refusal: DataForgeError | None = WrongPassword(Text("The password is wrong."))
    if account is not None:
        refusal = await use_code(command.user_id, command.code, uow, box=box)
    await uow.throttle.close(_proof_budgets(command, limits), failed=refusal is not None)
    return refusal


async def _give_recovery_codes(user_id: UUID, uow: IdentityUnitOfWork) -> list[str]:
    codes = new_recovery_codes()
    given = [read_code(code) for code in codes]
    hashes = [recovery_hash(code) for code in given if isinstance(code, RecoveryCode)]
    await uow.second_factors.replace_recovery_codes(user_id, hashes)
    return codes


async def _remove(user_id: UUID, uow: IdentityUnitOfWork, *, by_oneself: bool) -> None:
    await uow.second_factors.remove(user_id)
    uow.audit(AuditEntry("second_factor_removed", "user", str(user_id), after={"by_oneself": by_oneself}))
    uow.publish(SecondFactorRemoved(user_id))


async def forget_expired_challenges(_: None, uow: IdentityUnitOfWork) -> int:
    """Delete sign-ins that await a code and can no longer be answered; returns how many."""
    return await uow.sign_in_challenges.forget_expired()
