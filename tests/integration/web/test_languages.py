"""Answers in German through the whole app: by Accept-Language and by the profile, as documents and as pages."""

from datetime import timedelta
from uuid import uuid4

from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.browser import add_person, person, send, visitor


async def test_a_problem_is_in_the_language_of_the_header(api: ApiUnderTest) -> None:
    client = await api.as_role(Role.REGISTRAR)
    wanted = f"/api/courses/{uuid4()}"

    german = await client.get(wanted, headers={"Accept-Language": "de-AT, en;q=0.5"})
    english = await client.get(wanted)

    assert (german.status_code, german.json()["code"], german.json()["title"]) == (404, "not_found", "Nicht gefunden")
    assert german.headers["content-language"] == "de"
    assert "Accept-Language" in german.headers["vary"]
    assert english.json()["title"] == "Not found"
    assert english.headers["content-language"] == "en"


async def test_what_is_wrong_with_a_body_is_in_german_and_its_rules_and_places_are_not(api: ApiUnderTest) -> None:
    client = await api.as_role(Role.REGISTRAR)

    refused = await client.post("/api/departments", json={"code": "", "name": 5}, headers={"Accept-Language": "de"})

    document = refused.json()
    assert document["title"] == "Die Anfrage verletzt eine oder mehrere Regeln"
    assert {(item["pointer"], item["detail"]) for item in document["errors"]} >= {("/name", "muss ein Text sein")}
    assert all(item["rule"].isascii() for item in document["errors"])


async def test_the_profile_decides_before_the_header_even_where_the_token_alone_was_asked(api: ApiUnderTest) -> None:
    client = await api.as_role(Role.LEARNER)
    await client.patch("/api/users/me", json={"locale": "de-CH"}, headers={"If-Match": "*"})
    api.platform.clock.advance(timedelta(seconds=11))  # type: ignore[attr-defined]  # the clock of tests

    refused = await client.get(f"/api/courses/{uuid4()}", headers={"Accept-Language": "en"})

    assert refused.json()["title"] == "Nicht gefunden"
    assert refused.headers["content-language"] == "de"


async def test_who_is_not_signed_in_gets_the_language_of_the_browser(api: ApiUnderTest) -> None:
    client = await visitor(api)

    page = await client.get("/ui/sign-in", headers={"Accept-Language": "de"})

    assert '<html lang="de">' in page.text
    assert "Passwort vergessen?" in page.text
    assert "Forgot your password?" not in page.text
    assert page.headers["content-language"] == "de"
    assert page.headers["vary"] == "Cookie, HX-Request, Accept-Language"


async def test_pages_their_messages_and_refusals_are_in_the_language_of_the_profile(api: ApiUnderTest) -> None:
    user_id, _ = await add_person(api, Role.LEARNER, locale="de")
    client = await person(api, user_id, Role.LEARNER)

    page = await client.get("/ui/courses", headers={"Accept-Language": "en"})
    done = await send(client, "/ui/account", {"display_name": "Ada"}, form_of="/ui/account")
    told = await client.get(done.headers["location"])
    missing = await client.get(f"/ui/courses/{uuid4()}")

    assert ">Katalog</a>" in page.text
    assert "Ihr Name ist gespeichert." in told.text
    assert (missing.status_code, "<h1>Nicht gefunden</h1>" in missing.text) == (404, True)


async def test_a_page_in_english_says_what_its_template_says(api: ApiUnderTest) -> None:
    client = await visitor(api)

    page = await client.get("/ui/sign-in", headers={"Accept-Language": "fr"})

    assert '<html lang="en">' in page.text
    assert "Forgot your password?" in page.text


async def test_whoever_chooses_a_language_sees_the_next_page_in_it(api: ApiUnderTest) -> None:
    user_id, _ = await add_person(api, Role.REGISTRAR)
    client = await person(api, user_id, Role.REGISTRAR)
    chosen = {"locale": "de", "time_zone": "UTC", "reminder_time": "09:00", "quiet_from": "", "quiet_to": ""}

    before = await client.get("/ui/courses")
    done = await send(client, "/ui/notification-preferences/clock", chosen, form_of="/ui/notification-preferences")
    after = await client.get(done.headers["location"])

    assert '<html lang="en">' in before.text
    assert '<html lang="de">' in after.text
