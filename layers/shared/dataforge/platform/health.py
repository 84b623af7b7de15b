"""What is behind a function, and whether it answers."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from dataforge.kernel.errors import Unavailable
from dataforge.kernel.texts import Text
from dataforge.platform.aws.clients import client
from dataforge.platform.db.database import Database
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType

_DEPTHS: dict[str, "QueueAttributeNameType"] = {
    "waiting": "ApproximateNumberOfMessages",
    "in_flight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}


async def check_health(database: Database, queues: Mapping[str, str]) -> dict[str, Any]:
    """Database, migration revision and queue depths: `{status: ok|degraded, database: {…}, queues: {name: {…}}}`.

    `queues` maps names to URLs. Never raises: what does not answer is named.
    """
    found_database, *found_queues = await asyncio.gather(
        _database(database), *(asyncio.to_thread(_depth, url) for url in queues.values())
    )
    named = dict(zip(queues, found_queues, strict=True))
    parts = [found_database, *found_queues]
    healthy = all(part["status"] == "ok" for part in parts)
    return {"status": "ok" if healthy else "degraded", "database": found_database, "queues": named}


async def require_database(database: Database) -> None:
    """Raise Unavailable unless the database answers; the cause is logged, not shown."""
    if (await _database(database))["status"] != "ok":
        message = Text("The service is not available at the moment.")
        raise Unavailable(message, headers={"Retry-After": "5"})


async def _database(database: Database) -> dict[str, Any]:
    try:
        async with database.read_only() as connection:
            revision = await connection.scalar(text("SELECT version_num FROM platform.alembic_version"))
    except Exception:  # noqa: BLE001 - the report of a failure is the purpose here
        logger.warning("health: database does not answer", exc_info=True)
        return {"status": "unreachable", "migration_revision": None}
    return {"status": "ok", "migration_revision": revision}


def _depth(url: str) -> dict[str, Any]:
    try:
        attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(_DEPTHS.values()))
    except Exception:  # noqa: BLE001 - the report of a failure is the purpose here
        logger.warning("health: queue does not answer", exc_info=True)
        return {"status": "unreachable"}
    counts = attributes["Attributes"]
    return {"status": "ok", **{name: int(counts.get(key, 0)) for name, key in _DEPTHS.items()}}
