"""What the API and the pages ask of second factors alike.

What needs the password takes two transactions: the try must be counted for others before the password is looked at.
"""

from functools import partial

from dataforge.contexts.identity.second_factor import commands
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.sessions.commands import Rejected
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.call import Call
from dataforge.platform.db.unit_of_work import run


async def begin(call: Call, command: commands.Proof) -> commands.Enrollment | Rejected:
    """A secret for the person's app."""
    services = await _admitted(call, command)
    handler = partial(commands.begin_second_factor, limits=services.try_limits, box=services.secret_box)
    return await run(call.unit_of_work(IdentityUnitOfWork), handler, command)


async def confirm(call: Call, code: str) -> list[str]:
    """The recovery codes; raises what the command raises."""
    handler = partial(commands.confirm_second_factor, box=call.services(IdentityServices).secret_box)
    command = commands.ConfirmSecondFactor(call.user_id, code)
    return await run(call.unit_of_work(IdentityUnitOfWork), handler, command)


async def replace_codes(call: Call, command: commands.Proof) -> list[str] | Rejected:
    """Other recovery codes."""
    services = await _admitted(call, command)
    handler = partial(commands.replace_recovery_codes, limits=services.try_limits, box=services.secret_box)
    return await run(call.unit_of_work(IdentityUnitOfWork), handler, command)


async def remove(call: Call, command: commands.Proof) -> Rejected | None:
    """Take one's own away."""
    services = await _admitted(call, command)
    handler = partial(commands.remove_second_factor, limits=services.try_limits, box=services.secret_box)
    return await run(call.unit_of_work(IdentityUnitOfWork), handler, command)


async def _admitted(call: Call, command: commands.Proof) -> IdentityServices:
    services = call.services(IdentityServices)
    admit = partial(commands.admit_factor_proof, limits=services.try_limits)
    await run(call.unit_of_work(IdentityUnitOfWork), admit, command)
    return services
