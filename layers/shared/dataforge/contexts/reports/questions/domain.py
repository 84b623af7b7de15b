"""Item analysis: how difficult each question of a lesson is, and how well it tells learners apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from dataforge.contexts.reports.basis import Basis, LessonLabel


@dataclass(frozen=True, slots=True)
class ResponseCount:
    """A response as it was sent, how often, by how many learners, and how often it was taken as right.

    For questions of several choices `choice` is one of what was chosen (xAPI joins them with `[,]`).
    """

    response: str
    responses: int
    learners: int
    right: int


@dataclass(frozen=True, slots=True)
class QuestionStatistics:
    """A question and what was answered to it.

    `difficulty` is the share of learners whose first response that was judged is right, 0 to 1: the item difficulty
    index p of classical test theory (Lord and Novick 1968, 15.4; the greater, the easier). `discrimination` is the
    corrected item-total correlation, -1 to 1: the point-biserial correlation between being right at the first attempt
    and the number of the lesson's other questions that the learner got right at the first attempt (Henrysson 1963;
    Nunnally and Bernstein 1994, 8). Either is None where it is not defined: without judged responses, or where one of
    the two sides is the same for all learners.
    """

    question_id: str
    name: str | None
    learners: int
    responses: int
    judged_learners: int
    right_learners: int
    difficulty: float | None
    discrimination: float | None
    given: Sequence[ResponseCount]
    choices: Sequence[ResponseCount]


@dataclass(frozen=True, slots=True)
class QuestionReport:
    """The questions of a lesson, by id; `learners` have answered any of them."""

    basis: Basis
    lesson: LessonLabel
    learners: int
    questions: Sequence[QuestionStatistics]
    next_key: tuple[object, ...] | None = None
