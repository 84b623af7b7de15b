"""REST of who has not completed a lesson."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.calls import RowLimit, answers, asked_for, router
from dataforge.contexts.reports.incomplete.queries import read_incomplete
from dataforge.contexts.reports.incomplete.wire import INCOMPLETE, IncompleteOut
from dataforge.contexts.reports.wire import AsOf, InCohort
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind


@router.get(
    "/api/reports/lessons/{lesson_id}/incomplete", response_model=IncompleteOut, responses=answers("incomplete")
)
async def incomplete_report(
    lesson_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.REPORT)],
    cohort_id: InCohort = None,
    cursor: Cursor = None,
    limit: RowLimit = None,
    as_of: AsOf = None,
) -> Response:
    """Who has not completed a lesson, of those of whom it is expected."""
    await require_report(call, cohort_id=cohort_id, lesson_id=lesson_id)
    asked = asked_for(call, INCOMPLETE, as_of=as_of, cursor=cursor, limit=limit)
    statements = call.platform.get(StatementMatching)
    report = await call.query(read_incomplete, statements, lesson_id, asked.window, cohort_id)
    return asked.answer(report, report.next_key)
