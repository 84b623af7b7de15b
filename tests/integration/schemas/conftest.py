"""A connection that makes plans, and what carries them out without the deployer."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from dataforge.platform.db.database import Database
from infra.local.postgres import PostgresServer
from tests.builders.api import ApiUnderTest
from tests.builders.planned import Planned
from tests.builders.schemas import SchemasUnderTest
from tests.builders.workspaces import new_workspace, person


@pytest.fixture(scope="module")
def plain_database(postgres: PostgresServer) -> Iterator[str]:
    """A database without the platform's tables."""
    name = "schemas_plain"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture(scope="module")
async def planned(plain_database: str) -> AsyncIterator[Planned]:
    """Plans on a real server, each test in a schema of its own."""
    connection: psycopg.AsyncConnection[Any] = await psycopg.AsyncConnection.connect(plain_database)
    async with connection:
        yield Planned(connection)


@pytest.fixture
async def schemas(api: ApiUnderTest, database: Database) -> SchemasUnderTest:
    """A workspace without tables, and its owner."""
    owner = await person(api, "owner")
    return SchemasUnderTest(api, owner, database, UUID(await new_workspace(owner)))
