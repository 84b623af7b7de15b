"""Every page in German: it says nothing in English that the catalogue knows, and fits a phone with longer words."""

from functools import cache

import pytest

from dataforge.platform.texts.translation import catalog_of
from tests.browser.conftest import PHONE, Desk
from tests.browser.test_every_page import PAGES, REFUSED


@cache
def english() -> frozenset[str]:
    """Messages of several words without values or tags, which German says otherwise."""
    messages = [(item.id, item.string) for item in catalog_of("de") if isinstance(item.id, str)]
    plain = [(said, german) for said, german in messages if " " in said and not {"{", "<"} & set(said)]
    return frozenset(said for said, german in plain if german != said)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_in_german(desk: Desk, name: str) -> None:
    role, path = PAGES[name]
    page = desk.open(role=role)
    page.set_extra_http_headers({"Accept-Language": "de"})

    page.goto(path(desk.site.places))
    page.set_viewport_size({**PHONE})
    cut = desk.too_wide(page)
    # Pictures of reports are in English, in every page.
    page.evaluate("document.querySelectorAll('svg, figure').forEach((picture) => picture.remove())")
    lines = {line.strip() for line in page.locator("body").inner_text().splitlines()}

    assert (cut, sorted(lines & english())) == (0, [])
    if name in REFUSED:
        desk.expect_complaint(REFUSED[name])
