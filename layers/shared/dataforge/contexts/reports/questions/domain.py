"""Item analysis: how difficult each question of a lesson is, and how well it tells learners apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from dataforge.contexts.reports.basis import Basis, LessonLabel, share

MOST_RESPONSES = 100


@dataclass(frozen=True, slots=True)
class ResponseCount:
    """A response as it was sent, how often, by how many learners, and how often it was taken as right.

    Among `choices` it is one of what was chosen together (xAPI joins them with `[,]`, Data 2.4.4.1).
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

    `given` are the most frequent responses, at most MOST_RESPONSES; `choices` the same for what was chosen, of a
    question to which several things were chosen at once.
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


@dataclass(frozen=True, slots=True)
class JudgedResponses:
    """Sums over the learners whose response to a question was judged, each by the first judged response.

    `learners` are n, `right` is the sum of x, which is 1 for whoever was right and 0 otherwise. `others` is the sum of
    r, the number of other questions that the learner got right; `squared_others` of r², `others_of_right` of x·r.
    """

    learners: int = 0
    right: int = 0
    others: int = 0
    squared_others: int = 0
    others_of_right: int = 0

    @property
    def difficulty(self) -> float | None:
        """The share of learners who were right."""
        return share(self.right, self.learners)

    @property
    def discrimination(self) -> float | None:
        """Pearson's correlation of x and r, which for a dichotomous x is the point-biserial correlation.

        The sums are whole numbers, so that nothing is lost to rounding before the one division.
        """
        n = self.learners
        covariance = n * self.others_of_right - self.right * self.others
        variances = (n * self.right - self.right**2) * (n * self.squared_others - self.others**2)
        return covariance / sqrt(variances) if variances > 0 else None
