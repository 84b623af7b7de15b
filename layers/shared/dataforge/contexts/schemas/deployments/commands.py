"""Ask for deployments and cancel them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from dataforge.contexts.schemas.deployments import queries
from dataforge.contexts.schemas.deployments.domain import (
    DeploymentStatus,
    DeploymentUnderWay,
    NothingToDeploy,
    check_cancellable,
    check_confirmations,
    check_failures,
    check_newest,
    check_resumable,
    check_trash,
    missing_deployment,
    steps_of,
)
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.plans.queries import find_plan
from dataforge.contexts.schemas.unit_of_work import SchemasUnitOfWork
from dataforge.kernel.errors import PlanStale
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class AskDeployment:
    """Deploy a kept plan.

    `fingerprint` is that of the live schema now, `trash` names what is in its trash, and `failures` are the warnings
    of the plan that are still true and would end it in the middle.
    """

    workspace_id: UUID
    plan_id: UUID
    plan_hash: str
    confirmations: Sequence[str]
    fingerprint: str
    trash: frozenset[str] = frozenset()
    failures: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class CancelDeployment:
    """Stop a deployment before its next step."""

    deployment_id: UUID


@dataclass(frozen=True, slots=True)
class ResumeDeployment:
    """Go on with a deployment that failed or was cancelled."""

    deployment_id: UUID


async def ask_deployment(command: AskDeployment, uow: SchemasUnitOfWork) -> UUID:
    """Queue a deployment of the plan.

    Raises PlanNotFound, PlanStale, ConfirmationMissing, WouldFail, NothingToDeploy, DeploymentUnderWay.
    """
    plan = await find_plan(uow.connection, command.workspace_id, command.plan_id)
    if plan["plan_hash"] != command.plan_hash:
        message = Text("The plan has another hash than the one that was sent; look at the plan again.")
        raise PlanStale(message, facts={"plan_hash": plan["plan_hash"]})
    if plan["base_fingerprint"] != command.fingerprint:
        message = Text("The schema has changed since the plan was made; nothing was done. Preview the target again.")
        facts = {"planned_from": plan["base_fingerprint"], "found": command.fingerprint}
        raise PlanStale(message, facts=facts)
    if not plan["changes"] and not await _has_drifted(command, uow):
        message = Text("The schema is as the target wants it.")
        raise NothingToDeploy(message)
    steps = steps_of(plan["changes"])
    check_trash([step.sql for step in steps], plan["namespace"], command.trash)
    check_confirmations(plan["changes"], command.confirmations)
    check_failures(command.failures)
    if await uow.deployments.is_under_way(command.workspace_id):
        raise _under_way()
    deployment_id = uuid7()
    row: dict[str, Any] = {
        "id": deployment_id,
        "workspace_id": command.workspace_id,
        "plan_id": command.plan_id,
        "status": DeploymentStatus.QUEUED,
        "confirmations": list(command.confirmations),
        "created_by": uow.principal.user_id,
        "created_at": uow.now,
    }
    try:
        await uow.deployments.add(row, steps)
    except IntegrityError as error:  # somebody else's came between the look and the insert
        raise _under_way() from error
    after = {"plan_hash": command.plan_hash, "confirmations": list(command.confirmations)}
    uow.audit(AuditEntry("deploy", "schema", str(command.workspace_id), after=after, workspace_id=command.workspace_id))
    return deployment_id


async def _has_drifted(command: AskDeployment, uow: SchemasUnitOfWork) -> bool:
    """Whether the schema is not as it was deployed last, so that a plan of nothing makes a revision of it."""
    revision = await queries.latest_revision(uow.connection, command.workspace_id)
    return command.fingerprint != (Schema().fingerprint if revision is None else revision["fingerprint"])


async def resume_deployment(command: ResumeDeployment, uow: SchemasUnitOfWork) -> UUID:
    """Queue a deployment that failed or was cancelled once more: it goes on after the last step that was done.

    Raises DeploymentNotFound, DeploymentUnderWay, DeploymentEnded.
    """
    found = await queries.find_deployment(uow.connection, command.deployment_id)
    row = await uow.deployments.lock(found["workspace_id"], command.deployment_id)
    check_resumable(found["status"] if row is None else row.status)
    if await uow.deployments.is_under_way(found["workspace_id"]):
        raise _under_way()
    check_newest(await queries.is_newest(uow.connection, found["workspace_id"], command.deployment_id))
    values = {"status": DeploymentStatus.QUEUED, "cancel_requested": False, "error": None, "finished_at": None}
    await uow.deployments.set(command.deployment_id, **values)
    audit = AuditEntry("resume", "schema_deployment", str(command.deployment_id), workspace_id=found["workspace_id"])
    uow.audit(audit)
    return command.deployment_id


async def cancel_deployment(command: CancelDeployment, uow: SchemasUnitOfWork) -> UUID:
    """Ask for the end before the next step; one that waits ends at once. Raises DeploymentNotFound, DeploymentEnded."""
    found = await queries.find_deployment(uow.connection, command.deployment_id)
    row = await uow.deployments.lock(found["workspace_id"], command.deployment_id)
    if row is None:
        raise missing_deployment(command.deployment_id)
    check_cancellable(row.status)
    values: dict[str, Any] = {"cancel_requested": True}
    if row.status == DeploymentStatus.QUEUED and found["steps_done"] == 0:
        values |= {"status": DeploymentStatus.CANCELLED, "finished_at": uow.now}
    await uow.deployments.set(command.deployment_id, **values)
    uow.audit(AuditEntry("cancel", "schema_deployment", str(command.deployment_id), workspace_id=row.workspace_id))
    return command.deployment_id


def _under_way() -> DeploymentUnderWay:
    message = Text("Another deployment of this workspace is under way; wait for it or cancel it.")
    return DeploymentUnderWay(message)
