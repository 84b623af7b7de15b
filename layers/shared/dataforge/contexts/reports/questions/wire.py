"""Wire models of question analysis."""

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, Field

from dataforge.contexts.reports.questions.domain import QuestionReport
from dataforge.contexts.reports.questions.picture import picture_of_questions
from dataforge.contexts.reports.tabular import Cell, Kind, Tabular
from dataforge.contexts.reports.wire import LessonLabelOut, ReportPageOut, Representations, lesson_body


class ResponseCountOut(BaseModel):
    """A response, how often and by how many learners it was given, and how often it was judged right."""

    response: str
    responses: int
    learners: int
    right: int


class QuestionOut(BaseModel):
    """A question and what was answered to it; `given` and `choices` have the 100 most frequent."""

    question_id: str
    name: str | None
    learners: int
    responses: int
    judged_learners: int = Field(description="learners with a response that was judged right or wrong")
    right_learners: int = Field(description="of these, whoever was right with the first of them")
    difficulty: float | None = Field(
        description="`right_learners` of `judged_learners`, 0 to 1: the item difficulty index p; greater is easier"
    )
    discrimination: float | None = Field(
        description="corrected item-total correlation (point-biserial), -1 to 1; null where it is not defined"
    )
    given: list[ResponseCountOut]
    choices: list[ResponseCountOut] = Field(description="what was chosen, where several things could be")


class QuestionsOut(ReportPageOut):
    """The questions of a lesson, by id; `learners` have answered any of them."""

    lesson: LessonLabelOut
    learners: int
    items: list[QuestionOut]


_COLUMNS = {
    "question_id": Kind.TEXT,
    "question": Kind.TEXT,
    "learners": Kind.COUNT,
    "responses": Kind.COUNT,
    "judged_learners": Kind.COUNT,
    "right_learners": Kind.COUNT,
    "difficulty": Kind.NUMBER,
    "discrimination": Kind.NUMBER,
    "response": Kind.TEXT,
    "response_count": Kind.COUNT,
    "response_learners": Kind.COUNT,
    "response_right": Kind.COUNT,
}


def _body(report: QuestionReport) -> dict[str, Any]:
    return {
        "lesson": lesson_body(report.lesson),
        "learners": report.learners,
        "items": [asdict(question) for question in report.questions],
    }


def _table(report: QuestionReport) -> Tabular:
    """A row for each response, choices where there are any; one without a response where nothing was answered."""
    rows: list[tuple[Cell, ...]] = []
    for item in report.questions:
        question = (item.question_id, item.name, item.learners, item.responses, item.judged_learners)
        statistics = (item.right_learners, item.difficulty, item.discrimination)
        counts: list[tuple[Cell, ...]] = [
            (one.response, one.responses, one.learners, one.right) for one in item.choices or item.given
        ]
        rows += [(*question, *statistics, *count) for count in counts or [(None,) * 4]]
    return Tabular(_COLUMNS, rows)


QUESTIONS = Representations("questions", _body, _table, picture_of_questions, columns=_COLUMNS)
