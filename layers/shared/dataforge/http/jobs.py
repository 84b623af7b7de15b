"""Answers of routes that queue a job for `worker`."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from pydantic import BaseModel
from starlette.responses import Response

from dataforge.http.call import Call, json_response
from dataforge.platform.db.unit_of_work import Command, Uow


class QueuedJobOut(BaseModel):
    """The job that does it: watch, cancel and retry it under `href`."""

    job_id: UUID
    href: str


async def queue_and_answer(
    call: Call, unit_of_work: type[Uow], handler: Callable[[Command, Uow], Awaitable[UUID]], command: Command
) -> Response:
    """Run a command that queues a job, tell `worker`, and answer 202 with where the job is."""
    queued: list[UUID] = []

    def show(job_id: UUID) -> Response:
        queued.append(job_id)
        body = {"job_id": str(job_id), "href": call.address("/api/jobs", job_id)}
        return json_response(body, status=202, headers={"Location": call.address("/api/jobs", job_id)})

    answer = await call.execute(unit_of_work, handler, command, show)
    for job_id in queued:
        await call.platform.send_job(job_id)
    return answer
