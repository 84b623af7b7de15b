"""Signing in at a provider: a real one over HTTP, honest and not."""

import base64
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from sqlalchemy import text
from starlette.responses import JSONResponse, RedirectResponse, Response

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.browser import PASSWORD, add_person, csrf_of, post_form, visitor
from tests.builders.oidc_provider import CLIENT_ID, OidcProvider, new_key, signed_with_secret, unsigned
from tests.builders.second_factor import enrolled
from tests.builders.single_sign_on import ADA, METHODS, Console, proved, signed_in, why, with_provider


async def test_somebody_new_signs_in_and_is_a_learner_with_a_proved_address(console: Console) -> None:
    browser = await visitor(console.api)

    answer = await console.sign_in(browser, next="/ui/courses")

    assert signed_in(answer)
    assert answer.headers["location"] == "/ui/courses"
    [user] = await console.rows("SELECT * FROM identity.users WHERE email = 'ada@example.org'")
    assert (user.role, user.display_name, user.password_hash) == ("learner", "Ada Lovelace", None)
    assert user.email_confirmed_at is not None
    assert user.username in (await browser.get("/ui")).text


async def test_the_provider_is_asked_for_a_code_with_pkce_state_and_nonce(console: Console) -> None:
    browser = await visitor(console.api)

    first, second = [parse_qs(urlsplit(await console.depart(browser)).query) for _ in range(2)]

    assert first["response_type"] == ["code"]
    assert first["scope"] == ["openid email profile"]
    assert first["code_challenge_method"] == ["S256"]
    assert first["redirect_uri"] == [f"http://api.test{console.with_it}/return"]
    assert all(len(first[name][0]) >= 43 for name in ("state", "nonce", "code_challenge"))
    assert not any(first[name] == second[name] for name in ("state", "nonce", "code_challenge"))


async def test_what_the_browser_keeps_is_out_of_reach_of_scripts_and_says_nothing(console: Console) -> None:
    browser = await visitor(console.api)

    answer = await browser.get(console.with_it)

    [cookie] = [line for line in answer.headers.get_list("set-cookie") if line.startswith("dataforge_journey=")]
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    assert "max-age=600" in cookie.lower()
    kept = base64.urlsafe_b64decode(cookie.partition("=")[2].partition(";")[0].strip('"'))
    assert query["state"][0].encode() not in kept


@pytest.mark.parametrize(("length", "led_to"), [(1000, "/ui/courses?q=xxx"), (2000, "/ui")])
async def test_what_the_browser_keeps_fits_into_a_cookie(console: Console, length: int, led_to: str) -> None:
    browser = await visitor(console.api)

    answer = await console.sign_in(browser, next="/ui/courses?q=".ljust(length, "x"))
    departed = await browser.get(console.with_it, params={"next": "/ui?q=".ljust(length, "x")})

    assert signed_in(answer)
    assert answer.headers["location"].startswith(led_to)
    assert all(len(line) < 4000 for line in departed.headers.get_list("set-cookie"))


async def test_the_second_sign_in_finds_the_account_by_subject_whatever_the_address_is_by_then(
    console: Console,
) -> None:
    await console.sign_in(await visitor(console.api))
    console.provider.people["ada-1"] |= {"email": "countess@elsewhere.org", "email_verified": False}

    answer = await console.sign_in(await visitor(console.api))

    assert signed_in(answer)
    assert len(await console.rows("SELECT 1 FROM identity.users WHERE role = 'learner'")) == 1
    [identity] = await console.rows("SELECT label FROM identity.linked_identities")
    assert identity.label == "countess@elsewhere.org"


@pytest.mark.parametrize(("domains", "accounts"), [([], 2), (["example.org"], 1)])
async def test_an_address_that_passes_to_somebody_else_does_not_take_the_account_along(
    laptop: ApiUnderTest, provider: OidcProvider, domains: list[str], accounts: int
) -> None:
    console = await with_provider(laptop, provider, creates_accounts=True, domains=domains)
    await console.sign_in(await visitor(laptop))
    provider.people["bob-2"] = dict(ADA)

    answer = await console.sign_in(await visitor(laptop), "bob-2")

    assert signed_in(answer) is not bool(domains)
    users = await console.rows("SELECT DISTINCT user_id FROM identity.linked_identities")
    assert len(users) == accounts


