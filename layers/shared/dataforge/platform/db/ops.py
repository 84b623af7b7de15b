"""What the platform's own tables show to operators."""

from dataforge.kernel.texts import Text
from dataforge.platform.ops import Gauge, Ops, Unit, counted, oldest

_WAITING = "relayed_at IS NULL AND dead_at IS NULL"
_OPEN = "status IN ('pending', 'running')"


def ops() -> Ops:
    """Events on their way, jobs, and what is written of changes."""
    return Ops(
        gauges=(
            Gauge(
                name="outbox_waiting",
                title=Text("Events that wait for their subscribers"),
                sql=counted("platform.outbox", _WAITING),
            ),
            Gauge(
                name="outbox_oldest",
                title=Text("The oldest event that waits"),
                sql=oldest("platform.outbox", "occurred_at", _WAITING),
                unit=Unit.SECONDS,
                worrying_above=300,
                runbook="stuck-work",
            ),
            Gauge(
                name="outbox_dead",
                title=Text("Events that were given up"),
                sql=counted("platform.outbox", "dead_at IS NOT NULL"),
                worrying_above=0,
                runbook="stuck-work",
            ),
            Gauge(
                name="jobs_open",
                title=Text("Jobs that wait or run"),
                sql=counted("platform.jobs", _OPEN),
            ),
            Gauge(
                name="jobs_oldest",
                title=Text("The oldest job that waits"),
                sql=oldest("platform.jobs", "queued_at", "status = 'pending'"),
                unit=Unit.SECONDS,
                worrying_above=900,
                runbook="stuck-work",
            ),
            Gauge(
                name="jobs_failed",
                title=Text("Jobs that failed within a day"),
                sql=counted("platform.jobs", "status = 'failed' AND completed_at > now() - interval '1 day'"),
                worrying_above=0,
                runbook="stuck-work",
            ),
        )
    )
