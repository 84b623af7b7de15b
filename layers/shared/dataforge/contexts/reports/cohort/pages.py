"""The heat map of a cohort, and its numbers as a table."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.cohort.queries import read_matrix
from dataforge.contexts.reports.cohort.wire import MATRIX, WIDE, Matrix
from dataforge.contexts.reports.page_calls import REPORTS, AnyAskedPage, answer_page, router
from dataforge.kernel.access import Action, Kind
from dataforge.web.calls import Chosen, PageCall, require_page


@router.get(f"{REPORTS}/cohorts/{{cohort_id}}")
async def matrix_page(
    cohort_id: UUID,
    call: Annotated[PageCall, require_page(Action.READ, Kind.REPORT)],
    asked: AnyAskedPage,
    matrix: Annotated[Matrix, Chosen] = None,
) -> Response:
    """Who of a cohort has completed which lesson, 50 learners on a page."""
    await require_report(call, cohort_id=cohort_id)
    report = await call.query(read_matrix, call.platform.get(StatementMatching), cohort_id, asked.window(call))
    kind = MATRIX if matrix is None else WIDE[matrix]
    return answer_page(call, asked, kind, report, "reports/matrix.html")
