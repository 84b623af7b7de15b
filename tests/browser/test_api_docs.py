"""The page of the API's document in Chromium, under its content security policy."""

import json

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Desk
from tests.builders.site import Site


def test_the_operations_are_found_opened_and_tried(desk: Desk, site: Site) -> None:
    page = desk.open("/docs#/errors/get_error")

    operation = page.locator("#operations-errors-get_error")
    operation.get_by_role("button", name="Try it out").click(timeout=120_000)
    operation.get_by_placeholder("code").fill("not_found")
    with page.expect_response(lambda answer: answer.url.endswith("/errors/not_found")) as answered:
        operation.get_by_role("button", name="Execute").click()

    assert answered.value.status == 200
    expect(operation.locator(".live-responses-table")).to_contain_text("There is no such thing", timeout=30_000)
    assert page.evaluate("window.violations") == []
    desk.expect_complaint("deep link")  # Swagger UI has its doubts about `_` in what leads to an operation


def test_the_page_fits_a_phone_and_is_dark_in_the_dark(desk: Desk) -> None:
    page = desk.open("/docs#/catalog/change_course")
    page.set_viewport_size({**PHONE})
    page.emulate_media(color_scheme="dark")
    expect(page.locator("#operations-catalog-change_course")).to_contain_text("If-Match", timeout=120_000)

    expect(page.locator("html")).to_have_class("dark-mode")
    assert desk.too_wide(page) == 0
    desk.expect_complaint("deep link")


def test_the_document_comes_with_its_address_and_once(desk: Desk, site: Site) -> None:
    request = desk.chromium.new_context(base_url=site.url).request

    first = request.get("/openapi.json")
    again = request.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    plain = request.get("/openapi.json", headers={"Accept-Encoding": "identity"})

    document = json.loads(first.body())
    assert document["openapi"].startswith("3.1")
    assert document["servers"][0]["url"] in (site.url, "/")
    assert first.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert json.loads(plain.body()) == document
    assert (again.status, again.body()) == (304, b"")
