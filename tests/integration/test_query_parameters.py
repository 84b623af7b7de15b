"""Every route refuses query parameters that it does not take, and names the one that was meant."""

import re

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from infra.openapi.generate import openapi
from tests.builders.routes import APPS, app_under_test, routes_of
from tests.builders.time import NOW

ID = "00000000-0000-7000-8000-000000000000"


async def test_every_route_refuses_what_it_does_not_take(database: Database, subtests: pytest.Subtests) -> None:
    document = openapi()
    for name in APPS:
        async with app_under_test(name, database, FixedClock(NOW)) as api:
            client = await api.as_role(Role.ADMIN)
            for method, route in routes_of(api):
                if not route.include_in_schema:
                    continue
                parameters = document["paths"][route.path_format][method.lower()].get("parameters", ())
                declared = [item["name"] for item in parameters if item["in"] == "query"]
                path = re.sub(r"{.*?}", ID, route.path_format)
                for given in ("zzzzzz", *(f"{item}x" for item in declared if f"{item}x" not in declared)):
                    with subtests.test(route=f"{method} {route.path_format}", given=given):
                        answer = await client.request(method, path, params={given: "1"}, json={})
                        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")
                        meant = f'did you mean "{given[:-1]}"?' if given != "zzzzzz" else "is not a query parameter"
                        assert meant in answer.json()["errors"][0]["detail"]


async def test_pages_take_what_links_carry_along(database: Database) -> None:
    async with app_under_test("api", database, FixedClock(NOW)) as api:
        client = await api.as_role(Role.ADMIN)

        assert (await client.get("/ui/sign-in?utm_source=mail")).status_code == 200
