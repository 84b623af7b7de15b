"""Sends what webhooks are owed: each step may be killed, and is then done again.

A delivery keeps its id in each attempt; what was sent without a record of it is sent again. One worker sends to one
webhook for a bounded time, and then gives its place to the others that wait.
"""

import time
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.contexts.notifications.webhooks.commands import (
    RecordAttempt,
    lease_delivery,
    plan_replay,
    record_attempt,
)
from dataforge.contexts.notifications.webhooks.domain import EventDelivery, Webhook, body_of, encoded
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.deliveries.domain import Attempt, Verdict
from dataforge.platform.deliveries.sending import post_webhook
from dataforge.platform.observability import emit_metrics, logger
from dataforge.platform.sealing import SecretUnreadable

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices

_BUDGET_SECONDS = 60.0


class EventDeliverer:
    """Works for one webhook at a time; several may work beside each other, each has its delivery for itself."""

    def __init__(
        self,
        services: "NotificationsServices",
        *,
        random: Random | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        budget_seconds: float = _BUDGET_SECONDS,
    ) -> None:
        self._services = services
        self._random = random or Random()  # noqa: S311 - jitter is no secret
        self._monotonic = monotonic
        self._budget = budget_seconds

    async def deliver(self, webhook_id: UUID) -> float | None:
        """Send until nothing is due; the seconds after which there is more to do, None if nothing is known."""
        deadline = self._monotonic() + self._budget
        while self._monotonic() < deadline:
            behind = await run(self._unit_of_work(), plan_replay, webhook_id)
            leased = await run(self._unit_of_work(), lease_delivery, webhook_id)
            if leased is None:
                if behind:
                    continue
                return None
            attempt = await self._attempt(*leased)
            pause = await run(self._unit_of_work(), record_attempt, RecordAttempt(*leased, attempt, self._random))
            if attempt.verdict is not Verdict.DELIVERED:
                facts = {"verdict": attempt.verdict.value, "status": attempt.status}
                logger.warning("webhook delivery failed", webhook=str(webhook_id), facts=facts)
                emit_metrics({"deliveries_failed": 1})
            if attempt.verdict is Verdict.STOP or pause is not None:
                return pause
        return 0.0

    async def _attempt(self, webhook: Webhook, delivery: EventDelivery) -> Attempt:
        now, about = self._services.clock.now(), str(webhook.id)
        try:
            secrets = [self._services.secret_box.open(item, about) for item in webhook.sealed_secrets(now)]
        except SecretUnreadable as error:
            return Attempt(Verdict.STOP, error=error.detail)
        body = encoded(
            body_of(delivery.event_type, delivery.occurred_at, delivery.event_id, delivery.workspace_id, delivery.data)
        )
        private = self._services.settings.private_receivers
        return await post_webhook(webhook.url, delivery.id, body, secrets, now, private=private)

    def _unit_of_work(self) -> NotificationsUnitOfWork:
        return NotificationsUnitOfWork(self._services.database, clock=self._services.clock)
