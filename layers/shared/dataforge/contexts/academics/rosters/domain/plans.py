"""How a roster is read, and why a plan is not applied."""

from dataclasses import asdict, dataclass, field
from typing import Final

from dataforge.contexts.academics.enrollment.domain.statuses import Rule
from dataforge.kernel.errors import Conflict
from dataforge.kernel.texts import Text

# What the log of an enrolment says of a step about which the plan has no reason of its own.
STEP_REASONS: Final = {
    "requested": Text("requested by a roster"),
    "listed": Text("in the roster"),
    "dropped": Text("dropped by the roster"),
}


class DropsUnconfirmed(Conflict):
    """The plan drops somebody the file leaves out, or more than the threshold, and nobody confirmed the number."""

    code = "drops_unconfirmed"
    title = "The drops must be confirmed"


class PlanRefused(Conflict):
    """Something that the plan does not look at stands in the way; nothing was applied."""

    code = "plan_refused"
    title = "The plan cannot be applied"


class PlanHashMismatch(Conflict):
    """The hash sent is not the plan's."""

    code = "plan_hash_mismatch"
    title = "That is not the hash of this plan"


@dataclass(frozen=True, slots=True)
class RosterOptions:
    """`full` drops whoever the file leaves out; `waive` lifts rules for all of it.

    Those who enrolled themselves are left out of most files, so they are dropped with `drop_self_enrolled` only.
    """

    mode: str = "additive"
    drop_threshold: int = 10
    drop_self_enrolled: bool = False
    default_capacity: int = 30
    waive: frozenset[Rule] = field(default_factory=frozenset)
    waive_reason: str = ""

    def as_json(self) -> dict[str, object]:
        """What is stored with the plan."""
        return {**asdict(self), "waive": sorted(rule.value for rule in self.waive)}
