"""REST of exports: 202 and a job, then a presigned link."""

from typing import Annotated

from fastapi import Body
from starlette.responses import Response

from dataforge.contexts.lrs.exports import commands, wire
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork as Work
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.jobs import QueuedJobOut, queue_and_answer
from dataforge.kernel.access import Action, Kind

router = context_router("lrs")


@router.post("/api/xapi/exports", status_code=202, response_model=QueuedJobOut)
async def export_statements(
    body: Annotated[wire.StatementExportIn, Body(default_factory=wire.StatementExportIn)],
    call: Annotated[Call, require(Action.EXPORT, Kind.STATEMENT)],
) -> Response:
    """Write the statements stored up to now that meet all that is given to a file; the job links to it when it is
    ready.
    """
    return await queue_and_answer(call, Work, commands.queue_export, body.export)
