"""What people do in workspaces with a browser: with the keyboard, on a phone, two at once."""

import re
import zipfile
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Dialog, expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import PHONE, Desk
from tests.builders.time import NOW


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
    menu.get_by_role("link", name="Operations").click()

    page.wait_for_url("**/ui/operations")
    assert {"Workspaces", "Datasets", "People", "Operations"} <= set(texts)
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


def new_note(desk: Desk, path: str, text: str = "", *, vault: str = "") -> str:
    """The address of the page of a new note, in the handbook or in a vault of its own."""

    async def make() -> str:
        client = await desk.site.whole.api.as_user(desk.site.ids[Role.INSTRUCTOR], Role.INSTRUCTOR)
        home = desk.site.places.workspace.replace("/ui", "/api")
        place = desk.site.places.vault.replace("/ui", "/api")
        if vault:
            made = await client.post(f"{home}/vaults", json={"name": vault})
            place = f"{home}/vaults/{made.json()['id']}"
        note = await client.post(f"{place}/notes", json={"path": path, "body_md": text})
        return f"{place}/notes/{note.json()['id']}".replace("/api", "/ui")

    return str(desk.site.run(make()))


def test_a_text_saves_itself_while_it_is_written(desk: Desk) -> None:
    note = new_note(desk, "drafts/minutes")
    page = desk.open(f"{note}/edit", role=Role.REGISTRAR)
    text, state = page.get_by_label("Text in Markdown"), page.locator("[data-saved]")
    expect(page.get_by_role("button", name="Compare both texts")).to_be_hidden()
    expect(page.locator("#preview")).to_contain_text("Press Preview")
    expect(text).to_have_css("font-size", "16px")
    expect(text).to_have_css("font-family", re.compile("monospace"))

    # The page's clock stands still, so that a slow machine saves no oftener and no sooner than a fast one.
    page.clock.install(time=NOW)
    page.clock.pause_at(NOW + timedelta(seconds=1))
    text.press_sequentially("# Minutes\n\nWe begin.")
    expect(state).to_have_text("Not saved yet")
    page.clock.run_for(1500)
    expect(state).to_have_text("Saved")
    text.press_sequentially(" We go on.")
    expect(state).to_have_text("Not saved yet")
    page.keyboard.press("Control+s")
    expect(state).to_have_text("Saved")
    page.clock.resume()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview h2")).to_have_text("Minutes")
    page.get_by_role("link", name="Close").click()

    expect(page.get_by_role("article")).to_contain_text("We begin. We go on.")
    expect(page.get_by_text("Revision 3 ·")).to_be_visible()


def test_two_who_write_at_once_see_both_texts_and_lose_none(desk: Desk) -> None:
    note = new_note(desk, "drafts/agenda", "one\ntwo\nthree\n")
    ada = desk.open(f"{note}/edit", role=Role.REGISTRAR)
    bob = desk.open(f"{note}/edit", role=Role.ANALYST)

    ada.get_by_label("Text in Markdown").fill("one\nAda's\nthree\n")
    expect(ada.locator("[data-saved]")).to_have_text("Saved")
    bob.get_by_label("Text in Markdown").fill("one\nBob's\nthree\n")
    expect(bob.locator("[data-saved]")).to_contain_text("somebody else has changed the note meanwhile")
    bob.get_by_role("button", name="Compare both texts").click()
    expect(bob.get_by_role("heading", name="Two texts of agenda")).to_be_visible()
    row = bob.get_by_role("row", name=re.compile("Ada's"))
    expect(row).to_contain_text("Bob's")
    mine = bob.get_by_label(re.compile("Your text"))
    expect(mine).to_have_value("one\nBob's\nthree\n")
    barriers = desk.barriers(bob)
    bob.get_by_role("button", name="Put the saved text here").click()
    expect(mine).to_have_value("one\nAda's\nthree\n")
    mine.fill("one\nAda's and Bob's\nthree\n")
    bob.get_by_role("button", name="Save this text").click()

    expect(bob.get_by_role("status")).to_contain_text("The note is saved.")
    expect(bob.get_by_role("article")).to_contain_text("Ada's and Bob's")
    assert barriers == []
    desk.expect_complaint("412")


def test_without_scripts_a_button_saves_and_a_conflict_is_shown_too(desk: Desk) -> None:
    note = new_note(desk, "drafts/plain", "one\n")
    ada = desk.open(f"{note}/edit", role=Role.REGISTRAR, scripts=False)
    bob = desk.open(f"{note}/edit", role=Role.ANALYST, scripts=False)

    ada.get_by_label("Text in Markdown").fill("Ada's\n")
    ada.get_by_role("button", name="Preview").click()
    expect(ada.locator("#preview")).to_contain_text("Ada's")
    ada.get_by_role("button", name="Save").click()
    expect(ada.get_by_role("status")).to_contain_text("The note is saved.")
    bob.get_by_label("Text in Markdown").fill("Bob's\n")
    bob.get_by_role("button", name="Save").click()
    expect(bob.get_by_role("heading", name="Two texts of plain")).to_be_visible()
    bob.get_by_role("button", name="Save this text").click()

    expect(bob.get_by_role("article")).to_contain_text("Bob's")
    expect(bob.get_by_text("Revision 3 ·")).to_be_visible()
    desk.expect_complaint("412")


