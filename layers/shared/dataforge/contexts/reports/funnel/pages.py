"""The funnel of a lesson."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.funnel.picture import duration_class, picture_of_durations
from dataforge.contexts.reports.funnel.queries import read_funnel
from dataforge.contexts.reports.funnel.wire import FUNNEL
from dataforge.contexts.reports.overview.queries import cohort_choices
from dataforge.contexts.reports.page_calls import REPORTS, AnyAskedPage, answer_page, drawing, router
from dataforge.kernel.access import Action, Kind
from dataforge.web.calls import ChosenId, PageCall, require_page


@router.get(f"{REPORTS}/lessons/{{lesson_id}}/funnel")
async def funnel_page(
    lesson_id: UUID,
    call: Annotated[PageCall, require_page(Action.READ, Kind.REPORT)],
    asked: AnyAskedPage,
    cohort_id: ChosenId = None,
) -> Response:
    """How many have started and completed a lesson, and how long it took them."""
    await require_report(call, cohort_id=cohort_id, lesson_id=lesson_id)
    reach = await call.decisions.reach(Action.READ, Kind.REPORT)
    statements = call.platform.get(StatementMatching)
    report = await call.query(read_funnel, statements, lesson_id, asked.window(call), cohort_id)
    return answer_page(
        call,
        asked,
        FUNNEL,
        report,
        "reports/funnel.html",
        durations=drawing(picture_of_durations(report)),
        duration_class=duration_class,
        cohorts=await call.query(cohort_choices, reach, chosen=cohort_id),
        cohort_id=cohort_id,
    )
