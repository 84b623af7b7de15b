"""Subscriptions and deliveries as they are read, and the statements that are to be sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.forwarding.domain import (
    SCANNED,
    StatementChoice,
    Subscription,
    SubscriptionKind,
)
from dataforge.contexts.lrs.statements.domain import read_statement
from dataforge.contexts.lrs.statements.repository import current_bound
from dataforge.kernel.errors import NotFound
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import keyset
from dataforge.platform.deliveries.domain import DeliveryState

_LAST_ID = UUID(int=2**128 - 1)
_SHOWN = (
    "s.id, s.kind, s.name, s.url, s.filter, s.username, s.xapi_version, s.enabled, s.disabled_reason, s.failing_since, "
    "s.last_error, s.last_delivered_at, s.position_at, s.revision, s.created_at, s.updated_at, "
    "(SELECT count(*) FROM lrs.deliveries d WHERE d.subscription_id = s.id AND d.state = 'waiting' AND NOT d.is_test) "
    "AS waiting, "
    "(SELECT count(*) FROM lrs.deliveries d WHERE d.subscription_id = s.id AND d.state = 'dead' AND NOT d.is_test) "
    "AS dead, "
    "(SELECT min(d.next_attempt_at) FROM lrs.deliveries d WHERE d.subscription_id = s.id AND d.state = 'waiting') "
    "AS next_attempt_at"
)
_SCAN = (
    "SELECT stored_at, statement_id FROM records.statements_raw "
    "WHERE (stored_at, statement_id) > (:at, :id) AND stored_at <= :bound "
    "ORDER BY stored_at, statement_id LIMIT :scanned"
)
_LAST = text(
    f"SELECT stored_at, statement_id, count(*) OVER () AS found FROM ({_SCAN}) AS s ORDER BY 1 DESC, 2 DESC LIMIT 1"
)
_BODIES = text(
    "SELECT statement_id, payload::text AS body FROM lrs.statements "
    "WHERE statement_id = ANY(CAST(:ids AS uuid[])) ORDER BY stored_at, statement_id"
)
_DUE = text(
    "SELECT s.id FROM lrs.subscriptions s WHERE EXISTS (SELECT FROM lrs.deliveries d WHERE d.subscription_id = s.id "
    "AND d.state = 'waiting' AND d.next_attempt_at <= clock_timestamp() AND (s.enabled OR d.is_test)) "
    "OR (s.enabled AND EXISTS (SELECT FROM records.statements_raw r WHERE r.stored_at > s.position_at)) ORDER BY s.id"
)
_ADMINISTRATORS = text(
    "SELECT user_id FROM identity.directory WHERE role = 'admin' AND suspended_at IS NULL ORDER BY user_id LIMIT 100"
)


@dataclass(frozen=True, slots=True)
class MatchingStatement:
    """A statement that is to be sent, and how large it is."""

    stored_at: datetime
    statement_id: UUID
    size: int


@dataclass(frozen=True, slots=True)
class Scan:
    """Statements that match behind a position, and up to where that is all of them."""

    matching: Sequence[MatchingStatement]
    through_at: datetime
    through_id: UUID

    @property
    def is_behind(self) -> bool:
        """Whether there may be more behind it that could be sent by now."""
        return self.through_id != _LAST_ID


async def scan_statements(connection: AsyncConnection, subscription: Subscription, *, limit: int) -> Scan:
    """Statements that a subscription is to get next, in the order of `stored`; none that could still be overtaken.

    A statement that voids another one matches as that one does, too: whoever was sent a statement hears of its end.
    """
    bound = await current_bound(connection)
    values: dict[str, Any] = {"at": subscription.position_at, "id": subscription.position_id, "bound": bound}
    values["scanned"] = SCANNED
    choices = subscription.choice.keys()
    values |= {f"keys_{number}": list(keys) for number, keys in enumerate(choices)}
    chosen = f"WHERE {_chosen(len(choices))}" if choices else ""
    query = (
        f"SELECT s.stored_at, s.statement_id, octet_length(b.payload::text) AS size FROM (SELECT * FROM ({_SCAN}) AS s "
        f"{chosen} ORDER BY stored_at, statement_id LIMIT :limit) AS s JOIN lrs.statements b USING (statement_id) "
        "ORDER BY s.stored_at, s.statement_id"
    )
    rows = await connection.execute(text(query), {**values, "limit": limit})
    matching = [MatchingStatement(row.stored_at, row.statement_id, row.size) for row in rows]
    if len(matching) >= limit:
        return Scan(matching, matching[-1].stored_at, matching[-1].statement_id)
    last = (await connection.execute(_LAST, values)).one_or_none()
    if last is not None and last.found >= SCANNED:
        return Scan(matching, last.stored_at, last.statement_id)
    if bound <= subscription.position_at:
        return Scan(matching, subscription.position_at, subscription.position_id)
    return Scan(matching, bound, _LAST_ID)


def _chosen(choices: int) -> str:
    """That one statement, itself or the one that it voids, has a key of each choice."""
    parts = [
        f"EXISTS (SELECT FROM unnest(CAST(:keys_{number} AS uuid[])) AS key "
        f"JOIN lrs.statement_keys k{number} USING (key) "
        f"WHERE k{number}.stored_at = s.stored_at AND k{number}.statement_id = s.statement_id"
        for number in range(choices)
    ]
    whose = (
        " AND (k0.via = s.statement_id OR EXISTS (SELECT FROM records.statement_voids v "
        "WHERE v.target_id = k0.via AND v.voided_by = s.statement_id))"
    )
    others = "".join(f" AND {part} AND k{number}.via = k0.via)" for number, part in enumerate(parts) if number)
    return f"{parts[0]}{whose}{others})"


async def statement_bodies(connection: AsyncConnection, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Stored statements in the order of `stored`; one that was purged meanwhile is left out."""
    return [read_statement(row.body) for row in await connection.execute(_BODIES, {"ids": list(ids)})]


