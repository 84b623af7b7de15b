"""Learners at risk."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.at_risk.queries import read_at_risk
from dataforge.contexts.reports.at_risk.wire import AT_RISK
from dataforge.contexts.reports.overview.queries import cohort_choices
from dataforge.contexts.reports.page_calls import REPORTS, AnyAskedPage, answer_page, router
from dataforge.kernel.access import Action, Kind
from dataforge.web.calls import ChosenId, PageCall, require_page


@router.get(f"{REPORTS}/at-risk")
async def at_risk_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.REPORT)],
    asked: AnyAskedPage,
    cohort_id: ChosenId = None,
    idle_days: Annotated[int, Query(ge=1, le=365)] = 7,
    *,
    include_never_started: bool = False,
) -> Response:
    """Who has begun, is not done and has been away for a while, longest first."""
    await require_report(call, cohort_id=cohort_id)
    reach = await call.decisions.reach(Action.READ, Kind.REPORT)
    statements, options = call.platform.get(StatementMatching), {"include_never_started": include_never_started}
    report = await call.query(read_at_risk, statements, asked.window(call), cohort_id, idle_days=idle_days, **options)
    cohorts = await call.query(cohort_choices, reach, chosen=cohort_id)
    return answer_page(call, asked, AT_RISK, report, "reports/at_risk.html", cohorts=cohorts, cohort_id=cohort_id)
