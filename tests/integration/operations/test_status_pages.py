"""Home and status as people see them."""

import re

import httpx
import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from dataforge.platform.db.migrations import head_revision
from tests.builders.api import ApiUnderTest
from tests.builders.browser import add_person, person, visitor


@pytest.mark.parametrize(("public_base_url", "base"), [("", ""), ("https://api.example.org/v1", "/v1")])
async def test_a_page_loads_its_own_files_from_where_people_find_them(
    database: Database, clock: FixedClock, public_base_url: str, base: str
) -> None:
    async with ApiUnderTest(database, clock, public_base_url=public_base_url) as api:
        client = await visitor(api)
        start = await client.get("/")
        page = await client.get(start.headers["location"].removeprefix(base))
        loaded = re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="([^"]*)"', page.text)
        files = [await client.get(name.removeprefix(base)) for name in loaded]

    assert start.headers["location"] == f"{base}/ui"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert loaded
    assert all(name.startswith(f"{base}/ui/static/") for name in loaded)
    assert {file.headers["content-type"].partition(";")[0] for file in files} == {
        "text/css",
        "text/javascript",
        "image/svg+xml",
    }
    assert {file.headers["cache-control"] for file in files} == {"public, max-age=31536000, immutable"}
    assert "://" not in page.text


async def test_a_file_asked_for_by_an_old_hash_is_served_and_not_kept(api: ApiUnderTest) -> None:
    answer = await (await visitor(api)).get("/ui/static/0000000000000000/app.css")

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", ["x/layout.html", "x/..%2fsession.py", "x/nothing.js", "app.css", "x/__init__.py"])
async def test_no_other_file_is_served(api: ApiUnderTest, name: str) -> None:
    assert (await (await visitor(api)).get(f"/ui/static/{name}")).status_code == 404


async def test_everybody_sees_whether_the_service_is_available(api: ApiUnderTest) -> None:
    page = await (await visitor(api)).get("/ui/status")

    assert "The service is available." in page.text
    assert head_revision() not in page.text


@pytest.mark.parametrize("role", list(Role))
async def test_only_administrators_see_what_is_behind_it(api: ApiUnderTest, role: Role) -> None:
    user_id, _ = await add_person(api, role)
    client = await person(api, user_id, role)

    page = await client.get("/ui/status")

    assert page.status_code == 200
    assert (head_revision() in page.text) is (role is Role.ADMIN)


async def test_a_demoted_administrator_sees_it_no_longer(api: ApiUnderTest) -> None:
    user_id, _ = await add_person(api, Role.VIEWER)
    client = await person(api, user_id, Role.ADMIN)

    assert head_revision() not in (await client.get("/ui/status")).text


async def test_the_pages_are_there_when_the_database_is_not(clock: FixedClock) -> None:
    database = Database(lambda: "postgresql://nobody@127.0.0.1:1/nowhere", pool_size=1)
    api = ApiUnderTest(database, clock)
    api.platform.database = database
    client: httpx.AsyncClient = await visitor(api)

    pages = [await client.get(path) for path in ("/ui", "/ui/status", "/ui/sign-in")]

    assert [page.status_code for page in pages] == [200, 200, 200]
    assert "The service is not available at the moment." in pages[1].text
    await api.__aexit__()


async def test_a_problem_is_a_page_for_people_and_a_document_for_programs(api: ApiUnderTest) -> None:
    client = await visitor(api)

    page = await client.get("/ui/nowhere")
    at_the_api = await client.get("/api/nowhere")
    document = await client.get("/api/nowhere", headers={"Accept": "*/*"})
    written = await client.post("/api/nowhere")

    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at this address." in page.text
    assert "There is nothing at this address." in at_the_api.text
    assert "<h1>" in at_the_api.text
    assert document.headers["content-type"] == "application/problem+json"
    assert written.headers["content-type"] == "application/problem+json"


async def test_what_was_asked_for_is_escaped(api: ApiUnderTest) -> None:
    page = await (await visitor(api)).get("/ui/%3Cscript%3Ealert(1)%3C%2Fscript%3E")

    assert page.status_code == 404
    assert "<script>alert" not in page.text


async def test_a_problem_of_an_htmx_request_goes_to_the_place_for_notices(api: ApiUnderTest) -> None:
    answer = await (await visitor(api)).get("/ui/nowhere", headers={"HX-Request": "true"})

    assert answer.headers["hx-retarget"] == "#notice"
    assert answer.headers["hx-reselect"] == "#problem"
    assert 'id="problem"' in answer.text


async def test_an_htmx_request_of_nobody_sends_the_browser_to_sign_in(api: ApiUnderTest) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://api.test/ui/courses?q=a"}

    answer = await (await visitor(api)).get("/ui/courses?q=ab", headers=headers)

    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/ui/sign-in?next=%2Fui%2Fcourses%3Fq%3Da")
