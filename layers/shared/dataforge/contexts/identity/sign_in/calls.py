"""What the API and the pages do alike when somebody signs in.

Two transactions each: the try must be counted for others before the password, or the code, is looked at.
"""

from functools import partial

from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.sessions.commands import Rejected
from dataforge.contexts.identity.sessions.domain import Session
from dataforge.contexts.identity.sign_in import commands
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.call import Call
from dataforge.platform.db.unit_of_work import run


async def try_sign_in(call: Call, command: commands.SignIn) -> Session | Rejected:
    """A session for username, password and, where one is needed, code; raises LoginThrottled."""
    services = call.services(IdentityServices)
    admit = partial(commands.admit_sign_in, limits=services.try_limits)
    await run(call.unit_of_work(IdentityUnitOfWork), admit, command)
    sign_in = partial(commands.sign_in, limits=services.try_limits, box=services.secret_box)
    return await run(call.unit_of_work(IdentityUnitOfWork), sign_in, command)


async def try_answer(call: Call, command: commands.AnswerChallenge) -> Session | Rejected:
    """A session for a challenge and a code; raises TooManyRequests."""
    services = call.services(IdentityServices)
    admit = partial(commands.admit_answer, limits=services.try_limits)
    await run(call.unit_of_work(IdentityUnitOfWork), admit, command)
    answer = partial(commands.answer_challenge, limits=services.try_limits, box=services.secret_box)
    return await run(call.unit_of_work(IdentityUnitOfWork), answer, command)
