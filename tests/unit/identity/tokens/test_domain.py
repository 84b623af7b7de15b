"""The form of personal access tokens, their ends, and what they are for."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.identity.accounts.domain import AccountSuspended
from dataforge.contexts.identity.sessions.domain import InvalidToken
from dataforge.contexts.identity.tokens.domain import (
    PersonalToken,
    check_token_scopes,
    expiry,
    is_token,
    make_secret,
)
from dataforge.kernel.errors import ValidationFailed
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)
GOOD = PersonalToken(
    uuid7(), uuid7(), frozenset({"datasets:read"}), NOW + timedelta(days=1), None, None, "ada", Role.ANALYST, False
)


def test_a_token_has_a_form_that_scanners_know_and_is_never_the_same() -> None:
    made = {make_secret() for _ in range(100)}

    assert len(made) == 100
    assert all(re.fullmatch(r"dfpat_[0-9A-Za-z]{49}", secret) and is_token(secret) for secret in made)


@given(place=st.integers(0, 54), other=st.sampled_from("0aZ9_-é"))
def test_a_token_with_another_character_anywhere_is_none(place: int, other: str) -> None:
    secret = make_secret()
    changed = secret[:place] + other + secret[place + 1 :]

    assert is_token(changed) is (changed == secret)


@given(st.text(max_size=80))
def test_what_somebody_makes_up_is_no_token(text: str) -> None:
    assert not is_token(text)
    assert not is_token("dfpat_" + text)


@pytest.mark.parametrize(
    "scopes",
    [(), ("everything",), ("datasets",), ("datasets:read", "datasets:delete"), ("calendar", "all"), ("all ",)],
)
def test_unknown_scopes_and_a_calendars_beside_others_are_refused(scopes: tuple[str, ...]) -> None:
    with pytest.raises(ValidationFailed):
        check_token_scopes(scopes)


def test_a_token_ends_after_ninety_days_and_a_calendars_address_when_it_is_revoked() -> None:
    assert expiry(("all",), None, NOW) == NOW + timedelta(days=90)
    assert expiry(("all",), 1, NOW) == NOW + timedelta(days=1)
    assert expiry(("calendar",), None, NOW) is None
    assert expiry(("calendar",), 30, NOW) == NOW + timedelta(days=30)


def test_a_token_is_its_person_as_they_are_now_with_its_scopes() -> None:
    principal = GOOD.principal(NOW)

    assert (principal.user_id, principal.role, principal.session) == (GOOD.user_id, Role.ANALYST, None)
    assert principal.scopes == {"datasets:read"}


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"expires_at": NOW}, InvalidToken),
        ({"revoked_at": NOW - timedelta(days=1)}, InvalidToken),
        ({"suspended": True}, AccountSuspended),
        ({"suspended": True, "revoked_at": NOW}, AccountSuspended),
    ],
)
def test_a_token_that_has_ended_and_one_of_a_suspended_person_are_nobodys(
    change: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        replace(GOOD, **change).principal(NOW)  # type: ignore[arg-type]  # each case has its own member
