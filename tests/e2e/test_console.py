"""The console through the gateway of a deployed stack: cookies, redirects and files where the stage puts them."""

import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from infra.local.demo_catalog import ensure_catalog
from infra.local.stack import LocalStack
from tests.builders.schemas import column, table

pytestmark = pytest.mark.build


@pytest.fixture
def browser(stack: LocalStack) -> Iterator[httpx.Client]:
    headers = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(timeout=60, headers=headers, follow_redirects=True) as client:
        yield client


def form(page: httpx.Response, **fields: str) -> dict[str, str]:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return {**fields, "csrf": found[1]}


def test_the_demo_fills_the_catalog_once(admin: httpx.Client) -> None:
    for _ in range(2):
        ensure_catalog(admin)

    [section] = admin.get("/api/sections", params={"q": "evacuation"}).json()["items"]
    names = [row["name"] for row in admin.get("/api/datasets", params={"search": "demo grades"}).json()["items"]]
    assert (section["enrolled_count"], section["waitlisted_count"], names) == (4, 2, ["Demo grades"])


def test_an_administrator_signs_in_looks_round_and_signs_out(stack: LocalStack, browser: httpx.Client) -> None:
    console = stack.facts["api_url"] + "/ui"
    stage = urlsplit(console).path

    page = browser.get(f"{console}/status")
    files = re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="([^"]*)"', page.text)
    answers = [browser.get(urljoin(console, file)) for file in files]
    wanted = browser.get(f"{console}/datasets")
    signed_in = browser.post(
        f"{console}/sign-in", data=form(wanted, next=f"{stage}/datasets", **stack.facts["credentials"]["admin"])
    )
    status = browser.get(f"{console}/status")
    left = browser.post(f"{console}/sign-out", data=form(status))

    assert files
    assert [answer.status_code for answer in answers] == [200] * len(files)
    assert wanted.url.path == f"{stage}/sign-in"
    assert (signed_in.status_code, signed_in.url.path) == (200, f"{stage}/datasets")
    assert "<h1>Datasets</h1>" in signed_in.text
    assert "Migration" in status.text
    assert left.url.path == f"{stage}/sign-in"
    assert "You have signed out." in left.text
    assert "dataforge" not in browser.cookies


def test_a_schema_is_written_planned_and_deployed_on_its_pages(
    stack: LocalStack, admin: httpx.Client, browser: httpx.Client, eventually: Callable[..., None]
) -> None:
    console = stack.facts["api_url"] + "/ui"
    me = admin.get("/api/users/me").json()["id"]
    workspace = admin.post(f"/api/user-profiles/{me}/workspaces", json={"name": "Written on pages"}).json()["id"]
    place = f"{console}/schemas/{workspace}"
    wanted = browser.get(f"{place}/editor")
    credentials = stack.facts["credentials"]["admin"]
    editor = browser.post(f"{console}/sign-in", data=form(wanted, next=wanted.url.params["next"], **credentials))
    target = json.dumps({"tables": [table("people", column("name", "VARCHAR(255)"), column("born", "DATE"))]})

    wrong = browser.post(f"{place}/editor", data=form(editor, target=target.replace("DATE", "DAET")))
    plan = browser.post(f"{place}/editor/preview", data=form(editor, target=target))
    plan_hash = re.search(r'name="plan_hash" value="([0-9a-f]{64})"', plan.text)
    assert plan_hash, plan.text
    run = browser.post(f"{plan.url}/deploy", data=form(plan, plan_hash=plan_hash[1]))
    eventually(lambda: "The schema is as planned." in browser.get(run.url).text, "the schema is deployed")
    schema = browser.get(place)
    again = browser.post(f"{place}/editor/preview", data=form(schema, target=target))

    assert "did you mean &#34;date&#34;" in wrong.text
    assert "<svg" in schema.text
    assert "Nothing would change" in again.text
