"""Every route of each of our apps, to be walked."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from fastapi.routing import APIRoute

from dataforge.bootstrap import rest_app
from dataforge.kernel.clock import Clock
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest

APPS = ("api", "datasets_api")


@asynccontextmanager
async def app_under_test(name: str, database: Database, clock: Clock) -> AsyncIterator[ApiUnderTest]:
    """One of our apps by its name in `APPS`."""
    async with ApiUnderTest(database, clock) as api:
        if name != "api":
            api.app, api.asgi = rest_app(name, api.platform)
        yield api


def routes_of(api: ApiUnderTest) -> Iterator[tuple[str, APIRoute]]:
    """Each method of each route, whichever context it belongs to."""
    api.app.contexts.load_all()
    for route in api.app.contexts.routes():
        for method in sorted(route.methods or ()):
            yield method, route
