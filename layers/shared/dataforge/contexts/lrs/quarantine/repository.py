"""The list of what is in quarantine."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.quarantine.domain import QuarantineEntry
from dataforge.kernel.ids import uuid7

_ADD = text(
    "INSERT INTO records.quarantine "
    "(id, body_sha256, s3_key, reason, error, pointer, statement_id, request_id, received_at) "
    "VALUES (:id, :body_sha256, :s3_key, :reason, :error, :pointer, :statement_id, :request_id, clock_timestamp()) "
    "ON CONFLICT (body_sha256, reason) DO NOTHING"
)


class Quarantine:
    """What is in quarantine, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: QuarantineEntry) -> None:
        """Register what is in quarantine; the same body for the same reason is registered once."""
        await self._connection.execute(
            _ADD,
            {
                "id": uuid7(),
                "body_sha256": entry.body_sha256,
                "s3_key": entry.s3_key,
                "reason": entry.reason,
                "error": entry.error[:2000],
                "pointer": entry.pointer,
                "statement_id": entry.statement_id,
                "request_id": entry.request_id,
            },
        )
