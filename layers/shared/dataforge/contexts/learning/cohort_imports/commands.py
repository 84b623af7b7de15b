"""Import of a learner list: a plan first, then exactly that plan or nothing."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from dataforge.contexts.identity.contract import LearnerDirectory
from dataforge.contexts.learning.cohort_imports.domain import Learner, LearnerList, Problem, parse_learners
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.kernel.canonical import plan_hash
from dataforge.kernel.errors import PlanStale
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class ImportLearners:
    """A file; with the hash of its plan it is applied, without it is only planned."""

    body: bytes
    plan_hash: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What becomes of one line: `join` or `member` (already), with an `existing` or a `new` account."""

    line: int
    email: str
    name: str
    cohort: str
    action: str
    account: str


@dataclass(frozen=True, slots=True)
class LearnerPlan:
    """The plan of an import; `applied` tells whether it has been carried out."""

    plan_hash: str
    rows: Sequence[PlannedRow]
    problems: Sequence[Problem]
    new_cohorts: Sequence[str]
    applied: bool

    def report(self) -> dict[str, Any]:
        """The plan as the answer shows it, with counts."""
        return {
            "plan_hash": self.plan_hash,
            "applied": self.applied,
            "counts": {
                "join": sum(row.action == "join" for row in self.rows),
                "member": sum(row.action == "member" for row in self.rows),
                "new_accounts": len({row.email for row in self.rows if row.account == "new"}),
                "new_cohorts": len(self.new_cohorts),
                "problems": len(self.problems),
            },
            "new_cohorts": list(self.new_cohorts),
            "rows": [asdict(row) for row in self.rows],
            "problems": [asdict(problem) for problem in self.problems],
        }


async def import_learners(
    directory: LearnerDirectory, statements: StatementMatching, command: ImportLearners, uow: LearningUnitOfWork
) -> LearnerPlan:
    """Plan or apply; raises PlanStale when accounts, cohorts or members have moved since the plan was made."""
    accounts = directory.accounts(uow.connection)
    found = parse_learners(command.body)
    known = await accounts.by_email({learner.email for learner in found.learners})
    found = _without_suspended(found, known, await accounts.suspended(known.values()))
    cohorts = dict(await uow.cohorts.by_name({learner.cohort for learner in found.learners}))
    members = await uow.cohorts.members(cohorts.values())
    rows = [
        _planned(learner, known.get(learner.email), cohorts.get(learner.cohort.lower()), members)
        for learner in found.learners
    ]
    # The first line of a cohort decides how its name is written.
    first = {learner.cohort.lower(): learner for learner in reversed(found.learners)}
    missing = {key: learner for key, learner in first.items() if key not in cohorts}
    new_cohorts = sorted(learner.cohort for learner in missing.values())
    digest = plan_hash(
        "records.learner_import",
        inputs=hashlib.sha256(command.body).hexdigest(),
        state={"accounts": known, "cohorts": cohorts, "members": sorted(f"{a} {b}" for a, b in members)},
        operations=[asdict(row) for row in rows],
    )
    if command.plan_hash is None:
        return LearnerPlan(digest, rows, found.problems, new_cohorts, applied=False)
    if command.plan_hash != digest:
        message = Text(
            "Accounts, cohorts or the file have changed since the plan was made; plan again. Nothing was imported."
        )
        raise PlanStale(message, facts={"plan_hash": digest})
    for key, learner in sorted(missing.items()):
        cohorts[key] = await _add_cohort(learner, uow)
    users = await accounts.ensure([(learner.email, learner.name) for learner in found.learners], uow.now)
    pairs = [(cohorts[learner.cohort.lower()], users[learner.email]) for learner in found.learners]
    await uow.cohorts.join(pairs, await statements.take_revision(uow.connection))
    created = [users[email] for email in users if email not in known]
    await uow.completions.record_completions(await statements.match_people(uow.connection, created))
    counts = {"rows": len(rows), "problems": len(found.problems), "accounts": len(created)}
    uow.audit(AuditEntry("imported_learners", "cohort", digest[:32], after=counts))
    return LearnerPlan(digest, rows, found.problems, new_cohorts, applied=True)


def _without_suspended(found: LearnerList, known: Mapping[str, UUID], suspended: set[UUID]) -> LearnerList:
    shut = [learner for learner in found.learners if known.get(learner.email) in suspended]
    problems = [
        Problem(
            item.line, "person_suspended", Text("The account of {email} is suspended.", email=item.email), item.email
        )
        for item in shut
    ]
    return replace(
        found,
        learners=tuple(item for item in found.learners if known.get(item.email) not in suspended),
        problems=tuple(sorted([*found.problems, *problems], key=lambda problem: problem.line)),
    )


def _planned(
    learner: Learner, user_id: UUID | None, cohort_id: UUID | None, members: set[tuple[UUID, UUID]]
) -> PlannedRow:
    member = user_id is not None and cohort_id is not None and (cohort_id, user_id) in members
    return PlannedRow(
        line=learner.line,
        email=learner.email,
        name=learner.name,
        cohort=learner.cohort,
        action="member" if member else "join",
        account="existing" if user_id else "new",
    )


async def _add_cohort(learner: Learner, uow: LearningUnitOfWork) -> UUID:
    cohort_id = uuid7()
    await uow.cohorts.add(
        {
            "id": cohort_id,
            "name": learner.cohort,
            "group_name": learner.group,
            "team": learner.team,
        }
    )
    return cohort_id
