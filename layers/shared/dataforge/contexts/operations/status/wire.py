"""Wire models of the status."""

from datetime import datetime

from pydantic import BaseModel

from dataforge.platform.ops import Unit


class GaugeOut(BaseModel):
    """A number of a context; null where there is nothing to measure, not `known` where it could not be read in time.

    `worrying`: it is above `worrying_above`, or not known; `runbook` names the page that helps then.
    """

    context: str
    name: str
    title: str
    unit: Unit
    value: float | None
    known: bool
    worrying_above: float | None
    worrying: bool
    runbook: str | None


class QueueDepthOut(BaseModel):
    """About how many messages of a queue wait, are being handled, or were given up; null where it does not answer."""

    name: str
    status: str
    waiting: int | None
    in_flight: int | None
    delayed: int | None
    dead_letters: int | None


class StatusOut(BaseModel):
    """How everything stands at one time; `ok` is false when something is worrying or does not answer."""

    at: datetime
    ok: bool
    database: str
    migration_revision: str | None
    gauges: list[GaugeOut]
    queues: list[QueueDepthOut]
