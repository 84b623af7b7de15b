"""What datasets show to operators."""

from dataforge.kernel.texts import Text
from dataforge.platform.ops import Gauge, Ops, Unit, counted, oldest


def ops() -> Ops:
    """Imports and exports, and publications that have come to a stop."""
    return Ops(
        gauges=(
            Gauge(
                name="dataset_jobs_open",
                title=Text("Imports and exports that wait or run"),
                sql=counted("datasets.jobs", "status IN ('pending', 'running')"),
            ),
            Gauge(
                name="dataset_jobs_oldest",
                title=Text("The import or export that waits for the longest time"),
                sql=oldest("datasets.jobs", "created_at", "status = 'pending'"),
                unit=Unit.SECONDS,
                worrying_above=900,
                runbook="stuck-work",
            ),
            Gauge(
                name="dataset_jobs_failed",
                title=Text("Imports and exports that failed within a day"),
                sql=counted("datasets.jobs", "status = 'failed' AND completed_at > now() - interval '1 day'"),
            ),
            Gauge(
                name="publications_failing",
                title=Text("Published tables that could not follow their branch"),
                sql=counted("datasets.publications", "failed_at IS NOT NULL AND NOT removing"),
                worrying_above=0,
                runbook="large-queries",
            ),
        )
    )
