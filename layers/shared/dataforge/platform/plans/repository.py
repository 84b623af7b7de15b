"""Plans in `platform.plans`."""

from dataclasses import asdict, fields
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.plans import Plan, PlanUnknown
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.plans.tables import plans

KEEP_EXPIRED = timedelta(days=1)
_COLUMNS = [plans.c[field.name] for field in fields(Plan)]


class Plans:
    """Plans, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, plan: Plan) -> None:
        """Keep a plan until it expires."""
        values = asdict(plan)
        await self._connection.execute(insert(plans).values(**values))

    async def lock(self, kind: str, plan_hash: str) -> Plan:
        """The newest plan with the hash, locked; raises PlanUnknown."""
        query = select(*_COLUMNS).where(plans.c.kind == kind, plans.c.plan_hash == plan_hash)
        newest = query.order_by(plans.c.id.desc()).limit(1).with_for_update()
        row = (await self._connection.execute(newest)).one_or_none()
        if row is None:
            message = Text("No plan has this hash any more. Preview again, and apply the hash of that plan.")
            raise PlanUnknown(message)
        return Plan(**row_dict(row))

    async def find(self, kind: str, plan_hash: str) -> Plan | None:
        """The newest plan with the hash, to be shown."""
        query = select(*_COLUMNS).where(plans.c.kind == kind, plans.c.plan_hash == plan_hash)
        row = (await self._connection.execute(query.order_by(plans.c.id.desc()).limit(1))).one_or_none()
        return None if row is None else Plan(**row_dict(row))

    async def get(self, plan_id: UUID) -> Plan:
        """A plan by its id; raises PlanUnknown."""
        row = (await self._connection.execute(select(*_COLUMNS).where(plans.c.id == plan_id))).one_or_none()
        if row is None:
            message = Text("The plan is not kept any more.")
            raise PlanUnknown(message)
        return Plan(**row_dict(row))

    async def note_applied(self, plan_id: UUID, job_id: UUID) -> None:
        """The job does what the plan says."""
        await self._connection.execute(update(plans).where(plans.c.id == plan_id).values(job_id=job_id))

    async def forget(self, kind: str, plan_hash: str, *, job_id: UUID) -> None:
        """Forget every plan with the hash, and what they name; those that another job is to do go when it has."""
        others = plans.c.job_id.is_(None) | (plans.c.job_id == job_id)
        same = delete(plans).where(plans.c.kind == kind, plans.c.plan_hash == plan_hash)
        await self._connection.execute(same.where(others))

    async def forget_expired(self, now: datetime) -> int:
        """Forget plans that expired a day ago or earlier and are not being applied; how many."""
        old = delete(plans).where(plans.c.expires_at < now - KEEP_EXPIRED)
        return (await self._connection.execute(old)).rowcount
