"""A workspace with people in it, beside an emulated bucket."""

from collections.abc import AsyncIterator

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.workspaces import Space, open_space


@pytest.fixture
async def api(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[ApiUnderTest]:
    async with ApiUnderTest(database, clock, data_bucket=emulator.bucket()) as api:
        yield api


@pytest.fixture
async def space(api: ApiUnderTest) -> Space:
    """A workspace with an owner, an admin, an editor and a viewer, and a stranger beside it."""
    return await open_space(api)