async def due_subscriptions(connection: AsyncConnection) -> list[UUID]:
    """Those for which there is something to do now."""
    return list((await connection.execute(_DUE)).scalars())


async def administrators(connection: AsyncConnection) -> tuple[UUID, ...]:
    """Who looks after subscriptions: a hundred people at most."""
    return tuple((await connection.execute(_ADMINISTRATORS)).scalars())


def subscription_of(row: Any) -> Subscription:  # noqa: ANN401 - a row of the table
    """A subscription as its rules see it."""
    return Subscription(
        row.id,
        row.name,
        SubscriptionKind(row.kind),
        row.url,
        choice_of(row.filter),
        bytes(row.secret),
        row.username,
        row.xapi_version,
        row.enabled,
        row.position_at,
        row.position_id,
        row.failing_since,
        row.failures,
        None if row.previous_secret is None else bytes(row.previous_secret),
        row.previous_until,
    )


def choice_of(stored: Mapping[str, Any]) -> StatementChoice:
    """The filter of a row."""
    registration = stored.get("registration")
    return StatementChoice(
        stored.get("agent"),
        stored.get("verb"),
        stored.get("activity"),
        UUID(registration) if registration else None,
        bool(stored.get("related")),
    )


async def list_subscriptions(
    connection: AsyncConnection, *, after: tuple[Any, ...] | None, limit: int, kind: SubscriptionKind | None
) -> Page[dict[str, Any]]:
    """Subscriptions with what waits, oldest first."""
    values = {"after": after[0] if after else UUID(int=0), "kind": kind}
    sql = (
        f"SELECT {_SHOWN} FROM lrs.subscriptions s WHERE s.id > CAST(:after AS uuid) "
        "AND (CAST(:kind AS text) IS NULL OR s.kind = :kind) ORDER BY s.id"
    )
    page = await keyset(connection, sql, values, key=("id",), limit=limit)
    bound = await current_bound(connection)
    return Page([_with_lag(row, bound) for row in page.rows], page.next_key)


async def get_subscription(connection: AsyncConnection, subscription_id: UUID) -> dict[str, Any]:
    """One subscription with what waits; raises NotFound."""
    query = text(f"SELECT {_SHOWN} FROM lrs.subscriptions s WHERE s.id = :id")
    row = (await connection.execute(query, {"id": subscription_id})).one_or_none()
    if row is None:
        message = Text("There is no subscription {subscription_id}.", subscription_id=subscription_id)
        raise NotFound(message)
    return _with_lag(row_dict(row), await current_bound(connection))


def _with_lag(row: Mapping[str, Any], bound: datetime) -> dict[str, Any]:
    lag = (bound - row["position_at"]).total_seconds()
    return {
        **{key: value for key, value in row.items() if key != "position_at"},
        "lag_seconds": round(max(0.0, lag), 1),
    }


async def list_deliveries(
    connection: AsyncConnection,
    subscription_id: UUID,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    state: DeliveryState | None,
) -> Page[dict[str, Any]]:
    """Deliveries, newest first; raises NotFound."""
    await get_subscription(connection, subscription_id)
    values = {"id": subscription_id, "after": int(after[0]) if after else 2**62, "state": state}
    sql = (
        "SELECT id, number AS _number, state, is_test, statement_ids, attempts, created_at, next_attempt_at, "
        "last_attempt_at, status, error, ended_at FROM lrs.deliveries WHERE subscription_id = :id AND number < :after "
        "AND (CAST(:state AS text) IS NULL OR state = :state) ORDER BY number DESC"
    )
    return await keyset(connection, sql, values, key=("_number",), limit=limit)
