"""How a roster is read."""

from dataclasses import asdict, dataclass, field

from dataforge.contexts.academics.domain.status import Rule


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
