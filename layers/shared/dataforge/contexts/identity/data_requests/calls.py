"""What routes and pages of exports and erasures have in common."""

from functools import partial
from uuid import UUID

from dataforge.contexts.identity.data_requests import commands
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork as Work
from dataforge.http.call import Call
from dataforge.kernel.plans import Plan
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.personal_data import Contribution, PersonalDataRegister
from dataforge.platform.uploads.files import S3Files

FILE_NAME = "my-data.zip"


def contributions(call: Call) -> tuple[Contribution, ...]:
    """What all contexts hold about people."""
    return tuple(call.platform.get(PersonalDataRegister).contributions())


async def export_url(call: Call, job_id: UUID) -> tuple[str, commands.ExportLink]:
    """A link that works for an hour."""
    link = await run(call.unit_of_work(Work), commands.link_export, job_id)
    return S3Files(call.platform.settings.data_bucket).download_url(link.key, FILE_NAME), link


async def plan_of(call: Call, user_id: UUID, *, responses: bool) -> Plan:
    """The plan of an erasure."""
    plan = partial(commands.plan_erasure, contributions=contributions(call))
    return await run(call.unit_of_work(Work), plan, commands.PlanErasure(user_id, responses))


async def prove(call: Call, plan: Plan, password: str, code: str) -> None:
    """Ask whoever erases themselves for their password, and for a code if their sign-ins need one.

    Raises WrongPassword, WrongCode, SignInTooOld, TooManyRequests.
    """
    if UUID(plan.inputs["user_id"]) != call.user_id:
        return
    services, command = call.services(IdentityServices), commands.ProveOneself(call.user_id, password, code)
    limits = services.try_limits
    # Two transactions: the try must be counted for others before the password is looked at.
    await run(call.unit_of_work(Work), partial(commands.admit_proof, limits=limits), command)
    proof = partial(commands.prove_oneself, limits=limits, box=services.secret_box)
    rejected = await run(call.unit_of_work(Work), proof, command)
    if rejected is not None:
        raise rejected.error
