"""Webhooks with everything that takes part: people of a workspace, the outbox, the worker, and a clock they go by."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from dataforge.bootstrap import modules
from dataforge.contexts.notifications.messages.consumers import send_waiting
from dataforge.contexts.notifications.module import NotificationsServices
from dataforge.contexts.notifications.webhooks.consumers import announce_due_webhooks
from dataforge.contexts.notifications.webhooks.deliverer import EventDeliverer
from dataforge.events.jobs import relay_outbox
from dataforge.events.wiring import subscribers
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.events import Event
from dataforge.kernel.principal import Role
from dataforge.platform.aws.sqs import Queue
from dataforge.platform.db.unit_of_work import SqlUnitOfWork
from tests.builders.api import ApiUnderTest
from tests.builders.datasets import ok
from tests.builders.workspaces import Space, open_space

WEBHOOKS = "/api/webhooks"


class WebhookDesk:
    """An administrator, a workspace with its people, `maintenance` and `worker`."""

    space: Space
    admin: httpx.AsyncClient
    admin_id: UUID

    def __init__(self, api: ApiUnderTest, clock: FixedClock, queue: Queue) -> None:
        self.api, self.clock, self.queue = api, clock, queue
        self.worker = api.platform_of("worker").get(NotificationsServices)
        self.maintenance = api.platform_of("maintenance").get(NotificationsServices)

    async def open(self) -> None:
        """Let people in, at the time that receivers have, who take no signature older than five minutes."""
        self.clock.advance(datetime.now(UTC) - self.clock.now())
        self.space = await open_space(self.api)
        self.admin_id = await self.api.add_user(Role.ADMIN)
        self.admin = await self.api.as_user(self.admin_id, Role.ADMIN)
        await self.relay()  # what came of making them

    @property
    def workspace_id(self) -> UUID:
        """The workspace."""
        return UUID(self.space.id)

    async def subscribe(self, url: str, *, by: httpx.AsyncClient | None = None, **values: Any) -> dict[str, Any]:
        """A new webhook with its secret."""
        body = {"name": "Elsewhere", "url": url, **values}
        return dict(ok(await (by or self.admin).post(WEBHOOKS, json=body), 201))

    async def publish(self, *events: Event) -> None:
        """Write events as commands do, and relay them as `maintenance` does."""
        async with SqlUnitOfWork(self.api.database, clock=self.clock) as uow:
            for event in events:
                uow.publish(event)
            await uow.commit()
        await self.relay()

    async def relay(self) -> None:
        """One minute's relay."""
        platform = self.maintenance.platform
        counts = await relay_outbox(platform, subscribers(modules(), platform))
        assert (counts["failed"], counts["dead"]) == (0, 0)

    async def announced(self) -> int:
        """How many webhooks the minute's job tells of."""
        return (await announce_due_webhooks(self.maintenance))["announced"]

    async def mails(self) -> dict[str, int]:
        """Send what waits to be mailed."""
        return await send_waiting(self.maintenance)

    async def deliver(self, webhook: dict[str, Any]) -> float | None:
        """What the worker does for one."""
        return await EventDeliverer(self.worker).deliver(UUID(str(webhook["id"])))

    async def later(self, webhook: dict[str, Any], **time: float) -> float | None:
        """The same, after a while."""
        self.clock.advance(timedelta(**time))
        self.admin = await self.api.as_user(self.admin_id, Role.ADMIN)
        return await self.deliver(webhook)

    async def state(self, webhook: dict[str, Any]) -> dict[str, Any]:
        """The webhook as it is shown."""
        return dict(ok(await self.admin.get(f"{WEBHOOKS}/{webhook['id']}")))

    async def log(self, webhook: dict[str, Any], **asked: str) -> list[dict[str, Any]]:
        """Its deliveries, newest first."""
        return list(ok(await self.admin.get(f"{WEBHOOKS}/{webhook['id']}/deliveries", params=asked))["items"])

    async def change(self, webhook: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Change it."""
        path = f"{WEBHOOKS}/{webhook['id']}"
        return dict(ok(await self.admin.patch(path, json=changes, headers={"If-Match": "*"})))

    async def replay(self, webhook: dict[str, Any], **what: Any) -> int | None:
        """Have it sent again."""
        number: int | None = ok(await self.admin.post(f"{WEBHOOKS}/{webhook['id']}/replays", json=what), 202)[
            "replayed"
        ]
        return number
