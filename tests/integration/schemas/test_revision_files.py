"""The files of revisions, run by Alembic itself on a database that has never seen the service."""

import re
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config

from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.queries import read_schema
from infra.local.postgres import PostgresServer
from tests.builders.schemas import SchemasUnderTest, column, table

ENVIRONMENT = """
from alembic import context
from sqlalchemy import NullPool, create_engine, text

with create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=NullPool).connect() as connection:
    schema = context.config.get_main_option("schema")
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    connection.execute(text(f"SET search_path TO {schema}"))
    connection.commit()
    context.configure(connection, version_table_schema=schema, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
ODD = """100% :sure "quoted" 'single' \\ {x} $1 ünï %s %(x)s"""
MOODS = {"id": "m", "name": "mood", "values": ["sad", "ok"]}


def versions() -> list[dict[str, Any]]:
    """A history with a statement of every phase, and names and texts that other tools would take for their own."""
    key = column("id", "BIGINT", primaryKey=True, identity=True)
    people = table("people", column("mood", "mood", default="ok"), column("said", "TEXT", default=ODD, comment=ODD))
    odd = {"id": "odd", "name": ODD[:40], "columns": [key, column(ODD[:30], "INTEGER")]}
    first = {"enums": [MOODS], "tables": [people, odd]}
    more = MOODS | {"values": ["sad", "fair", "ok", ODD[:30]]}
    longer = people | {
        "columns": [*people["columns"][:1], column("mood", "mood", default=ODD[:30]), *people["columns"][2:]],
        "indexes": [{"name": "by_said", "columns": ["said"]}],
        "checks": [{"name": "said_something", "expr": "said <> '' AND said NOT LIKE '%:x%'"}],
    }
    second = {"enums": [more], "tables": [longer, odd]}
    view = {"name": "moods", "query": "SELECT mood, count(*) AS people FROM people WHERE said LIKE '%a%' GROUP BY mood"}
    third = {"enums": [more], "tables": [longer], "views": [view]}
    return [first, second, third]


async def fingerprint(url: str, schema: str) -> str:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return (await read_schema(connection, schema)).fingerprint


async def test_alembic_goes_through_the_whole_history_and_back(
    schemas: SchemasUnderTest, postgres: PostgresServer, tmp_path: Path
) -> None:
    prints = []
    for version in versions():
        plan = await schemas.preview(*version.pop("tables"), **version)
        lost = {item["object"] for item in plan["changes"] if item["needs_confirmation"]}
        assert (await schemas.deploy(plan, *lost))["status"] == "succeeded"
        prints.append(plan["target_fingerprint"])
        await schemas.sql("INSERT INTO people DEFAULT VALUES")
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(ENVIRONMENT)
    for key, body in schemas.files.items():
        (tmp_path / "versions" / Path(key).name).write_bytes(body)
    url = postgres.create_database("replayed")
    config = Config()
    config.set_main_option("script_location", str(tmp_path))
    config.set_main_option("schema", plan["namespace"])  # what goes into the trash and comes back names it
    config.set_main_option("sqlalchemy.url", re.sub("^postgres(ql)?:", "postgresql+psycopg:", url).replace("%", "%%"))

    seen = []
    try:
        for _ in prints:
            command.upgrade(config, "+1")
            seen.append(await fingerprint(url, plan["namespace"]))
        command.upgrade(config, "head")
        for _ in prints:
            command.downgrade(config, "-1")
            seen.append(await fingerprint(url, plan["namespace"]))
    finally:
        postgres.drop_database("replayed")

    assert seen == [*prints, *reversed(prints[:-1]), Schema().fingerprint]
