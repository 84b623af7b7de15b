"""What tests of webhooks have."""

from collections.abc import AsyncIterator, Iterator

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.platform.aws.sqs import Queue
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.receivers import Receiver
from tests.builders.webhooks import WebhookDesk


@pytest.fixture
async def desk(database: Database, emulator: EmulatedAws, clock: FixedClock) -> AsyncIterator[WebhookDesk]:
    """Everything that takes part."""
    url = emulator.queue()
    async with ApiUnderTest(
        database, clock, jobs_queue_url=url, private_receivers=True, access_token_seconds=86_400
    ) as api:
        desk = WebhookDesk(api, clock, Queue(url))
        await desk.open()
        yield desk


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody else's endpoint."""
    with Receiver() as receiver:
        yield receiver
