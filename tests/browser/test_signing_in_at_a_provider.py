"""Signing in at a provider, on a phone: added by an administrator, used, linked, unlinked, and down."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import PHONE, Desk
from tests.builders.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider


@pytest.fixture
def provider(desk: Desk) -> Iterator[OidcProvider]:
    """A provider at an address of its own, which knows Ada."""
    provider = OidcProvider(desk.site.clock)
    provider.people["ada-1"] = {"email": "ada@campus.example", "email_verified": True, "name": "Ada Lovelace"}
    with provider.served():
        yield provider


def add(desk: Desk, provider: OidcProvider, *, domains: str = "") -> Page:
    """The page of a provider that an administrator has added."""
    page = on_a_phone(desk.open("/ui/admin/sign-in-providers", role=Role.ADMIN))
    form = page.locator("details", has=page.get_by_text("New provider"))
    if form.get_attribute("open") is None:
        page.get_by_text("New provider").click()
    page.get_by_label("Name").fill("Campus")
    page.get_by_label("Issuer").fill(provider.issuer)
    page.get_by_label("Client id").fill(CLIENT_ID)
    page.get_by_label("Client secret").fill(CLIENT_SECRET)
    page.get_by_label("E-mail domains").fill(domains)
    page.get_by_label("People without an account").check()
    page.get_by_label("People can sign in with it").check()
    page.get_by_role("button", name="Add provider").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Campus"))
    return page


def remove(page: Page) -> None:
    """Leave the console as it was."""
    page.get_by_text("Remove", exact=True).click()
    page.get_by_role("button", name="Remove Campus").click()
    expect(page.get_by_role("status")).to_contain_text("Nobody signs in there")


def on_a_phone(page: Page) -> Page:
    page.set_viewport_size({**PHONE})
    return page


def fits(desk: Desk, page: Page) -> None:
    """No barrier, and nothing cut off."""
    assert desk.barriers(page) == []
    assert desk.too_wide(page) == 0


def test_somebody_signs_in_at_a_provider_and_is_led_to_what_they_wanted(desk: Desk, provider: OidcProvider) -> None:
    settings = add(desk, provider, domains="campus.example")
    fits(desk, settings)
    settings.get_by_role("button", name="Check the provider").click()
    expect(settings.get_by_role("status")).to_contain_text("It answers.")
    page = on_a_phone(desk.open("/ui/schedule"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    fits(desk, page)

    page.get_by_role("link", name="Sign in with Campus").click()
    page.get_by_role("button", name="Sign in as ada-1").click()

    page.wait_for_url("**/ui/schedule")
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies(desk.site.url)}
    assert cookies["dataforge"]["httpOnly"]
    assert cookies["dataforge"]["sameSite"] == "Lax"
    assert "dataforge_journey" not in cookies
    page.goto("/ui/account/sign-in-methods")
    expect(page.get_by_role("main")).to_contain_text("ada@campus.example")
    fits(desk, page)
    page.get_by_role("button", name="Unlink Campus").click()
    expect(page.get_by_role("status")).to_contain_text("This is your only way to sign in")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in with Campus").click()
    page.get_by_role("button", name="Sign in as ada-1").click()
    page.wait_for_url("**/ui")
    remove(settings)


def test_somebody_with_an_account_links_the_provider_and_unlinks_it(desk: Desk, provider: OidcProvider) -> None:
    settings = add(desk, provider)
    page = on_a_phone(desk.open("/ui/account/sign-in-methods", role=Role.INSTRUCTOR))
    fits(desk, page)

    page.get_by_role("link", name="Link Campus").click()
    page.get_by_role("button", name="Sign in as ada-1").click()
    expect(page.get_by_role("main")).to_contain_text("ada@campus.example, signed in at Campus")
    fits(desk, page)
    page.get_by_role("button", name="Link them").click()
    expect(page.get_by_role("status")).to_contain_text("You can sign in this way from now on.")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in with Campus").click()
    page.get_by_role("button", name="Sign in as ada-1").click()
    page.wait_for_url("**/ui")
    expect(page.get_by_role("banner")).to_contain_text(desk.site.people[Role.INSTRUCTOR])

    page.goto("/ui/account/sign-in-methods")
    page.get_by_role("button", name="Unlink Campus").click()
    expect(page.get_by_role("status")).to_contain_text("It no longer signs in to your account.")
    remove(settings)


def test_a_provider_that_is_down_or_lies_leaves_the_password(desk: Desk, provider: OidcProvider) -> None:
    settings = add(desk, provider)
    provider.claims = {"nonce": "another"}
    page = on_a_phone(desk.open("/ui/sign-in"))
    page.get_by_role("link", name="Sign in with Campus").click()
    page.get_by_role("button", name="Sign in as ada-1").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be trusted")
    desk.expect_complaint("401")
    provider.token_answer, provider.delays = None, {"/token": 30.0}

    page.get_by_role("link", name="Sign in with Campus").click()
    page.get_by_role("button", name="Sign in as ada-1").click()

    expect(page.get_by_role("alert")).to_contain_text("No answer within 5 seconds", timeout=12_000)
    fits(desk, page)
    desk.expect_complaint("503")
    page.get_by_label("Username").fill("lena")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/ui")
    remove(settings)
