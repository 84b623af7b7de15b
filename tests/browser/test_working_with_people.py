"""What administrators do with people, and what the invited do, in the browser; on a phone."""

import pytest
from playwright.sync_api import Page, expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import PHONE, Desk

BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])


def on_a_phone(page: Page) -> Page:
    page.set_viewport_size({**PHONE})
    return page


@BOTH
def test_a_role_is_given_and_a_person_suspended_and_restored(desk: Desk, scripts: bool) -> None:
    name = f"phone_{scripts}".lower()
    desk.site.run(_add(desk, name))
    page = on_a_phone(desk.open("/ui/admin/people", role=Role.ADMIN, scripts=scripts))

    page.get_by_label("Name or address").fill(name)
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=name.capitalize()).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name.capitalize())  # the list chooses by role, too
    page.get_by_label("Role").select_option("analyst")
    page.get_by_role("button", name="Change the role").click()
    expect(page.get_by_role("status")).to_contain_text("The role is analyst from now on")
    page.get_by_text("Suspend", exact=True).click()
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("suspended")
    page.get_by_role("button", name="End the suspension").click()

    expect(page.get_by_role("status")).to_contain_text("can sign in again")
    expect(page.get_by_label("Role")).to_have_value("analyst")


def test_somebody_is_invited_and_makes_an_account(desk: Desk) -> None:
    page = on_a_phone(desk.open("/ui/admin/invitations", role=Role.ADMIN))
    page.get_by_label("E-mail address").fill("phone@example.org")
    page.get_by_label("Role").select_option("instructor")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("status")).to_contain_text("on its way to phone@example.org")
    expect(page.get_by_role("row", name="phone@example.org")).to_contain_text("open")

    token = desk.site.run(_token(desk, "phone@example.org"))
    invited = on_a_phone(desk.open(f"/ui/invitation?token={token}"))
    expect(invited.get_by_role("main")).to_contain_text("phone@example.org is invited to DataForge, as an instructor")
    invited.get_by_label("Username").fill("phoney")
    invited.get_by_label("Password").fill("password")
    invited.get_by_role("button", name="Accept and make the account").click()
    expect(invited.get_by_role("alert")).to_contain_text("among the first that are guessed")
    desk.expect_complaint("400")
    expect(invited.get_by_label("Username")).to_have_value("phoney")
    invited.get_by_label("Password").fill("a quiet lake at dawn")
    invited.get_by_role("button", name="Accept and make the account").click()
    expect(invited.get_by_role("status")).to_contain_text("Your account is ready. Sign in as phoney.")
    invited.get_by_label("Username or e-mail address").fill("phoney")
    invited.get_by_label("Password").fill("a quiet lake at dawn")
    invited.get_by_role("button", name="Sign in", exact=True).click()
    expect(invited.get_by_role("banner")).to_contain_text("instructor")

    page.reload()
    expect(page.get_by_role("row", name="phone@example.org")).to_contain_text("accepted")


async def _add(desk: Desk, name: str) -> None:
    await desk.site.whole.api.add_user(Role.LEARNER, username=name, display_name=name.capitalize(), password_hash="x")


async def _token(desk: Desk, email: str) -> str:
    from sqlalchemy import text

    async with desk.site.database.read_only() as connection:
        query = text("SELECT id, sendings FROM identity.invitations WHERE email = :email")
        row = (await connection.execute(query, {"email": email})).one()
    return desk.site.whole.api.identity.link_tokens.of_invitation(row.id, row.sendings)
