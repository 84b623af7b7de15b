"""REST of question analysis."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.calls import RowLimit, answers, asked_for, router
from dataforge.contexts.reports.questions.queries import read_questions
from dataforge.contexts.reports.questions.wire import QUESTIONS, QuestionsOut
from dataforge.contexts.reports.wire import AsOf
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind


@router.get("/api/reports/lessons/{lesson_id}/questions", response_model=QuestionsOut, responses=answers("questions"))
async def questions_report(
    lesson_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.REPORT)],
    cursor: Cursor = None,
    limit: RowLimit = None,
    as_of: AsOf = None,
) -> Response:
    """What was answered to the questions of a lesson; CSV and Parquet have a row for each response."""
    await require_report(call, lesson_id=lesson_id)
    asked = asked_for(call, QUESTIONS, as_of=as_of, cursor=cursor, limit=limit)
    report = await call.query(read_questions, call.platform.get(StatementMatching), lesson_id, asked.window)
    return asked.answer(report, report.next_key)
