"""Sign-in by password."""

import asyncio
from dataclasses import dataclass, field

from dataforge.contexts.identity.accounts.domain import AccountSuspended
from dataforge.contexts.identity.passwords.hashing import verify_password
from dataforge.contexts.identity.sessions.commands import Rejected, begin_session
from dataforge.contexts.identity.sessions.domain import Session
from dataforge.contexts.identity.sign_in.domain import InvalidCredentials, LoginThrottled, TryLimits, in_seconds
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.throttling import Budget, caller_of


@dataclass(frozen=True, slots=True)
class SignIn:
    """Username or e-mail address, password, where the attempt comes from, and what the device calls itself."""

    username: str
    password: str = field(repr=False)
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
        message = f"Too many sign-ins from your address failed. Try again in {in_seconds(wait)}."
        raise LoginThrottled(message, headers={"Retry-After": str(wait)})


async def sign_in(command: SignIn, uow: IdentityUnitOfWork, *, limits: TryLimits) -> Session | Rejected:
    """Check the password of a sign-in that was admitted; one that fails stays counted against its address only."""
    account = await uow.users.account(command.username)
    known = account.password_hash if account else None
    # A thousand people who sign in together wait for a hash, and must not keep a connection each while they do.
    matches = await uow.apart(asyncio.to_thread(verify_password, known, command.password))
    budgets = _sign_in_budgets(command, limits)
    if account is None or not matches:
        await uow.throttle.close(budgets, failed=True)
        return Rejected(InvalidCredentials("The username or the password is wrong."))
    await uow.throttle.close(budgets, failed=False)
    if account.suspended:
        return Rejected(AccountSuspended("This account is suspended; ask an administrator."))
    return await begin_session(account, command.device, uow)