def test_a_lock_reaches_whoever_is_writing_and_takes_nothing_away(desk: Desk) -> None:
    note = new_note(desk, "one", "text", vault="Locked soon")
    writer = desk.open(f"{note}/edit", role=Role.REGISTRAR)
    admin = desk.open(f"{note.partition('/notes')[0]}/settings", role=Role.ANALYST)

    admin.get_by_role("button", name="Lock the vault").click()
    expect(admin.get_by_role("status")).to_contain_text("The vault is locked")
    writer.get_by_label("Text in Markdown").fill("text and more")
    expect(writer.locator("[data-saved]")).to_contain_text("Could not save: The vault 'Locked soon' is locked")
    other = writer.context.new_page()
    other.goto(note)
    expect(other.get_by_role("main")).to_contain_text("has locked the vault")
    expect(other.get_by_role("link", name="Edit")).to_have_count(0)
    admin.get_by_role("button", name="Unlock the vault").click()
    expect(admin.get_by_role("status")).to_contain_text("The vault is unlocked.")
    writer.get_by_label("Text in Markdown").press_sequentially("!")

    expect(writer.locator("[data-saved]")).to_have_text("Saved")
    desk.expect_complaint("423")


def test_leaving_an_unsaved_text_is_asked_about(desk: Desk) -> None:
    note = new_note(desk, "drafts/left", "text")
    page = desk.open(f"{note}/edit", role=Role.REGISTRAR)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.context.set_offline(True)
    page.get_by_label("Text in Markdown").press_sequentially("more ")
    expect(page.locator("[data-saved]")).to_contain_text("there is no connection")
    with page.expect_event("dialog"):
        page.close(run_before_unload=True)

    assert asked == ["beforeunload"]
    page.context.set_offline(False)
    page.keyboard.press("Control+s")
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    desk.expect_complaint("ERR_INTERNET_DISCONNECTED")


def test_the_tree_is_walked_with_the_keyboard(desk: Desk) -> None:
    note = new_note(desk, "a/b/deep", vault="Walked")
    vault = note.partition("/notes")[0]
    page = desk.open(vault, role=Role.LEARNER)
    tree = page.get_by_role("navigation", name="Notes")

    def focused() -> str:
        return str(page.evaluate("document.activeElement.textContent.trim().split(/\\s/)[0]"))

    tree.locator("summary").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    steps = [focused()]
    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    expect(tree.get_by_role("link", name="deep")).to_be_hidden()
    steps.append(focused())
    page.reload()
    expect(tree.get_by_role("link", name="deep")).to_be_hidden()
    tree.locator("summary").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    steps.append(focused())
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{note}")
    assert steps == ["deep", "a", "deep"]


def test_a_note_is_put_into_the_trash_and_restored_on_a_phone(desk: Desk) -> None:
    note = new_note(desk, "drafts/thrown away", "text")
    page = desk.open(note, role=Role.REGISTRAR)
    page.set_viewport_size({**PHONE})

    page.get_by_text("Put into the trash", exact=True).click()
    page.get_by_role("button", name="Put thrown away into the trash").click()
    page.get_by_role("link", name="Trash").click()
    page.get_by_role("button", name="Restore drafts/thrown away.md").click()

    expect(page.get_by_role("status")).to_contain_text("The note is back.")


def test_a_zip_is_uploaded_planned_and_imported(desk: Desk, tmp_path: Path) -> None:
    vault = new_note(desk, "old", vault="Filled from a zip").partition("/notes")[0]
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as archive:
        archive.writestr("reading/books.md", "- Domain-driven design")
    page = desk.open(f"{vault}/zips", role=Role.REGISTRAR)

    page.get_by_label("Zip").set_input_files(tmp_path / "notes.zip")
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("main")).to_contain_text("Something is under way")
    desk.site.run(desk.site.work())
    page.get_by_role("button", name="Import it like this").click()
    expect(page.get_by_role("main")).to_contain_text("Something is under way")
    desk.site.run(desk.site.work())
    expect(page.get_by_role("article", name=re.compile("^Import of"))).to_contain_text("completed")
    page.get_by_role("link", name="Back to the notes").click()

    expect(page.get_by_role("link", name="books")).to_be_visible()
