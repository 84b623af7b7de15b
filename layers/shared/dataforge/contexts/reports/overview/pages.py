"""Where a report is chosen: by cohort, by lesson, or over all."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.overview.queries import cohort_choices, lesson_choices
from dataforge.contexts.reports.page_calls import REPORTS, router
from dataforge.kernel.access import Action, Kind
from dataforge.web.calls import PageCall, require_page

_SHOWN = 50


@router.get(REPORTS)
async def overview_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.REPORT)], q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Cohorts and lessons by name, with the reports there are of each."""
    words = q.strip()
    reach = await call.decisions.reach(Action.READ, Kind.REPORT)
    if not reach.workspaces:
        await require_report(call)
    cohorts = await call.query(cohort_choices, reach, words, limit=_SHOWN + 1)
    lessons = await call.query(lesson_choices, reach, words, limit=_SHOWN + 1)
    more = len(cohorts) > _SHOWN or len(lessons) > _SHOWN
    return call.page("reports/overview.html", q=words, cohorts=cohorts[:_SHOWN], lessons=lessons[:_SHOWN], more=more)
