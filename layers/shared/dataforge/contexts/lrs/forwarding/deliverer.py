"""Delivers what subscriptions are owed: each step may be killed, and is then done again.

Statements are planned into deliveries in the order of `stored`, in the transaction that moves the position, and none
before the consistency bound has passed it: nothing is missed, and nothing that is stored late is overtaken. A delivery
keeps its id in each attempt; what was sent without a record of it is sent again.
"""

import time
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.lrs.forwarding.commands import (
    LeaseDelivery,
    PlanDeliveries,
    RecordOutcome,
    lease_delivery,
    plan_deliveries,
    record_outcome,
)
from dataforge.contexts.lrs.forwarding.domain import Delivery, Outcome, Subscription, SubscriptionKind
from dataforge.contexts.lrs.forwarding.queries import statement_bodies
from dataforge.contexts.lrs.forwarding.receivers import StoreReceiver, send_webhook
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.deliveries.domain import Verdict
from dataforge.platform.observability import emit_metrics, logger
from dataforge.platform.sealing import SecretUnreadable

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

_BUDGET_SECONDS = 120.0


class Deliverer:
    """Works for one subscription at a time; several may work beside each other, each has its delivery for itself."""

    def __init__(
        self,
        services: "LrsServices",
        *,
        random: Random | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        budget_seconds: float = _BUDGET_SECONDS,
    ) -> None:
        self._services = services
        self._random = random or Random()  # noqa: S311 - jitter is no secret
        self._monotonic = monotonic
        self._budget = budget_seconds

    async def deliver(self, subscription_id: UUID) -> float | None:
        """Plan and send until nothing is due; the seconds after which there is more to do, None if nothing is known."""
        deadline = self._monotonic() + self._budget
        while self._monotonic() < deadline:
            behind = await run(self._unit_of_work(), plan_deliveries, PlanDeliveries(subscription_id))
            leased = await run(self._unit_of_work(), lease_delivery, LeaseDelivery(subscription_id))
            if leased is None:
                if behind:
                    continue
                return None
            outcome = await self._attempt(*leased)
            record = RecordOutcome(*leased, outcome, self._random)
            pause = await run(self._unit_of_work(), record_outcome, record)
            self._report(leased[0], outcome)
            if outcome.verdict is Verdict.STOP or pause is not None:
                return pause
        return 0.0

    async def _attempt(self, subscription: Subscription, delivery: Delivery) -> Outcome:
        private = self._services.settings.private_receivers
        try:
            now, about = self._services.clock.now(), str(subscription.id)
            secrets = [self._services.secret_box.open(item, about) for item in subscription.sealed_secrets(now)]
        except SecretUnreadable as error:
            return Outcome(Verdict.STOP, delivery.statement_ids, error=error.detail)
        async with self._services.database.read_only() as connection:
            statements = await statement_bodies(connection, delivery.statement_ids)
        if not statements and not delivery.is_test:
            # All of them were purged or erased since.
            return Outcome(Verdict.DELIVERED)
        if subscription.kind is SubscriptionKind.WEBHOOK:
            return await send_webhook(subscription, delivery, statements, secrets, now, private=private)
        receiver = StoreReceiver(subscription, secrets[0], self._services.attachments, private)
        return await (receiver.test() if delivery.is_test else receiver.send(statements))

    def _report(self, subscription: Subscription, outcome: Outcome) -> None:
        about, refused = str(subscription.id), len(outcome.refused)
        if outcome.verdict is not Verdict.DELIVERED:
            facts = {"verdict": outcome.verdict.value, "status": outcome.status, "refused": refused}
            logger.warning("delivery failed", subscription=about, facts=facts)
            emit_metrics({"deliveries_failed": 1})
        elif outcome.refused:
            logger.warning("statements refused by a receiver", subscription=about, refused=refused)

    def _unit_of_work(self) -> LrsUnitOfWork:
        return LrsUnitOfWork(self._services.database, clock=self._services.clock)
