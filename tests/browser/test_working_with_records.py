"""What administrators do with the record store, in the browser."""

import pytest
from playwright.sync_api import Page, expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import Desk
from tests.builders.datasets import ok
from tests.builders.receivers import Receiver
from tests.builders.site import said
from tests.builders.statements import statement

BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])


def create_key(page: Page, name: str) -> None:
    page.get_by_text("New key", exact=True).click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Requests a minute").fill("600")
    page.get_by_label("all/read").check()
    page.get_by_role("button", name="Create key").click()


@BOTH
def test_a_key_is_made_changed_and_revoked(desk: Desk, scripts: bool) -> None:
    page = desk.open("/ui/admin/keys", role=Role.ADMIN, scripts=scripts)
    name = f"LMS {scripts}"
    create_key(page, name)

    key = page.locator("#key").inner_text()
    assert len(page.locator("#secret").inner_text()) > 40
    page.get_by_role("link", name="I have kept it").click()
    expect(page.locator("#secret")).to_have_count(0)
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("main")).to_contain_text(key)
    expect(page.get_by_label("Requests a minute")).to_have_value("600")
    page.get_by_label("Requests a minute").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("takes effect within 30 seconds")
    expect(page.get_by_label("Requests a minute")).to_have_value("")
    page.get_by_text("Revoke", exact=True).click()
    page.get_by_role("button", name=f"Revoke {name}").click()

    expect(page.get_by_role("status")).to_contain_text("The credential is revoked")
    expect(page.get_by_role("heading", level=1)).to_contain_text("revoked")


def test_the_secret_is_copied(desk: Desk) -> None:
    page = desk.open("/ui/admin/keys", role=Role.ADMIN)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    create_key(page, "To be copied")

    page.get_by_role("button", name="Copy secret").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#secret").inner_text()


def test_what_is_wrong_with_a_key_is_said(desk: Desk) -> None:
    page = desk.open("/ui/admin/keys", role=Role.ADMIN, scripts=False)
    page.get_by_text("New key", exact=True).click()
    page.get_by_label("Name").fill("Fast")
    page.get_by_label("Requests a minute").fill("0")
    page.get_by_role("button", name="Create key").click()

    expect(page.get_by_role("alert")).to_contain_text("Rate limit must be at least 1")
    expect(page.get_by_label("Name")).to_have_value("Fast")
    desk.expect_complaint("400")


@BOTH
def test_a_learners_statements_are_followed(desk: Desk, scripts: bool) -> None:
    page = desk.open("/ui/admin/statements", role=Role.ADMIN, scripts=scripts)

    page.get_by_label("Person", exact=True).fill("lena@example.org")
    page.get_by_label("Verb").fill("http://adlnet.gov/expapi/verbs/answered")
    page.get_by_role("button", name="Show").click()

    main = page.get_by_role("main")
    expect(main).to_contain_text("Time line of")
    expect(page.locator(".timeline li")).to_have_count(2)
    page.get_by_role("link", name="Which extinguisher for oil?").first.click()
    expect(main.get_by_role("region", name="Statement")).to_contain_text('"scaled": 0.8')
    expect(main).to_contain_text("As reports see it")
    page.get_by_role("link", name="Time line of").click()
    expect(page.locator(".timeline li")).to_have_count(7)  # the one that voids another is found by it


def test_a_voided_statement_leads_to_what_voids_it(desk: Desk) -> None:
    page = desk.open("/ui/admin/statements?verb=http://adlnet.gov/expapi/verbs/voided", role=Role.ADMIN)

    page.locator(".timeline a:not(.who-did)").first.click()
    page.locator("dl > div", has_text="Refers to").get_by_role("link").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("voided")
    expect(page.get_by_role("main")).to_contain_text("Voided by")


def test_a_form_that_is_wrong_is_said(desk: Desk) -> None:
    page = desk.open("/ui/admin/statements?since=yesterday", role=Role.ADMIN)

    expect(page.get_by_role("alert")).to_contain_text("Since must be a day or a time")
    desk.expect_complaint("400")


