"""Plan an erasure, apply it, and rewrite statements."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from dataforge.contexts.lrs.erasures.domain import KIND, Anonymiser, Erase, ErasedPerson, search_keys
from dataforge.contexts.lrs.erasures.queries import count_occurrences
from dataforge.contexts.lrs.erasures.repository import Rewritten
from dataforge.contexts.lrs.identifiers.queries import known_agents
from dataforge.contexts.lrs.purges.commands import as_found, keys_named, unreferenced
from dataforge.contexts.lrs.search.domain import found_by
from dataforge.contexts.lrs.selections.queries import SelectedStatement
from dataforge.contexts.lrs.statements.domain import FlatStatement, content_sha256, flatten_statement, read_statement
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.plans import Plan
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.jobs.shared import queue_job
from dataforge.platform.observability import logger


async def plan_erasure(command: Erase, uow: LrsUnitOfWork) -> Plan:
    """Say how much an erasure would change.

    Whoever is linked to one of the Agents is erased by all that they are known by. The plan never goes stale: what
    comes later is erased as well. It holds the identifiers until it is applied, and a day after it has expired at most.
    """
    agents = await known_agents(uow.connection, command.agents)
    counts = await count_occurrences(uow.connection, ErasedPerson.of(agents))
    plan = Plan.of(
        KIND,
        inputs={"agents": [dict(agent) for agent in agents], "responses": command.responses},
        state={},
        preview={**counts, "identifiers": len(agents)},
        created_by=uow.principal.user_id,
        now=uow.now,
    )
    await uow.plans.add(plan)
    return plan


@dataclass(frozen=True, slots=True)
class ApplyErasure:
    """The plan with this hash."""

    plan_hash: str


async def apply_erasure(command: ApplyErasure, uow: LrsUnitOfWork) -> UUID:
    """Queue the job; from this transaction on the loader takes the person out of what it loads.

    Raises PlanUnknown, PlanExpired.
    """
    plan = await uow.plans.lock(KIND, command.plan_hash)
    if plan.job_id is not None:
        return plan.job_id
    plan.check({}, uow.now)
    return await begin_erasure(plan, uow)


async def begin_erasure(plan: Plan, uow: LrsUnitOfWork) -> UUID:
    """Put the person on the list, and queue the job that takes them out of what is stored."""
    person, responses = ErasedPerson.of(plan.inputs["agents"]), bool(plan.inputs["responses"])
    await uow.erasures.add(search_keys(person.identities), responses=responses)
    await uow.identifiers.erase(person.identities)
    job_id = await queue_job(uow, KIND, {"plan_id": str(plan.id), "pseudonym": str(uuid4()), "responses": responses})
    await uow.plans.note_applied(plan.id, job_id)
    uow.audit(AuditEntry("requested", "erasure", str(plan.id), after={**plan.preview, "responses": responses}))
    return job_id


@dataclass(frozen=True, slots=True)
class AnonymisePage:
    """Statements in which the person occurs."""

    statements: tuple[SelectedStatement, ...]
    anonymiser: Anonymiser


async def anonymise_page(command: AnonymisePage, uow: LrsUnitOfWork) -> tuple[int, list[str]]:
    """Rewrite a page of statements: how many changed, and the keys of attachments that nobody names any more."""
    revision = await uow.take_revision()
    locked = await uow.removals.lock([item.statement_id for item in command.statements])
    there = [item for item in command.statements if item.statement_id in locked and item.body is not None]
    pairs = [(item, rewritten) for item in there if (rewritten := _rewritten(item, command.anonymiser)) is not None]
    if not pairs:
        return 0, []
    before = [found for item, _ in pairs if (found := as_found(item)) is not None]
    known = {found.statement_id for found in before}
    after = [found_by(new.statement_id, new.stored_at, new.payload) for _, new in pairs if new.statement_id in known]
    await uow.index.replace(before, after)
    await uow.erasures.rewrite([new for _, new in pairs], revision)
    return len(pairs), await unreferenced({key for item, _ in pairs for key in keys_named(item)}, uow)


def _rewritten(item: SelectedStatement, anonymiser: Anonymiser) -> Rewritten | None:
    """None for a statement that stays as it is."""
    before = read_statement(item.body or "{}")
    after = anonymiser.apply(before)
    if after == before:
        return None
    sha = bytes.fromhex(content_sha256(after))
    return Rewritten(item.statement_id, item.stored_at, after, sha, _flat_of(item.statement_id, after))


def _flat_of(statement_id: UUID, statement: Mapping[str, object]) -> FlatStatement | None:
    try:
        return flatten_statement(statement)
    except Exception:  # noqa: BLE001 - one that could never be flattened has no flat row to be changed
        logger.warning("statement without a flat row", exc_info=True, statement_id=str(statement_id))
        return None
