"""REST of the matrix of a cohort."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import require_report
from dataforge.contexts.reports.calls import RowLimit, answers, asked_for, router
from dataforge.contexts.reports.cohort.queries import read_matrix
from dataforge.contexts.reports.cohort.wire import MATRIX, WIDE, Matrix, MatrixOut
from dataforge.contexts.reports.wire import AsOf
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind


@router.get("/api/reports/cohorts/{cohort_id}", response_model=MatrixOut, responses=answers("cohort"))
async def cohort_report(
    cohort_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.REPORT)],
    cursor: Cursor = None,
    limit: RowLimit = None,
    as_of: AsOf = None,
    matrix: Matrix = None,
) -> Response:
    """Who of a cohort has completed which lesson.

    CSV and Parquet have a row for each learner and lesson; with `matrix` a row for each learner, and a column for each
    lesson under its title.
    """
    await require_report(call, cohort_id=cohort_id)
    kind = MATRIX if matrix is None else WIDE[matrix]
    asked = asked_for(call, kind, as_of=as_of, cursor=cursor, limit=limit)
    report = await call.query(read_matrix, call.platform.get(StatementMatching), cohort_id, asked.window)
    return asked.answer(report, report.next_key)
