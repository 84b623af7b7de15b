"""A second factor, on a phone: set up by its QR code, asked for at sign-in, lost and taken away."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import segno
from playwright.sync_api import Page, expect

from dataforge.contexts.identity.second_factor.domain import STEP_SECONDS
from dataforge.kernel.principal import Role
from tests.browser.conftest import PHONE, Desk
from tests.builders.browser import PASSWORD, add_person
from tests.builders.second_factor import Phone

PAGE = "/ui/account/second-factor"


def check(desk: Desk, page: Page) -> None:
    assert desk.barriers(page) == []
    assert desk.too_wide(page) == 0


def person(desk: Desk) -> str:
    """Somebody of this test alone."""
    name = f"factor_{uuid4().hex[:8]}"
    desk.site.run(add_person(desk.site.whole.api, Role.LEARNER, name))
    return name


def dark_squares(page: Page) -> set[tuple[int, int]]:
    """Where the QR code on the page is dark, by the lines that it is drawn with, without its margin."""
    drawn = page.locator(".scan svg path").last.get_attribute("d") or ""
    dark, x, y = set(), 0.0, 0.0
    for command, values in re.findall(r"([MmhH])([-\d. ]+)", drawn):
        numbers = [float(value) for value in re.findall(r"-?[\d.]+", values)]
        if command == "M":
            x, y = numbers
        elif command == "m":
            x, y = x + numbers[0], y + numbers[1]
        else:
            dark |= {(int(y), column) for column in range(int(x), int(x + numbers[0]))}
            x += numbers[0]
    top, left = min(row for row, _ in dark), min(column for _, column in dark)
    return {(row - top, column - left) for row, column in dark}


def set_up(desk: Desk, page: Page) -> tuple[Phone, list[str]]:
    """Set the factor up by what the page shows; returns the app and the recovery codes."""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up the second factor")
    page.wait_for_load_state()  # all of the picture
    secret = page.locator("#secret").inner_text().replace(" ", "")
    uri = page.get_by_role("link", name="Open the app on this device").get_attribute("href") or ""
    assert parse_qs(urlsplit(uri).query)["secret"] == [secret]
    # The squares are those of a QR code of the URI, each of them: what a camera reads is the same text.
    expected = segno.make(uri, error="m", micro=False).matrix
    assert dark_squares(page) == {
        (row, column) for row, line in enumerate(expected) for column, square in enumerate(line) if square
    }
    check(desk, page)
    phone = Phone(secret, desk.site.clock)
    page.get_by_label("Code", exact=True).fill(phone.wrong())
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
    assert page.locator("#secret").inner_text().replace(" ", "") == secret
    desk.expect_complaint("401")
    page.get_by_label("Code", exact=True).fill(phone.code())
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    check(desk, page)
    listed = page.locator("#codes code")
    expect(listed).to_have_count(10)
    codes = listed.all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    desk.site.clock.advance(timedelta(seconds=STEP_SECONDS))
    return phone, codes


def give_password(page: Page, name: str) -> None:
    page.goto("/ui/sign-in")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter the code")


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("You have signed out")


@pytest.mark.parametrize("scripts", [True, False])
def test_who_has_set_it_up_signs_in_with_codes(desk: Desk, *, scripts: bool) -> None:
    if not scripts:
        plain = desk.open(PAGE, name=person(desk), scripts=False)
        plain.get_by_label("Password").fill(PASSWORD)
        plain.get_by_role("button", name="Set it up").click()
        expect(plain.locator(".scan svg")).to_be_visible()
        return
    name = person(desk)
    page = desk.open(PAGE, name=name)
    page.set_viewport_size({**PHONE})
    check(desk, page)
    phone, codes = set_up(desk, page)
    expect(page.get_by_text("A recovery code works once in its place")).to_be_visible()
    check(desk, page)

    sign_out(page)
    give_password(page, name)
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    check(desk, page)
    page.get_by_label("Code", exact=True).fill(phone.wrong())
    page.get_by_role("button", name="Go on", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
    desk.expect_complaint("401")
    page.get_by_label("Code", exact=True).fill(phone.code())
    page.get_by_role("button", name="Go on", exact=True).click()
    page.wait_for_url("**/ui")

    sign_out(page)
    give_password(page, name)
    page.get_by_text("Use a recovery code").click()
    check(desk, page)
    page.get_by_label("Recovery code").fill(codes[0])
    page.get_by_role("button", name="Go on with it").click()
    page.wait_for_url("**/ui")
    page.goto(PAGE)
    expect(page.locator("dl")).to_contain_text("9")

    page.get_by_label("Password").nth(1).fill(PASSWORD)
    page.get_by_label("Code or recovery code").fill(codes[1])
    page.get_by_role("button", name="Take the second factor away").click()
    expect(page.get_by_role("status")).to_have_text("Your sign-in needs your password only.")
    check(desk, page)
