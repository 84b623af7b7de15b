"""A workspace with people in it, and a tutorial in the workspace."""

import pytest

from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.tutorials import TutorialSpace, open_tutorial_space


@pytest.fixture
async def space(api: ApiUnderTest, database: Database) -> TutorialSpace:
    """A workspace with an owner, an admin, an editor and a viewer, a stranger beside it, and a drafted tutorial."""
    return await open_tutorial_space(api, database)
