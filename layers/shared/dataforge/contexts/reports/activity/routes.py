"""REST of activity over time."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.activity.domain import Interval
from dataforge.contexts.reports.activity.queries import AskedActivity, read_activity
from dataforge.contexts.reports.activity.wire import ACTIVITY, ActivityOut, FirstDay, LastDay, ZoneOfDays
from dataforge.contexts.reports.calls import answers, asked_for, router
from dataforge.contexts.reports.wire import AsOf, InCohort
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.kernel.access import Action, Kind


@router.get("/api/reports/activity", response_model=ActivityOut, responses=answers("activity"))
async def activity_report(
    call: Annotated[Call, require(Action.READ, Kind.REPORT)],
    first: FirstDay = None,
    last: LastDay = None,
    interval: Interval = Interval.DAY,
    time_zone: ZoneOfDays = "UTC",
    cohort_id: InCohort = None,
    lesson_id: UUID | None = None,
    as_of: AsOf = None,
) -> Response:
    """Statements of lessons, learners and completions per day, week (from Monday) or month."""
    await require_report(call, cohort_id=cohort_id, lesson_id=lesson_id)
    asked = asked_for(call, ACTIVITY, as_of=as_of)
    wanted = AskedActivity(first, last, interval, time_zone, cohort_id, lesson_id)
    return asked.answer(await call.query(read_activity, call.platform.get(StatementMatching), wanted, asked.window))
