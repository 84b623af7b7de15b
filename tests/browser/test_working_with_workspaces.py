"""What people do in workspaces with a browser: with the keyboard, on a phone, two at once."""

import re

from playwright.sync_api import expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import PHONE, Desk


def test_the_main_menu_is_whole_on_a_phone(desk: Desk) -> None:
    page = desk.open("/ui", role=Role.ADMIN)
    page.set_viewport_size({**PHONE})
    menu, button = page.get_by_role("navigation", name="Main"), page.get_by_role("button", name="Menu")
    expect(menu).to_be_hidden()

    button.focus()
    page.keyboard.press("Enter")
    expect(menu).to_be_visible()
    texts = menu.get_by_role("link").all_text_contents()
    cut = menu.evaluate(
        "menu => [...menu.querySelectorAll('a')].filter(a => a.getBoundingClientRect().right > 390).length"
    )
    barriers = desk.barriers(page)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    button.click()
    menu.get_by_role("link", name="Status").click()

    page.wait_for_url("**/ui/status")
    assert {"Workspaces", "Datasets", "People", "Status"} <= set(texts)
    assert (cut, barriers) == (0, [])


def test_somebody_is_invited_and_accepts_without_scripts(desk: Desk) -> None:
    owner = desk.open(f"{desk.site.places.workspace}/invitations", role=Role.INSTRUCTOR, scripts=False)
    desk.site.run(desk.site.learner("ivy"))

    owner.get_by_label("E-mail address").fill("ivy@example.org")
    owner.get_by_label("Role").select_option("editor")
    owner.get_by_role("button", name="Send the invitation").click()
    expect(owner.get_by_role("status")).to_contain_text("The invitation is on its way to ivy@example.org.")
    expect(owner.get_by_role("row", name=re.compile("ivy@example.org"))).to_contain_text("open")
    guest = desk.open(desk.site.run(desk.site.mailed_invitation("ivy@example.org")), name="ivy", scripts=False)
    guest.get_by_role("button", name="Accept the invitation").click()

    expect(guest.get_by_role("status")).to_contain_text("You are a member of the workspace Acme onboarding.")
    expect(guest.get_by_role("main")).to_contain_text("you are an editor")
    guest.get_by_role("link", name="Members").first.click()
    guest.get_by_text("Leave", exact=True).click()
    guest.get_by_role("button", name="Leave Acme onboarding").click()
    expect(guest.get_by_role("status")).to_contain_text("You have left Acme onboarding.")


def test_a_role_is_changed_and_a_mistake_is_said_beside_its_field(desk: Desk) -> None:
    page = desk.open(f"{desk.site.places.workspace}/members", role=Role.INSTRUCTOR)

    row = page.get_by_role("row", name=re.compile("registrar_olga"))
    row.get_by_role("combobox").select_option("viewer")
    row.get_by_role("button", name="Change").click()
    expect(page.get_by_role("status")).to_contain_text("is a viewer from now on.")
    row.get_by_role("combobox").select_option("editor")
    row.get_by_role("button", name="Change").click()
    expect(page.get_by_role("status")).to_contain_text("is an editor from now on.")
    page.get_by_role("link", name="Repos").click()
    page.get_by_text("Add a repo", exact=True).click()
    page.get_by_label("Name").fill("other")
    page.get_by_label("Address of the remote").fill("file:///etc/passwd")
    page.get_by_role("button", name="Add the repo").click()

    remote = page.get_by_label("Address of the remote")
    expect(remote).to_have_value("file:///etc/passwd")
    expect(remote).to_have_accessible_description("Must be an http, https, git or ssh address, or user@host:path.")
    desk.expect_complaint("400")
