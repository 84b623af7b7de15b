"""How far a deployment that is under way really is: what its schema says, which a worker that died could not say.

A step and its mark in the schema's own journal are one transaction; the platform's rows follow a moment later, or once
the next worker goes on.
"""

import logging
from typing import Any

import psycopg
from psycopg import AsyncConnection

from dataforge.contexts.schemas.deployments.domain import UNDER_WAY, schema_state
from dataforge.contexts.schemas.deployments.repository import SchemaJournal
from dataforge.contexts.schemas.designs.queries import read_schema
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.previewing import driver

logger = logging.getLogger(__name__)
# Whoever asks how far it is does not wait for what is being done.
_PATIENCE = "SELECT set_config('lock_timeout', '100ms', true), set_config('statement_timeout', '3s', true)"


async def as_it_stands(services: SchemasServices, row: dict[str, Any]) -> dict[str, Any]:
    """A deployment's row as `find_deployment` gives it, with what its schema says: `schema_state` and `steps_done`."""
    if row["status"] not in UNDER_WAY or not row["attempt"]:
        return row
    try:
        async with driver(services.proofs) as connection:
            await connection.execute(_PATIENCE)
            return await _looked_at(connection, row)
    except psycopg.Error as error:
        logger.info("a schema could not be looked at", extra={"sqlstate": error.sqlstate})
        return row


async def _looked_at(connection: "AsyncConnection[Any]", row: dict[str, Any]) -> dict[str, Any]:
    kept = await SchemaJournal(connection, row["id"], row["namespace"]).kept()
    marked = {step["position"] for step in row["steps"] if step["done_at"] is not None}
    done, total = len(kept | marked), row["steps_total"]
    if 0 < done < total:
        return {**row, "steps_done": done, "schema_state": "between"}
    # Indexes are built in no transaction: they may be there before their mark.
    found = (await read_schema(connection, row["namespace"])).fingerprint
    state = schema_state(found, row["base_fingerprint"], row["target_fingerprint"])
    return {**row, "steps_done": done, "schema_state": state}