def _other_key(provider: OidcProvider) -> None:
    stranger = new_key("first")
    provider.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": "first"}, claims, stranger)


def _unsigned(provider: OidcProvider) -> None:
    provider.sign = unsigned


def _public_key_as_secret(provider: OidcProvider) -> None:
    # The old confusion: what everybody can read, used as the secret of an HMAC.
    provider.sign = lambda claims: signed_with_secret(claims, provider.key.as_pem(private=False), "first")


def _garbage(provider: OidcProvider) -> None:
    provider.sign = lambda _: "not.a.token"


def _claims(**changed: Any) -> Callable[[OidcProvider], None]:
    def change(provider: OidcProvider) -> None:
        provider.claims = changed

    return change


def _expired(provider: OidcProvider) -> None:
    provider.claims = {"exp": int(provider.clock.now().timestamp()) - 61}


def _of_tomorrow(provider: OidcProvider) -> None:
    provider.claims = {"iat": int(provider.clock.now().timestamp()) + 86_400}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_claims(nonce="another"), "nonce"),
        (_claims(nonce=None), "nonce"),
        (_claims(nonce=7), "nonce"),
        (_claims(iss="https://evil.example"), "iss"),
        (_claims(iss=None), "iss"),
        (_claims(aud="another-client"), "aud"),
        (_claims(aud=None), "aud"),
        (_claims(aud=[CLIENT_ID, "another"]), "azp"),
        (_claims(azp="another-client"), "azp"),
        (_claims(sub=""), "sub"),
        (_claims(sub="x" * 256), "no usable subject"),
        (_claims(sub=None), "sub"),
        (_claims(sub=["ada-1"]), "sub"),
        (_claims(exp=None), "exp"),
        (_claims(exp="tomorrow"), "exp"),
        (_claims(at_hash="bm90IGl0"), "at_hash"),
        (_expired, "expired"),
        (_of_tomorrow, "issued in the future"),
        (_unsigned, "signature"),
        (_other_key, "signature"),
        (_public_key_as_secret, "signature"),
        (_garbage, "signature"),
    ],
)
async def test_a_token_that_does_not_hold_signs_nobody_in(
    console: Console, spoil: Callable[[OidcProvider], None], reason: str
) -> None:
    spoil(console.provider)

    answer = await console.sign_in(await visitor(console.api))

    assert (answer.status_code, signed_in(answer)) == (401, False)
    assert why(answer).startswith("The answer of Campus cannot be trusted")
    assert reason in why(answer)
    assert 'name="password"' in answer.text
    assert await console.rows("SELECT 1 FROM identity.linked_identities") == []


async def test_two_audiences_are_fine_if_the_token_was_issued_to_us(console: Console) -> None:
    console.provider.claims = {"aud": ["another", CLIENT_ID], "azp": CLIENT_ID}

    assert signed_in(await console.sign_in(await visitor(console.api)))


async def test_a_rotated_key_is_found_at_once_and_known_ones_are_not_asked_for_again(console: Console) -> None:
    await console.sign_in(await visitor(console.api))
    assert signed_in(await console.sign_in(await visitor(console.api)))
    assert console.provider.asked.count("/jwks") == 1
    assert console.provider.asked.count("/.well-known/openid-configuration") == 1
    console.provider.rotate()

    answer = await console.sign_in(await visitor(console.api))

    assert signed_in(answer)
    assert console.provider.asked.count("/jwks") == 2


async def test_keys_of_other_kinds_do_not_hide_the_right_one(console: Console) -> None:
    ours = console.provider.published[0]
    strange = [
        {"kty": "AKP", "kid": "first", "pub": "x"},
        {"kty": "EC", "kid": "first"},
        {"kid": "first"},
        "text",
        None,
    ]
    console.provider.published = [*strange, {**ours, "use": "enc"}, ours]

    assert signed_in(await console.sign_in(await visitor(console.api)))


