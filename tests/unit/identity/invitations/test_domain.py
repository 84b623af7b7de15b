"""What an invitation gives, and what it never takes away."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.identity.invitations.domain import Invitation, role_after
from dataforge.kernel.errors import TooManyRequests
from dataforge.kernel.ids import uuid7
from dataforge.kernel.invitations import (
    GOOD_FOR,
    InvitationClosed,
    InvitationExpired,
    InvitationForSomebodyElse,
)
from dataforge.kernel.principal import Role

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


def invitation(**changes: object) -> Invitation:
    values = {
        "id": uuid7(),
        "email": "ada@example.org",
        "role": Role.ANALYST,
        "sendings": 1,
        "sent_at": NOW,
        "expires_at": NOW + GOOD_FOR,
        **changes,
    }
    return Invitation(**values)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("present", "offered", "then"),
    [
        (Role.LEARNER, Role.INSTRUCTOR, Role.INSTRUCTOR),
        (Role.VIEWER, Role.LEARNER, Role.LEARNER),
        (Role.REGISTRAR, Role.ADMIN, Role.ADMIN),
        (Role.ADMIN, Role.LEARNER, Role.ADMIN),
        (Role.INSTRUCTOR, Role.VIEWER, Role.INSTRUCTOR),
        (Role.INSTRUCTOR, Role.ANALYST, Role.INSTRUCTOR),
    ],
)
def test_an_invitation_raises_a_role_and_never_lowers_or_replaces_one(present: Role, offered: Role, then: Role) -> None:
    assert role_after(present, offered) is then


@given(st.sampled_from(Role), st.lists(st.sampled_from(Role), max_size=6))
def test_however_many_are_accepted_an_administrator_stays_one(first: Role, offers: list[Role]) -> None:
    role = first
    for offered in offers:
        role = role_after(role, offered)

    assert role in {first, *offers}
    assert role is Role.ADMIN or Role.ADMIN not in {first, *offers}


def test_every_role_can_be_offered_to_everybody() -> None:
    assert {role_after(present, offered) for present, offered in product(Role, Role)} == set(Role)


def test_it_is_for_one_address_whatever_its_case() -> None:
    invitation().require_acceptable("ADA@example.org", NOW)
    with pytest.raises(InvitationForSomebodyElse):
        invitation().require_acceptable("eve@example.org", NOW)


@pytest.mark.parametrize(("changes", "fate"), [({"accepted_at": NOW}, "accepted"), ({"revoked_at": NOW}, "revoked")])
def test_it_is_used_once_or_not_at_all(changes: dict[str, object], fate: str) -> None:
    with pytest.raises(InvitationClosed, match=fate):
        invitation(**changes).require_usable(NOW)


def test_it_ends_after_a_week() -> None:
    invitation().require_usable(NOW + GOOD_FOR - timedelta(seconds=1))
    with pytest.raises(InvitationExpired):
        invitation().require_usable(NOW + GOOD_FOR)


def test_it_is_mailed_again_after_a_minute_also_when_it_has_expired() -> None:
    with pytest.raises(TooManyRequests) as refused:
        invitation().require_resendable(NOW + timedelta(seconds=1))
    assert refused.value.headers["Retry-After"] == "60"
    invitation().require_resendable(NOW + 2 * GOOD_FOR)


def test_it_counts_as_long_as_its_sender_is_an_administrator() -> None:
    invitation().require_backed()
    with pytest.raises(InvitationClosed):
        invitation(backed=False).require_backed()
