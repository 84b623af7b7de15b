"""What a purge would do."""

from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.purges.domain import Purge, whole_months
from dataforge.contexts.lrs.purges.repository import documents_sql
from dataforge.contexts.lrs.selections.queries import SelectionCounts, count_attachments, count_selected


async def state_seen(connection: AsyncConnection, purge: Purge) -> tuple[dict[str, Any], SelectionCounts, int]:
    """The state that a plan of the purge rests on, the counts of its statements and of its documents."""
    counts = await count_selected(connection, purge.selection, own=True)
    documents = await count_documents(connection, purge)
    return {"statements": counts.fingerprint, "documents": documents}, counts, documents


async def count_documents(connection: AsyncConnection, purge: Purge) -> int:
    """How many documents go too."""
    chosen = purge.documents_chosen
    if not chosen:
        return 0
    return int(await connection.scalar(documents_sql("SELECT count(*)", chosen), dict(chosen)) or 0)


async def preview_of(
    connection: AsyncConnection, purge: Purge, counts: SelectionCounts, documents: int
) -> dict[str, Any]:
    """What people see of the plan."""
    shown = asdict(counts)
    del shown["fingerprint"]
    return {
        **{name: value.isoformat() if name.endswith("_stored") and value else value for name, value in shown.items()},
        "documents": documents,
        "attachments": await count_attachments(connection, purge.selection, own=True),
        "whole_months": [f"{month:%Y-%m}" for month in whole_months(purge.selection, counts.first_stored)],
    }
