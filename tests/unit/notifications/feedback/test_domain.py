"""What SES reports, in every form that it has: who gets no more mail, and what is not understood."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.notifications.feedback.domain import Feedback, FeedbackUnreadable, read_feedback
from dataforge.contexts.notifications.suppressions.domain import Reason, Scope, is_silenced
from tests.builders.feedback import TRIED, bounce, complaint, delivery, in_envelope, raw

ADA, BOB = "ada@example.org", "bob@example.org"


@pytest.mark.parametrize("member", ["notificationType", "eventType"])
@pytest.mark.parametrize("body", [in_envelope, raw])
def test_a_permanent_bounce_silences_every_address_that_it_names(body: Callable[[Any], str], member: str) -> None:
    found = read_feedback(body(bounce(ADA, "Bob <Bob@Example.org>", ADA, member=member)))

    assert found == Feedback("Bounce/Permanent/General", Reason.BOUNCE, (ADA, BOB))


@pytest.mark.parametrize("member", ["notificationType", "eventType"])
@pytest.mark.parametrize("body", [in_envelope, raw])
@pytest.mark.parametrize("kind", ["abuse", "fraud", None])
def test_a_complaint_does_the_same(body: Callable[[Any], str], member: str, kind: str | None) -> None:
    found = read_feedback(body(complaint(ADA, BOB, kind=kind, member=member)))

    assert (found.reason, found.addresses) == (Reason.COMPLAINT, (ADA, BOB))


@pytest.mark.parametrize("body", [in_envelope, raw])
@pytest.mark.parametrize(
    "report",
    [
        bounce(ADA, kind="Transient", subtype="MailboxFull"),
        bounce(ADA, kind="Undetermined", subtype="Undetermined"),
        complaint(ADA, kind="not-spam"),
        delivery(ADA),
        *(
            delivery(ADA, member="eventType", kind=kind)
            for kind in ("Send", "Open", "Click", "Reject", "Rendering Failure", "DeliveryDelay", "Subscription")
        ),
        {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have subscribed."},
        TRIED,
    ],
)
def test_what_says_nothing_of_an_address_changes_nothing(body: Callable[[Any], str], report: dict[str, Any]) -> None:
    found = read_feedback(body(report))

    assert (found.reason, found.addresses) == (None, ())


@pytest.mark.parametrize("body", [in_envelope, raw])
@pytest.mark.parametrize(
    "report",
    [
        "", "no JSON", "[]", "null", "7", '"Bounce"', {}, {"notificationType": "Weather"}, {"notificationType": None},
        {"notificationType": "Bounce"}, {"notificationType": "Bounce", "bounce": []},
        {"notificationType": "Bounce", "bounce": {"bounceType": "Permanent"}},
        {"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": 1}]}},
        {"notificationType": "Bounce", "bounce": {"bounceType": "Total", "bouncedRecipients": [{"emailAddress": ADA}]}},
        {"eventType": "Complaint", "complaint": {"complainedRecipients": ["ada@example.org"]}},
        {"eventType": "Complaint", "complaint": {"complainedRecipients": None}},
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused(body: Callable[[Any], str], report: Any) -> None:
    with pytest.raises(FeedbackUnreadable):
        read_feedback(body(report))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("Bounce"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("Type", "Message", "notificationType", "eventType", "bounce", "complaint", "bounceType"),
                    *("bouncedRecipients", "complainedRecipients", "emailAddress", "mail"),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(
    st.one_of(
        JSON.map(json.dumps), st.text(), JSON.map(lambda found: json.dumps({"Type": "Notification", "Message": found}))
    )
)
def test_whatever_arrives_is_read_or_refused(body: str) -> None:
    try:
        found = read_feedback(body)
    except FeedbackUnreadable:
        return
    assert (found.reason is None) == (found.addresses == ())


@given(
    st.lists(st.emails(), min_size=1, max_size=5),
    st.sampled_from([bounce, complaint]),
    st.sampled_from(["notificationType", "eventType"]),
    st.sampled_from([in_envelope, raw]),
)
def test_every_recipient_of_every_form_is_found(
    addresses: list[str], report: Callable[..., dict[str, Any]], member: str, body: Callable[[Any], str]
) -> None:
    found = read_feedback(body(report(*addresses, member=member)))

    assert len(found.addresses) == len({address.lower() for address in addresses})


def test_who_cannot_do_without_a_mail_gets_it_unless_the_address_is_none() -> None:
    silenced = {
        (reason, scope): is_silenced({Scope.ALL: reason}, scope) for reason in Reason for scope in (None, Scope.IMPORT)
    }

    assert [key for key, value in silenced.items() if not value] == [
        (Reason.UNSUBSCRIBE, None),
        (Reason.COMPLAINT, None),
    ]
    assert is_silenced({Scope.IMPORT: Reason.UNSUBSCRIBE}, Scope.IMPORT)
    assert not is_silenced({Scope.IMPORT: Reason.UNSUBSCRIBE}, Scope.REVIEW)
