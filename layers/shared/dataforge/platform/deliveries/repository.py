"""The write SQL that the tables of receivers and of deliveries have in common.

Receivers have `id, enabled, disabled_reason, failing_since, failures, last_error, last_delivered_at, secret,
previous_secret, previous_until, revision, updated_at`; deliveries `id, number, is_test, state, attempts, created_at,
next_attempt_at, leased_until, last_attempt_at, status, error, ended_at` and the id of their receiver.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table, TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.platform.db.versioned_rows import VersionedRows
from dataforge.platform.deliveries.domain import (
    KEEP_DEAD,
    KEEP_DELIVERED,
    KEEP_SECRET,
    LEASE,
    Attempted,
    DeliveryState,
    Judged,
)

SECRETS = ("secret", "previous_secret")
"""Columns of receivers that are written and never given out."""

_SUCCEEDED = (
    "UPDATE {receivers} SET failures = 0, failing_since = NULL, last_error = NULL, last_delivered_at = :now "
    "WHERE id = :id"
)
_FAILED = (
    "UPDATE {receivers} SET failures = failures + 1, failing_since = coalesce(failing_since, :now), "
    "last_error = :error WHERE id = :id RETURNING failing_since"
)
_DISABLE = (
    "UPDATE {receivers} SET enabled = false, disabled_reason = :reason, revision = revision + 1, "
    "updated_at = :now WHERE id = :id AND enabled"
)
_REPLACE = (
    "UPDATE {receivers} SET previous_secret = secret, previous_until = :until, secret = :secret, "
    "revision = revision + 1, updated_at = :now WHERE id = :id"
)
# Only the first that waits is tried, so that attempts keep the order; a test goes at once, whatever waits.
_LEASE = (
    "UPDATE {deliveries} d SET leased_until = :now + CAST(:lease AS interval), last_attempt_at = :now "
    "FROM (SELECT f.id FROM {deliveries} f JOIN {receivers} s ON s.id = f.{receiver} "
    "WHERE f.{receiver} = :receiver_id AND f.state = 'waiting' AND (s.enabled OR f.is_test) "
    "ORDER BY f.is_test DESC, f.number LIMIT 1) AS first "
    "WHERE d.id = first.id AND d.state = 'waiting' AND d.next_attempt_at <= :now "
    "AND (d.leased_until IS NULL OR d.leased_until < :now) RETURNING d.*"
)
_END = (
    "UPDATE {deliveries} SET state = :state, attempts = :attempts, status = :status, error = :error, "
    "leased_until = NULL, ended_at = :now WHERE id = :id AND state = 'waiting'"
)
_WAIT = (
    "UPDATE {deliveries} SET attempts = :attempts, status = :status, error = :error, leased_until = NULL, "
    "next_attempt_at = :next WHERE id = :id AND state = 'waiting'"
)
_REDRIVE = (
    "UPDATE {deliveries} SET state = 'waiting', attempts = 0, next_attempt_at = :now, ended_at = NULL "
    "WHERE {receiver} = :id AND state = 'dead' AND NOT is_test "
    "AND (CAST(:delivery AS uuid) IS NULL OR id = :delivery)"
)
_WAKE = "UPDATE {deliveries} SET next_attempt_at = :now WHERE {receiver} = :id AND state = 'waiting'"
_COUNT = "SELECT count(*) FROM {deliveries} WHERE {receiver} = :id AND state = 'waiting' AND NOT is_test"
_FORGET = (
    "DELETE FROM {deliveries} WHERE id IN (SELECT id FROM {deliveries} WHERE ended_at < :delivered AND "
    "(state = 'delivered' OR ended_at < :dead) LIMIT 10000)"
)


@dataclass(frozen=True, slots=True)
class DeliveryTables:
    """Where a context keeps receivers and deliveries, and the column that leads from these to those."""

    receivers: Table
    deliveries: Table
    receiver: str

    def sql(self, template: str) -> TextClause:
        """A statement with the names of these tables."""
        return _named(template, self.receivers.fullname, self.deliveries.fullname, self.receiver)


@cache
def _named(template: str, receivers: str, deliveries: str, receiver: str) -> TextClause:
    return text(template.format(receivers=receivers, deliveries=deliveries, receiver=receiver))


class ReceiverRows(VersionedRows):
    """Receivers inside one transaction; secrets are written and never given out."""

    def __init__(
        self,
        connection: AsyncConnection,
        tables: DeliveryTables,
        entity: str,
        now: datetime,
        *,
        hidden: Collection[str] = (),
    ) -> None:
        super().__init__(connection, tables.receivers, entity, now, hidden=(*SECRETS, *hidden))
        self._tables = tables

    async def lock_whole(self, receiver_id: UUID) -> Any | None:  # noqa: ANN401 - a row of the table
        """The row with its secret, locked; None when there is none."""
        query = select(self._tables.receivers).where(self._tables.receivers.c.id == receiver_id)
        return (await self._connection.execute(query.with_for_update())).one_or_none()

    async def replace_secret(self, receiver_id: UUID, secret: bytes) -> None:
        """Sign with another secret; the one before signs too for KEEP_SECRET."""
        values = {"id": receiver_id, "secret": secret, "until": self._now + KEEP_SECRET, "now": self._now}
        await self._connection.execute(self._tables.sql(_REPLACE), values)

    async def succeeded(self, receiver_id: UUID) -> None:
        """Note that something was delivered."""
        await self._connection.execute(self._tables.sql(_SUCCEEDED), {"id": receiver_id, "now": self._now})

    async def failed(self, receiver_id: UUID, error: str | None) -> datetime:
        """Note a failure; returns since when there was none but failures."""
        values = {"id": receiver_id, "now": self._now, "error": error}
        since: datetime = (await self._connection.execute(self._tables.sql(_FAILED), values)).scalar_one()
        return since

    async def disable(self, receiver_id: UUID, reason: str) -> bool:
        """Switch it off; False if it is already."""
        values = {"id": receiver_id, "reason": reason, "now": self._now}
        return (await self._connection.execute(self._tables.sql(_DISABLE), values)).rowcount == 1


class DeliveryRows:
    """Deliveries inside one transaction; a subclass adds them and says what is in them."""

    def __init__(self, connection: AsyncConnection, tables: DeliveryTables, now: datetime) -> None:
        self._connection = connection
        self._tables = tables
        self._now = now

    async def waiting(self, receiver_id: UUID) -> int:
        """How many wait."""
        return int((await self._connection.execute(self._tables.sql(_COUNT), {"id": receiver_id})).scalar_one())

    async def lease_row(self, receiver_id: UUID) -> Any | None:  # noqa: ANN401 - a row of the table
        """The first delivery, if it is due and nobody has it; it is ours for LEASE."""
        values = {"receiver_id": receiver_id, "now": self._now, "lease": LEASE}
        return (await self._connection.execute(self._tables.sql(_LEASE), values)).one_or_none()

    async def hold(self, delivery: Attempted) -> bool:
        """Lock a leased delivery; False when the lease ran out and another worker has taken it over."""
        columns = self._tables.deliveries.c
        query = select(columns.id).where(
            columns.id == delivery.id,
            columns.state == DeliveryState.WAITING.value,
            columns.leased_until == delivery.leased_until,
        )
        return (await self._connection.execute(query.with_for_update())).one_or_none() is not None

    async def end(self, delivery: Attempted, state: DeliveryState, outcome: Judged) -> None:
        """The delivery has ended; one that has ended already stays as it is."""
        values = {"id": delivery.id, "state": state, "now": self._now, "attempts": delivery.attempts + 1}
        await self._connection.execute(self._tables.sql(_END), values | _answered(outcome))

    async def wait(self, delivery: Attempted, outcome: Judged, *, attempts: int, pause: timedelta) -> None:
        """The delivery is tried again after a pause."""
        values = {"id": delivery.id, "attempts": attempts, "next": self._now + pause}
        await self._connection.execute(self._tables.sql(_WAIT), values | _answered(outcome))

    async def redrive(self, receiver_id: UUID, delivery_id: UUID | None) -> int:
        """Let dead deliveries be tried again, one or all; returns how many."""
        values = {"id": receiver_id, "delivery": delivery_id, "now": self._now}
        return (await self._connection.execute(self._tables.sql(_REDRIVE), values)).rowcount

    async def wake(self, receiver_id: UUID) -> None:
        """Let what waits be tried at once."""
        await self._connection.execute(self._tables.sql(_WAKE), {"id": receiver_id, "now": self._now})

    async def forget(self) -> int:
        """Delete what ended long ago."""
        values = {"delivered": self._now - KEEP_DELIVERED, "dead": self._now - KEEP_DEAD}
        return (await self._connection.execute(self._tables.sql(_FORGET), values)).rowcount


def _answered(outcome: Judged) -> dict[str, object]:
    return {"status": outcome.status, "error": outcome.error and outcome.error[:500]}
