"""What schemas show to operators."""

from dataforge.kernel.texts import Text
from dataforge.platform.ops import Gauge, Ops, Unit, counted, oldest


def ops() -> Ops:
    """Deployments, and schemas that somebody changed by hand."""
    return Ops(
        gauges=(
            Gauge(
                name="deployments_oldest",
                title=Text("The deployment of a schema that is under way for the longest time"),
                sql=oldest("schemas.deployments", "created_at", "status IN ('queued', 'running')"),
                unit=Unit.SECONDS,
                worrying_above=3600,
                runbook="schema-deployments",
            ),
            Gauge(
                name="deployments_failed",
                title=Text("Deployments of schemas that failed within a day"),
                sql=counted("schemas.deployments", "status = 'failed' AND created_at > now() - interval '1 day'"),
            ),
            Gauge(
                name="schemas_drifted",
                title=Text("Schemas that were changed without a deployment"),
                sql=counted("schemas.drift_checks", "drifted"),
                worrying_above=0,
                runbook="schema-deployments",
            ),
        )
    )
