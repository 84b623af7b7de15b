"""What identity shows to operators."""

from dataforge.kernel.texts import Text
from dataforge.platform.ops import Gauge, Ops, counted


def ops() -> Ops:
    """People, and senders of statements that are refused."""
    return Ops(
        gauges=(
            Gauge(
                name="people",
                title=Text("People with an account"),
                sql=counted("identity.users", "suspended_at IS NULL"),
            ),
            Gauge(
                name="credentials_refused",
                title=Text("xAPI keys that were refused something within an hour"),
                sql=counted("identity.xapi_credentials", "last_refused_at > now() - interval '1 hour'"),
                worrying_above=0,
                runbook="xapi-clients",
            ),
        )
    )
