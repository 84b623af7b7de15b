"""What notifications show to operators."""

from dataforge.kernel.texts import Text
from dataforge.platform.ops import Gauge, Ops, Unit, counted, oldest


def ops() -> Ops:
    """Mail on its way, runs of reminders, and receivers of events."""
    due = "status = 'pending' AND not_before <= now()"
    return Ops(
        gauges=(
            Gauge(
                name="mail_waiting",
                title=Text("Mails that are due and not sent yet"),
                sql=counted("notifications.messages", due),
            ),
            Gauge(
                name="mail_oldest",
                title=Text("The mail that is due for the longest time"),
                sql=oldest("notifications.messages", "not_before", due),
                unit=Unit.SECONDS,
                worrying_above=900,
                runbook="mail",
            ),
            Gauge(
                name="mail_failed",
                title=Text("Mails that could not be sent within a day"),
                sql=counted("notifications.messages", "status = 'failed' AND created_at > now() - interval '1 day'"),
                worrying_above=0,
                runbook="mail",
            ),
            Gauge(
                name="reminders_last_run",
                title=Text("Since the last run of reminders that ended well"),
                sql="SELECT extract(epoch FROM clock_timestamp() - max(finished_at)) FROM notifications.runs "
                "WHERE name = 'send_daily_reminders' AND status = 'succeeded'",
                unit=Unit.SECONDS,
                worrying_above=7200,
                runbook="mail",
            ),
            Gauge(
                name="webhooks_failing",
                title=Text("Webhooks whose receiver does not answer"),
                sql=counted("notifications.webhooks", "enabled AND failing_since IS NOT NULL"),
                worrying_above=0,
                runbook="webhooks",
            ),
        )
    )
