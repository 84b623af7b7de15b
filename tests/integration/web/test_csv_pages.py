"""The CSV links of pages: a list of the API, asked with the session of the browser."""

import csv
import io
import re
from html import unescape

import httpx
import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest
from tests.builders.browser import keep, visitor
from tests.builders.emulator import EmulatedAws
from tests.builders.whole_api import WholeApi


async def browser_of(api: ApiUnderTest, role: Role) -> httpx.AsyncClient:
    browser = await visitor(api)
    keep(browser, f"a-refresh-token.{await api.token(await api.add_user(role), role)}")
    return browser


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_a_link_of_a_page_saves_its_list(api: ApiUnderTest, database: Database, clock: FixedClock) -> None:
    browser, campus = await browser_of(api, Role.REGISTRAR), Campus(database, clock)
    await campus.course("CS1", title="=Law")
    await campus.course("CS2", title="Other")

    page = await browser.get("/ui/courses", params={"q": "law"})
    links = [unescape(link) for link in re.findall(r'href="(/ui/csv/[^"]+)"', page.text)]
    plain, excel = [await browser.get(link) for link in links]

    assert [row["title"] for row in rows_of(plain)] == ["=Law"]
    assert [row["title"] for row in rows_of(excel)] == ["'=Law"]
    assert plain.headers["Content-Disposition"] == 'attachment; filename="courses.csv"'


async def test_the_api_decides_who_may_have_a_list(api: ApiUnderTest) -> None:
    browser = await browser_of(api, Role.LEARNER)

    answer = await browser.get("/ui/csv/students")

    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["users/me", "nothing", "openapi.json", "../ui/courses"])
async def test_what_is_no_list_is_refused(api: ApiUnderTest, path: str) -> None:
    browser = await browser_of(api, Role.ADMIN)

    answer = await browser.get(f"/ui/csv/{path}")

    assert answer.status_code in (404, 406)


async def test_somebody_who_has_not_signed_in_is_sent_to_where_that_is_done(api: ApiUnderTest) -> None:
    answer = await (await visitor(api)).get("/ui/csv/courses")

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/ui/sign-in?next=")


async def test_lists_of_datasets_are_saved_where_datasets_are(
    database: Database, clock: FixedClock, emulator: EmulatedAws
) -> None:
    whole = WholeApi(database, clock, emulator)
    await whole.start()
    dataset_id = await whole.dataset()
    browser = await whole.api.client(asgi=whole.gateway)
    keep(browser, f"a-refresh-token.{await whole.api.token(whole.user_id, Role.ADMIN)}")

    datasets = rows_of(await browser.get("/ui/datasets/csv"))
    history = rows_of(await browser.get(f"/ui/datasets/csv/{dataset_id}/refs/main/history"))

    assert [row["id"] for row in datasets] == [dataset_id]
    assert [row["is_head"] for row in history][:1] == ["true"]
    await whole.close()
