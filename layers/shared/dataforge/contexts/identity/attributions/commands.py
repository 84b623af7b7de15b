"""Plan and apply attributions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from dataforge.contexts.identity.attributions.domain import KIND, Outcome, attribution_state, first_people, given_by
from dataforge.contexts.identity.attributions.queries import shown_gains
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.plans import Plan
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.attributions import AttributionRegister


@dataclass(frozen=True, slots=True)
class PlanAttributions:
    """What these people would gain; None: everybody who would."""

    user_ids: Sequence[UUID] | None = None


@dataclass(frozen=True, slots=True)
class ApplyAttributions:
    """The plan with this hash."""

    plan_hash: str


async def plan_attributions(
    command: PlanAttributions, uow: IdentityUnitOfWork, *, register: AttributionRegister
) -> Plan:
    """Say who would gain which records, and who has them now; of the first 200 people."""
    found = await register.found(uow.connection, command.user_ids)
    people, more = first_people(found)
    gains = [gain for gain in found if gain.person in set(people)]
    outcome = given_by(gains)
    plan = Plan.of(
        KIND,
        inputs={"people": [str(person) for person in people]},
        state=attribution_state(gains),
        preview={"people": await shown_gains(uow.connection, gains), "more": more, "records": outcome.records},
        created_by=uow.principal.user_id,
        now=uow.now,
    )
    await uow.plans.add(plan)
    return plan


async def apply_attributions(
    command: ApplyAttributions, uow: IdentityUnitOfWork, *, register: AttributionRegister
) -> Outcome:
    """Give what the plan says, and let the organisation vouch for the addresses: what comes late counts, too.

    Raises PlanUnknown, PlanExpired, PlanStale when anything of it has changed since, also an address.
    """
    plan = await uow.plans.lock(KIND, command.plan_hash)
    people = [UUID(person) for person in plan.inputs["people"]]
    # Nobody changes their address while they are given what belongs to it.
    await uow.users.lock_proved(people)
    gains = await register.found(uow.connection, people)
    plan.check(attribution_state(gains), uow.now)
    outcome = given_by(gains)
    if outcome.people:
        await register.given(people, uow)
        await uow.users.vouch(sorted({gain.person for gain in gains if gain.obstacle is None}), uow.now)
        after = {**asdict(outcome), "plan_hash": plan.plan_hash}
        uow.audit(AuditEntry("applied", "attribution", str(plan.id), after=after))
    return outcome
