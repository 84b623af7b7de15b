"""Sign-in by password, and by a code of whoever has a second factor."""

import asyncio
from dataclasses import dataclass, field

from dataforge.contexts.identity.accounts.domain import Account, AccountSuspended
from dataforge.contexts.identity.passwords.hashing import verify_password
from dataforge.contexts.identity.second_factor.commands import ask_for_code, use_code
from dataforge.contexts.identity.second_factor.domain import ChallengeEnded, WrongCode
from dataforge.contexts.identity.sessions.commands import Rejected, begin_session
from dataforge.contexts.identity.sessions.domain import Session, token_hash
from dataforge.contexts.identity.sign_in.domain import (
    InvalidCredentials,
    LoginThrottled,
    TryLimits,
    in_seconds,
    too_many_tries,
)
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget, caller_of
from dataforge.platform.sealing import SecretBox

SUSPENDED = Text("This account is suspended; ask an administrator.")


@dataclass(frozen=True, slots=True)
class SignIn:
    """Username or e-mail address, password, where the attempt comes from, and what the device calls itself.

    `code` is of whoever has a second factor and has it at hand.
    """

    username: str
    password: str = field(repr=False)
    address: str = ""
    device: str = ""
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AnswerChallenge:
    """The code for a sign-in whose password was right; address and device as in SignIn."""

    challenge: str = field(repr=False)
    code: str = field(repr=False)
    address: str = ""
    device: str = ""


def _sign_in_budgets(command: SignIn, limits: TryLimits) -> list[Budget]:
    # Under the name as it was given: one count for a person's name and e-mail address would tell that they belong
    # together, and looking the person up is work that an empty budget is to save.
    caller = caller_of(command.address)
    return [
        Budget("sign_in", (caller,), limits.sign_in),
        Budget("sign_in_name", (caller, command.username.lower()), limits.sign_in_name),
    ]


async def admit_sign_in(command: SignIn, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Take a try before the password is hashed, which is the dear part; raises LoginThrottled."""
    wait = await uow.throttle.take(_sign_in_budgets(command, limits))
    if wait is not None:
        message = Text("Too many sign-ins from your address failed. Try again in {wait}.", wait=in_seconds(wait))
        raise LoginThrottled(message, headers={"Retry-After": str(wait)})


async def sign_in(command: SignIn, uow: IdentityUnitOfWork, *, limits: TryLimits, box: SecretBox) -> Session | Rejected:
    """Check password and code of a sign-in that was admitted; one that fails stays counted against its address only.

    Without a code, whoever has a second factor is refused with a challenge.
    """
    account = await uow.users.account(command.username)
    known = account.password_hash if account else None
    # A thousand people who sign in together wait for a hash, and must not keep a connection each while they do.
    matches = await uow.apart(asyncio.to_thread(verify_password, known, command.password))
    budgets = _sign_in_budgets(command, limits)
    if account is not None and matches:
        # As it is now: the password may have been reset, and the person suspended or erased, while it was hashed.
        account = await uow.users.lock_account(account.user_id)
    if account is None or not matches or account.password_hash != known:
        await uow.throttle.close(budgets, failed=True)
        return Rejected(InvalidCredentials(Text("The username or the password is wrong.")))
    refusal = await _further_refusal(account, command.code, uow, box)
    await uow.throttle.close(budgets, failed=isinstance(refusal, WrongCode))
    return Rejected(refusal) if refusal is not None else await begin_session(account, command.device, uow)


async def _further_refusal(
    account: Account, code: str, uow: IdentityUnitOfWork, box: SecretBox
) -> DataForgeError | None:
    if account.suspended:
        return AccountSuspended(SUSPENDED)
    if not await uow.second_factors.is_on(account.user_id):
        return None
    if not code:
        return await ask_for_code(account.user_id, uow)
    return await use_code(account.user_id, code, uow, box=box)


def _answer_budgets(command: AnswerChallenge, limits: TryLimits) -> list[Budget]:
    return [Budget("challenge", (caller_of(command.address),), limits.sign_in)]


async def admit_answer(command: AnswerChallenge, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Take a try of the address; raises TooManyRequests."""
    wait = await uow.throttle.take(_answer_budgets(command, limits))
    if wait is not None:
        raise too_many_tries(Text("wrong codes"), wait)


async def answer_challenge(
    command: AnswerChallenge, uow: IdentityUnitOfWork, *, limits: TryLimits, box: SecretBox
) -> Session | Rejected:
    """Begin the session of whoever has given the password and now gives a code; a challenge is answered once."""
    result = await _answered(command, uow, box)
    await uow.throttle.close(_answer_budgets(command, limits), failed=isinstance(result, Rejected))
    return result


async def _answered(command: AnswerChallenge, uow: IdentityUnitOfWork, box: SecretBox) -> Session | Rejected:
    challenge = await uow.sign_in_challenges.lock(token_hash(command.challenge))
    account = None if challenge is None else await uow.users.account_by_id(challenge.user_id)
    if challenge is None or account is None or not challenge.is_open(uow.now):
        return Rejected(ChallengeEnded(Text("This sign-in is too old, or had too many wrong codes. Sign in again.")))
    if account.suspended:
        return Rejected(AccountSuspended(SUSPENDED))
    refusal = await use_code(account.user_id, command.code, uow, box=box)
    if refusal is not None:
        await uow.sign_in_challenges.count_try(challenge)
        return Rejected(refusal)
    await uow.sign_in_challenges.remove(challenge)
    return await begin_session(account, command.device, uow)
