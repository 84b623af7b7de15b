"""One's own account on a phone: a token made, used, seen to be used and revoked; the address of one's calendar."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import PHONE, Desk


def at_phone_width(page: Page) -> Page:
    page.set_viewport_size({**PHONE})
    return page


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_token_is_made_used_and_revoked_on_a_phone(desk: Desk, scripts: bool) -> None:
    name = desk.site.run(desk.site.learner(f"tom{int(scripts)}")) and f"tom{int(scripts)}"
    page = at_phone_width(desk.open("/ui", name=name, scripts=scripts))

    page.get_by_role("link", name=name).click()
    page.get_by_role("navigation", name="My account").get_by_role("link", name="Access tokens").click()
    page.get_by_label("Name").fill("Power Query")
    page.get_by_label("Good for").select_option(label="30 days")
    page.get_by_label("Accounts").select_option(label="Read")
    page.get_by_role("button", name="Create token").click()
    secret = page.locator("#secret").inner_text()
    assert not scripts or (desk.too_wide(page), desk.barriers(page)) == (0, [])
    answer = httpx.get(f"{desk.site.url}/api/users/me", auth=("any", secret))
    page.get_by_role("link", name="I have kept it").click()

    row = page.get_by_role("row", name="Power Query")
    assert answer.json()["username"] == name
    expect(row).to_contain_text("accounts:read")
    expect(row).not_to_contain_text("never")
    assert secret not in page.content()
    assert not scripts or (desk.too_wide(page), desk.barriers(page)) == (0, [])
    page.get_by_role("button", name="Revoke Power Query").click()
    expect(page.get_by_role("status")).to_contain_text("The token is revoked.")
    assert httpx.get(f"{desk.site.url}/api/users/me", auth=("any", secret)).status_code == 401


def test_a_calendar_is_given_an_address_and_loses_it(desk: Desk) -> None:
    page = at_phone_width(desk.open("/ui/account/calendar", role=Role.LEARNER))

    page.get_by_label("Where it is for").fill("My phone")
    page.get_by_role("button", name="Make an address").click()
    address = page.locator("#secret").inner_text()
    assert (desk.too_wide(page), desk.barriers(page)) == (0, [])
    fetched = httpx.get(address)
    page.get_by_role("link", name="I have kept it").click()
    page.get_by_role("button", name="Revoke My phone").click()

    expect(page.get_by_role("status")).to_contain_text("The address is revoked.")
    assert fetched.text.startswith("BEGIN:VCALENDAR")
    assert httpx.get(address).status_code == 401


def test_a_sign_in_elsewhere_is_seen_and_ended(desk: Desk) -> None:
    desk.site.run(desk.site.learner("una"))
    desk.open("/ui", name="una")
    page = at_phone_width(desk.open("/ui/account/sessions", name="una"))
    expect(page.get_by_text("this one")).to_be_visible()

    page.get_by_role("button", name="End", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("The sign-in is ended.")
    expect(page.get_by_role("region", name="Sign-ins").get_by_role("row")).to_have_count(2)  # the heads, and this one


def test_a_wrong_present_password_is_said_beside_the_form(desk: Desk) -> None:
    page = at_phone_width(desk.open("/ui/account/password", role=Role.LEARNER))

    page.get_by_label("Present password").fill("something else")
    page.get_by_label("New password").fill("nine purple ferns")
    page.get_by_role("button", name="Change password").click()

    expect(page.get_by_role("alert")).to_have_text("The present password is wrong.")
    assert desk.barriers(page) == []
    desk.expect_complaint("400")
