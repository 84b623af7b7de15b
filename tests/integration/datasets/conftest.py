"""Datasets over a real database and the emulator."""

from collections.abc import AsyncIterator

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from tests.builders.datasets import DatasetsUnderTest
from tests.builders.emulator import EmulatedAws


@pytest.fixture
async def datasets(emulator: EmulatedAws, database: Database, clock: FixedClock) -> AsyncIterator[DatasetsUnderTest]:
    """The datasets API; `await datasets.analyst()` gives a client of somebody who may create datasets."""
    async with DatasetsUnderTest(database, clock, emulator) as api:
        yield api
