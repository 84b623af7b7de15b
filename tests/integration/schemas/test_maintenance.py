"""What `maintenance` queues for the deployer every minute, with the login and the commands that it has."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dataforge.bootstrap import modules
from dataforge.contexts.schemas.deployments.consumers import deployment_messages
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.events.handlers import run_command
from dataforge.platform.aws.sqs import Queue
from tests.builders.emulator import EmulatedAws
from tests.builders.schemas import SchemasUnderTest, column, table
from tests.builders.workspaces import maintenance


class Minutes:
    """The scheduled minutes of a stack, and its queue of deployments."""

    def __init__(self, schemas: SchemasUnderTest, aws: EmulatedAws) -> None:
        self._schemas = schemas
        url = aws.queue()
        self._queue = Queue(url)
        queues = {"deployments_queue_url": url, "jobs_queue_url": aws.queue()}
        self._platform = maintenance(schemas.api, data_bucket=aws.bucket(), **queues)

    async def tick(self) -> Mapping[str, Any]:
        """What the minute answers."""
        return await run_command(modules(), "maintenance", self._platform, {}, "tick")

    async def work(self) -> list[dict[str, Any]]:
        """Hand what waits to the deployer; the messages."""
        services = self._schemas.api.platform.get(SchemasServices)
        services.__dict__["deployer"] = self._schemas.deployer
        received = await self._queue.receive()
        await self._queue.delete([item.receipt_handle for item in received])
        bodies = [item.record.body for item in received]
        records = [
            {"messageId": str(number), "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
            for number, body in enumerate(bodies)
        ]
        assert await deployment_messages({"Records": records}, services) == {"batchItemFailures": []}
        return [json.loads(body) for body in bodies]


async def test_a_minute_has_the_trash_emptied_of_what_is_due(schemas: SchemasUnderTest, emulator: EmulatedAws) -> None:
    minutes = Minutes(schemas, emulator)
    await schemas.deploy(await schemas.preview(table("people", column("age")), table("orders")))
    await schemas.deploy(await schemas.preview(table("people")), "column people.age", "table orders")
    await minutes.tick()
    early = await minutes.work()
    await schemas.sql("UPDATE schemas.trash SET keep_until = '2000-01-01' WHERE kind = 'column'")

    answer = await minutes.tick()
    sent = await minutes.work()
    again = await minutes.tick()

    assert {"empty_trash": str(schemas.workspace_id)} not in early
    assert sent == [{"empty_trash": str(schemas.workspace_id)}]
    assert (answer["schema_trash"], again["schema_trash"]) == ({"emptied": 1}, {"emptied": 0})
    assert await schemas.sql("SELECT object FROM schemas.trash") == [("table orders",)]


async def test_a_minute_has_schemas_looked_at_that_nobody_has_looked_at_for_an_hour(
    schemas: SchemasUnderTest, emulator: EmulatedAws
) -> None:
    minutes = Minutes(schemas, emulator)
    await minutes.tick()
    nothing = await minutes.work()
    await schemas.deploy(await schemas.preview(table("people")))
    await schemas.sql("ALTER TABLE people ADD COLUMN strange int")

    answers = [await minutes.tick()]
    sent = [await minutes.work()]
    for later in (timedelta(minutes=59), timedelta(minutes=2)):
        schemas.api.platform.clock.advance(later)  # type: ignore[attr-defined]  # a fixed one in tests
        answers.append(await minutes.tick())
        sent.append(await minutes.work())

    assert nothing == []
    assert sent == [[{"check_drift": str(schemas.workspace_id)}], [], [{"check_drift": str(schemas.workspace_id)}]]
    assert [answer["schema_drift"] for answer in answers] == [{"checked": 1}, {"checked": 0}, {"checked": 1}]
    assert await schemas.sql("SELECT drifted FROM schemas.drift_checks") == [(True,)]
