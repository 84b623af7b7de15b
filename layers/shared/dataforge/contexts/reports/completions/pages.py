"""Completions since a watermark."""

from datetime import timedelta
from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.completions.queries import read_completions
from dataforge.contexts.reports.completions.wire import COMPLETIONS
from dataforge.contexts.reports.overview.queries import names_of_people, titles_of_lessons
from dataforge.contexts.reports.page_calls import REPORTS, AnyAskedPage, ReportPage, answer_page, router
from dataforge.http.wire import Instant
from dataforge.web.calls import Chosen

_RECENT = timedelta(days=7)


@router.get(f"{REPORTS}/completions")
async def completions_page(
    call: ReportPage, asked: AnyAskedPage, since: Annotated[Instant | None, Chosen] = None
) -> Response:
    """Completions that became known, or were withdrawn, after `since`: of the last seven days without it."""
    earliest = since or call.platform.clock.now() - _RECENT
    report = await call.query(read_completions, call.platform.get(StatementMatching), earliest, asked.window(call))
    names = await call.query(names_of_people, {item.user_id for item in report.changes})
    titles = await call.query(titles_of_lessons, {item.lesson_id for item in report.changes})
    return answer_page(call, asked, COMPLETIONS, report, "reports/completions.html", names=names, titles=titles)
