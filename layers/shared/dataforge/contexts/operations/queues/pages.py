"""A queue and what was given up of it, for people."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.operations.queues import commands, wire
from dataforge.contexts.operations.queues.routes import addresses, letter_body
from dataforge.contexts.operations.status.calls import read_status
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.texts import Text
from dataforge.platform.aws.redrive import Redriven
from dataforge.platform.db.unit_of_work import SqlUnitOfWork
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("operations")
PAGE = "/ui/operations/queues"
_ALL = 100_000
_SHOWN = 20


@router.get(f"{PAGE}/{{queue}}")
async def queue_page(
    queue: wire.QueueName, call: Annotated[PageCall, require_page(Action.READ, Kind.QUEUE)]
) -> Response:
    """How full a queue is, and some of its dead letters with their bodies."""
    where = addresses(call, queue)
    status = await read_status(call)
    depth = next((item for item in status.queues if item.name == queue.value), None)
    found = await commands.look_at(where, _SHOWN)
    letters = [letter_body(call, letter) for letter in found]
    return call.page("operations/queue.html", queue=queue.value, depth=depth, letters=letters)


@router.post(f"{PAGE}/{{queue}}/redrive")
async def redrive_page(
    queue: wire.QueueName, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.QUEUE)]
) -> Response:
    """Try all dead letters again, or the one that the form names."""
    message_id = call.form.get("message")
    messages = None if message_id is None else [message_id]
    done = await _run(call, commands.Redrive(addresses(call, queue), _ALL, messages))
    number = len(done.moved)
    if not number:
        return call.go_on("error", Text("SQS gave no such message now: try again in a minute."), PAGE, queue.value)
    moved = Text.counted("1 message is tried again.", "{count} messages are tried again.", count=number)
    return call.go_on("success", moved, PAGE, queue.value)


@router.post(f"{PAGE}/{{queue}}/discard")
async def discard_page(
    queue: wire.QueueName, call: Annotated[PageCall, require_page(Action.DELETE, Kind.QUEUE)]
) -> Response:
    """Delete one dead letter for good."""
    command = commands.Discard(addresses(call, queue), call.form.get("message", ""))
    async with call.unit_of_work(SqlUnitOfWork) as uow:
        await commands.discard_message(command, uow)
        await uow.commit()
    return call.go_on("success", Text("The message is deleted."), PAGE, queue.value)


async def _run(call: PageCall, command: commands.Redrive) -> Redriven:
    async with call.unit_of_work(SqlUnitOfWork) as uow:
        done = await commands.redrive_messages(command, uow)
        await uow.commit()
    return done
