"""Plan a purge, and apply the plan: a job deletes what it names."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dataforge.contexts.lrs.purges.domain import KIND, Purge
from dataforge.contexts.lrs.purges.queries import preview_of, state_seen
from dataforge.contexts.lrs.search.domain import Found, Kind, attachment_keys, found_by, key_of
from dataforge.contexts.lrs.selections.queries import SelectedStatement, watermark
from dataforge.contexts.lrs.statements.domain import read_statement
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.plans import Plan
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.jobs.shared import queue_job
from dataforge.platform.observability import logger


async def plan_purge(command: Purge, uow: LrsUnitOfWork) -> Plan:
    """Say what would go: statements stored up to the watermark of now. Raises PurgeTooWide, PurgeOfDocuments."""
    command.check()
    purge = Purge(selection=command.selection.up_to(await watermark(uow.connection)), documents=command.documents)
    state, counts, documents = await state_seen(uow.connection, purge)
    plan = Plan.of(
        KIND,
        inputs=purge.to_json(),
        state=state,
        preview=await preview_of(uow.connection, purge, counts, documents),
        created_by=uow.principal.user_id,
        now=uow.now,
    )
    await uow.plans.add(plan)
    return plan


@dataclass(frozen=True, slots=True)
class ApplyPurge:
    """The plan with this hash."""

    plan_hash: str


async def apply_purge(command: ApplyPurge, uow: LrsUnitOfWork) -> UUID:
    """Queue the job that does what the plan says; applied again it is the same job.

    Raises PlanUnknown, PlanExpired, PlanStale.
    """
    plan = await uow.plans.lock(KIND, command.plan_hash)
    if plan.job_id is not None:
        return plan.job_id
    purge = Purge.from_json(plan.inputs)
    state, _, _ = await state_seen(uow.connection, purge)
    plan.check(state, uow.now)
    job_id = await queue_job(uow, KIND, {"plan_id": str(plan.id), "selection": purge.described()})
    await uow.plans.note_applied(plan.id, job_id)
    uow.audit(AuditEntry("applied", "statement_purge", str(plan.id), after=_counted(plan)))
    return job_id


def _counted(plan: Plan) -> dict[str, Any]:
    purge = Purge.from_json(plan.inputs)
    counts = {name: plan.preview[name] for name in ("statements", "documents", "attachments")}
    return {"selection": purge.described(), **counts, "plan_hash": plan.plan_hash}


@dataclass(frozen=True, slots=True)
class DeletePage:
    """Statements that go; bodies stored in a whole month are left to the drop of its partition."""

    statements: tuple[SelectedStatement, ...]
    left_to_drop: frozenset[UUID]


async def delete_page(command: DeletePage, uow: LrsUnitOfWork) -> tuple[int, list[str]]:
    """Delete the statements of a page: how many, and the keys of attachments that nobody names any more."""
    revision = await uow.take_revision()
    locked = await uow.removals.lock([item.statement_id for item in command.statements])
    there = [item for item in command.statements if item.statement_id in locked]
    ids = [item.statement_id for item in there]
    attachments = {key for item in there for key in keys_named(item)}
    await uow.index.remove([found for item in there if (found := as_found(item)) is not None])
    await uow.removals.delete_rows(ids, revision)
    stored: dict[UUID, datetime] = {item.statement_id: item.stored_at for item in there}
    await uow.removals.delete_bodies({key: at for key, at in stored.items() if key not in command.left_to_drop})
    return len(ids), await unreferenced(attachments, uow)


async def unreferenced(attachments: set[str], uow: LrsUnitOfWork) -> list[str]:
    """The keys of attachments that no statement names, in the tables or on its way there."""
    by_key = {key_of(Kind.ATTACHMENT, key): key for key in attachments}
    named = await uow.index.referenced(list(by_key)) if by_key else set()
    free = sorted(key for found, key in by_key.items() if found not in named)
    on_their_way = await uow.raw.pending_naming([key.rpartition("/")[2] for key in free]) if free else set()
    return [key for key in free if key.rpartition("/")[2] not in on_their_way]


def as_found(item: SelectedStatement) -> Found | None:
    """What a statement is found by; None for one that could never be."""
    try:
        return found_by(item.statement_id, item.stored_at, read_statement(item.body or "{}"))
    except Exception:  # noqa: BLE001 - a statement that cannot be read has no keys, and goes all the same
        logger.warning("statement without keys", exc_info=True, statement_id=str(item.statement_id))
        return None


def keys_named(item: SelectedStatement) -> list[str]:
    """Where the attachments of a statement are kept."""
    return attachment_keys(read_statement(item.body)) if item.body is not None and '"attachments"' in item.body else []
