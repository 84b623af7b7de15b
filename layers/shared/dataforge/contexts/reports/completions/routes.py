"""REST of completions since a watermark."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.calls import answers, asked_for, router
from dataforge.contexts.reports.completions.queries import read_completions
from dataforge.contexts.reports.completions.wire import (
    COMPLETIONS,
    DEFAULT_CHANGES,
    ChangeLimit,
    CompletionsOut,
    Since,
)
from dataforge.contexts.reports.wire import AsOf
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind


@router.get("/api/reports/completions", response_model=CompletionsOut, responses=answers("completions"))
async def completions_report(
    call: Annotated[Call, require(Action.READ, Kind.REPORT)],
    since: Since,
    cursor: Cursor = None,
    limit: ChangeLimit = None,
    as_of: AsOf = None,
) -> Response:
    """Completions of all learners that changed since an earlier call; ask again with `next_since`."""
    await require_report(call)
    asked = asked_for(call, COMPLETIONS, as_of=as_of, cursor=cursor, limit=limit, default_limit=DEFAULT_CHANGES)
    report = await call.query(read_completions, call.platform.get(StatementMatching), since, asked.window)
    return asked.answer(report, report.next_key)
