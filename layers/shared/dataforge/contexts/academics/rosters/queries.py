"""Read models of roster plans."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import missing
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import After, Row, keyset, where

_PLAN = """
SELECT p.id, p.semester_id, sem.code AS semester_code, p.format, p.state, p.plan_hash, p.inputs_sha256, p.counts,
    coalesce((p.counts->'enrollment'->>'drop')::int, 0) AS drops, p.implied_drops, p.options, p.source, p.created_at,
    p.created_by, (SELECT d.display_name FROM identity.directory d WHERE d.user_id = p.created_by) AS created_by_name,
    p.applied_at,
    p.applied_by, (SELECT d.display_name FROM identity.directory d WHERE d.user_id = p.applied_by) AS applied_by_name,
    EXISTS (SELECT FROM academics.roster_rows r WHERE r.plan_id = p.id) AS has_rows
FROM academics.roster_plans p JOIN academics.semesters sem ON sem.id = p.semester_id
"""


async def get_plan(connection: AsyncConnection, plan_id: UUID) -> Row:
    """One plan with its counts; raises NotFound."""
    row = (await connection.execute(text(f"{_PLAN} WHERE p.id = :id"), {"id": plan_id})).one_or_none()
    if row is None:
        raise missing(Text("roster plan"), plan_id)
    return row_dict(row)


async def list_plans(
    connection: AsyncConnection, *, after: After, limit: int, semester_id: UUID | None, state: str | None
) -> Page[Row]:
    """Plans with who made them and who applied them, the newest first."""
    conditions: list[str] = []
    parameters: Row = {}
    for name, value in (("semester_id", semester_id), ("state", state)):
        if value is not None:
            conditions.append(f"p.{name} = :{name}")
            parameters[name] = value
    if after is not None:
        conditions.append("(p.created_at, p.id) < (CAST(:at AS timestamptz), CAST(:after AS uuid))")
        parameters |= {"at": after[0], "after": after[1]}
    sql = f"{_PLAN} {where(conditions)} ORDER BY p.created_at DESC, p.id DESC"
    return await keyset(connection, sql, parameters, key=("created_at", "id"), limit=limit)


async def list_rows(
    connection: AsyncConnection,
    plan_id: UUID,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    action: str | None,
    kind: str | None,
) -> Page[Row]:
    """What a plan decides row by row, in the order of the file."""
    await get_plan(connection, plan_id)
    conditions, parameters = (
        ["plan_id = :plan", "row_no > :after"],
        {"plan": plan_id, "after": after[0] if after else 0},
    )
    for name, value in (("action", action), ("kind", kind)):
        if value is not None:
            conditions.append(f"{name} = :{name}")
            parameters[name] = value
    sql = f"""
    SELECT row_no, file, line, kind, sourced_id, action, reason, outcome, wait_no, data,
        CASE WHEN kind = 'enrollment' AND action = 'drop' THEN jsonb_build_object('status', outcome)
            ELSE changes->'before' END AS before,
        CASE WHEN kind = 'enrollment' AND action = 'drop' THEN jsonb_build_object('status', 'DROPPED')
            WHEN kind = 'enrollment' AND action = 'create' THEN jsonb_build_object('status', outcome)
            ELSE changes->'after' END AS after
    FROM academics.roster_rows {where(conditions)} ORDER BY row_no
    """
    return await keyset(connection, sql, parameters, key=("row_no",), limit=limit)
