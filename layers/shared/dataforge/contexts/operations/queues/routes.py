"""REST of queues, for administrators."""

from typing import Annotated

from fastapi import Body, Path, Query
from starlette.responses import Response

from dataforge.contexts.operations.queues import commands, wire
from dataforge.contexts.operations.status.calls import read_status
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind
from dataforge.platform.aws.redrive import DeadLetter, Redriven
from dataforge.platform.db.unit_of_work import SqlUnitOfWork

router = context_router("operations")
MessageIdParam = Annotated[str, Path(max_length=100, description="the id of a message, as the list has it")]
Most = Annotated[int, Query(ge=1, le=wire.MOST_LOOKED_AT, description="how many are shown at most")]
_SHOWN_CHARACTERS = 4_000


def addresses(call: Call, queue: wire.QueueName) -> commands.Addresses:
    """Where a queue is."""
    return commands.Addresses.of(queue.value, call.platform.settings)


def letter_body(call: Call, letter: DeadLetter) -> wire.DeadLetterOut:
    """A dead letter for the wire."""
    return wire.DeadLetterOut(
        message_id=letter.message_id,
        sent_at=letter.sent_at,
        age_seconds=(call.platform.clock.now() - letter.sent_at).total_seconds(),
        receive_count=letter.receive_count,
        body_bytes=len(letter.body.encode()),
        body=letter.body[:_SHOWN_CHARACTERS],
    )


@router.get("/api/queues", response_model=wire.QueueList)
async def list_queues(call: Annotated[Call, require(Action.READ, Kind.QUEUE)]) -> Response:
    """Every queue: about how many messages wait, are being handled, and were given up."""
    status = await read_status(call)
    return json_response(wire.QueueList(items=status.queues).model_dump(mode="json"))


@router.get("/api/queues/{queue}/dead-letters", response_model=wire.DeadLetterList)
async def list_dead_letters(
    queue: wire.QueueName, call: Annotated[Call, require(Action.READ, Kind.QUEUE)], most: Most = 20
) -> Response:
    """Messages that were given up, as SQS gives them; they stay where they are."""
    where = addresses(call, queue)
    status = await read_status(call)
    total = next((item.dead_letters or 0 for item in status.queues if item.name == queue.value), 0)
    letters = await commands.look_at(where, most)
    items = [letter_body(call, letter) for letter in letters]
    body = wire.DeadLetterList(queue=queue, total=max(total, len(items)), items=items)
    return json_response(body.model_dump(mode="json"))


@router.post("/api/queues/{queue}/redrive", response_model=wire.RedriveOut)
async def redrive_dead_letters(
    queue: wire.QueueName,
    body: Annotated[wire.RedriveIn, Body(default_factory=wire.RedriveIn)],
    call: Annotated[Call, require(Action.CHANGE, Kind.QUEUE)],
) -> Response:
    """Try again what was given up: all, at most so many, or chosen messages; ends after 20 s and says what is left."""

    def render(done: Redriven) -> Response:
        shown = wire.RedriveOut(
            queue=queue,
            moved=len(done.moved),
            message_ids=done.moved[:1_000],
            not_found=done.not_found,
            remaining=done.remaining,
        )
        return json_response(shown.model_dump(mode="json"))

    command = commands.Redrive(addresses(call, queue), body.most, body.messages)
    return await call.execute(SqlUnitOfWork, commands.redrive_messages, command, render)


@router.delete("/api/queues/{queue}/dead-letters/{message_id}", status_code=204)
async def discard_dead_letter(
    queue: wire.QueueName, message_id: MessageIdParam, call: Annotated[Call, require(Action.DELETE, Kind.QUEUE)]
) -> Response:
    """Delete a message that was given up, for good."""
    command = commands.Discard(addresses(call, queue), message_id)
    return await call.execute(
        SqlUnitOfWork, commands.discard_message, command, lambda _done: json_response(None, status=204)
    )
