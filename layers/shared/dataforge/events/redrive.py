"""Operator command `redrive` of `maintenance`: work that was given up is tried again."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dataforge.kernel.errors import ValidationFailed, Violation
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import plain_message
from dataforge.platform.aws.redrive import redrive
from dataforge.platform.observability import logger
from dataforge.settings import QueueSettings

MessageId = Annotated[str, Field(min_length=1, max_length=100)]


class RedriveIn(BaseModel):
    """Which queue's dead letters: all, at most `most`, or the `messages` with these ids."""

    model_config = ConfigDict(extra="forbid")

    queue: Literal["statements", "imports", "exports", "deployments", "jobs", "feedback"]
    most: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    messages: Annotated[list[MessageId], Field(min_length=1, max_length=1_000)] | None = None


async def redrive_queue(payload: Mapping[str, Any], settings: QueueSettings) -> dict[str, Any]:
    """`{"command": "redrive", "queue": "statements"}`, with `most` or `messages` for a part of them; may be repeated.

    Answers the ids that were moved (a thousand at most), how many, the chosen ones that are not there, and about how
    many are left. Raises ValidationFailed.
    """
    try:
        given = RedriveIn.model_validate(dict(payload))
    except ValidationError as error:
        places = [Violation("/" + "/".join(map(str, item["loc"])), plain_message(item)) for item in error.errors()]
        said = "; ".join(f"{place.pointer}: {place.message}" for place in places)
        raise ValidationFailed(
            Text("The command cannot be carried out. {said}.", said=said), violations=places
        ) from error
    source = str(getattr(settings, f"{given.queue}_dlq_url"))
    target = str(getattr(settings, f"{given.queue}_queue_url"))
    done = await redrive(source, target, most=given.most, only=given.messages)
    logger.info("dead letters redriven", queue=given.queue, moved=len(done.moved), remaining=done.remaining)
    return {**asdict(done), "moved": len(done.moved), "message_ids": done.moved[:1000]}
