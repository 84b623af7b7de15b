"""A workspace with people in it."""

import pytest

from tests.builders.api import ApiUnderTest
from tests.builders.workspaces import Space, open_space


@pytest.fixture
async def space(api: ApiUnderTest) -> Space:
    """A workspace with an owner, an admin, an editor and a viewer, and a stranger beside it."""
    return await open_space(api)
