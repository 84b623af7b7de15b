"""Writes of roster plans: kept with a hash, set-based statements to apply, forgotten in the end."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import missing
from dataforge.contexts.academics.catalog.domain import Semester
from dataforge.contexts.academics.rosters.domain.plans import STEP_REASONS
from dataforge.contexts.academics.rosters.domain.rows import RowAction
from dataforge.contexts.academics.rosters.repository import apply_sql, fingerprint_sql
from dataforge.contexts.academics.rosters.repository.drafts import RosterDraft
from dataforge.contexts.academics.rosters.repository.refusals import refused_by_constraint
from dataforge.contexts.academics.tables import roster_plans, roster_rows
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

# The columns that applying looks at: statistics of documents take long and tell nothing.
_ANALYZE_ROWS = "ANALYZE academics.roster_rows (plan_id, row_no, kind, action, entity_id, student_id, section_id)"


class RosterPlans:
    """Roster plans of PostgreSQL."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def draft(self) -> RosterDraft:
        """Where a plan is made."""
        return RosterDraft(self._connection)

    async def fingerprint(self, semester: Semester, now: datetime) -> str:
        """A hash over all the state a plan for the semester depends on."""
        given = {"semester": semester.id, "today": semester.today(now), "now": now}
        return str(await self._connection.scalar(text(fingerprint_sql.FINGERPRINT), given))

    async def summary(self, plan_id: UUID) -> tuple[dict[str, dict[str, int]], int, str]:
        """Counts by kind and action, the number of implied drops, and a hash over all decisions."""
        counts: dict[str, dict[str, int]] = {}
        implied, decisions = 0, 0
        for row in await self._connection.execute(text(fingerprint_sql.SUMMARY), {"plan": plan_id}):
            counts.setdefault(row.kind, {})[row.action] = row.n
            implied += row.implied if row.action == RowAction.DROP else 0
            decisions += int(row.decisions)
        return counts, implied, sha256(str(decisions).encode()).hexdigest()

    async def add_plan(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Store a plan."""
        statement = insert(roster_plans).values(**values).returning(roster_plans)
        return row_dict((await self._connection.execute(statement)).one())

    async def lock_plan(self, plan_id: UUID) -> dict[str, Any]:
        """The plan, locked; raises NotFound."""
        statement = select(roster_plans).where(roster_plans.c.id == plan_id).with_for_update()
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            raise missing(Text("roster plan"), plan_id)
        return row_dict(row)

    async def lock_semester(self, plan_id: UUID, semester_id: UUID) -> None:
        """Lock the semester's sections, then the students the plan is about, each in the order of their ids."""
        # Fresh statistics and no nested loops: what a transaction wrote itself is otherwise taken for one row.
        for setting in (
            _ANALYZE_ROWS,
            "SET LOCAL jit = off",
            "SET LOCAL enable_nestloop = off",
        ):
            await self._connection.execute(text(setting))
        for statement in (apply_sql.LOCK_SECTIONS, apply_sql.LOCK_STUDENTS):
            await self._run(statement, plan_id, semester_id)

    async def apply(self, plan: Mapping[str, Any], actor: UUID | None, now: datetime) -> list[UUID]:
        """Carry the plan out; returns the sections whose waitlists may move."""
        plan_id, semester_id = plan["id"], plan["semester_id"]
        async with refused_by_constraint():
            for step in apply_sql.STEPS:
                await self._run(step, plan_id, semester_id, actor=actor, now=now, **STEP_REASONS)
        section_ids = await self._connection.scalars(
            text(apply_sql.TO_PROMOTE), {"plan": plan_id, "semester": semester_id}
        )
        return list(section_ids.all())

    async def mark_applied(self, plan_id: UUID, actor: UUID | None, now: datetime) -> dict[str, Any]:
        """Note who applied the plan, and when."""
        statement = (
            update(roster_plans)
            .where(roster_plans.c.id == plan_id)
            .values(state="applied", applied_by=actor, applied_at=now)
            .returning(roster_plans)
        )
        return row_dict((await self._connection.execute(statement)).one())

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete plans made before that time with their rows; of applied ones the plan stays, as history names it."""
        has_rows = exists().where(roster_rows.c.plan_id == roster_plans.c.id)
        due = (
            select(roster_plans.c.id)
            .where(roster_plans.c.created_at < before, or_(roster_plans.c.state == "planned", has_rows))
            .order_by(roster_plans.c.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        plans = list((await self._connection.scalars(due)).all())
        if plans:
            await self._connection.execute(delete(roster_rows).where(roster_rows.c.plan_id.in_(plans)))
            never_applied = delete(roster_plans).where(roster_plans.c.id.in_(plans), roster_plans.c.state == "planned")
            await self._connection.execute(never_applied)
        return len(plans)

    async def _run(self, sql: str, plan_id: UUID, semester_id: UUID, **more: object) -> None:
        statement = text(sql)
        given = {"plan": plan_id, "semester": semester_id, **more}
        used = statement.compile().params.keys()
        await self._connection.execute(statement, {name: value for name, value in given.items() if name in used})
