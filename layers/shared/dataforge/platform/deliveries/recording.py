"""What an attempt leads to: an end, another attempt after a pause, or a receiver that is switched off."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from dataforge.platform.deliveries.domain import (
    GIVES_UP_AFTER,
    Attempted,
    DeliveryState,
    Judged,
    Verdict,
    is_last,
    pause_before,
)
from dataforge.platform.deliveries.repository import DeliveryRows, ReceiverRows

_REASON_CHARS = 500
_NOTHING_MORE = "The receiver wants no more."


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an attempt has led to.

    `seconds` is the time to the next attempt, None if there is none to wait for; `disabled` is why the receiver was
    switched off by this attempt, None if it was not.
    """

    seconds: float | None = None
    disabled: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """Writes down what attempts lead to, inside one transaction."""

    receivers: ReceiverRows
    deliveries: DeliveryRows
    now: datetime
    random: Random

    async def outcome(self, delivery: Attempted, outcome: Judged, *, got_on: bool = False) -> Recorded:
        """Of a delivery that is held; with `got_on` a part of it was taken, and attempts are counted anew."""
        if delivery.is_test:
            state = DeliveryState.DELIVERED if outcome.verdict is Verdict.DELIVERED else DeliveryState.DEAD
            await self.deliveries.end(delivery, state, outcome)
            return Recorded()
        if outcome.verdict is Verdict.DELIVERED:
            await self.deliveries.end(delivery, DeliveryState.DELIVERED, outcome)
            await self.receivers.succeeded(delivery.receiver_id)
            return Recorded()
        if outcome.verdict is Verdict.STOP:
            await self.deliveries.wait(delivery, outcome, attempts=delivery.attempts, pause=timedelta(0))
            return await self._disable(delivery, outcome.error or _NOTHING_MORE)
        return await self._retry(delivery, outcome, got_on=got_on)

    async def _retry(self, delivery: Attempted, outcome: Judged, *, got_on: bool) -> Recorded:
        # Whoever has taken a part is not as good as dead: attempts are counted from here again.
        attempts = 1 if got_on else delivery.attempts + 1
        failing_since = await self.receivers.failed(delivery.receiver_id, outcome.error)
        pause = pause_before(attempts, outcome.retry_after, self.random)
        if is_last(attempts):
            await self.deliveries.end(delivery, DeliveryState.DEAD, outcome)
        else:
            await self.deliveries.wait(delivery, outcome, attempts=attempts, pause=pause)
        if self.now - failing_since >= GIVES_UP_AFTER:
            reason = f"Nothing was delivered for {GIVES_UP_AFTER.days} days. {outcome.error or ''}".strip()
            return await self._disable(delivery, reason)
        return Recorded(None if is_last(attempts) else pause.total_seconds())

    async def _disable(self, delivery: Attempted, reason: str) -> Recorded:
        shown = reason[:_REASON_CHARS]
        return Recorded(disabled=shown if await self.receivers.disable(delivery.receiver_id, shown) else None)
