"""Ways into one's own account: linked at a provider, and unlinked, but never the last one."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.browser import csrf_of, person, post_form, send, visitor
from tests.builders.oidc_provider import OidcProvider
from tests.builders.single_sign_on import ADA, METHODS, Console, proved, signed_in, with_provider


async def linked(console: Console, user_id: UUID, subject: str = "ada-1") -> httpx.AsyncClient:
    """The browser of a learner who has linked somebody at the provider."""
    browser = await person(console.api, user_id, Role.LEARNER)
    offered = await console.sign_in(browser, subject, path=f"{METHODS}/with/{console.provider_id}")
    assert offered.headers["location"] == f"{METHODS}/link"
    question = await browser.get(f"{METHODS}/link")
    answer = await post_form(browser, f"{METHODS}/link", {"csrf": csrf_of(question)})
    assert answer.headers["location"] == METHODS
    return browser


async def methods(console: Console, user_id: UUID) -> dict[str, Any]:
    client = await console.api.as_user(user_id, Role.LEARNER)
    answer = await client.get("/api/sign-in-methods")
    assert answer.status_code == 200
    return dict(answer.json())


async def test_a_person_links_the_provider_and_signs_in_with_it(console: Console, clock: FixedClock) -> None:
    user_id = await proved(console, username="lena")
    console.provider.people["ada-1"]["email_verified"] = False  # who says yes needs no address

    await linked(console, user_id)
    clock.advance(timedelta(hours=1))
    assert signed_in(await console.sign_in(await visitor(console.api)))

    found = await methods(console, user_id)
    assert found["password"] is True
    [identity] = found["identities"]
    assert (identity["provider"], identity["label"], identity["usable"]) == ("Campus", "Ada@Example.org", True)
    assert identity["last_used_at"] > identity["linked_at"]


async def test_a_link_is_made_by_the_form_of_our_page_only(console: Console) -> None:
    user_id = await proved(console, username="lena")
    browser = await person(console.api, user_id, Role.LEARNER)

    await console.sign_in(browser, path=f"{METHODS}/with/{console.provider_id}")
    forged = await post_form(browser, f"{METHODS}/link", {"csrf": "guessed"})

    assert forged.status_code == 403
    assert await console.rows("SELECT 1 FROM identity.linked_identities") == []


async def test_an_offer_expires(console: Console, clock: FixedClock) -> None:
    browser = await person(console.api, await proved(console, username="lena"), Role.LEARNER)
    await console.sign_in(browser, path=f"{METHODS}/with/{console.provider_id}")
    question = await browser.get(f"{METHODS}/link")
    clock.advance(timedelta(minutes=10))

    answer = await post_form(browser, f"{METHODS}/link", {"csrf": csrf_of(question)})

    assert answer.headers["location"] == METHODS
    assert await console.rows("SELECT 1 FROM identity.linked_identities") == []


async def test_somebody_at_the_provider_has_one_account(console: Console) -> None:
    await linked(console, await proved(console, username="lena"))
    other = await person(console.api, await proved(console, username="bob"), Role.LEARNER)

    answer = await console.sign_in(other, path=f"{METHODS}/with/{console.provider_id}")

    assert answer.headers["location"] == METHODS
    assert "Another account here is linked" in (await other.get(METHODS)).text


async def test_two_who_say_yes_at_once_do_not_both_have_it(console: Console) -> None:
    people = [await proved(console, username=name) for name in ("lena", "bob")]
    browsers = [await person(console.api, user_id, Role.LEARNER) for user_id in people]
    for browser in browsers:
        await console.sign_in(browser, path=f"{METHODS}/with/{console.provider_id}")
    forms = [csrf_of(await browser.get(f"{METHODS}/link")) for browser in browsers]

    await asyncio.gather(
        *(post_form(browser, f"{METHODS}/link", {"csrf": csrf}) for browser, csrf in zip(browsers, forms, strict=True))
    )

    assert len(await console.rows("SELECT 1 FROM identity.linked_identities")) == 1


async def test_two_first_sign_ins_at_once_make_one_account(console: Console) -> None:
    browsers = [await visitor(console.api) for _ in range(4)]

    answers = await asyncio.gather(*(console.sign_in(browser) for browser in browsers))

    assert all(signed_in(answer) for answer in answers)
    assert len(await console.rows("SELECT 1 FROM identity.users WHERE role = 'learner'")) == 1


async def test_a_person_unlinks_the_provider_and_no_longer_signs_in_with_it(
    laptop: ApiUnderTest, provider: OidcProvider
) -> None:
    console = await with_provider(laptop, provider)
    user_id = await proved(console, username="lena")
    browser = await linked(console, user_id)
    [identity] = (await methods(console, user_id))["identities"]

    await send(browser, f"{METHODS}/{identity['id']}/unlink", {}, form_of=METHODS)

    assert (await methods(console, user_id))["identities"] == []
    assert not signed_in(await console.sign_in(await visitor(laptop)))
    entries = await console.rows("SELECT action FROM platform.audit_log WHERE action LIKE 'identity_%' ORDER BY id")
    assert [entry.action for entry in entries] == ["identity_linked", "identity_unlinked"]


async def test_the_last_way_in_stays(console: Console) -> None:
    await console.sign_in(await visitor(console.api))
    [row] = await console.rows("SELECT id, user_id FROM identity.linked_identities")
    client = await console.api.as_user(row.user_id, Role.LEARNER)

    answer = await client.delete(f"/api/sign-in-methods/{row.id}")

    assert (answer.status_code, answer.json()["code"]) == (409, "last_sign_in_method")
    assert (await methods(console, row.user_id))["password"] is False
    assert len((await methods(console, row.user_id))["identities"]) == 1


async def test_of_two_that_go_at_once_one_stays(console: Console, clock: FixedClock) -> None:
    await console.sign_in(await visitor(console.api))
    [row] = await console.rows("SELECT user_id FROM identity.linked_identities")
    other = OidcProvider(clock)
    other.people["ada-9"] = dict(ADA)
    with other.served():
        await linked(await with_provider(console.api, other, name="Other"), row.user_id, subject="ada-9")
        client = await console.api.as_user(row.user_id, Role.LEARNER)
        ids = [item["id"] for item in (await methods(console, row.user_id))["identities"]]

        answers = await asyncio.gather(*(client.delete(f"/api/sign-in-methods/{identity}") for identity in ids))

    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_a_provider_that_is_switched_off_is_no_way_in(console: Console, clock: FixedClock) -> None:
    await console.sign_in(await visitor(console.api))
    [row] = await console.rows("SELECT id, user_id FROM identity.linked_identities")
    other = OidcProvider(clock)
    other.people["ada-9"] = dict(ADA)
    with other.served():
        away = await with_provider(console.api, other, name="Other")
        await linked(away, row.user_id, subject="ada-9")
        admin = await console.api.as_role(Role.ADMIN)
        switched = await admin.patch(
            f"/api/sign-in-providers/{away.provider_id}", json={"enabled": False}, headers={"If-Match": "*"}
        )
        assert switched.status_code == 200, switched.text

        answer = await (await console.api.as_user(row.user_id, Role.LEARNER)).delete(f"/api/sign-in-methods/{row.id}")
        page = await (await visitor(console.api)).get(away.with_it)

    assert answer.json()["code"] == "last_sign_in_method"
    assert page.status_code == 404


async def test_nobody_unlinks_what_is_somebody_elses(console: Console) -> None:
    await console.sign_in(await visitor(console.api))
    [row] = await console.rows("SELECT id FROM identity.linked_identities")
    client = await console.api.as_user(await proved(console, username="lena"), Role.LEARNER)

    answer = await client.delete(f"/api/sign-in-methods/{row.id}")

    assert (answer.status_code, answer.json()["code"]) == (404, "sign_in_method_unknown")
    assert len(await console.rows("SELECT 1 FROM identity.linked_identities")) == 1


async def test_who_has_no_password_reads_how_to_set_one(console: Console) -> None:
    browser = await visitor(console.api)
    await console.sign_in(browser)

    page = await browser.get(METHODS)

    assert "/ui/forgot-password" in page.text
    assert "Unlink Campus" in page.text


async def test_the_session_is_one_as_for_passwords(console: Console, clock: FixedClock) -> None:
    browser = await visitor(console.api)
    await console.sign_in(browser)
    [row] = await console.rows("SELECT user_id, device, expires_at FROM identity.refresh_tokens")

    client = await console.api.as_user(row.user_id, Role.LEARNER)
    assert (await client.delete("/api/sessions")).status_code == 204

    assert "python-httpx" in row.device
    assert row.expires_at == clock.now() + timedelta(days=30)
    clock.advance(timedelta(minutes=20))
    renewed = await browser.get(METHODS, follow_redirects=True)
    assert renewed.url.path == "/ui/sign-in"
