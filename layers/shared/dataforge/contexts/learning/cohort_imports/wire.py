"""Wire models of learner lists."""

from pydantic import BaseModel


class PlannedRowOut(BaseModel):
    """What becomes of one line."""

    line: int
    email: str
    name: str
    cohort: str
    action: str
    account: str


class ProblemOut(BaseModel):
    """A line that is not used, and why."""

    line: int
    code: str
    detail: str
    email: str | None


class LearnerPlanOut(BaseModel):
    """The plan of an import, or what was applied."""

    plan_hash: str
    applied: bool
    counts: dict[str, int]
    new_cohorts: list[str]
    rows: list[PlannedRowOut]
    problems: list[ProblemOut]
