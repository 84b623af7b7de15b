"""REST of learners at risk."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.at_risk.queries import read_at_risk
from dataforge.contexts.reports.at_risk.wire import AT_RISK, AtRiskOut
from dataforge.contexts.reports.calls import RowLimit, answers, asked_for, router
from dataforge.contexts.reports.wire import AsOf, InCohort
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind

IdleDays = Annotated[int, Query(ge=1, le=365, description="at least so many days without a statement")]
NeverStarted = Annotated[bool, Query(description="also those who have not begun at all")]


@router.get("/api/reports/at-risk", response_model=AtRiskOut, responses=answers("at-risk"))
async def at_risk_report(
    call: Annotated[Call, require(Action.READ, Kind.REPORT)],
    cohort_id: InCohort = None,
    idle_days: IdleDays = 7,
    cursor: Cursor = None,
    limit: RowLimit = None,
    as_of: AsOf = None,
    *,
    include_never_started: NeverStarted = False,
) -> Response:
    """Members of active cohorts who have begun, have not completed what is required, and have been idle."""
    await require_report(call, cohort_id=cohort_id)
    asked = asked_for(call, AT_RISK, as_of=as_of, cursor=cursor, limit=limit)
    statements, options = call.platform.get(StatementMatching), {"include_never_started": include_never_started}
    report = await call.query(read_at_risk, statements, asked.window, cohort_id, idle_days=idle_days, **options)
    return asked.answer(report, report.next_key)
