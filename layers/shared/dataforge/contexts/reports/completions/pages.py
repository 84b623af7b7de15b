"""Completions since a watermark."""

from datetime import timedelta
from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.completions.queries import read_completions
from dataforge.contexts.reports.completions.wire import COMPLETIONS
from dataforge.contexts.reports.overview.queries import names_of_people, titles_of_lessons
from dataforge.contexts.reports.page_calls import (
    REPORTS,
    AnyAskedPage,
    answer_page,
    format_instant,
    router,
)
from dataforge.http.wire import Instant
from dataforge.kernel.access import Action, Kind
from dataforge.web.calls import Chosen, PageCall, require_page

_RECENT = timedelta(days=7)


_PAGE = f"{REPORTS}/completions"


@router.get(_PAGE)
async def completions_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.REPORT)],
    asked: AnyAskedPage,
    since: Annotated[Instant | None, Chosen] = None,
) -> Response:
    """Completions that became known, or were withdrawn, after `since`; without it, the way to those of seven days.

    The address says since when: its links and pages would otherwise mean another time each minute.
    """
    await require_report(call)
    if since is None:
        week_ago = call.platform.clock.now().replace(microsecond=0) - _RECENT
        return call.see_other(_PAGE, since=format_instant(week_ago), **asked.query)
    report = await call.query(read_completions, call.platform.get(StatementMatching), since, asked.window(call))
    names = await call.query(names_of_people, {item.user_id for item in report.changes})
    titles = await call.query(titles_of_lessons, {item.lesson_id for item in report.changes})
    return answer_page(call, asked, COMPLETIONS, report, "reports/completions.html", names=names, titles=titles)
