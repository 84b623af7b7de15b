"""Accounts with a mailbox."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from infra.local.mailbox import Mailbox
from tests.builders.api import ApiUnderTest
from tests.builders.mail import PUBLIC, receiving
from tests.builders.oidc_provider import OidcProvider
from tests.builders.single_sign_on import ADA, Console, with_provider


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


@pytest.fixture
def provider(clock: FixedClock) -> Iterator[OidcProvider]:
    """A provider on this machine that knows Ada."""
    provider = OidcProvider(clock)
    provider.people["ada-1"] = dict(ADA)
    with provider.served():
        yield provider


@pytest.fixture
async def laptop(database: Database, clock: FixedClock) -> AsyncIterator[ApiUnderTest]:
    """The API where providers may be on this machine."""
    async with ApiUnderTest(database, clock, private_receivers=True) as api:
        yield api


@pytest.fixture
async def console(laptop: ApiUnderTest, provider: OidcProvider) -> Console:
    """A provider that decides about example.org and makes accounts."""
    return await with_provider(laptop, provider, domains=["example.org"], creates_accounts=True)
