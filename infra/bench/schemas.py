"""Previews of large schemas: `python -m infra.bench.schemas`, measured over HTTP's own code on a server of its own."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.designs.domain.names import namespace_of
from dataforge.contexts.schemas.plans.domain.plan import Plan
from dataforge.contexts.schemas.plans.planning import Deployed, make_plan
from dataforge.kernel.ids import uuid7
from infra.bench.figure import Figure, show
from infra.local.postgres import start

NEW = 200
TABLES = 500


def document(tables: int, changed: str = "VARCHAR(255)") -> dict[str, Any]:
    """A schema of tables that refer to one another; the name of the first one's column has the given type."""
    found: dict[str, Any] = {"tables": [], "relationships": []}
    for number in range(tables):
        key = {"name": "id", "dataType": "BIGINT", "primaryKey": True, "identity": True}
        kind = changed if number == 0 else "VARCHAR(255)"
        columns = [
            key,
            {"name": "name", "dataType": kind, "nullable": False},
            {"name": "other_id", "dataType": "BIGINT"},
        ]
        columns += [{"name": f"value_{turn}", "dataType": "INTEGER", "default": turn} for turn in range(5)]
        indexes = [{"columns": ["other_id"]}, {"columns": ["name"], "unique": True}]
        found["tables"].append({"id": str(number), "name": f"table_{number}", "columns": columns, "indexes": indexes})
        ends = {"fk": {"table": f"table_{number}", "column": "other_id"}}
        ends["references"] = {"table": f"table_{(number + 1) % tables}", "column": "id"}
        found["relationships"].append({**ends, "onDelete": "cascade"})
    return found


async def timed(
    connection: "psycopg.AsyncConnection[Any]", workspace: UUID, target: dict[str, Any], before: Deployed | None = None
) -> tuple[float, Plan]:
    """Seconds a plan takes, and the plan; what was deployed has been read before, as a warm function keeps it."""
    began = time.perf_counter()
    design = before.design if before is not None and before.target == target else parse_design(target)
    plan, _, _ = await make_plan(connection, namespace_of(workspace), design, before)
    return time.perf_counter() - began, plan


async def deploy(connection: "psycopg.AsyncConnection[Any]", workspace: UUID, plan: Plan) -> float:
    """Seconds that the statements of a plan take."""
    began = time.perf_counter()
    await connection.execute(f"CREATE SCHEMA {namespace_of(workspace)}")
    await connection.execute(f"SET LOCAL search_path TO {namespace_of(workspace)}")
    for change in plan.up:
        for statement in change.statements:
            await connection.execute(statement.sql.encode())
    await connection.commit()
    return time.perf_counter() - began


async def measure(url: str) -> list[Figure]:
    """Plan and deploy new tables; among many that are there, plan nothing and one changed column."""
    small, large = uuid7(), uuid7()
    async with await psycopg.AsyncConnection.connect(url) as connection:
        first, new = await timed(connection, small, document(NEW))
        deployed = await deploy(connection, small, new)
        _, plan = await timed(connection, large, document(TABLES))
        await deploy(connection, large, plan)
        before = Deployed(parse_design(document(TABLES)), plan.target_fingerprint, document(TABLES))
        same, empty = await timed(connection, large, document(TABLES), before)
        one, changed = await timed(connection, large, document(TABLES, "TEXT"), before)
    return [
        Figure(f"seconds to preview {NEW} new tables", first, 5),
        Figure(f"seconds to deploy {NEW} new tables", deployed, 5),
        Figure(f"seconds to preview {TABLES} tables that are there", same, 0.7),
        Figure(f"seconds to preview one changed column among {TABLES} tables", one, 1.5),
        Figure("changes where there are none", len(empty.up), 0),
        Figure("changes of one column beyond one", len(changed.up) - 1, 0),
    ]


def main() -> int:
    """Measure on a server of its own."""
    with tempfile.TemporaryDirectory() as directory:
        server = start(Path(directory))
        try:
            return 1 if show("schemas", asyncio.run(measure(server.create_database("bench_schemas")))) else 0
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
