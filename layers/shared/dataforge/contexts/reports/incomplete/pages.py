"""Who has not completed a lesson."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.incomplete.queries import read_incomplete
from dataforge.contexts.reports.incomplete.wire import INCOMPLETE
from dataforge.contexts.reports.overview.queries import cohort_choices
from dataforge.contexts.reports.page_calls import REPORTS, AnyAskedPage, answer_page, router
from dataforge.kernel.access import Action, Kind
from dataforge.web.calls import ChosenId, PageCall, require_page


@router.get(f"{REPORTS}/lessons/{{lesson_id}}/incomplete")
async def incomplete_page(
    lesson_id: UUID,
    call: Annotated[PageCall, require_page(Action.READ, Kind.REPORT)],
    asked: AnyAskedPage,
    cohort_id: ChosenId = None,
) -> Response:
    """Learners of whom the lesson is expected and who have not completed it, by name."""
    await require_report(call, cohort_id=cohort_id, lesson_id=lesson_id)
    reach = await call.decisions.reach(Action.READ, Kind.REPORT)
    statements = call.platform.get(StatementMatching)
    report = await call.query(read_incomplete, statements, lesson_id, asked.window(call), cohort_id)
    cohorts = await call.query(cohort_choices, reach, chosen=cohort_id)
    template = "reports/incomplete.html"
    return answer_page(call, asked, INCOMPLETE, report, template, cohorts=cohorts, cohort_id=cohort_id)
