"""Fixtures every test may use: a throwaway PostgreSQL cluster with a migrated, empty database for each test."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "tests")
os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
os.environ.setdefault("ENVIRONMENT", "local")

from dataforge.kernel.clock import FixedClock
from dataforge.platform.db import roles
from dataforge.platform.db.database import Database
from dataforge.platform.db.grants import GRANTS
from dataforge.platform.db.migrations import upgrade
from infra.local.emulator import Emulator
from infra.local.postgres import PostgresServer, start
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws, emulated_aws, started_emulator
from tests.builders.reused_database import ReusedDatabase
from tests.builders.roles import opened
from tests.builders.stack import admin, eventually, http, lms, stack
from tests.builders.time import NOW

__all__ = ["admin", "eventually", "http", "lms", "stack"]  # fixtures of the deployed stack

# How long an example takes says what else the machine does, not whether the code is right.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The inner loop tries a tenth of the examples that the whole run does: --hypothesis-profile=inner-loop.
settings.register_profile("inner-loop", settings.get_profile("house"), max_examples=10)
# What decides on a change draws the same examples every time, so that chance fails nobody else's change; new ones are
# drawn by `make explore`, whose finds become examples of their tests.
settings.register_profile("gate", settings.get_profile("house"), derandomize=True)
settings.register_profile("explore", settings.get_profile("house"), max_examples=500, print_blob=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL cluster of this test run; not durable, therefore fast."""
    directory: Path = tmp_path_factory.mktemp("pg")
    server = start(directory, durable=False)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def template_database(postgres: PostgresServer) -> str:
    """The name of a migrated, empty database to copy, with the functions' roles."""
    name = "template_dataforge"
    url = postgres.create_database(name)
    upgrade(url)
    roles.apply(url, {function: roles.Login(function, secrets.token_hex(16)) for function in GRANTS})
    return name


@pytest.fixture(scope="session")
def reused_database(postgres: PostgresServer, template_database: str) -> ReusedDatabase:
    """The database that the tests of this worker have one after the other."""
    return ReusedDatabase(postgres, template_database)


@pytest.fixture
def database_url(reused_database: ReusedDatabase) -> Iterator[str]:
    """A migrated, empty database, during this test its alone."""
    yield reused_database.url()
    reused_database.clean()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The migrated database behind the pool the code uses, as its owner; functions under test have their own roles."""
    async with opened(database_url, pool_size=10) as database:
        yield database


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands still at `tests.builders.time.NOW`."""
    return FixedClock(NOW)


@pytest.fixture
async def api(database: Database, clock: FixedClock) -> AsyncIterator[ApiUnderTest]:
    """The API in process; `await api.as_role(Role.REGISTRAR)` gives a signed-in httpx client."""
    async with ApiUnderTest(database, clock) as api:
        yield api


@pytest.fixture(scope="session")
def emulator_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The AWS emulator of this test run."""
    with started_emulator(tmp_path_factory.mktemp("emulator")) as server:
        yield server


@pytest.fixture
def emulator(emulator_server: Emulator) -> Iterator[EmulatedAws]:
    """The AWS emulator; the code's own clients talk to it during the test."""
    with emulated_aws(emulator_server) as aws:
        yield aws
