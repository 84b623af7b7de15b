"""Accounts with a mailbox."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from infra.local.mailbox import Mailbox
from tests.builders.api import ApiUnderTest
from tests.builders.mail import PUBLIC, receiving


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """A real SMTP server."""
    with receiving(tmp_path / "mail") as mailbox:
        yield mailbox


@pytest.fixture
async def mailing(database: Database, clock: FixedClock) -> AsyncIterator[ApiUnderTest]:
    """The API where its public address is configured, so that mails can have links."""
    async with ApiUnderTest(database, clock, public_base_url=PUBLIC) as api:
        yield api
