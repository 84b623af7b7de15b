"""What the record store shows to operators."""

from dataforge.kernel.texts import Text
from dataforge.platform.ops import Gauge, Ops, Unit, counted, oldest


def ops() -> Ops:
    """How far statements have come, and what could not become one."""
    return Ops(
        gauges=(
            Gauge(
                name="statements_unloaded",
                title=Text("Accepted statements that are not loaded yet"),
                sql=counted("lrs.pending_statements", "true"),
            ),
            Gauge(
                name="etl_lag",
                title=Text("The oldest request whose statements are not loaded yet"),
                sql=oldest("records.intake", "stored_at"),
                unit=Unit.SECONDS,
                worrying_above=60,
                runbook="statement-lag",
            ),
            Gauge(
                name="statements_unflattened",
                title=Text("Loaded statements that reports do not see yet"),
                sql=counted("records.statements_raw", "state IN ('pending', 'failed')"),
            ),
            Gauge(
                name="statements_dead",
                title=Text("Statements that could not be flattened"),
                sql=counted("records.statements_raw", "state = 'dead'"),
                worrying_above=0,
                runbook="statement-lag",
            ),
            Gauge(
                name="quarantined",
                title=Text("Entries in quarantine that wait for a decision"),
                sql=counted("records.quarantine", "replayed_at IS NULL AND discarded_at IS NULL"),
            ),
            Gauge(
                name="subscriptions_failing",
                title=Text("Subscriptions whose receiver does not take statements"),
                sql=counted("lrs.subscriptions", "enabled AND failing_since IS NOT NULL"),
                worrying_above=0,
                runbook="subscriptions",
            ),
        )
    )
