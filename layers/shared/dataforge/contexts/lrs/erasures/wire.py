"""Wire models of erasures."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from dataforge.contexts.lrs.erasures.domain import Erase
from dataforge.contexts.lrs.selections.wire import AgentIn
from dataforge.http.wire import RequestModel


class ErasureIn(RequestModel):
    """A person by their Agents, and by all that is linked to whoever has one of them.

    With `responses` what they have answered in their own statements goes too.
    """

    agents: Annotated[list[AgentIn], Field(min_length=1, max_length=50)]
    responses: bool = False

    @property
    def command(self) -> Erase:
        """The erasure that is meant."""
        return Erase(self.agents, responses=self.responses)


class ErasurePlanOut(BaseModel):
    """How much would change, and by how many identifiers the person is looked for.

    What comes later is erased too, so that the plan only expires.
    """

    plan_hash: str
    expires_at: datetime
    statements: int
    as_actor: int
    documents: int
    identifiers: int
