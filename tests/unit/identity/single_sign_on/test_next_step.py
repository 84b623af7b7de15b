"""What an identity of a provider leads to, by what is known of its address."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.identity.accounts.domain import Account
from dataforge.contexts.identity.single_sign_on.domain import (
    AccountUnknown,
    Claims,
    EmailUnverified,
    LastSignInMethod,
    Provider,
    ProviderAnswer,
    Step,
    check_may_unlink,
    new_journey,
    next_step,
)
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role

ID = UUID(int=1)
CAMPUS = Provider(ID, "Campus", "https://campus.example", "us", None, ("example.org",), creates_accounts=True)
STRANGER = replace(CAMPUS, domains=())
ADA = Claims(CAMPUS.issuer, "ada-1", email="Ada@Example.org", email_verified=True)
PROVED = Account(ID, "ada", Role.LEARNER, "hash", suspended=False, email="ada@example.org", email_confirmed=True)
VOUCHED = replace(PROVED, password_hash=None, email_confirmed=False, email_vouched=True)
CLAIMED = replace(PROVED, email_confirmed=False)
ADMIN = replace(PROVED, role=Role.ADMIN)


@pytest.mark.parametrize(
    ("provider", "account", "guarded", "step"),
    [
        (CAMPUS, None, False, Step.CREATE),
        (CAMPUS, CLAIMED, False, Step.CREATE),
        (CAMPUS, PROVED, False, Step.LINK),
        (CAMPUS, VOUCHED, False, Step.LINK),
        (CAMPUS, ADMIN, False, Step.CONFIRM),
        (CAMPUS, PROVED, True, Step.CONFIRM),
        (STRANGER, None, False, Step.CREATE),
        (STRANGER, CLAIMED, False, Step.CREATE),
        (STRANGER, PROVED, False, Step.CONFIRM),
        (STRANGER, VOUCHED, False, Step.CONFIRM),
    ],
)
def test_an_identity_leads_to(provider: Provider, account: Account | None, guarded: bool, step: Step) -> None:
    assert next_step(provider, ADA, account, guarded=guarded) is step


def test_an_address_in_other_letters_is_the_one_that_is_stored() -> None:
    claims = replace(ADA, email="Ada@b\u00fccher.example")

    assert claims.proved_email == "ada@xn--bcher-kva.example"
    assert replace(CAMPUS, domains=("xn--bcher-kva.example",)).decides(claims.proved_email)


def test_a_provider_that_makes_no_accounts_refuses_whom_it_does_not_find() -> None:
    provider = replace(CAMPUS, creates_accounts=False)

    assert next_step(provider, ADA, PROVED) is Step.LINK
    for account in (None, CLAIMED):
        with pytest.raises(AccountUnknown):
            next_step(provider, ADA, account)


@pytest.mark.parametrize(
    "claims",
    [
        replace(ADA, email_verified=False),
        replace(ADA, email=""),
        replace(ADA, email="ada"),
        replace(ADA, email="ada@ex\u0430mple.org"),  # a Cyrillic letter
        replace(ADA, email="ada@example.org, bob@example.org"),
    ],
)
@pytest.mark.parametrize("account", [None, PROVED, VOUCHED, CLAIMED])
def test_without_a_verified_address_nothing_is_found_or_made(claims: Claims, account: Account | None) -> None:
    with pytest.raises(EmailUnverified):
        next_step(CAMPUS, claims, account)


@given(
    st.builds(
        replace, st.just(PROVED), role=st.sampled_from(Role), email_confirmed=st.booleans(), email_vouched=st.booleans()
    ),
    st.booleans(),
    st.lists(st.sampled_from(["example.org", "sub.example.org", "example.org.evil", "org"]), max_size=3),
)
def test_an_address_links_at_once_only_where_the_provider_decides_about_it(
    account: Account, guarded: bool, domains: list[str]
) -> None:
    provider = replace(CAMPUS, domains=tuple(domains))

    if next_step(provider, ADA, account, guarded=guarded) is Step.LINK:
        assert "example.org" in domains
        assert account.role is not Role.ADMIN
        assert account.email_confirmed or account.email_vouched
        assert not guarded


def test_an_answer_belongs_to_the_journey_with_its_state_and_provider() -> None:
    journey = new_journey(ID, "https://us.example/return", datetime(2026, 6, 1, tzinfo=UTC))
    answer = ProviderAnswer(ID, "code", journey.state)

    assert answer.belongs_to(journey)
    assert not answer.belongs_to(None)
    assert not replace(answer, state=journey.nonce).belongs_to(journey)
    assert not replace(answer, state="").belongs_to(journey)
    assert not replace(answer, state="ä").belongs_to(journey)
    assert not replace(answer, provider_id=uuid7()).belongs_to(journey)


def test_a_journey_has_secrets_of_its_own_and_ends() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    first, second = [new_journey(ID, "https://us.example/return", now) for _ in range(2)]

    assert len({first.state, first.nonce, first.verifier, second.state, second.nonce, second.verifier}) == 6
    assert first.expires_at == now + timedelta(minutes=10)
    assert 43 <= len(first.verifier) <= 128  # RFC 7636 §4.1
    assert first.state not in repr(first)


@pytest.mark.parametrize(("password", "others"), [(True, 0), (False, 1), (True, 2)])
def test_a_way_in_may_go_while_another_stays(password: bool, others: int) -> None:
    check_may_unlink(has_password=password, others=others)


def test_the_last_way_in_may_not_go() -> None:
    with pytest.raises(LastSignInMethod):
        check_may_unlink(has_password=False, others=0)
