"""Read models of roster plans."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import missing
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import Row, keyset, where


async def get_plan(connection: AsyncConnection, plan_id: UUID) -> Row:
    """One plan with its counts; raises NotFound."""
    sql = """
    SELECT id, semester_id, format, state, plan_hash, inputs_sha256, counts,
        coalesce((counts->'enrollment'->>'drop')::int, 0) AS drops, implied_drops, options, source, created_at,
        created_by, applied_at, applied_by
    FROM academics.roster_plans WHERE id = :id
    """
    row = (await connection.execute(text(sql), {"id": plan_id})).one_or_none()
    if row is None:
        raise missing(Text("roster plan"), plan_id)
    return row_dict(row)


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
    SELECT row_no, file, line, kind, sourced_id, action, reason, outcome, wait_no, data FROM academics.roster_rows
    {where(conditions)} ORDER BY row_no
    """
    return await keyset(connection, sql, parameters, key=("row_no",), limit=limit)