@BOTH
def test_a_refused_request_is_corrected_and_replayed(desk: Desk, scripts: bool) -> None:
    async def refuse() -> str:
        async with desk.site.records() as store:
            known = {row.id for row in await store.rows("SELECT id FROM records.quarantine")}
            ok(await store.post({**said(2), "actor": {"mbox": f"lena at home {scripts}"}}), 400)
            (refused,) = {row.id for row in await store.rows("SELECT id FROM records.quarantine")} - known
            return str(refused)

    refused = desk.site.run(refuse())
    page = desk.open("/ui/admin/quarantine?state=waiting&reason=refused", role=Role.ADMIN, scripts=scripts)
    page.locator(f"a[href*='{refused}']").first.click()
    expect(page.locator("li.wrong")).to_contain_text("lena at home")

    page.get_by_text("Correct and replay").click()
    text = page.get_by_label("Corrected statements")
    corrected = text.input_value().replace("lena at home", "mailto:lena@home.example/")
    text.fill(corrected)
    page.get_by_role("button", name="Replay the correction").click()
    expect(page.get_by_role("alert")).to_contain_text("/actor/mbox")
    text.fill(text.input_value().replace(f"mailto:lena@home.example/ {scripts}", "mailto:lena@home.example"))
    page.get_by_role("button", name="Replay the correction").click()

    expect(page.get_by_role("status")).to_contain_text("It is replayed: 1 statement.")
    expect(page.get_by_role("heading", level=1)).to_contain_text("replayed")
    desk.expect_complaint("400")


def test_an_entry_is_discarded(desk: Desk) -> None:
    async def refuse() -> None:
        async with desk.site.records() as store:
            ok(await store.post(statement(verb={"id": "to be discarded"})), 400)

    desk.site.run(refuse())
    page = desk.open("/ui/admin/quarantine?state=waiting&reason=refused", role=Role.ADMIN)
    page.get_by_role("row").nth(1).get_by_role("link").first.click()

    page.get_by_text("Discard", exact=True).click()
    page.get_by_role("button", name="Discard this entry").click()

    expect(page.get_by_role("status")).to_contain_text("discarded")
    expect(page.get_by_role("main")).to_contain_text("The body is not kept any more")


def test_a_sample_is_sent_and_seen_arriving(desk: Desk) -> None:
    async def load() -> None:
        async with desk.site.records() as store:
            assert await store.deliver() >= 1

    page = desk.open("/ui/test-etl-streaming", role=Role.ADMIN)
    page.get_by_role("button", name="Send a sample").click()
    steps = page.locator(".steps li")
    expect(steps.nth(0)).to_contain_text("done")
    expect(steps.nth(1)).to_contain_text("waiting")
    page.evaluate("window.here = true")

    desk.site.run(load())

    expect(steps.nth(2)).to_contain_text("done")
    assert page.evaluate("window.here")
    expect(page.locator("#way[hx-get]")).to_have_count(0)


@BOTH
def test_a_webhook_is_made_tested_switched_off_and_deleted(desk: Desk, scripts: bool) -> None:
    name = f"Somewhere {scripts}"
    with Receiver() as receiver:
        page = desk.open("/ui/admin/subscriptions", role=Role.ADMIN, scripts=scripts)
        page.get_by_text("New subscription", exact=True).click()
        page.get_by_label("Name").fill(name)
        page.get_by_label("Address").fill(receiver.url)
        page.get_by_label("Verb").fill("https://e.org/verbs/none")
        page.get_by_role("button", name="Subscribe").click()
        assert page.locator("#secret").inner_text().startswith("whsec_")
        page.get_by_role("link", name="I have kept it").click()
        page.get_by_role("button", name="Send a test").click()
        expect(page.get_by_role("status")).to_contain_text("on its way")
        desk.site.run(desk.site.deliver(page.url.rpartition("/")[2]))
        if not scripts:
            page.reload()
        expect(page.get_by_role("region", name="Log").get_by_role("row").nth(1)).to_contain_text(
            "delivered", timeout=10_000
        )
        assert len(receiver.posts) == 1

    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("off")
    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name=f"Delete {name}").click()
    expect(page.get_by_role("status")).to_contain_text("deleted")
    expect(page.get_by_role("link", name=name)).to_have_count(0)


def test_what_is_wrong_with_a_subscription_is_said(desk: Desk) -> None:
    page = desk.open("/ui/admin/subscriptions", role=Role.ADMIN)
    page.get_by_text("New subscription", exact=True).click()
    page.get_by_label("Name").fill("Inside")
    page.get_by_label("Address").fill("https://10.0.0.1/")
    page.get_by_role("button", name="Subscribe").click()

    expect(page.get_by_role("alert")).to_contain_text("no public address")
    page.locator("select[name=kind]").select_option("lrs")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("alert")).to_contain_text("A store needs username and password")
    desk.expect_complaint("400")
