"""The second factor through the API: set up, proved at each sign-in, replayed, raced, guessed, lost and taken away."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import text, update

from dataforge.contexts.identity.passwords.consumers import replace_password
from dataforge.contexts.identity.second_factor.consumers import remove_second_factor
from dataforge.contexts.identity.second_factor.domain import SINGLE_TRIES, SecondFactorOff
from dataforge.contexts.identity.sessions.consumers import maintain
from dataforge.contexts.identity.tables import users
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.errors import NotFound
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from infra.local.mailbox import Mailbox
from tests.builders.api import ApiUnderTest
from tests.builders.browser import PASSWORD, add_person
from tests.builders.mail import deliver, token_in
from tests.builders.second_factor import Enrolled, Phone, answer, challenge_of, enrolled, log_in

ELSEWHERE = "203.0.113.9"
OTHER = "a quiet lake at dawn"
PATH = "/api/second-factor"


def code(response: httpx.Response) -> tuple[int, Any]:
    body = response.json() if response.content else {}
    return response.status_code, body.get("code")


@pytest.fixture
async def ada(api: ApiUnderTest, clock: FixedClock) -> Enrolled:
    """A person with a second factor."""
    return await enrolled(api, clock)


async def test_a_factor_counts_when_a_code_has_proved_it(api: ApiUnderTest, clock: FixedClock) -> None:
    person, name = await add_person(api, Role.LEARNER)
    client = await api.as_user(person, Role.LEARNER)

    begun = await client.post(PATH, json={"password": PASSWORD})
    before = await log_in(api, name)
    phone = Phone(begun.json()["secret"], clock)
    wrong = await client.post(f"{PATH}/confirm", json={"code": phone.wrong()})
    confirmed = await client.post(f"{PATH}/confirm", json={"code": phone.code()})
    state = await client.get(PATH)
    after = await log_in(api, name)

    assert before.status_code == 200
    assert code(wrong) == (401, "wrong_code")
    assert len(set(confirmed.json()["recovery_codes"])) == 10
    assert state.json() == {
        "on": True,
        "since": clock.now().isoformat().replace("+00:00", "Z"),
        "recovery_codes_left": 10,
    }
    assert code(after) == (401, "second_factor_required")
    assert after.json()["expires_in"] == 300
    assert "access_token" not in after.text


async def test_the_uri_is_what_apps_read(api: ApiUnderTest) -> None:
    person, name = await add_person(api, Role.LEARNER)

    begun = (await (await api.as_user(person, Role.LEARNER)).post(PATH, json={"password": PASSWORD})).json()

    uri = urlsplit(begun["uri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", f"/DataForge:{name}")
    assert parse_qs(uri.query) == {"secret": [begun["secret"]], "issuer": ["DataForge"]}
    assert len(base64.b32decode(begun["secret"])) == 20


async def test_to_begin_needs_the_password(api: ApiUnderTest) -> None:
    client = await api.as_user((await add_person(api, Role.LEARNER))[0], Role.LEARNER)

    answers = [await client.post(PATH, json={"password": "wrong"}) for _ in range(11)]

    assert [code(one) for one in answers] == [(401, "wrong_password")] * 10 + [(429, "too_many_requests")]


async def test_to_begin_again_gives_another_secret_and_the_first_no_longer_counts(
    api: ApiUnderTest, clock: FixedClock
) -> None:
    client = await api.as_user((await add_person(api, Role.LEARNER))[0], Role.LEARNER)
    first, second = [
        Phone((await client.post(PATH, json={"password": PASSWORD})).json()["secret"], clock) for _ in range(2)
    ]

    assert code(await client.post(f"{PATH}/confirm", json={"code": first.code()})) == (401, "wrong_code")
    assert (await client.post(f"{PATH}/confirm", json={"code": second.code()})).status_code == 200


async def test_what_was_begun_long_ago_or_never_is_not_confirmed(api: ApiUnderTest, clock: FixedClock) -> None:
    person, _ = await add_person(api, Role.LEARNER)
    client = await api.as_user(person, Role.LEARNER)
    never = await client.post(f"{PATH}/confirm", json={"code": "123456"})
    phone = Phone((await client.post(PATH, json={"password": PASSWORD})).json()["secret"], clock)
    clock.advance(timedelta(minutes=30))
    client = await api.as_user(person, Role.LEARNER)

    assert code(never) == (409, "second_factor_off")
    assert code(await client.post(f"{PATH}/confirm", json={"code": phone.code()})) == (409, "second_factor_off")


async def test_one_who_has_a_factor_neither_begins_nor_confirms_another(ada: Enrolled) -> None:
    begun = await ada.client.post(PATH, json={"password": PASSWORD})
    confirmed = await ada.client.post(f"{PATH}/confirm", json={"code": ada.phone.code()})

    assert (code(begun), code(confirmed)) == ((409, "second_factor_on"), (409, "second_factor_on"))


async def test_two_who_confirm_at_once_get_one_list_of_recovery_codes(api: ApiUnderTest, clock: FixedClock) -> None:
    client = await api.as_user((await add_person(api, Role.LEARNER))[0], Role.LEARNER)
    phone = Phone((await client.post(PATH, json={"password": PASSWORD})).json()["secret"], clock)

    answers = await asyncio.gather(*(client.post(f"{PATH}/confirm", json={"code": phone.code()}) for _ in range(4)))

    assert sorted(code(one) for one in answers if one.status_code != 200) == [(409, "second_factor_on")] * 3


async def test_a_sign_in_takes_password_and_code_in_two_steps(api: ApiUnderTest, ada: Enrolled) -> None:
    signed_in = await answer(api, await challenge_of(api, ada.name), ada.phone.code())

    assert signed_in.status_code == 200
    me = await (await api.client(signed_in.json()["access_token"])).get("/api/users/me")
    assert me.json()["username"] == ada.name
    refreshed = await (await api.client()).post(
        "/api/auth/refresh", json={"refresh_token": signed_in.json()["refresh_token"]}
    )
    assert refreshed.status_code == 200


async def test_a_sign_in_takes_password_and_code_at_once(api: ApiUnderTest, ada: Enrolled) -> None:
    assert (await log_in(api, ada.name, code=ada.phone.code())).status_code == 200
    assert code(await log_in(api, ada.name, code=ada.phone.wrong())) == (401, "wrong_code")
    assert code(await log_in(api, ada.name, "wrong", code=ada.phone.code())) == (401, "invalid_credentials")


async def test_who_has_no_factor_signs_in_whatever_code_comes_along(api: ApiUnderTest) -> None:
    _, name = await add_person(api, Role.LEARNER)

    assert (await log_in(api, name, code="123456")).status_code == 200


@pytest.mark.parametrize("away", [-1, 1])
async def test_the_code_of_the_step_before_or_after_counts_once(api: ApiUnderTest, ada: Enrolled, away: int) -> None:
    ada.phone.clock.advance(timedelta(minutes=2))  # type: ignore[attr-defined]  # the tests' clock
    sent = ada.phone.code(away)

    first = await log_in(api, ada.name, code=sent)
    again = await log_in(api, ada.name, code=sent)

    assert (code(first), code(again)) == ((200, None), (401, "code_used"))


@pytest.mark.parametrize("away", [-2, 2])
async def test_the_code_of_two_steps_away_does_not_count(
    api: ApiUnderTest, clock: FixedClock, ada: Enrolled, away: int
) -> None:
    clock.advance(timedelta(minutes=2))

    assert code(await log_in(api, ada.name, code=ada.phone.code(away))) == (401, "wrong_code")


async def test_a_code_that_was_taken_makes_those_before_it_old(api: ApiUnderTest, ada: Enrolled) -> None:
    before, now = ada.phone.code(0), ada.phone.code(1)

    assert code(await log_in(api, ada.name, code=now)) == (200, None)
    assert code(await log_in(api, ada.name, code=before)) == (401, "code_used")


async def test_the_code_that_confirmed_does_not_sign_in(api: ApiUnderTest, ada: Enrolled) -> None:
    assert code(await log_in(api, ada.name, code=ada.phone.code(-1))) == (401, "code_used")


async def test_one_code_in_many_sign_ins_at_the_same_moment_is_taken_once(api: ApiUnderTest, ada: Enrolled) -> None:
    challenges = [await challenge_of(api, ada.name) for _ in range(6)]

    answers = await asyncio.gather(*(answer(api, challenge, ada.phone.code()) for challenge in challenges))

    assert sorted(code(one) for one in answers) == [(200, None)] + [(401, "code_used")] * 5


async def test_one_challenge_answered_many_times_at_the_same_moment_begins_one_session(
    api: ApiUnderTest, ada: Enrolled, database: Database
) -> None:
    challenge = await challenge_of(api, ada.name)

    sent = [ada.phone.code(), ada.phone.code(1), *ada.recovery_codes[:3]]
    answers = await asyncio.gather(*(answer(api, challenge, one) for one in sent))

    assert sorted(code(one) for one in answers) == [(200, None)] + [(401, "challenge_ended")] * 4
    async with database.read_only() as connection:
        count = await connection.scalar(text("SELECT count(*) FROM identity.refresh_tokens"))
        left = await connection.scalar(text("SELECT count(*) FROM identity.recovery_codes"))
    assert count == 1
    assert left in (9, 10)


async def test_a_challenge_is_answered_once_and_within_five_minutes(
    api: ApiUnderTest, clock: FixedClock, ada: Enrolled
) -> None:
    used, late = await challenge_of(api, ada.name), await challenge_of(api, ada.name)
    await answer(api, used, ada.phone.code())
    clock.advance(timedelta(minutes=5))

    assert code(await answer(api, used, ada.phone.code())) == (401, "challenge_ended")
    assert code(await answer(api, late, ada.phone.code())) == (401, "challenge_ended")
    assert code(await answer(api, "forged", ada.phone.code())) == (401, "challenge_ended")
    assert (await maintain(api.operator))["challenges"] == 1


async def test_a_challenge_is_for_the_code_of_its_own_person(
    api: ApiUnderTest, clock: FixedClock, ada: Enrolled
) -> None:
    eve = await enrolled(api, clock)
    challenge = await challenge_of(api, ada.name)

    assert code(await answer(api, challenge, eve.phone.code())) == (401, "wrong_code")
    assert code(await answer(api, challenge, eve.recovery_codes[0])) == (401, "wrong_code")
    signed_in = await answer(api, challenge, ada.phone.code())
    me = await (await api.client(signed_in.json()["access_token"])).get("/api/users/me")
    assert me.json()["username"] == ada.name


async def test_a_challenge_ends_with_its_fifth_wrong_code(api: ApiUnderTest, ada: Enrolled) -> None:
    challenge = await challenge_of(api, ada.name)

    wrong = [await answer(api, challenge, ada.phone.wrong()) for _ in range(5)]

    assert [code(one) for one in wrong] == [(401, "wrong_code")] * 5
    assert code(await answer(api, challenge, ada.phone.code())) == (401, "challenge_ended")
    assert (await answer(api, await challenge_of(api, ada.name), ada.phone.code())).status_code == 200


async def test_guesses_of_one_challenge_at_the_same_moment_are_counted_one_by_one(
    api: ApiUnderTest, ada: Enrolled
) -> None:
    challenge = await challenge_of(api, ada.name)

    answers = await asyncio.gather(*(answer(api, challenge, ada.phone.wrong()) for _ in range(9)))

    assert sorted(code(one) for one in answers) == [(401, "challenge_ended")] * 4 + [(401, "wrong_code")] * 5


async def test_guessing_with_the_password_from_many_addresses_keeps_out_nobody_who_has_the_app(
    api: ApiUnderTest, clock: FixedClock, ada: Enrolled
) -> None:
    guesses = [
        await log_in(api, ada.name, code=ada.phone.wrong(), address=f"203.0.113.{n}") for n in range(SINGLE_TRIES)
    ]
    assert [code(one) for one in guesses] == [(401, "wrong_code")] * SINGLE_TRIES

    lucky = await log_in(api, ada.name, code=ada.phone.code(), address=ELSEWHERE)
    first = ada.phone.code()
    clock.advance(timedelta(seconds=30))
    owner = await answer(api, await challenge_of(api, ada.name), f"{first} {ada.phone.code()}")
    clock.advance(timedelta(seconds=30))
    later = await log_in(api, ada.name, code=ada.phone.code())

    assert code(lucky) == (401, "two_codes_required")
    assert (owner.status_code, later.status_code) == (200, 200)


async def test_guessing_keeps_out_nobody_who_has_a_recovery_code(api: ApiUnderTest, ada: Enrolled) -> None:
    for n in range(SINGLE_TRIES):
        await log_in(api, ada.name, code=ada.phone.wrong(), address=f"203.0.113.{n}")

    assert (await log_in(api, ada.name, code=ada.recovery_codes[0])).status_code == 200


@pytest.fixture
async def strict(database: Database, clock: FixedClock) -> AsyncIterator[ApiUnderTest]:
    """The API with small budgets."""
    limits = {"sign_in_tries": 6, "sign_in_tries_per_name": 3}
    async with ApiUnderTest(database, clock, **limits) as api:
        yield api


async def test_wrong_codes_of_an_address_are_counted_like_wrong_passwords(
    strict: ApiUnderTest, clock: FixedClock
) -> None:
    ada = await enrolled(strict, clock)
    at_login = [await log_in(strict, ada.name, code=ada.phone.wrong(), address=ELSEWHERE) for _ in range(4)]
    challenge = await challenge_of(strict, ada.name)
    forged = [await answer(strict, f"forged {n}", "123456", address=ELSEWHERE) for n in range(7)]

    assert [one.status_code for one in at_login] == [401] * 3 + [429]
    assert [one.status_code for one in forged] == [401] * 6 + [429]
    assert (await answer(strict, challenge, ada.phone.code())).status_code == 200


async def test_a_password_that_was_right_is_no_failure(strict: ApiUnderTest, clock: FixedClock) -> None:
    ada = await enrolled(strict, clock)

    assert [code(await log_in(strict, ada.name)) for _ in range(8)] == [(401, "second_factor_required")] * 8


async def test_a_recovery_code_works_once_also_at_the_same_moment(api: ApiUnderTest, ada: Enrolled) -> None:
    challenges = [await challenge_of(api, ada.name) for _ in range(5)]

    answers = await asyncio.gather(*(answer(api, one, ada.recovery_codes[3].upper()) for one in challenges))

    assert sorted(code(one) for one in answers) == [(200, None)] + [(401, "wrong_code")] * 4
    assert code(await log_in(api, ada.name, code=ada.recovery_codes[3])) == (401, "wrong_code")
    assert (await ada.client.get(PATH)).json()["recovery_codes_left"] == 9


async def test_other_recovery_codes_take_the_place_of_those_before(api: ApiUnderTest, ada: Enrolled) -> None:
    proof = {"password": PASSWORD, "code": ada.phone.code()}

    replaced = await ada.client.post(f"{PATH}/recovery-codes", json=proof)
    again = await ada.client.post(f"{PATH}/recovery-codes", json=proof)

    new = replaced.json()["recovery_codes"]
    assert len(new) == 10
    assert set(new).isdisjoint(ada.recovery_codes)
    assert code(again) == (401, "code_used")
    assert code(await log_in(api, ada.name, code=ada.recovery_codes[0])) == (401, "wrong_code")
    assert (await log_in(api, ada.name, code=new[0])).status_code == 200


@pytest.mark.parametrize("by", ["app", "recovery code"])
async def test_one_takes_the_factor_away_by_password_and_code(api: ApiUnderTest, ada: Enrolled, by: str) -> None:
    right = ada.phone.code() if by == "app" else ada.recovery_codes[0]

    async def remove(password: str, given: str) -> tuple[int, Any]:
        return code(await ada.client.post(f"{PATH}/remove", json={"password": password, "code": given}))

    assert await remove("wrong", right) == (401, "wrong_password")
    assert await remove(PASSWORD, ada.phone.wrong()) == (401, "wrong_code")
    assert await remove(PASSWORD, right) == (204, None)
    assert await remove(PASSWORD, ada.phone.code(1)) == (409, "second_factor_off")
    assert (await log_in(api, ada.name)).status_code == 200
    assert (await ada.client.get(PATH)).json() == {"on": False, "since": None, "recovery_codes_left": 0}


async def test_a_challenge_ends_with_its_factor(api: ApiUnderTest, ada: Enrolled) -> None:
    challenge = await challenge_of(api, ada.name)
    await ada.client.post(f"{PATH}/remove", json={"password": PASSWORD, "code": ada.phone.code()})

    assert code(await answer(api, challenge, ada.phone.code(1))) == (401, "challenge_ended")


async def test_an_administrator_takes_the_factor_of_somebody_away(api: ApiUnderTest, ada: Enrolled) -> None:
    admin = await api.as_role(Role.ADMIN)
    path = f"{PATH}/of/{ada.user_id}"

    assert (await admin.get(path)).json()["on"] is True
    assert code(await ada.client.delete(path)) == (403, "forbidden")
    assert code(await admin.delete(path)) == (204, None)
    assert code(await admin.delete(path)) == (409, "second_factor_off")
    assert code(await admin.delete(f"{PATH}/of/00000000-0000-7000-8000-000000000000")) == (404, "not_found")
    assert (await log_in(api, ada.name)).status_code == 200
    async with api.database.read_only() as connection:
        logged = await connection.execute(
            text("SELECT actor_id, after FROM platform.audit_log WHERE action = 'second_factor_removed'")
        )
        [entry] = logged.all()
    assert entry.actor_id != ada.user_id
    assert entry.after == {"by_oneself": False}


async def test_an_administrator_proves_whose_own_it_is(api: ApiUnderTest, clock: FixedClock) -> None:
    admin = await enrolled(api, clock, Role.ADMIN)

    assert code(await admin.client.delete(f"{PATH}/of/{admin.user_id}")) == (409, "own_second_factor")


async def test_operators_take_the_factor_of_the_last_administrator_away(api: ApiUnderTest, clock: FixedClock) -> None:
    admin = await enrolled(api, clock, Role.ADMIN)

    assert await remove_second_factor({"username": admin.name}, api.operator) == {"username": admin.name}

    assert (await log_in(api, admin.name)).status_code == 200
    with pytest.raises(SecondFactorOff):
        await remove_second_factor({"username": admin.name}, api.operator)
    with pytest.raises(NotFound):
        await remove_second_factor({"username": "nobody"}, api.operator)


async def test_sessions_go_on_when_a_factor_comes_and_goes(api: ApiUnderTest, clock: FixedClock) -> None:
    person, name = await add_person(api, Role.LEARNER)
    before = (await log_in(api, name)).json()
    client = await api.client(before["access_token"])
    phone = Phone((await client.post(PATH, json={"password": PASSWORD})).json()["secret"], clock)
    await client.post(f"{PATH}/confirm", json={"code": phone.code()})

    refreshed = await client.post("/api/auth/refresh", json={"refresh_token": before["refresh_token"]})
    await client.post(f"{PATH}/remove", json={"password": PASSWORD, "code": phone.code(1)})
    again = await client.post("/api/auth/refresh", json={"refresh_token": refreshed.json()["refresh_token"]})

    assert (refreshed.status_code, again.status_code) == (200, 200)
    assert (await client.get("/api/users/me")).json()["id"] == str(person)


async def test_a_suspended_person_is_refused_at_either_step(api: ApiUnderTest, ada: Enrolled) -> None:
    challenge = await challenge_of(api, ada.name)
    async with api.database.transaction() as connection:
        now = api.platform.clock.now()
        await connection.execute(update(users).where(users.c.id == ada.user_id).values(suspended_at=now))

    assert code(await log_in(api, ada.name)) == (403, "account_suspended")
    assert code(await answer(api, challenge, ada.phone.code())) == (403, "account_suspended")


async def test_another_password_ends_challenges_and_keeps_the_factor(api: ApiUnderTest, ada: Enrolled) -> None:
    challenge = await challenge_of(api, ada.name)
    await replace_password({"username": ada.name, "password": OTHER}, api.operator)

    assert code(await answer(api, challenge, ada.phone.code())) == (401, "challenge_ended")
    assert (await answer(api, await challenge_of(api, ada.name, OTHER), ada.phone.code())).status_code == 200


async def test_a_password_set_by_mail_does_not_take_the_factor_away(
    mailing: ApiUnderTest, mailbox: Mailbox, clock: FixedClock
) -> None:
    ada = await enrolled(mailing, clock)
    await deliver(mailing, mailbox)
    anybody = await mailing.client()
    await anybody.post("/api/passwords/resets", json={"email": f"{ada.name}@example.org"})
    [mail] = await deliver(mailing, mailbox)
    done = await anybody.post("/api/passwords/resets/complete", json={"token": token_in(mail), "password": OTHER})

    assert done.status_code == 204
    assert (await answer(mailing, await challenge_of(mailing, ada.name, OTHER), ada.phone.code())).status_code == 200


@pytest.mark.parametrize(
    ("locale", "subjects"),
    [
        ("en", ("Your sign-in needs a code now", "Your sign-in needs no code any more")),
        ("de", ("Ihre Anmeldung braucht jetzt einen Code", "Ihre Anmeldung braucht keinen Code mehr")),
        ("fr", ("Votre connexion demande maintenant un code", "Votre connexion ne demande plus de code")),
        ("es", ("Su inicio de sesión ahora necesita un código", "Su inicio de sesión ya no necesita un código")),
    ],
)
async def test_a_mail_tells_when_a_factor_comes_and_goes(
    mailing: ApiUnderTest, mailbox: Mailbox, clock: FixedClock, locale: str, subjects: tuple[str, str]
) -> None:
    ada = await enrolled(mailing, clock)
    async with mailing.database.transaction() as connection:
        await connection.execute(update(users).where(users.c.id == ada.user_id).values(locale=locale))
    [added] = await deliver(mailing, mailbox)
    await remove_second_factor({"username": ada.name}, mailing.operator)
    [removed] = await deliver(mailing, mailbox)

    assert (added.message["Subject"], removed.message["Subject"]) == subjects
    assert added.recipients == removed.recipients == (f"{ada.name}@example.org",)
    assert "/ui/forgot-password" in added.text
    assert ada.phone.secret not in added.text + added.part("html")


async def test_what_is_secret_is_nowhere_but_sealed_and_hashed(
    api: ApiUnderTest, clock: FixedClock, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    person, name = await add_person(api, Role.LEARNER)
    client = await api.as_user(person, Role.LEARNER)
    client.headers["Idempotency-Key"] = "a key that is not taken here"
    phone = Phone((await client.post(PATH, json={"password": PASSWORD})).json()["secret"], clock)
    client.headers["Idempotency-Key"] = "another key"
    given = await client.post(f"{PATH}/confirm", json={"code": phone.code()})
    clock.advance(timedelta(seconds=30))
    challenge = await challenge_of(api, name)
    await answer(api, challenge, phone.wrong())
    recovery = given.json()["recovery_codes"]
    await answer(api, challenge, recovery[0])
    await client.post(f"{PATH}/recovery-codes", json={"password": PASSWORD, "code": recovery[1]})

    async with database.read_only() as connection:
        tables = (
            await connection.execute(
                text(
                    "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
                    "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
                )
            )
        ).scalars()
        stored = ""
        for table in tables.all():
            rows = await connection.execute(text(f"SELECT t::text FROM {table} t"))
            stored += "\n".join(row[0] for row in rows)
    hidden = [
        phone.secret,
        base64.b32decode(phone.secret).hex(),
        challenge,
        *recovery,
        *(one.replace("-", "") for one in recovery),
    ]
    assert "recovery_code_used" in stored
    assert [one for one in hidden if one in stored or one in caplog.text] == []


async def test_the_secret_is_sealed_for_its_person(api: ApiUnderTest, clock: FixedClock, ada: Enrolled) -> None:
    eve = await enrolled(api, clock)
    async with api.database.transaction() as connection:
        moved = "(SELECT secret FROM identity.second_factors WHERE user_id = :eve)"
        await connection.execute(
            text(f"UPDATE identity.second_factors SET secret = {moved} WHERE user_id = :ada"),
            {"eve": eve.user_id, "ada": ada.user_id},
        )

    # Who can write to the database cannot give somebody an app that they hold; recovery codes go on working.
    assert code(await log_in(api, ada.name, code=eve.phone.code())) == (503, "secret_unreadable")
    assert (await log_in(api, ada.name, code=ada.recovery_codes[0])).status_code == 200
