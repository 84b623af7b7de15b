"""Fixtures of academics."""

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from tests.builders.academics import Campus


@pytest.fixture
def campus(database: Database, clock: FixedClock) -> Campus:
    """A campus in this test's database."""
    return Campus(database, clock)
