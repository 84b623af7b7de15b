"""One's own data on a phone: exported, seen in a plan, and erased with the password."""

import re

from playwright.sync_api import expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import PHONE, Desk
from tests.builders.browser import PASSWORD


def test_a_person_exports_and_erases_themselves_on_a_phone(desk: Desk) -> None:
    desk.site.run(desk.site.learner("gone"))
    page = desk.open("/ui/account/password", name="gone")
    page.set_viewport_size({**PHONE})

    page.get_by_role("navigation", name="My account").get_by_role("link", name="My data").click()
    page.get_by_role("button", name="Export my data").click()
    expect(page.get_by_role("status")).to_contain_text("The file is being made.")
    expect(page.get_by_role("region", name="Exports")).to_contain_text("pending")
    assert desk.barriers(page) == []
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_role("row", name=re.compile("^Account identity"))).to_contain_text("anonymised")
    expect(page.get_by_text("Rows of datasets, in every version")).to_be_visible()
    assert desk.barriers(page) == []
    page.get_by_label("Your password").fill("not the one")
    page.get_by_role("button", name="Erase my account").click()
    expect(page.get_by_role("alert")).to_contain_text("The password is wrong.")
    desk.complaints.clear()  # of the browser, about the refusal
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Erase my account").click()

    expect(page.get_by_role("status")).to_contain_text("Your account is being erased.")
    page.goto(f"{desk.site.url}/ui/account/data")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_an_administrator_erases_a_person_as_planned(desk: Desk) -> None:
    user_id = desk.site.run(desk.site.learner("leaver"))
    page = desk.open(f"/ui/admin/person-data/{user_id}", role=Role.ADMIN)

    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_role("button", name="Erase this person")).to_be_visible()
    assert desk.barriers(page) == []
    page.get_by_role("button", name="Erase this person").click()

    expect(page.get_by_role("status")).to_contain_text("The person is being erased")
    page.goto(f"{desk.site.url}/ui/admin/person-data/{user_id}")
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_role("main")).to_contain_text("This person is erased")
    desk.complaints.clear()  # of the browser, about the 409
