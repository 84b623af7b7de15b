"""REST of the status."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.operations.status import wire
from dataforge.contexts.operations.status.calls import Status, read_status
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind

router = context_router("operations")


def status_body(status: Status) -> wire.StatusOut:
    """The status for the wire."""
    gauges = [
        wire.GaugeOut(
            context=reading.context,
            name=reading.gauge.name,
            title=reading.gauge.title,
            unit=reading.gauge.unit,
            value=reading.value,
            known=reading.known,
            worrying_above=reading.gauge.worrying_above,
            worrying=reading.worrying,
            runbook=reading.gauge.runbook,
        )
        for reading in status.readings
    ]
    return wire.StatusOut(
        at=status.at,
        ok=status.ok,
        database=status.database["status"],
        migration_revision=status.database["migration_revision"],
        gauges=gauges,
        queues=status.queues,
    )


@router.get("/api/operations/status", response_model=wire.StatusOut)
async def get_status(call: Annotated[Call, require(Action.READ, Kind.HEALTH)]) -> Response:
    """How the work of every context stands: lags, counts of what waits and failed, depths of queues."""
    return json_response(status_body(await read_status(call)).model_dump(mode="json"))