async def test_an_answer_that_this_browser_has_not_asked_for_is_refused(console: Console) -> None:
    mine, other = await visitor(console.api), await visitor(console.api)
    stolen = console.provider.approve(await console.depart(other), "ada-1")
    honest = console.provider.approve(await console.depart(mine), "ada-1")

    answers = [
        await mine.get(f"{console.with_it}/return", params=stolen),
        await mine.get(f"{console.with_it}/return", params={**honest, "state": "x"}),
        await mine.get(f"{console.with_it}/return", params={"code": honest["code"]}),
        await (await visitor(console.api)).get(f"{console.with_it}/return", params=honest),
    ]

    assert [(answer.status_code, signed_in(answer)) for answer in answers] == [(400, False)] * 4
    assert all("was not asked for by this browser" in why(answer) for answer in answers)
    assert "/token" not in console.provider.asked
    # What a stranger has sent does not end the way that this browser is on.
    assert signed_in(await mine.get(f"{console.with_it}/return", params=honest))


async def test_an_answer_counts_once(console: Console) -> None:
    browser = await visitor(console.api)
    query = console.provider.approve(await console.depart(browser), "ada-1")
    await browser.get(f"{console.with_it}/return", params=query)

    again = await browser.get(f"{console.with_it}/return", params=query)

    assert again.status_code == 400


async def test_an_answer_that_comes_too_late_is_refused(console: Console, clock: FixedClock) -> None:
    browser = await visitor(console.api)
    query = console.provider.approve(await console.depart(browser), "ada-1")
    clock.advance(timedelta(minutes=10))

    assert (await browser.get(f"{console.with_it}/return", params=query)).status_code == 400


async def test_the_answer_of_one_provider_does_not_pass_for_that_of_another(
    console: Console, clock: FixedClock
) -> None:
    evil = OidcProvider(clock)
    with evil.served():
        other = await with_provider(console.api, evil, name="Evil")
        browser = await visitor(console.api)
        query = console.provider.approve(await console.depart(browser), "ada-1")

        answer = await browser.get(f"{other.with_it}/return", params=query)

        assert answer.status_code == 400
        assert "/token" not in evil.asked


@pytest.mark.parametrize(
    ("announced", "issuer", "status"),
    [(True, None, 303), (True, "", 401), (True, "https://evil.example", 401), (False, "https://evil.example", 401)],
)
async def test_who_answers_is_checked_where_the_provider_says_so(
    console: Console, announced: bool, issuer: str | None, status: int
) -> None:
    console.provider.metadata = {"authorization_response_iss_parameter_supported": announced}
    console.provider.answer = {"iss": console.provider.issuer if issuer is None else issuer}

    assert (await console.sign_in(await visitor(console.api))).status_code == status


async def test_a_person_who_does_not_sign_in_there_hears_so(console: Console) -> None:
    console.provider.answer = {"code": "", "error": "access_denied", "error_description": "<b>call 0800-now</b>"}

    answer = await console.sign_in(await visitor(console.api))

    assert answer.status_code == 401
    assert why(answer) == "Campus did not sign you in (access_denied)."
    assert "0800-now" not in answer.text


async def test_words_of_a_stranger_are_not_repeated(console: Console) -> None:
    console.provider.answer = {"code": "", "error": "call 0800-now"}

    assert "0800-now" not in (await console.sign_in(await visitor(console.api))).text


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (JSONResponse({"error": "invalid_grant"}, status_code=400), 401),
        (JSONResponse({"error": "invalid_client"}, status_code=401), 503),
        (JSONResponse({}, status_code=500), 503),
        (Response(b"<html>", status_code=200), 503),
        (Response(b'{"id_token": "' + b"x" * 100_000 + b'"}'), 503),
        (Response(b"[]"), 503),
        (JSONResponse({"id_token": 7}), 401),
        (JSONResponse({}), 401),
        (RedirectResponse("http://127.0.0.1:1/"), 503),
    ],
    ids=["grant", "client", "error", "html", "huge", "list", "number", "empty", "redirect"],
)
async def test_errors_of_the_token_endpoint_leave_the_password(console: Console, answer: Response, status: int) -> None:
    console.provider.token_answer = answer

    page = await console.sign_in(await visitor(console.api))

    assert (page.status_code, signed_in(page)) == (status, False)
    assert why(page)
    assert 'name="password"' in page.text


