"""Wire models of promotions."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from dataforge.contexts.schemas.plans.wire import PlanOut, plan_out
from dataforge.contexts.schemas.promotions.promoting import Promotion
from dataforge.contexts.schemas.revisions.wire import ChangedOut
from dataforge.http.wire import RequestModel
from dataforge.kernel.texts import Text


class PromotionIn(RequestModel):
    """A revision of one workspace, for another."""

    from_workspace_id: Annotated[UUID, Field(description="where the revision was deployed")]
    revision: Annotated[int, Field(ge=1, le=2**31 - 1, description="its number")]
    workspace_id: Annotated[UUID, Field(description="where it shall be deployed")]

    @model_validator(mode="after")
    def _two_workspaces(self) -> "PromotionIn":
        if self.from_workspace_id == self.workspace_id:
            message = Text("give two workspaces")
            raise ValueError(message)
        return self


class StatementsOut(BaseModel):
    """A change whose statements are other ones there and here; the schema of the workspace is `"$schema"` in both."""

    op: str
    object: str
    there: list[str]
    here: list[str]


class PromotionOut(BaseModel):
    """The plan for the other workspace.

    With `same` it is the very plan that was deployed there, by the same hash. Otherwise `same_base` says whether both
    schemas stood alike before, `base` what the schema here has otherwise, and `statements` what is done otherwise.
    """

    plan: PlanOut
    same: bool
    same_base: bool
    plan_hash_there: str
    base_fingerprint_there: str
    base: list[ChangedOut]
    statements: list[StatementsOut]


def promotion_out(promotion: Promotion, row: dict[str, Any]) -> dict[str, Any]:
    """A promotion and the row of its plan for the wire."""
    return {
        "plan": plan_out(row),
        "same": row["plan_hash"] == promotion.plan_hash,
        "same_base": row["base_fingerprint"] == promotion.base_fingerprint,
        "plan_hash_there": promotion.plan_hash,
        "base_fingerprint_there": promotion.base_fingerprint,
        "base": promotion.base,
        "statements": promotion.statements,
    }
