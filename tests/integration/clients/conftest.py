"""The client library against the whole API: real requests, a real database, files in the emulator's S3."""

from collections.abc import AsyncIterator, Iterator

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge_client import AsyncClient, Client, Retries
from tests.builders.emulator import EmulatedAws
from tests.builders.served import ServedApi

# Whatever a test makes fail is repeated at once.
HASTY = Retries(attempts=3, longest_wait=0.05)


@pytest.fixture
def served(database_url: str, clock: FixedClock, emulator: EmulatedAws) -> Iterator[ServedApi]:
    """The API at an address of this test."""
    with ServedApi(database_url, clock, emulator) as served:
        yield served


@pytest.fixture
def client(served: ServedApi) -> Iterator[Client]:
    """An analyst's client."""
    with Client(served.url, served.token(), retries=HASTY) as client:
        yield client


@pytest.fixture
async def awaited(served: ServedApi) -> AsyncIterator[AsyncClient]:
    """Another analyst's client, to be awaited."""
    async with AsyncClient(served.url, served.token(), retries=HASTY) as client:
        yield client
