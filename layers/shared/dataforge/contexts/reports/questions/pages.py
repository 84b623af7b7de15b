"""What was answered to the questions of a lesson."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.page_calls import REPORTS, AnyAskedPage, answer_page, drawing, router
from dataforge.contexts.reports.questions.picture import picture_of_responses
from dataforge.contexts.reports.questions.queries import read_questions
from dataforge.contexts.reports.questions.wire import QUESTIONS
from dataforge.kernel.access import Action, Kind
from dataforge.web.calls import PageCall, require_page

_QUESTIONS = 20


@router.get(f"{REPORTS}/lessons/{{lesson_id}}/questions")
async def questions_page(
    lesson_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.REPORT)], asked: AnyAskedPage
) -> Response:
    """Difficulty and discrimination of each question, and the responses to it."""
    await require_report(call, lesson_id=lesson_id)
    window = asked.window(call, _QUESTIONS)
    report = await call.query(read_questions, call.platform.get(StatementMatching), lesson_id, window)
    drawn = [
        (question, drawing(picture_of_responses(report, question, key=f"question-{position}")))
        for position, question in enumerate(report.questions[:_QUESTIONS], 1)
    ]
    return answer_page(call, asked, QUESTIONS, report, "reports/questions.html", questions=drawn)
