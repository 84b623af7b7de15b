"""The write SQL of what is computed about versions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.tables import table_statistics


async def known_statistics(
    connection: AsyncConnection, dataset_id: UUID, leaves_sha256: str, signature: str
) -> dict[str, Any] | None:
    """Statistics of a table by its content and schema."""
    query = select(table_statistics.c.statistics).where(
        table_statistics.c.dataset_id == dataset_id,
        table_statistics.c.leaves_sha256 == leaves_sha256,
        table_statistics.c.signature == signature,
    )
    found = await connection.scalar(query)
    return None if found is None else dict(found)


async def keep_statistics(
    connection: AsyncConnection,
    dataset_id: UUID,
    leaves_sha256: str,
    signature: str,
    statistics: dict[str, Any],
    now: datetime,
) -> None:
    """Keep statistics of a table for whoever asks next."""
    values = {
        "dataset_id": dataset_id,
        "leaves_sha256": leaves_sha256,
        "signature": signature,
        "statistics": statistics,
        "created_at": now,
    }
    await connection.execute(pg_insert(table_statistics).values(**values).on_conflict_do_nothing())
