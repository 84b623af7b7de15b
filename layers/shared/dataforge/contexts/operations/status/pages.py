"""How everything stands, for people: what needs somebody stands first."""

from itertools import groupby
from operator import attrgetter
from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.operations.status.calls import read_status
from dataforge.kernel.access import Action, Kind
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("operations")


@router.get("/ui/operations")
async def operations_page(call: Annotated[PageCall, require_page(Action.READ, Kind.HEALTH)]) -> Response:
    """Lags, counts of what waits and failed, and queues."""
    status = await read_status(call)
    groups = [(context, list(readings)) for context, readings in groupby(status.readings, attrgetter("context"))]
    return call.page("operations/operations.html", now=status, groups=groups)
