"""Wire models of attributions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.identity.attributions.domain import MOST_PEOPLE
from dataforge.http.wire import RequestModel
from dataforge.kernel.plans import Plan


class AttributionIn(RequestModel):
    """For whom to plan; left out, for everybody who would gain something."""

    user_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_PEOPLE)] | None = None


class ApplyIn(RequestModel):
    """The hash of the plan that a preview has answered."""

    plan_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class KnownPersonOut(BaseModel):
    """A person."""

    user_id: UUID
    username: str
    display_name: str
    email: str


class GainOut(BaseModel):
    """Records of one kind (`statements`, `cohorts`, `student records`) that somebody has, or nobody (null).

    `names` are some by which people know them, of statements the days of the first and the last. With an `obstacle`,
    which says why, they stay where they are.
    """

    kind: str
    count: int
    names: list[str]
    held_by: KnownPersonOut | None
    obstacle: str | None


class GainerOut(KnownPersonOut):
    """A person whose address is proved, and what they would gain."""

    gains: list[GainOut]


class AttributionPlanOut(BaseModel):
    """Who would gain what; the plan is applied by its hash until it expires, while nothing of it changes.

    `records` are the numbers of what would be given, by kind; with `more` there are more people than one plan takes.
    """

    plan_hash: str
    expires_at: datetime
    people: list[GainerOut]
    more: bool
    records: dict[str, int]


class AttributedOut(BaseModel):
    """What was given: to how many people, and how many records of each kind."""

    people: int
    records: dict[str, int]


def plan_out(plan: Plan) -> AttributionPlanOut:
    """A plan as the API and the page show it."""
    facts = {"plan_hash": plan.plan_hash, "expires_at": plan.expires_at, **plan.preview}
    return AttributionPlanOut.model_validate(facts)
