"""The way of a statement, over a real database and the emulator."""

from collections.abc import AsyncIterator

import pytest

from dataforge.platform.db.database import Database
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest


@pytest.fixture
async def records(emulator: EmulatedAws, database: Database) -> AsyncIterator[StoreUnderTest]:
    """xAPI app, queue and loader in streaming mode."""
    async with StoreUnderTest(emulator, database) as records:
        yield records
