"""Wire models of selections."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from dataforge.contexts.lrs.selections.domain import Selection
from dataforge.contexts.lrs.statements.domain import actor_key, validate_agent
from dataforge.contexts.lrs.statements.domain.validation.formats import is_iri
from dataforge.http.wire import RequestModel
from dataforge.kernel.texts import Text

MAX_IDS = 1_000


def _iri(value: str) -> str:
    if not is_iri(value):
        message = Text("must be an absolute IRI")
        raise ValueError(message)
    return value


def identified_agent(value: dict[str, Any]) -> dict[str, Any]:
    """An Agent or identified Group; raises ValueError for anything else."""
    found = validate_agent(value)
    if found:
        message = Text("is no Agent: {value}: {message}", value=found[0].pointer or "/", message=found[0].message)
        raise ValueError(message)
    if actor_key(value).startswith(("name:", "group:")):
        message = Text("must have one identifier: mbox, mbox_sha1sum, openid or account")
        raise ValueError(message)
    return value


Iri = Annotated[str, Field(max_length=4_000), AfterValidator(_iri)]
AgentIn = Annotated[dict[str, Any], AfterValidator(identified_agent)]


class SelectionIn(RequestModel):
    """Which statements: those that meet all that is given. `since` is exclusive, `until` inclusive, on `stored`."""

    agent: AgentIn | None = None
    related_agents: bool = False
    verb: Iri | None = None
    activity: Iri | None = None
    related_activities: bool = False
    registration: UUID | None = None
    credential: Annotated[str | None, Field(max_length=100, description="key of the credential they came with")] = None
    statement_ids: Annotated[list[UUID] | None, Field(min_length=1, max_length=MAX_IDS)] = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        since: datetime | None = self.since
        if since is not None and self.until is not None and self.until <= since:
            message = Text("until must be after since")
            raise ValueError(message)
        return self

    @property
    def selection(self) -> Selection:
        """The selection that is meant."""
        return Selection(**{name: getattr(self, name) for name in SelectionIn.model_fields})
