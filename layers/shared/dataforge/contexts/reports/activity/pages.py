"""Activity over time."""

from datetime import date
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.activity.domain import Interval
from dataforge.contexts.reports.activity.queries import AskedActivity, read_activity
from dataforge.contexts.reports.activity.wire import ACTIVITY, ZoneOfDays
from dataforge.contexts.reports.overview.queries import cohort_choices, lesson_choices
from dataforge.contexts.reports.page_calls import (
    REPORTS,
    AnyAskedPage,
    answer_page,
    refused_page,
    router,
)
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import BadRequest
from dataforge.web.calls import Chosen, ChosenId, PageCall, require_page

_TEMPLATE = "reports/activity.html"
FirstDayField = Annotated[date | None, Chosen, Query(alias="from")]
LastDayField = Annotated[date | None, Chosen, Query(alias="to")]


@router.get(f"{REPORTS}/activity")
async def activity_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.REPORT)],
    asked: AnyAskedPage,
    first: FirstDayField = None,
    last: LastDayField = None,
    interval: Interval = Interval.DAY,
    time_zone: ZoneOfDays = "UTC",
    cohort_id: ChosenId = None,
    lesson_id: ChosenId = None,
) -> Response:
    """Statements, learners and completions per day, week or month."""
    await require_report(call, cohort_id=cohort_id, lesson_id=lesson_id)
    reach = await call.decisions.reach(Action.READ, Kind.REPORT)
    wanted = AskedActivity(first, last, interval, time_zone, cohort_id, lesson_id)
    values = {
        "wanted": wanted,
        "intervals": list(Interval),
        "cohorts": await call.query(cohort_choices, reach, chosen=cohort_id),
        "lessons": await call.query(lesson_choices, reach, chosen=lesson_id),
    }
    try:
        report = await call.query(read_activity, call.platform.get(StatementMatching), wanted, asked.window(call))
    except BadRequest as error:
        return refused_page(call, asked, error, _TEMPLATE, **values)
    return answer_page(call, asked, ACTIVITY, report, _TEMPLATE, **values)
