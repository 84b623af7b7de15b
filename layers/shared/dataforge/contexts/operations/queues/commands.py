"""Dead letters: looked at, sent back, discarded; what was done is in the audit log."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.aws.redrive import DeadLetter, Redriven, discard, look, redrive
from dataforge.platform.db.unit_of_work import SqlUnitOfWork
from dataforge.settings import QueueSettings

# Below API Gateway's 29 seconds: what is left is said, and moved by the next call.
BUDGET_SECONDS = 20.0


class DeadLetterNotFound(NotFound):
    """No dead letter has this id, or SQS did not give it in time."""

    code = "dead_letter_not_found"
    title = "There is no such dead letter"


class QueueNotFound(NotFound):
    """The function knows no such queue: its address is not among the settings."""

    code = "queue_not_found"
    title = "There is no such queue here"


@dataclass(frozen=True, slots=True)
class Addresses:
    """URLs of a queue and of its dead letters."""

    name: str
    queue: str
    dead_letters: str

    @classmethod
    def of(cls, name: str, settings: QueueSettings) -> "Addresses":
        """Those of a queue by its name; raises QueueNotFound."""
        found = cls(name, getattr(settings, f"{name}_queue_url"), getattr(settings, f"{name}_dlq_url"))
        if not found.queue or not found.dead_letters:
            message = Text("There is no queue {name} here.", name=name)
            raise QueueNotFound(message)
        return found


@dataclass(frozen=True, slots=True)
class Redrive:
    """Try given-up work again: at most `most` messages, or those with these ids."""

    where: Addresses
    most: int
    messages: Collection[str] | None


@dataclass(frozen=True, slots=True)
class Discard:
    """Delete one dead letter on purpose."""

    where: Addresses
    message_id: str


async def look_at(where: Addresses, most: int) -> Sequence[DeadLetter]:
    """What was given up, oldest first."""
    return await look(where.dead_letters, most=most)


async def redrive_messages(command: Redrive, uow: SqlUnitOfWork) -> Redriven:
    """Move messages back to their queue; consumers are idempotent, so that what was half done is not done twice."""
    where = command.where
    done = await redrive(
        where.dead_letters, where.queue, most=command.most, only=command.messages, budget_seconds=BUDGET_SECONDS
    )
    if done.moved:
        uow.audit(AuditEntry("redriven", "queue", where.name, after={"moved": len(done.moved)}))
    return done


async def discard_message(command: Discard, uow: SqlUnitOfWork) -> None:
    """Delete a dead letter for good; raises DeadLetterNotFound."""
    where = command.where
    if not await discard(where.dead_letters, {command.message_id}, budget_seconds=BUDGET_SECONDS):
        message = Text(
            "There is no dead letter {message_id!r} of {queue}.", message_id=command.message_id, queue=where.name
        )
        raise DeadLetterNotFound(message)
    uow.audit(AuditEntry("discarded", "dead_letter", command.message_id, before={"queue": where.name}))
