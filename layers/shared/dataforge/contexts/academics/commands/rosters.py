"""Rosters in bulk: plan → hash → apply."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.commands.promotion import announce
from dataforge.contexts.academics.commands.roster_options import RosterOptions
from dataforge.contexts.academics.commands.roster_plans import RosterPlanner
from dataforge.contexts.academics.domain.catalogue import Semester
from dataforge.contexts.academics.domain.errors import DropsUnconfirmed, PlanHashMismatch
from dataforge.contexts.academics.domain.roster import RowAction
from dataforge.contexts.academics.domain.roster_files import staged_rows
from dataforge.contexts.academics.ports import AcademicsUnitOfWork, RosterSource, Row
from dataforge.kernel.canonical import plan_hash
from dataforge.kernel.errors import PlanStale
from dataforge.kernel.ids import uuid7
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class PlanRoster:
    """Work out what a roster would do to a semester."""

    semester_id: UUID
    format: str
    source: RosterSource
    options: RosterOptions = field(default_factory=RosterOptions)


async def plan_roster(command: PlanRoster, uow: AcademicsUnitOfWork) -> Row:
    """Stage the roster, decide on every row, and keep the plan with a hash over inputs, state and decisions.

    Changes nothing else. Raises RosterUnreadable for a file that is not a roster, or not one of this semester.
    """
    semester = _semester(await uow.catalogue.semesters.lock(command.semester_id))
    plan_id, options, rosters = uuid7(), command.options, uow.rosters
    await rosters.stage(plan_id, staged_rows(command.format, command.source.tables()))
    await RosterPlanner(uow, plan_id, semester, options).plan(simple=command.format == "simple")
    counts, implied, decisions = await rosters.summary(plan_id)
    state = await rosters.fingerprint(semester, uow.now)
    inputs = {"semester_id": semester.id, "format": command.format, "sha256": command.source.sha256()}
    inputs |= {"options": options.as_json()}
    return await rosters.add_plan(
        {
            "id": plan_id,
            "semester_id": semester.id,
            "format": command.format,
            "source": dict(command.source.describe()),
            "options": options.as_json(),
            "inputs_sha256": command.source.sha256(),
            "state_fingerprint": state,
            "plan_hash": plan_hash("roster", inputs=inputs, state=state, operations=decisions),
            "counts": counts,
            "implied_drops": implied,
            "state": "planned",
            "created_by": uow.principal.user_id,
            "created_at": uow.now,
        }
    )


@dataclass(frozen=True, slots=True)
class ApplyRoster:
    """Carry a plan out, named by its hash; `confirm_drops` is the number of drops, where they must be confirmed."""

    plan_id: UUID
    plan_hash: str
    confirm_drops: int | None = None


async def apply_roster(command: ApplyRoster, uow: AcademicsUnitOfWork) -> Row:
    """Do exactly what the plan says, or nothing: raises PlanStale when what it saw has moved.

    A plan that was applied before is returned as it is.
    """
    plan = await uow.rosters.lock_plan(command.plan_id)
    if command.plan_hash != plan["plan_hash"]:
        message = "The hash is not the one of this plan; read the plan again and apply what you have read."
        raise PlanHashMismatch(message)
    if plan["state"] == "applied":
        return plan
    _require_confirmed(plan, command.confirm_drops)
    semester = _semester(await uow.catalogue.semesters.lock(plan["semester_id"]))
    await uow.rosters.lock_semester(plan["id"], semester.id)
    if await uow.rosters.fingerprint(semester, uow.now) != plan["state_fingerprint"]:
        message = (
            "Sections, students or enrolments have changed since the plan was made; nothing was applied. Plan again."
        )
        raise PlanStale(message, facts={"plan_id": str(plan["id"])})
    announce(uow, await uow.rosters.apply(plan, uow.principal.user_id, uow.now))
    after: dict[str, object] = {"plan_hash": plan["plan_hash"], "counts": plan["counts"]}
    after |= {"waived": plan["options"]["waive"], "waive_reason": plan["options"]["waive_reason"]}
    uow.audit(AuditEntry("roster.applied", "roster_plan", str(plan["id"]), after=after))
    return await uow.rosters.mark_applied(plan["id"], uow.principal.user_id, uow.now)


def drops_of(plan: Row) -> int:
    """How many enrolments a plan ends."""
    counts: Mapping[str, Mapping[str, int]] = plan["counts"]
    return counts.get("enrollment", {}).get(RowAction.DROP.value, 0)


def _require_confirmed(plan: Row, confirmed: int | None) -> None:
    """Whoever the file only leaves out is dropped when the caller names the number; so are many that it names."""
    drops, implied, threshold = drops_of(plan), plan["implied_drops"], plan["options"]["drop_threshold"]
    if confirmed == drops or (not implied and drops <= threshold):
        return
    why = f"{implied} of them only because the file leaves them out" if implied else f"more than {threshold}"
    message = f"The plan drops {drops} enrolments, {why}; send confirm_drops: {drops} if that is right."
    raise DropsUnconfirmed(message, facts={"drops": drops, "implied_drops": implied, "drop_threshold": threshold})


def _semester(row: Mapping[str, Any]) -> Semester:
    return Semester(
        row["id"], row["code"], row["starts_on"], row["ends_on"], row["add_by"], row["drop_by"], row["withdraw_by"],
        row["max_credits"], row["time_zone"],
    )  # fmt: skip
