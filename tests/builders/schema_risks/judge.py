"""Compares what a plan says of its risks with its label and with what an observer saw when it was run."""

from collections import Counter
from dataclasses import dataclass, field, replace

from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.plans.domain.changes import Phase
from dataforge.contexts.schemas.plans.domain.evidence import lock_of
from dataforge.contexts.schemas.plans.domain.plan import Finding, Plan
from dataforge.contexts.schemas.plans.planning import make_plan
from dataforge.contexts.schemas.plans.probes import probe
from dataforge.contexts.schemas.plans.trials import try_plan
from tests.builders.observed import Observer, has_lost
from tests.builders.planned import Planned
from tests.builders.schema_risks.label import Label


@dataclass
class Verdict:
    """How often a plan was right and wrong; counts are named `loss`, `lock`, `rewrite` and so on with their outcome."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def compare(self, what: str, *, said: bool, true: bool, about: str) -> None:
        outcome = {(True, True): "hit", (True, False): "false alarm", (False, True): "miss", (False, False): "rest"}
        self.counts[what, outcome[said, true]] += 1
        if said != true:
            self.problems.append(f"{what}: {outcome[said, true]} ({about})")


async def plan_with_risks(planned: Planned, label: Label) -> tuple[Plan, list[Finding]]:
    """The plan as a preview makes it."""
    design = parse_design(label.after)
    plan, current, wanted = await make_plan(planned.connection, planned.namespace, design, None)
    plan = await try_plan(planned.connection, plan)
    return await probe(planned.connection, plan, current, wanted, design.hints)


async def judge(planned: Planned, label: Label) -> Verdict:
    """Make the plan, run it before the eyes of the observer, and compare."""
    await planned.begin()
    await planned.sql(label.before)
    plan, findings = await plan_with_risks(planned, label)
    verdict = Verdict()
    about = "; ".join(f"{item.code} {item.object}: {item.message}" for item in findings) or "nothing found"
    verdict.problems += [f"{item.object}: {item.message}" for item in findings if item.code == "rows_unknown"]
    verdict.compare("failure", said=any(item.blocking for item in findings), true=label.fails, about=about)
    if label.fails:
        return verdict
    lost = any(plan.seen(index).lost for index in range(len(plan.up)))
    verdict.compare("loss", said=lost, true=label.loses, about=about)
    observer = Observer(planned.connection, planned.namespace)
    await observer.begin()
    before = await observer.values()
    for index, item in enumerate(plan.up):
        alone = item.phase is Phase.BUILD
        seen = await observer.watch([statement.sql for statement in item.statements], alone=alone)
        evidence = plan.seen(index)
        what = f"{item.op} {item.object}: seen {seen}, said {evidence.rewrites} {evidence.scans} {dict(evidence.locks)}"
        verdict.compare("rewrite", said=evidence.rewrites, true=bool(seen.rewritten), about=what)
        said = evidence.scans and evidence.stops_writers
        verdict.compare("scan under a lock", said=said, true=seen.reads_and_stops_writers, about=what)
        if not alone:
            locks = {name: lock_of(mode) for name, mode in seen.locks.items()}
            verdict.compare("lock", said=evidence.locks != locks, true=False, about=what)
    if not label.respelled:
        observed = await has_lost(observer, before, label.names)
        if observed != label.loses:
            verdict.problems.append(f"the label is wrong: the observer says {observed}")
    return verdict


__all__ = ["Verdict", "judge", "plan_with_risks", "replace"]
