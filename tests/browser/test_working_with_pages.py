"""What people do with the pages: with the keyboard, with scripts and without, when something is refused or runs out."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import Desk
from tests.builders.browser import PASSWORD


def focused(page: Page) -> str:
    return str(page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"))


def tab_to(page: Page, text: str) -> None:
    """Press Tab until what has this text has the focus."""
    page.wait_for_load_state()  # what has not arrived cannot be tabbed to
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        if seen[-1].startswith(text):
            return
    raise AssertionError(seen)


def test_signing_in_and_enrolling_need_nothing_but_a_keyboard(desk: Desk) -> None:
    desk.site.run(desk.site.learner("kay"))
    section = desk.site.run(desk.site.section(capacity=5))
    page = desk.open(section)

    tab_to(page, "Username or e-mail address")
    page.keyboard.type("kay")
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{section}")
    tab_to(page, "Enroll")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("You are enrolled in")
    tab_to(page, "Drop")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You have left")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_catalog_is_searched(desk: Desk, scripts: bool) -> None:
    page = desk.open("/ui/courses", role=Role.LEARNER, scripts=scripts)
    if scripts:
        page.evaluate("window.here = true")

    page.get_by_label("Search", exact=True).press_sequentially("evac lead")
    if not scripts:
        page.get_by_role("button", name="Search").click()

    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("main").get_by_role("heading", level=2)).to_have_text("Evacuation lead")
    expect(page).to_have_url(re.compile(r"q=evac(\+|%20)lead"))
    if scripts:
        assert page.evaluate("window.here")


def test_a_full_section_is_waited_for_and_left_without_scripts(desk: Desk) -> None:
    page = desk.open(desk.site.places.full_section, role=Role.LEARNER, scripts=False)

    page.get_by_role("button", name="Join the waitlist").click()
    expect(page.get_by_role("status")).to_contain_text("You are number 6 on the waitlist.")
    page.get_by_role("button", name="Leave the waitlist").click()

    expect(page.get_by_role("status")).to_contain_text("You have left SAFE-201 A.")
    page.reload()
    expect(page.get_by_role("status")).to_have_text("")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_table_is_filtered_ordered_and_paged(desk: Desk, scripts: bool) -> None:
    page = desk.open(desk.site.places.table, role=Role.ADMIN, scripts=scripts)
    rows, show = page.locator("#rows tbody tr"), page.get_by_role("button", name="Show")
    expect(rows).to_have_count(50)
    expect(page.locator("#rows")).to_contain_text("Rows 1–50 of 240")

    page.get_by_label("Order").select_option("-key")
    page.get_by_label("Rows per page").select_option("25")
    page.get_by_text("Filters").click()
    first = page.get_by_role("group", name="Filter 1")
    first.get_by_role("combobox").first.select_option("mark")
    first.get_by_label("Condition").select_option("gte")
    first.get_by_label("Value").fill("50")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("student", exact=True).check()
    show.click()

    expect(page.locator("#rows thead th")).to_have_count(1)
    expect(rows.first).to_have_text("N0239")
    expect(rows).to_have_count(25)
    page.get_by_role("link", name="Next page").click()
    expect(page.locator("#rows")).to_contain_text("Rows 26–50")
    page.get_by_role("link", name="First page").click()
    expect(page.locator("#rows")).to_contain_text("Rows 1–25")
    expect(rows.first).to_have_text("N0239")


def test_a_filter_that_does_not_fit_is_told_beside_the_table(desk: Desk) -> None:
    page = desk.open(f"{desk.site.places.table}?column=mark&op=gte&value=many", role=Role.ADMIN)

    expect(page.get_by_role("alert")).to_contain_text("'many' is not a number")
    expect(page.get_by_label("Value").first).to_have_value("many")
    desk.expect_complaint("422")


def test_an_old_version_is_shown_as_it_was(desk: Desk) -> None:
    page = desk.open(desk.site.places.dataset, role=Role.ADMIN)

    page.get_by_role("link", name="Import grades.csv").click()
    page.get_by_role("link", name="data", exact=True).click()

    expect(page.locator("#rows tbody tr").nth(1)).to_contain_text("41")
    expect(page.locator("#rows tbody tr").nth(1)).to_contain_text("Group 1")


def test_what_a_request_of_htmx_is_refused_is_told_in_the_page(desk: Desk) -> None:
    page = desk.open("/ui/courses", role=Role.LEARNER)

    page.get_by_label("Search", exact=True).fill("x" * 300)
    page.get_by_role("button", name="Search").click()

    expect(page.locator("#notice")).to_contain_text("The request breaks one or more rules")
    expect(page.get_by_role("heading", name="Catalog")).to_be_visible()
    desk.expect_complaint("400")


def test_an_old_token_is_renewed_unnoticed_and_an_ended_sign_in_leads_back(desk: Desk) -> None:
    section = desk.site.run(desk.site.section(capacity=5))
    page = desk.open(section, role=Role.LEARNER)
    other = page.context.new_page()
    other.goto("/ui/courses")

    desk.site.clock.advance(timedelta(minutes=20))
    page.get_by_role("button", name="Enroll").click()
    expect(page.get_by_role("status")).to_contain_text("You are enrolled in")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("You have signed out.")
    other.get_by_label("Search", exact=True).press_sequentially("fire")
    other.wait_for_url(re.compile(r"/ui/sign-in\?next=%2Fui%2Fcourses"))


def test_the_accessibility_checks_find_a_barrier(desk: Desk) -> None:
    page = desk.open("/ui/sign-in")
    page.evaluate("document.querySelector('input[name=username]').closest('label').querySelector('span').remove()")

    assert any(barrier.startswith("label") for barrier in desk.barriers(page))


def test_the_policy_is_heard_of_when_it_is_broken(desk: Desk) -> None:
    page = desk.open("/ui/sign-in")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")

    page.wait_for_function("window.violations.length > 0")
    desk.expect_complaint("content security policy")
    desk.complaints.clear()


def test_a_learner_starts_a_lesson_and_is_shown_the_way_into_it(desk: Desk) -> None:
    page = desk.open("/ui/lessons", role=Role.LEARNER)

    page.get_by_role("button", name="Start First aid in the workshop").click()

    way = page.get_by_role("link", name="Open the lesson")
    address = urlsplit(way.get_attribute("href") or "")
    assert (address.netloc, address.path) == ("content.example.org", "/1")
    assert parse_qs(address.query).keys() == {"endpoint", "fetch", "actor", "registration", "activityId"}
    assert desk.barriers(page) == []
