"""Accept statements: validate, claim their ids, make them durable in the queue, and only then answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.identity.contract import XapiCredential
from dataforge.contexts.lrs.activities.domain import definitions_of
from dataforge.contexts.lrs.attachments.domain import Attachment
from dataforge.contexts.lrs.attachments.signatures import check_signatures
from dataforge.contexts.lrs.statements.domain import PreparedBatch, StatementsBody, XapiVersion, prepare_batch
from dataforge.contexts.lrs.statements.domain.claims import Claim
from dataforge.contexts.lrs.statements.domain.errors import QueueUnavailable, StatementConflict
from dataforge.contexts.lrs.statements.domain.messages import (
    BODY_PREFIX,
    MAX_INLINE_BYTES,
    message_json,
    statements_json,
)
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.clock import Clock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    # What the parts are made of is imported when they are: a function that starts pays for no database and no boto3.
    from dataforge.contexts.lrs.attachments.store import AttachmentStore
    from dataforge.contexts.lrs.statements.kept_messages import KeptMessages
    from dataforge.contexts.lrs.statements.repository import Intake
    from dataforge.platform.aws.s3 import AsyncObjects
    from dataforge.platform.aws.sqs import Queue


@dataclass(frozen=True, slots=True)
class AcceptStatements:
    """The statements of one request, who sends them, under which line of the standard, and attachments by hash."""

    body: StatementsBody
    credential: XapiCredential
    version: XapiVersion
    attachments: Mapping[str, Attachment] = field(default_factory=dict)


class StatementAcceptor:
    """Accepts whole requests: all statements of one are queued, or none."""

    def __init__(
        self,
        *,
        queue: "Queue",
        bodies: "AsyncObjects",
        attachments: "AttachmentStore",
        intake: "Intake",
        clock: Clock,
        kept: "KeptMessages | None" = None,
    ) -> None:
        self._queue = queue
        self._bodies = bodies
        self._attachments = attachments
        self._intake = intake
        self._clock = clock
        self._kept = kept

    async def accept(self, command: AcceptStatements) -> list[str]:
        """The ids in request order; raises InvalidStatements, StatementSignatureInvalid, StatementConflict or
        QueueUnavailable.

        An id a client chose is decided here when the database answers (ADR 0003); while it is away the loader decides.
        """
        request_id = uuid7()
        batch = prepare_batch(
            command.body,
            authority=dict(command.credential.authority),
            version=command.version,
            now=self._clock.now(),
            deduplicate=command.credential.deduplicate,
        )
        if not batch.statements:
            return []
        if command.attachments:
            check_signatures(command.body, command.attachments)
        defines = command.credential.may(Action.CHANGE, Kind.ACTIVITY)
        said = ((item.payload, item.stored_at) for item in batch.statements) if defines else ()
        statements = statements_json(batch.statements)
        registration = await self._intake.register(
            request_id, batch.statements[0].stored_at, _claims(command, batch), definitions_of(said), statements
        )
        if registration.conflicts:
            raise _conflict(registration.conflicts, batch)
        try:
            stored_at = batch.statements[0].stored_at
            registered = registration.registered
            await self._attachments.keep(command.credential.authority, command.attachments.values())
            await self._send(request_id, command.credential, stored_at, statements, registered=registered)
        except Exception as error:
            logger.error("statements not queued", exc_info=True, request=str(request_id))
            await self._withdraw(request_id)
            message = Text("The queue does not answer; none of the statements was accepted. Send the request again.")
            raise QueueUnavailable(message, headers={"Retry-After": "5"}) from error
        return batch.ids

    async def _send(
        self, request_id: UUID, credential: XapiCredential, stored_at: datetime, statements: bytes, *, registered: bool
    ) -> None:
        body_key = None
        if len(statements) > MAX_INLINE_BYTES:
            body_key = f"{BODY_PREFIX}{request_id}.json"
            await self._bodies.put(body_key, statements)
        message = message_json(
            request_id=request_id,
            authority=credential.key_id,
            stored_at=stored_at,
            registered=registered,
            statements=None if body_key else statements,
            body_key=body_key,
            defines=credential.may(Action.CHANGE, Kind.ACTIVITY),
        )
        if self._kept is not None:
            await self._kept.keep(request_id, message)
        await self._queue.send(message.decode())

    async def _withdraw(self, request_id: UUID) -> None:
        await self._intake.withdraw(request_id)
        if self._kept is not None:
            try:
                await self._kept.forget([request_id])
            except Exception:  # noqa: BLE001 - it is loaded although it was refused, as if the answer had been lost
                logger.warning("a refused request stays kept", exc_info=True, request=str(request_id))


def _claims(command: AcceptStatements, batch: PreparedBatch) -> list[Claim]:
    """Ids that clients chose; an id derived from the content can only meet that content again."""
    return [
        Claim(prepared.id, bytes.fromhex(prepared.content_sha256))
        for sent, prepared in zip(command.body.statements, batch.statements, strict=True)
        if isinstance(sent, dict) and "id" in sent
    ]


def _conflict(conflicts: tuple[UUID, ...], batch: PreparedBatch) -> StatementConflict:
    taken = set(conflicts)
    names = [str(statement.id) for statement in batch.statements if statement.id in taken]
    some = ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")
    message = Text(
        "Stored already with another content, and never changed: {some}. Nothing of this request was stored.", some=some
    )
    return StatementConflict(message, facts={"ids": names})
