"""Ask for an export and its link; plan an erasure and apply it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from dataforge.contexts.identity.accounts.domain import LastAdmin
from dataforge.contexts.identity.data_requests.domain import (
    ERASURE_KIND,
    EXPORT_KIND,
    SIGNED_IN_FOR,
    PersonalExportNotFound,
    SignInTooOld,
    check_downloadable,
    object_key,
    require_allowed,
)
from dataforge.contexts.identity.data_requests.queries import (
    find_export,
    list_exports,
    not_covered,
    read_person,
    signed_in_at,
    survey,
)
from dataforge.contexts.identity.passwords.domain import WrongPassword
from dataforge.contexts.identity.passwords.hashing import verify_password
from dataforge.contexts.identity.second_factor.commands import use_code
from dataforge.contexts.identity.second_factor.domain import WrongCode
from dataforge.contexts.identity.sessions.commands import Rejected
from dataforge.contexts.identity.sign_in.domain import TryLimits, too_many_tries
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.jobs import OPEN, JobStatus
from dataforge.kernel.plans import Plan, PlanUnknown
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.jobs.shared import queue_job
from dataforge.platform.personal_data import Contribution, Person
from dataforge.platform.sealing import SecretBox


@dataclass(frozen=True, slots=True)
class PlanErasure:
    """What erasing this person would do; with `responses` what they have answered goes, too."""

    user_id: UUID
    responses: bool = False


@dataclass(frozen=True, slots=True)
class ApplyErasure:
    """The plan with this hash."""

    plan_hash: str


@dataclass(frozen=True, slots=True)
class ProveOneself:
    """The password again, and a code of whoever has a second factor, before what cannot be undone."""

    user_id: UUID
    password: str = field(repr=False)
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RequestExport:
    """All that is held about this person."""

    user_id: UUID


@dataclass(frozen=True, slots=True)
class ExportLink:
    """Where an export is, and until when it can be asked for."""

    key: str
    expires_at: datetime


Contributions = Sequence[Contribution]


async def plan_erasure(command: PlanErasure, uow: IdentityUnitOfWork, *, contributions: Contributions) -> Plan:
    """Say what would go, stay and be rewritten; raises NotFound, Forbidden, LastAdmin, AlreadyErased."""
    require_allowed(uow.principal, command.user_id)
    await _keep_an_admin(command.user_id, uow)
    person, state, held = await _state(command.user_id, uow, contributions)
    plan = Plan.of(
        ERASURE_KIND,
        inputs={"user_id": str(person.user_id), "responses": command.responses},
        state=state,
        preview={"holdings": held, "not_covered": not_covered(contributions)},
        created_by=uow.principal.user_id,
        now=uow.now,
    )
    await uow.plans.add(plan)
    return plan


async def apply_erasure(command: ApplyErasure, uow: IdentityUnitOfWork, *, contributions: Contributions) -> UUID:
    """End the person's sign-ins and queue the job that does the rest; from here on nobody signs in to the account.

    Raises PlanUnknown, PlanExpired, PlanStale, Forbidden, LastAdmin, AlreadyErased.
    """
    plan = await uow.plans.lock(ERASURE_KIND, command.plan_hash)
    user_id = UUID(plan.inputs["user_id"])
    require_allowed(uow.principal, user_id)
    if plan.job_id is not None:
        return plan.job_id
    # Administrators first and by everyone in one order; then the person, whom a sign-in that is under way waits for.
    await _keep_an_admin(user_id, uow)
    await uow.users.lock(user_id)
    person, state, _ = await _state(user_id, uow, contributions)
    plan.check(state, uow.now)
    await uow.users.update(user_id, {"suspended_at": uow.now, "erased_at": uow.now})
    await uow.refresh_tokens.revoke_user(user_id)
    begin = {"person": person.to_json(), "responses": bool(plan.inputs["responses"])}
    job_id = await queue_job(uow, ERASURE_KIND, {"user_id": str(user_id)}, checkpoint=begin)
    await uow.plans.note_applied(plan.id, job_id)
    uow.audit(AuditEntry("erasure_requested", "user", str(user_id)))
    return job_id


async def find_plan(plan_hash: str, uow: IdentityUnitOfWork) -> Plan:
    """A plan that the caller may apply; raises PlanUnknown, also for one about somebody else without the right."""
    plan = await uow.plans.lock(ERASURE_KIND, plan_hash)
    if UUID(plan.inputs["user_id"]) != uow.principal.user_id and not uow.principal.has(Role.ADMIN):
        message = Text("No plan has this hash any more. Preview again, and apply the hash of that plan.")
        raise PlanUnknown(message)
    return plan


async def admit_proof(command: ProveOneself, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Take a try before the password is looked at; raises TooManyRequests."""
    wait = await uow.throttle.take(_budgets(command, limits))
    if wait is not None:
        raise too_many_tries(Text("wrong passwords"), wait)


