"""What academics shows to operators."""

from dataforge.kernel.texts import Text
from dataforge.platform.ops import Gauge, Ops, counted


def ops() -> Ops:
    """Seats taken today, and who waits for one."""
    return Ops(
        gauges=(
            Gauge(
                name="enrollments_today",
                title=Text("Decisions about enrolment within a day"),
                sql=counted("academics.enrollment_events", "at > now() - interval '1 day'"),
            ),
            Gauge(
                name="waitlisted",
                title=Text("Learners on a waiting list"),
                sql=counted("academics.enrollments", "status = 'WAITLISTED'"),
            ),
        )
    )