async def test_a_provider_that_is_down_is_a_clear_error_and_passwords_go_on(
    laptop: ApiUnderTest, provider: OidcProvider
) -> None:
    console = await with_provider(laptop, provider, issuer="http://127.0.0.1:9")
    await add_person(laptop, Role.LEARNER, "lena")
    browser = await visitor(laptop)

    page = await browser.get(console.with_it)

    assert page.status_code == 503
    assert "does not answer as it should" in why(page)
    fields = {"csrf": csrf_of(page), "username": "lena", "password": PASSWORD, "next": ""}
    assert signed_in(await post_form(browser, "/ui/sign-in", fields))


async def test_a_provider_that_takes_too_long_is_given_up(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataforge.contexts.identity.single_sign_on.openid.ONE_SECONDS", 0.3)
    console.provider.delays = {"/token": 3.0}
    began = time.monotonic()

    answer = await console.sign_in(await visitor(console.api))

    assert answer.status_code == 503
    assert time.monotonic() - began < 2.5


async def test_what_is_known_of_a_provider_outlasts_its_absence(console: Console) -> None:
    assert signed_in(await console.sign_in(await visitor(console.api)))
    asked = len(console.provider.asked)
    client = console.api.identity.openid
    client._documents = {key: (at - 3601, known) for key, (at, known) in client._documents.items()}
    console.provider.broken = True

    address = await console.depart(await visitor(console.api))

    assert address.startswith(f"{console.provider.issuer}/authorize?")
    assert len(console.provider.asked) == asked + 1


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"issuer": "https://evil.example"}, "calls itself https://evil.example"),
        ({"token_endpoint": "http://169.254.169.254/latest/meta-data"}, "token_endpoint leads to 169.254.169.254"),
        ({"jwks_uri": "http://10.0.0.1/"}, "jwks_uri leads to 10.0.0.1"),
        ({"userinfo_endpoint": "http://[fd00::1]/"}, "userinfo_endpoint leads to fd00::1"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint must begin with https://"),
        ({"token_endpoint": None}, "token_endpoint must begin with https://"),
    ],
)
async def test_a_provider_leads_us_nowhere_inside(console: Console, metadata: dict[str, Any], reason: str) -> None:
    console.provider.metadata = metadata

    answer = await (await visitor(console.api)).get(console.with_it)

    assert answer.status_code == 503
    assert reason in why(answer)


async def test_a_suspended_account_is_refused(console: Console) -> None:
    await console.sign_in(await visitor(console.api))
    async with console.api.database.transaction() as connection:
        await connection.execute(text("UPDATE identity.users SET suspended_at = now() WHERE role = 'learner'"))

    answer = await console.sign_in(await visitor(console.api))

    assert (answer.status_code, signed_in(answer)) == (403, False)
    assert "suspended" in why(answer)


async def test_a_suspended_account_is_not_linked_either(console: Console) -> None:
    user_id = await proved(console)
    async with console.api.database.transaction() as connection:
        await connection.execute(text("UPDATE identity.users SET suspended_at = now() WHERE id = :id"), {"id": user_id})

    assert (await console.sign_in(await visitor(console.api))).status_code == 403
    assert await console.rows("SELECT 1 FROM identity.linked_identities") == []


@pytest.mark.parametrize("verified", [None, False, "true", 1])
async def test_an_address_that_is_not_verified_makes_and_finds_no_account(console: Console, verified: Any) -> None:
    await proved(console)
    console.provider.people["ada-1"] = {**ADA, "email_verified": verified}

    answer = await console.sign_in(await visitor(console.api))

    assert (answer.status_code, signed_in(answer)) == (403, False)
    assert "has verified your e-mail address" in why(answer)
    assert await console.rows("SELECT 1 FROM identity.linked_identities") == []


