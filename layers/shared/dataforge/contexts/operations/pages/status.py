"""The home page, and the status of what is behind the API."""

from fastapi import Depends, Request
from starlette.responses import Response

from dataforge.contexts.operations.pages.base import router
from dataforge.http.auth import confirmed
from dataforge.http.call import platform_of
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import Unavailable
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import may_any
from dataforge.platform.health import require_database
from dataforge.web.calls import Visitor, visitor
from dataforge.web.routing import see_other
from dataforge.web.templates import page


@router.get("/")
async def root(request: Request) -> Response:
    """The way to the home page."""
    return see_other(request.scope, "/ui")


@router.get("/ui", dependencies=[Depends(visitor)])
async def home(request: Request) -> Response:
    """What the console is for, and the parts of it that the person may use."""
    return page(request.scope, "operations/home.html", up=await _is_up(request))


@router.get("/ui/status")
async def status(request: Request, person: Visitor) -> Response:
    """Whether the API is up, for everybody; for administrators also what is behind it.

    Always 200: the page is there, whatever it reports. Monitors ask /health.
    """
    details = None
    if person is not None and _sees_details(person) and _sees_details(await confirmed(request, person)):
        details = await platform_of(request).health()
    return page(request.scope, "operations/status.html", up=await _is_up(request), details=details)


def _sees_details(person: Principal) -> bool:
    return may_any(person, Action.READ, Kind.HEALTH)


async def _is_up(request: Request) -> bool:
    try:
        await require_database(platform_of(request).database)
    except Unavailable:
        return False
    return True
