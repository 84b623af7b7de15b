"""Fixtures of academics."""

from collections.abc import Iterator

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from tests.builders.academics import Campus, Desk


@pytest.fixture
def campus(database: Database, clock: FixedClock) -> Campus:
    """A campus in this test's database."""
    return Campus(database, clock)


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """A campus for tests that are no coroutines, as those with generated examples."""
    desk = Desk(database_url)
    yield desk
    desk.close()
