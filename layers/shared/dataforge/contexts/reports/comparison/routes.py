"""REST of comparisons."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.calls import RowLimit, answers, asked_for, router
from dataforge.contexts.reports.comparison.domain import ComparedBy
from dataforge.contexts.reports.comparison.queries import read_comparison
from dataforge.contexts.reports.comparison.wire import COMPARISON, ComparisonOut
from dataforge.contexts.reports.wire import AsOf, InCohort
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind


@router.get("/api/reports/comparison", response_model=ComparisonOut, responses=answers("comparison"))
async def comparison_report(
    call: Annotated[Call, require(Action.READ, Kind.REPORT)],
    by: ComparedBy = ComparedBy.LESSON,
    cohort_id: InCohort = None,
    cursor: Cursor = None,
    limit: RowLimit = None,
    as_of: AsOf = None,
) -> Response:
    """Lessons beside each other, or courses with the lessons of their sections."""
    await require_report(call, cohort_id=cohort_id)
    asked = asked_for(call, COMPARISON, as_of=as_of, cursor=cursor, limit=limit)
    report = await call.query(read_comparison, call.platform.get(StatementMatching), by, asked.window, cohort_id)
    return asked.answer(report, report.next_key)