async def test_the_provider_of_the_domain_finds_the_account_with_the_proved_address(console: Console) -> None:
    user_id = await proved(console)

    assert signed_in(await console.sign_in(await visitor(console.api)))
    assert [row.user_id for row in await console.rows("SELECT user_id FROM identity.linked_identities")] == [user_id]


async def test_an_address_alone_does_not_go_round_a_second_factor(console: Console, clock: FixedClock) -> None:
    ada = await enrolled(console.api, clock)
    console.provider.people["ada-1"] = {**ADA, "email": f"{ada.name}@example.org"}

    answer = await console.sign_in(await visitor(console.api))

    assert answer.headers["location"] == f"{METHODS}/link"
    assert await console.rows("SELECT 1 FROM identity.linked_identities") == []


async def test_it_claims_an_account_that_an_import_has_made(console: Console) -> None:
    user_id = await console.api.add_user(Role.LEARNER, email="ada@example.org")

    assert signed_in(await console.sign_in(await visitor(console.api)))
    [row] = await console.rows("SELECT email_confirmed_at FROM identity.users WHERE id = :id", id=user_id)
    assert row.email_confirmed_at is not None


async def test_an_address_that_somebody_only_claims_is_found_by_nobody(console: Console) -> None:
    user_id, _ = await add_person(console.api, Role.LEARNER, "ada", email_confirmed_at=None)

    assert signed_in(await console.sign_in(await visitor(console.api)))

    assert await console.rows("SELECT 1 FROM identity.linked_identities WHERE user_id = :id", id=user_id) == []


@pytest.mark.parametrize(("domains", "role"), [([], Role.LEARNER), (["example.org"], Role.ADMIN)])
async def test_others_link_after_their_person_has_signed_in_the_other_way(
    laptop: ApiUnderTest, provider: OidcProvider, domains: list[str], role: Role
) -> None:
    console = await with_provider(laptop, provider, domains=domains)
    user_id = await proved(console, role)
    browser = await visitor(laptop)

    offered = await console.sign_in(browser)
    assert (offered.status_code, offered.headers["location"]) == (303, f"{METHODS}/link")
    to_sign_in = await browser.get(f"{METHODS}/link")
    assert to_sign_in.headers["location"].startswith("/ui/sign-in?next=")
    form = await browser.get(to_sign_in.headers["location"])
    fields = {"csrf": csrf_of(form), "username": "ada", "password": PASSWORD, "next": f"{METHODS}/link"}
    there = await post_form(browser, "/ui/sign-in", fields)
    assert there.headers["location"] == f"{METHODS}/link"
    question = await browser.get(f"{METHODS}/link")
    assert "Ada@Example.org" in question.text
    assert await console.rows("SELECT 1 FROM identity.linked_identities") == []
    await post_form(browser, f"{METHODS}/link", {"csrf": csrf_of(question)})

    assert signed_in(await console.sign_in(await visitor(laptop)))
    assert [row.user_id for row in await console.rows("SELECT user_id FROM identity.linked_identities")] == [user_id]


async def test_nobody_links_what_was_offered_to_another_account(laptop: ApiUnderTest, provider: OidcProvider) -> None:
    console = await with_provider(laptop, provider)
    await proved(console)
    await add_person(laptop, Role.LEARNER, "bob")
    browser = await visitor(laptop)
    await console.sign_in(browser)
    form = await browser.get("/ui/sign-in")
    await post_form(
        browser, "/ui/sign-in", {"csrf": csrf_of(form), "username": "bob", "password": PASSWORD, "next": ""}
    )
    page = await browser.get(METHODS)

    await post_form(browser, f"{METHODS}/link", {"csrf": csrf_of(await browser.get("/ui"))})

    assert page.status_code == 200
    assert await console.rows("SELECT 1 FROM identity.linked_identities") == []
