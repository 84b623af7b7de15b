"""Plans: what a change would do, with a hash over what was asked and the state it saw; apply takes the hash."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from dataforge.kernel import canonical
from dataforge.kernel.errors import Conflict, NotFound, PlanStale
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text

LIFETIME = timedelta(hours=1)


class PlanUnknown(NotFound):
    """No plan of this kind has the hash, or it has been forgotten; preview again."""

    code = "plan_unknown"
    title = "There is no such plan"


class PlanExpired(Conflict):
    """The plan is older than it may be when it is applied; preview again."""

    code = "plan_expired"
    title = "The plan has expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was asked (`inputs`) and what the state was (`state`); `preview` is what people see of it.

    Once applied it names the job that does it, so that applying it again changes nothing.
    """

    id: UUID
    kind: str
    plan_hash: str
    inputs: Mapping[str, Any]
    state: Mapping[str, Any]
    preview: Mapping[str, Any] = field(default_factory=dict, compare=False)
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime
    job_id: UUID | None = None

    @classmethod
    def of(
        cls,
        kind: str,
        *,
        inputs: Mapping[str, Any],
        state: Mapping[str, Any],
        preview: Mapping[str, Any],
        created_by: UUID | None,
        now: datetime,
        lifetime: timedelta = LIFETIME,
    ) -> Self:
        """A plan of now."""
        return cls(
            id=uuid7(),
            kind=kind,
            plan_hash=plan_hash(kind, inputs, state),
            inputs=inputs,
            state=state,
            preview=preview,
            created_by=created_by,
            created_at=now,
            expires_at=now + lifetime,
        )

    def check(self, state: Mapping[str, Any], now: datetime) -> None:
        """Raise PlanExpired, or PlanStale when the state is not the one that it was made from."""
        if now >= self.expires_at:
            message = Text(
                "The plan could be applied until {expires_at}. Preview again.", expires_at=self.expires_at.isoformat()
            )
            raise PlanExpired(message)
        if plan_hash(self.kind, self.inputs, state) != self.plan_hash:
            message = Text(
                "What the plan is about has changed since it was previewed; nothing was done. Preview again."
            )
            raise PlanStale(message)


def plan_hash(kind: str, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """64 hex digits over what is asked and the state it is asked of."""
    return canonical.plan_hash(kind, inputs=dict(inputs), state=dict(state), operations=None)