async def prove_oneself(
    command: ProveOneself, uow: IdentityUnitOfWork, *, limits: TryLimits, box: SecretBox
) -> Rejected | None:
    """Check password and, of whoever has a second factor, a code; a wrong one stays counted."""
    refusal = await _refusal(command, uow, box)
    await uow.throttle.close(_budgets(command, limits), failed=refusal is not None)
    return None if refusal is None else Rejected(refusal)


async def _refusal(command: ProveOneself, uow: IdentityUnitOfWork, box: SecretBox) -> DataForgeError | None:
    account = await uow.users.account_by_id(command.user_id)
    hashed = account.password_hash if account else None
    if hashed is None:
        began = await signed_in_at(uow.connection, uow.principal.session)
        if began is None or uow.now - began > SIGNED_IN_FOR:
            return SignInTooOld(Text("You have no password: sign in again, and repeat this."))
    elif not await uow.apart(asyncio.to_thread(verify_password, hashed, command.password)):
        return WrongPassword(Text("The password is wrong."))
    if not await uow.second_factors.is_on(command.user_id):
        return None
    if not command.code:  # nothing was guessed, and no later sign-in is to suffer for it
        return WrongCode(
            Text("Give the code that your authenticator app shows, or a recovery code, beside the password.")
        )
    return await use_code(command.user_id, command.code, uow, box=box)


def _budgets(command: ProveOneself, limits: TryLimits) -> list[Budget]:
    return [Budget("change_password", (str(command.user_id),), limits.sign_in_name)]


async def _keep_an_admin(user_id: UUID, uow: IdentityUnitOfWork) -> None:
    admins = await uow.users.active_admins()
    account = await uow.users.account_by_id(user_id)
    if account is not None and account.role is Role.ADMIN and not account.suspended and admins <= 1:
        message = Text("This is the last active administrator; make another one first.")
        raise LastAdmin(message)


async def _state(
    user_id: UUID, uow: IdentityUnitOfWork, contributions: Contributions
) -> tuple[Person, Mapping[str, Any], list[dict[str, Any]]]:
    person, revision = await read_person(uow.connection, user_id)
    held, stable = await survey(uow.connection, contributions, person)
    return person, {"revision": revision, "rows": stable}, held


async def request_export(command: RequestExport, uow: IdentityUnitOfWork) -> UUID:
    """Queue the job; while one is open it is that one. Raises NotFound, Forbidden, AlreadyErased."""
    require_allowed(uow.principal, command.user_id)
    await uow.users.lock(command.user_id)
    await read_person(uow.connection, command.user_id)
    for known in await list_exports(uow.connection, command.user_id):
        if JobStatus(known["status"]) in OPEN:
            return UUID(str(known["job_id"]))
    job_id = await queue_job(uow, EXPORT_KIND, {"user_id": str(command.user_id)})
    uow.audit(AuditEntry("export_requested", "user", str(command.user_id), after={"job_id": str(job_id)}))
    return job_id


async def link_export(job_id: UUID, uow: IdentityUnitOfWork) -> ExportLink:
    """Where an export is, for its person or an administrator, which the audit log notes.

    Raises PersonalExportNotFound, PersonalExportNotReady.
    """
    row = await find_export(uow.connection, job_id)
    user_id = None if row is None else UUID(row["run_parameters"].get("user_id", str(UUID(int=0))))
    if row is None or user_id is None or (user_id != uow.principal.user_id and not uow.principal.has(Role.ADMIN)):
        message = Text("There is no export {job_id}, or you may not read it.", job_id=job_id)
        raise PersonalExportNotFound(message)
    expires_at = check_downloadable(JobStatus(row["status"]), row["completed_at"], uow.now)
    uow.audit(AuditEntry("export_downloaded", "user", str(user_id), after={"job_id": str(job_id)}))
    return ExportLink(object_key(user_id, job_id, int(row["output_summary"]["attempt"])), expires_at)
