"""The time line of a learner, for those who read reports and for the learner."""

from itertools import groupby
from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.learner.access import sight_of
from dataforge.contexts.reports.learner.queries import read_learner
from dataforge.contexts.reports.learner.wire import LEARNER
from dataforge.contexts.reports.page_calls import REPORTS, AnyAskedPage, answer_page, router
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.rules import may_any
from dataforge.web.calls import PageCall, require_page


@router.get(f"{REPORTS}/learners/{{user_id}}")
async def learner_page(
    user_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.TIME_LINE)], asked: AnyAskedPage
) -> Response:
    """Lessons from start to completion, and statements day by day."""
    reach = await sight_of(call, user_id)
    report = await call.query(read_learner, call.platform.get(StatementMatching), user_id, reach, asked.window(call))
    days = [(day, list(events)) for day, events in groupby(report.events, key=lambda event: event.occurred_at.date())]
    reader = may_any(call.principal, Action.READ, Kind.TIME_LINE)
    return answer_page(call, asked, LEARNER, report, "reports/learner.html", reader=reader, days=days)
