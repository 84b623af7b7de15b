"""Lessons or courses beside each other."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.comparison.domain import ComparedBy
from dataforge.contexts.reports.comparison.queries import read_comparison
from dataforge.contexts.reports.comparison.wire import COMPARISON
from dataforge.contexts.reports.overview.queries import cohort_choices
from dataforge.contexts.reports.page_calls import REPORTS, AnyAskedPage, answer_page, router
from dataforge.kernel.access import Action, Kind
from dataforge.web.calls import ChosenId, PageCall, require_page


@router.get(f"{REPORTS}/comparison")
async def comparison_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.REPORT)],
    asked: AnyAskedPage,
    by: ComparedBy = ComparedBy.LESSON,
    cohort_id: ChosenId = None,
) -> Response:
    """How many have completed what is expected of them, by lesson or course."""
    await require_report(call, cohort_id=cohort_id)
    reach = await call.decisions.reach(Action.READ, Kind.REPORT)
    statements = call.platform.get(StatementMatching)
    report = await call.query(read_comparison, statements, by, asked.window(call), cohort_id)
    values = {
        "ways": list(ComparedBy),
        "cohorts": await call.query(cohort_choices, reach, chosen=cohort_id),
        "cohort_id": cohort_id,
    }
    return answer_page(call, asked, COMPARISON, report, "reports/comparison.html", **values)
