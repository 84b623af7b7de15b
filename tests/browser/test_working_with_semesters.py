"""What registrars, instructors and learners do with dates: holidays, single meetings, copies, rosters and feeds."""

import re
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import Desk


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_registrar_keeps_the_holidays_of_a_semester(desk: Desk, scripts: bool) -> None:
    page = desk.open(desk.site.places.semester, role=Role.REGISTRAR, scripts=scripts)
    name = f"Founders' Day {scripts}"

    page.get_by_label("Name of the holiday").fill(name)
    page.get_by_label("First day", exact=True).fill("2026-11-02" if scripts else "2026-11-03")
    page.get_by_role("button", name="Add the holiday").click()
    expect(page.get_by_role("row", name=name)).to_be_visible()
    page.get_by_role("button", name=f"Remove {name}").click()

    expect(page.get_by_role("status")).to_contain_text("The holidays are kept")
    expect(page.get_by_role("row", name=name)).to_have_count(0)


def test_a_holiday_that_cannot_be_is_refused_on_the_page(desk: Desk) -> None:
    page = desk.open(desk.site.places.semester, role=Role.REGISTRAR)

    page.get_by_label("Name of the holiday").fill("Summer")
    page.get_by_label("First day", exact=True).fill("2030-07-01")
    page.get_by_role("button", name="Add the holiday").click()

    expect(page.get_by_role("alert")).to_contain_text("no day of it is in this holiday")
    expect(page.get_by_label("Name of the holiday")).to_have_value("Summer")
    desk.complaints.clear()  # of the browser, about the refusal


def test_a_meeting_is_cancelled_and_restored(desk: Desk) -> None:
    page = desk.open(f"{desk.site.places.section}/dates", role=Role.REGISTRAR)
    row = page.get_by_role("row", name=re.compile("28 September 2026"))

    row.get_by_text("Change", exact=True).click()
    row.get_by_label("Note").fill("The heating is broken.")
    row.get_by_role("button", name="Cancel the meeting").click()
    expect(row).to_contain_text("cancelled")
    expect(row).to_contain_text("The heating is broken.")
    row.get_by_role("button", name="Restore").click()

    expect(row).to_contain_text("takes place")


def test_a_semester_is_copied_after_it_was_seen(desk: Desk) -> None:
    page = desk.open(desk.site.places.semester, role=Role.REGISTRAR)

    page.get_by_label("Code of the copy").fill("2027-S")
    page.get_by_label("First day, unless it is there already").fill("2027-03-01")
    page.get_by_role("button", name="Preview the copy").click()
    expect(page.get_by_role("row", name=re.compile("Monday 09:00")).first).to_contain_text("new")
    page.get_by_role("button", name="Make the copy").click()

    expect(page.get_by_role("heading", name="Semester 2027-S")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("1 March 2027")


def test_a_registrar_sees_what_a_roster_changes(desk: Desk) -> None:
    page = desk.open("/ui/rosters", role=Role.REGISTRAR)

    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_role("combobox", name="Rows").select_option("change")
    page.get_by_role("button", name="Show").click()

    row = page.get_by_role("row", name=re.compile("G-1906"))
    expect(row).to_contain_text("Hopper")
    expect(row).to_contain_text("Murray-Hopper")
    expect(page.get_by_role("button", name="Apply the plan")).to_be_visible()


def test_a_learner_gets_the_address_of_a_feed_once_and_revokes_it(desk: Desk) -> None:
    page = desk.open("/ui/schedule", role=Role.LEARNER)

    page.get_by_role("link", name="Calendar feeds").click()
    page.get_by_label("Where it is for").fill("My watch")
    page.get_by_role("button", name="Make a feed").click()
    expect(page.get_by_role("button", name="Copy address")).to_be_visible()
    address = str(page.locator("#secret").text_content())
    page.get_by_role("link", name="I have kept it").click()
    expect(page.get_by_role("row", name=re.compile("My watch"))).to_contain_text("never")
    with urlopen(address) as calendar:
        assert calendar.read().startswith(b"BEGIN:VCALENDAR")
    page.reload()
    expect(page.get_by_role("row", name=re.compile("My watch"))).not_to_contain_text("never")
    page.get_by_role("button", name="Revoke My watch").click()

    expect(page.get_by_role("status")).to_contain_text("The feed is revoked")
