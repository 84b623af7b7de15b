"""A plan: the way from one schema to another and back, with its hash, its risks and its proof."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk
from dataforge.contexts.schemas.plans.domain.evidence import Evidence
from dataforge.contexts.schemas.plans.domain.trash import in_copy
from dataforge.kernel.canonical import plan_hash
from dataforge.kernel.errors import Conflict, NotFound
from dataforge.kernel.texts import Text

ENGINE_VERSION = 2  # since 2, a hash does not name the workspace
_SEEN_BY_MESSAGES = frozenset({"change type", "set not null"})
_TAKES_AWAY = ("drop ", "rebuild ", "detach ")


class PlanNotFound(NotFound):
    """There is no such plan in this workspace."""

    code = "plan_not_found"


class LossForbidden(Conflict):
    """The plan would lose something, and the target forbids that."""

    code = "loss_forbidden"
    title = "The target forbids losses"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know before the plan is carried out; a blocking one will make it fail."""

    code: str
    object: str
    message: str
    blocking: bool = False
    samples: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, from which state to which; `rehearsed` is the part of both states that was proved."""

    namespace: str
    base_fingerprint: str
    target_fingerprint: str
    up: tuple[Change, ...]
    down: tuple[Change, ...]
    evidence: tuple[Evidence, ...] = ()
    old_names: tuple[tuple[str, str], ...] = ()  # `table people` → its name before
    rehearsed: tuple[Schema, Schema] | None = None
    kept: Schema | None = None  # the tables of the trash that it was proved with; without a trash none

    @property
    def hash(self) -> str:
        """The hash the plan is deployed by: in another workspace, the same plan from the same state has the same."""
        return plan_hash(
            "schema",
            inputs={"target": self.target_fingerprint, "engine": ENGINE_VERSION},
            state=self.base_fingerprint,
            operations=[
                [item.op, item.object, [portable(part.sql, self.namespace) for part in item.statements]]
                for item in self.up
            ],
        )

    @property
    def destructive(self) -> tuple[str, ...]:
        """The objects whose loss must be confirmed, each once."""
        lost = (item.object for index, item in enumerate(self.up) if self.risk_of(index) is Risk.DESTRUCTIVE)
        return tuple(dict.fromkeys(lost))

    def seen(self, index: int) -> Evidence:
        """What was seen of a change; nothing when nobody looked."""
        return self.evidence[index] if index < len(self.evidence) else Evidence()

    def lock_of(self, index: int) -> str | None:
        """The strongest lock on a table that was there: as it was measured, else as it is known of the statement.

        Of views it is always the latter.
        """
        item, seen = self.up[index], self.seen(index)
        return seen.lock if seen.measured and not item.object.startswith("view ") else item.lock

    def risk_of(self, index: int) -> Risk:
        """The risk of a change, by what was seen of it.

        What was only expected, because of the kind of change, counts as long as nobody looked.
        """
        item, seen = self.up[index], self.seen(index)
        if item.risk is Risk.DESTRUCTIVE or seen.lost:
            return Risk.DESTRUCTIVE
        if seen.rewrites or item.writes_rows:
            return Risk.REWRITING
        if seen.scans and seen.measured:
            found = Risk.LOCKING if seen.stops_writers and not seen.idle else Risk.SAFE
        elif index < len(self.evidence) and item.op in _SEEN_BY_MESSAGES:
            found = Risk.LOCKING if seen.scans else Risk.SAFE
        elif seen.measured:
            found = Risk.SAFE
        else:
            return item.risk
        # To take something away from under those who read it is felt without a scan.
        return item.risk if item.op.startswith(_TAKES_AWAY) else found


def portable(sql: str, namespace: str) -> str:
    """A statement without the name of the workspace's schema, as it is the same for any."""
    return in_copy(sql, namespace, "$schema")


def check_losses(plan: Plan) -> None:
    """Raise LossForbidden for a plan that loses something."""
    if plan.destructive:
        message = Text(
            "The target says allowDestructive: false, and this would be lost: {destructive}.",
            destructive=", ".join(plan.destructive),
        )
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
