"""Statements as they are read: one by its id, or pages of those that meet a filter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.search.domain import StatementFilter
from dataforge.contexts.lrs.statements.domain import VOIDED
from dataforge.platform.db.database import row_dict

MAX_PAGE_BYTES = 4 * 1024 * 1024
"""Lambda answers 6 MB at most; a page ends before, and `more` goes on."""

# Accepted statements that wait for the loader are read too: what was accepted is there.
_ONE = text(
    "WITH found AS (SELECT statement_id, stored_at, payload::text AS body, payload #>> '{verb,id}' AS verb "
    "FROM lrs.statements WHERE statement_id = :id UNION ALL "
    "SELECT statement_id, CAST(CAST(payload AS json) ->> 'stored' AS timestamptz), payload, "
    "CAST(payload AS json) #>> '{verb,id}' FROM lrs.pending_statements WHERE statement_id = :id) "
    f"SELECT statement_id, stored_at, body, verb <> '{VOIDED}' AND ("
    "EXISTS (SELECT 1 FROM records.statement_voids WHERE target_id = :id) "
    "OR EXISTS (SELECT 1 FROM lrs.pending_statements WHERE voids = :id)) AS voided FROM found LIMIT 1"
)
_RAW_ROW = text(
    "SELECT source, authority, occurred_at, stored_at, state, attempts, error FROM records.statements_raw "
    "WHERE statement_id = :id"
)
_FLAT_ROW = text(
    "SELECT f.*, d.display_name FROM records.statements_flat f LEFT JOIN identity.directory d ON d.user_id = f.user_id "
    "WHERE f.statement_id = :id"
)
_VOIDED_BY = text("SELECT voided_by, voided_at, applies FROM records.statement_voids WHERE target_id = :id")
_REFERS = text("SELECT target_id FROM lrs.statement_references WHERE statement_id = :id")
_REFERRED_BY = text("SELECT statement_id FROM lrs.statement_references WHERE target_id = :id LIMIT 20")
_NOT_VOIDED = (
    "NOT EXISTS (SELECT 1 FROM records.statement_voids v WHERE v.target_id = {alias}.statement_id AND v.applies)"
)


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """A statement as JSON text."""

    statement_id: UUID
    stored_at: datetime
    body: str
    voided: bool = False


async def read_one(connection: AsyncConnection, statement_id: UUID) -> StoredStatement | None:
    """The statement with the id, as soon as it is accepted; None when there is none."""
    row = (await connection.execute(_ONE, {"id": statement_id})).one_or_none()
    return None if row is None else StoredStatement(row.statement_id, row.stored_at, row.body, row.voided)


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Statements in the order that was asked for, and whether there are more behind them."""

    statements: Sequence[StoredStatement]
    has_more: bool


async def read_page(connection: AsyncConnection, asked: StatementFilter) -> StatementPage:
    """One page of what meets the filter, at most `limit` statements and about MAX_PAGE_BYTES."""
    values: dict[str, Any] = {"limit": asked.limit + 1, "bytes": MAX_PAGE_BYTES}
    choices = [*asked.keys] or ([(asked.authority,)] if asked.authority else [])
    if choices:
        parts = [_by_keys(keys, asked, values, number) for number, keys in enumerate(product(*choices))]
    else:
        parts = [_by_time(asked, values)]
    order = _order(asked)
    union = " UNION ".join(f"({part})" for part in parts)
    query = (
        f"WITH page AS (SELECT stored_at, statement_id FROM ({union}) AS found ORDER BY {order} LIMIT :limit), "
        "bodies AS MATERIALIZED (SELECT p.stored_at, p.statement_id, coalesce(b.payload, ("
        # A body from before there were partitions, until it is moved (ADR 27).
        "SELECT r.payload FROM records.statements_raw r WHERE r.statement_id = p.statement_id))::text AS body "
        "FROM page p LEFT JOIN lrs.statement_bodies b USING (stored_at, statement_id)), "
        f"sized AS (SELECT *, sum(octet_length(body)) OVER (ORDER BY {order}) - octet_length(body) AS before, "
        "count(*) OVER () AS found FROM bodies) "
        f"SELECT stored_at, statement_id, body, found FROM sized WHERE before < :bytes ORDER BY {order}"
    )
    rows = (await connection.execute(text(query), values)).all()
    statements = [StoredStatement(row.statement_id, row.stored_at, row.body) for row in rows[: asked.limit]]
    return StatementPage(statements, has_more=bool(rows) and rows[0].found > len(statements))


def _by_keys(keys: tuple[UUID, ...], asked: StatementFilter, values: dict[str, Any], number: int) -> str:
    """Statements that have all the keys, each through one and the same statement."""
    names = [f"key_{number}_{index}" for index in range(len(keys))]
    values |= dict(zip(names, keys, strict=True))
    conditions = [f"k.key = :{names[0]}", *(_also(name, "k.via") for name in names[1:])]
    if asked.authority is not None:
        values["authority"] = asked.authority
        conditions.append(_also("authority", "k.statement_id"))
    conditions += _conditions("k", asked, values)
    return (
        f"SELECT DISTINCT stored_at, statement_id FROM lrs.statement_keys k WHERE {' AND '.join(conditions)} "
        f"ORDER BY {_order(asked)} LIMIT :limit"
    )


def _also(name: str, via: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM lrs.statement_keys o WHERE o.key = :{name} AND o.stored_at = k.stored_at "
        f"AND o.statement_id = k.statement_id AND o.via = {via})"
    )


def _by_time(asked: StatementFilter, values: dict[str, Any]) -> str:
    conditions = _conditions("r", asked, values)
    return (
        f"SELECT stored_at, statement_id FROM records.statements_raw r WHERE {' AND '.join(conditions)} "
        f"ORDER BY {_order(asked)} LIMIT :limit"
    )


def _conditions(alias: str, asked: StatementFilter, values: dict[str, Any]) -> list[str]:
    conditions = [_NOT_VOIDED.format(alias=alias)]
    if asked.since is not None:
        values["since"] = asked.since
        conditions.append(f"{alias}.stored_at > :since")
    if asked.until is not None:
        values["until"] = asked.until
        conditions.append(f"{alias}.stored_at <= :until")
    if asked.after is not None:
        values |= {"after_at": asked.after.stored_at, "after_id": asked.after.statement_id}
        sign = ">" if asked.ascending else "<"
        conditions.append(f"({alias}.stored_at, {alias}.statement_id) {sign} (:after_at, :after_id)")
    return conditions


def _order(asked: StatementFilter) -> str:
    way = "ASC" if asked.ascending else "DESC"
    return f"stored_at {way}, statement_id {way}"


async def statement_facts(connection: AsyncConnection, statement_id: UUID) -> dict[str, Any]:
    """What the store knows of a statement beside its text: its rows, what voids it, what it refers to and who to it."""
    values = {"id": statement_id}
    raw, flat, voided_by, refers_to = [
        (await connection.execute(query, values)).one_or_none() for query in (_RAW_ROW, _FLAT_ROW, _VOIDED_BY, _REFERS)
    ]
    referred_by = (await connection.execute(_REFERRED_BY, values)).scalars()
    return {
        "raw": None if raw is None else row_dict(raw),
        "flat": None if flat is None else row_dict(flat),
        "voided_by": None if voided_by is None else row_dict(voided_by),
        "refers_to": None if refers_to is None else refers_to.target_id,
        "referred_by": list(referred_by),
    }
