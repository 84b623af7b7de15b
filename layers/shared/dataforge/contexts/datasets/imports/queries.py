"""Plans of imports."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.imports.domain import KIND
from dataforge.kernel.plans import Plan, PlanUnknown
from dataforge.kernel.texts import Text
from dataforge.platform.plans.repository import Plans


async def find_plan(connection: AsyncConnection, dataset_id: UUID, plan_hash: str) -> Plan:
    """The newest plan of the dataset with this hash; raises PlanUnknown."""
    plan = await Plans(connection).find(KIND, plan_hash)
    if plan is None or plan.inputs["dataset_id"] != str(dataset_id):
        raise plan_missing(plan_hash)
    return plan


def plan_missing(plan_hash: str) -> PlanUnknown:
    """The refusal for a hash that no plan of the dataset has."""
    return PlanUnknown(Text("No plan of an import into this dataset has the hash {plan_hash}.", plan_hash=plan_hash))
