"""A plan: the way from one schema to another and back, with its hash, its risks and its proof."""

from collections.abc import Iterable
from dataclasses import dataclass

from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk
from dataforge.kernel.canonical import plan_hash
from dataforge.kernel.errors import Conflict, NotFound

ENGINE_VERSION = 1


class PlanNotFound(NotFound):
    """There is no such plan in this workspace."""

    code = "plan_not_found"


class LossForbidden(Conflict):
    """The plan would lose something, and the target forbids that."""

    code = "loss_forbidden"
    title = "The target forbids losses"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What PostgreSQL did while a change was rehearsed."""

    rewrites: bool = False
    scans: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know before the plan is carried out; a blocking one will make it fail."""

    code: str
    object: str
    message: str
    blocking: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, from which state to which."""

    namespace: str
    base_fingerprint: str
    target_fingerprint: str
    up: tuple[Change, ...]
    down: tuple[Change, ...]
    evidence: tuple[Evidence, ...] = ()
    old_names: tuple[tuple[str, str], ...] = ()  # `table people` → its name before

    @property
    def hash(self) -> str:
        """The hash the plan is deployed by."""
        return plan_hash(
            "schema",
            inputs={"namespace": self.namespace, "target": self.target_fingerprint, "engine": ENGINE_VERSION},
            state=self.base_fingerprint,
            operations=[[item.op, item.object, [part.sql for part in item.statements]] for item in self.up],
        )

    @property
    def destructive(self) -> tuple[str, ...]:
        """The objects whose loss must be confirmed, each once."""
        return tuple(dict.fromkeys(item.object for item in self.up if item.risk is Risk.DESTRUCTIVE))

    def risk_of(self, index: int) -> Risk:
        """The risk of a change, raised by what PostgreSQL was seen to do."""
        item = self.up[index]
        rewrites = bool(self.evidence) and index < len(self.evidence) and self.evidence[index].rewrites
        return Risk.REWRITING if rewrites and item.risk in (Risk.SAFE, Risk.LOCKING) else item.risk


def check_losses(plan: Plan) -> None:
    """Raise LossForbidden for a plan that loses something."""
    if plan.destructive:
        message = f"The target says allowDestructive: false, and this would be lost: {', '.join(plan.destructive)}."
        raise LossForbidden(message, facts={"objects": list(plan.destructive)})


def script(changes: Iterable[Change]) -> str:
    """The statements of changes as one SQL text, with what each group runs in."""
    lines: list[str] = []
    phase = None
    for item in changes:
        if item.phase is not phase:
            phase = item.phase
            how = "each statement by itself" if phase in (Phase.BUILD, Phase.VALIDATE) else "one transaction"
            lines.append(f"-- {phase.name.lower().replace('_', ' ')}: {how}")
        lines += [f"{statement.sql};" for statement in item.statements]
    return "\n".join(lines) + ("\n" if lines else "")
