"""REST of the time line of a learner."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.calls import RowLimit, answers, asked_for, router
from dataforge.contexts.reports.learner.access import sight_of
from dataforge.contexts.reports.learner.queries import read_learner
from dataforge.contexts.reports.learner.wire import LEARNER, LearnerOut
from dataforge.contexts.reports.wire import AsOf
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind


@router.get("/api/reports/learners/{user_id}", response_model=LearnerOut, responses=answers("learner"))
async def learner_report(
    user_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.TIME_LINE)],
    cursor: Cursor = None,
    limit: RowLimit = None,
    as_of: AsOf = None,
) -> Response:
    """Lessons and statements of a learner, newest first; learners see their own."""
    reach = await sight_of(call, user_id)
    asked = asked_for(call, LEARNER, as_of=as_of, cursor=cursor, limit=limit)
    report = await call.query(read_learner, call.platform.get(StatementMatching), user_id, reach, asked.window)
    return asked.answer(report, report.next_key)
