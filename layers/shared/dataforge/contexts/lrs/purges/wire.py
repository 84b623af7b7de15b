"""Wire models of purges."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from dataforge.contexts.lrs.purges.domain import Purge
from dataforge.contexts.lrs.selections.wire import SelectionIn
from dataforge.http.wire import RequestModel

PlanHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PurgeIn(SelectionIn):
    """Which statements go; with `documents` also State and profiles of the same agent, activity, registration, time."""

    documents: bool = False

    @property
    def purge(self) -> Purge:
        """The purge that is meant."""
        return Purge(selection=self.selection, documents=self.documents)


class ApplyIn(RequestModel):
    """The hash of the plan that a preview has answered."""

    plan_hash: PlanHash


class PurgePlanOut(BaseModel):
    """What would go. The plan can be applied by its hash until it expires, while nothing of it changes.

    `whole_months` are selected whole, so that their partitions are dropped.
    """

    plan_hash: str
    expires_at: datetime
    until: datetime
    statements: int
    first_stored: datetime | None
    last_stored: datetime | None
    by_month: dict[str, int]
    by_credential: dict[str, int]
    by_verb: dict[str, int]
    attachments: int
    documents: int
    whole_months: list[str]
