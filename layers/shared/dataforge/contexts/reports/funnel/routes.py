"""REST of funnels."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.calls import answers, asked_for, router
from dataforge.contexts.reports.funnel.queries import read_funnel
from dataforge.contexts.reports.funnel.wire import FUNNEL, FunnelOut
from dataforge.contexts.reports.wire import AsOf, InCohort
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.kernel.access import Action, Kind


@router.get("/api/reports/lessons/{lesson_id}/funnel", response_model=FunnelOut, responses=answers("funnel"))
async def funnel_report(
    lesson_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.REPORT)],
    cohort_id: InCohort = None,
    as_of: AsOf = None,
) -> Response:
    """How many of those of whom a lesson is expected have started and completed it, and how long it took them."""
    await require_report(call, cohort_id=cohort_id, lesson_id=lesson_id)
    asked = asked_for(call, FUNNEL, as_of=as_of)
    statements = call.platform.get(StatementMatching)
    return asked.answer(await call.query(read_funnel, statements, lesson_id, asked.window, cohort_id))
