"""The statements of a selection: in pages, and counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.consistency import MARGIN_SECONDS
from dataforge.contexts.lrs.search.domain import Position
from dataforge.contexts.lrs.selections.domain import Selection

_NOT_VOIDED = (
    " AND NOT EXISTS (SELECT 1 FROM records.statement_voids v WHERE v.target_id = r.statement_id AND v.applies)"
)
_WATERMARK = text(
    "SELECT least((SELECT min(stored_at) - interval '1 microsecond' FROM records.intake), "
    f"clock_timestamp() - interval '{MARGIN_SECONDS} seconds')"
)


async def watermark(connection: AsyncConnection) -> datetime:
    """Everything stored up to this moment is in the tables, and nothing more will come before it but an import."""
    found: datetime = (await connection.execute(_WATERMARK)).scalar_one()
    return found


@dataclass(frozen=True, slots=True)
class SelectedStatement:
    """A statement of a selection; the body is JSON text."""

    statement_id: UUID
    stored_at: datetime
    authority: str
    body: str | None

    @property
    def position(self) -> Position:
        """Where the next page begins."""
        return Position(self.stored_at, self.statement_id)


def chosen_sql(selection: Selection, values: dict[str, Any], *, own: bool) -> str:
    """SELECT of `statement_id`, `stored_at` and `authority` of a selection; adds the values that it binds.

    `own`: a statement is selected by what it says itself, not by what the statement says that it refers to.
    """
    conditions, source = ["true"], "records.statements_raw r"
    for number, keys in enumerate(selection.choices):
        values[f"keys_{number}"] = list(keys)
        own_only = "AND k.via = k.statement_id " if own else ""
        found = f"lrs.statement_keys k WHERE k.key = ANY(CAST(:keys_{number} AS uuid[])) {own_only}"
        if number == 0:
            bounded = f"{found}{_between('k', selection, values)}"
            source = (
                f"(SELECT DISTINCT k.stored_at, k.statement_id FROM {bounded}) AS c "
                "JOIN records.statements_raw r USING (statement_id)"
            )
        else:
            conditions.append(
                f"EXISTS (SELECT 1 FROM {found} AND k.stored_at = r.stored_at AND k.statement_id = r.statement_id)"
            )
    if selection.credential is not None:
        values["credential"] = selection.credential
        conditions.append("r.authority = :credential")
    if selection.statement_ids is not None:
        values["statement_ids"] = list(selection.statement_ids)
        conditions.append("r.statement_id = ANY(CAST(:statement_ids AS uuid[]))")
    where = " AND ".join(conditions) + _between("r", selection, values)
    return f"SELECT r.statement_id, r.stored_at, r.authority FROM {source} WHERE {where}"


def _between(alias: str, selection: Selection, values: dict[str, Any]) -> str:
    found = ""
    if selection.since is not None:
        values["since"] = selection.since
        found += f" AND {alias}.stored_at > :since"
    if selection.until is not None:
        values["until"] = selection.until
        found += f" AND {alias}.stored_at <= :until"
    return found


async def read_selected(
    connection: AsyncConnection,
    selection: Selection,
    *,
    after: Position | None,
    limit: int,
    own: bool,
    voided: bool = True,
) -> Sequence[SelectedStatement]:
    """A page of a selection in the order they were stored in, with their bodies.

    `voided` False leaves out what GET statements does not list.
    """
    values: dict[str, Any] = {"limit": limit}
    chosen = chosen_sql(selection, values, own=own)
    behind = ""
    if after is not None:
        values |= {"after_at": after.stored_at, "after_id": after.statement_id}
        behind = " AND (r.stored_at, r.statement_id) > (:after_at, :after_id)"
    if not voided:
        behind += _NOT_VOIDED
    query = (
        f"WITH page AS MATERIALIZED ({chosen}{behind} ORDER BY r.stored_at, r.statement_id LIMIT :limit) "
        "SELECT p.statement_id, p.stored_at, p.authority, s.payload::text AS body "
        "FROM page p JOIN lrs.statements s USING (statement_id) ORDER BY p.stored_at, p.statement_id"
    )
    return [SelectedStatement(*row) for row in await connection.execute(text(query), values)]


@dataclass(frozen=True, slots=True)
class SelectionCounts:
    """How many statements a selection has; `fingerprint` changes when one comes or goes."""

    statements: int
    fingerprint: str
    first_stored: datetime | None
    last_stored: datetime | None
    by_month: dict[str, int]
    by_credential: dict[str, int]
    by_verb: dict[str, int]


async def count_selected(connection: AsyncConnection, selection: Selection, *, own: bool) -> SelectionCounts:
    """Count a selection by month, credential and verb, in one pass."""
    values: dict[str, Any] = {}
    query = (
        f"WITH chosen AS MATERIALIZED ({chosen_sql(selection, values, own=own)}), "
        "known AS (SELECT c.*, to_char(c.stored_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, "
        "coalesce(f.verb_id, '') AS verb, hashtextextended(CAST(c.statement_id AS text), 0) AS hash "
        "FROM chosen c LEFT JOIN records.statements_flat f USING (statement_id)) "
        "SELECT CASE WHEN GROUPING(month) = 0 THEN 'month' WHEN GROUPING(authority) = 0 THEN 'credential' "
        "WHEN GROUPING(verb) = 0 THEN 'verb' ELSE 'all' END AS kind, coalesce(month, authority, verb) AS name, "
        "count(*) AS statements, min(stored_at) AS first, max(stored_at) AS last, "
        "concat(bit_xor(hash), ':', sum(CAST(hash AS numeric))) AS fingerprint "
        "FROM known GROUP BY GROUPING SETS ((), (month), (authority), (verb)) ORDER BY 1, 3 DESC, 2"
    )
    rows = (await connection.execute(text(query), values)).all()
    total = next(row for row in rows if row.kind == "all")

    def counted(kind: str) -> dict[str, int]:
        return {str(row.name): row.statements for row in rows if row.kind == kind}

    return SelectionCounts(
        total.statements,
        f"{total.statements}:{total.fingerprint}",
        total.first,
        total.last,
        dict(sorted(counted("month").items())),
        counted("credential"),
        counted("verb"),
    )


async def count_attachments(connection: AsyncConnection, selection: Selection, *, own: bool) -> int:
    """How many different attachments the statements of a selection name."""
    values: dict[str, Any] = {}
    query = (
        f"WITH chosen AS MATERIALIZED ({chosen_sql(selection, values, own=own)}) "
        "SELECT count(DISTINCT lower(named #>> '{}')) FROM chosen c JOIN lrs.statement_bodies b "
        "ON b.stored_at = c.stored_at AND b.statement_id = c.statement_id, "
        "jsonb_path_query(b.payload, 'lax $.**.attachments[*].sha2') AS named "
        "WHERE (b.payload ? 'attachments' OR b.payload #> '{object,attachments}' IS NOT NULL)"
    )
    return int(await connection.scalar(text(query), values) or 0)
