"""What students are told when an enrolment changes: one sentence for every change, in text and in HTML."""

from datetime import UTC, datetime

import pytest

from dataforge.contexts.academics.contract import EnrollmentChanged
from dataforge.contexts.notifications.notices.domain import notices_of
from dataforge.kernel.ids import uuid7
from dataforge.platform.mail.languages import Reader
from dataforge.platform.mail.templates import compose
from tests.builders.mail import FOOTER

COURSE = "CS<1> Logic & Proof, section A"


def changed(before: str | None, after: str) -> EnrollmentChanged:
    ids = {name: uuid7() for name in ("enrollment_id", "section_id", "student_id", "course_id")}
    return EnrollmentChanged(
        **ids, from_=before, to=after, reason="the add period ended", wait_no=3, student_name="Ada", user_id=None,
        email="ada@example.org", course_code="CS<1>", course_title="Logic & Proof", section_code="A",
        semester_code="2026F", rule=None, actor_id=None, at=datetime(2026, 9, 1, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "subject", "sentence"),
    [
        (None, "ENROLLED", "enrolled", f"you are enrolled in {COURSE}."),
        (
            *("WAITLISTED", "ENROLLED", "a seat became free"),
            f"you moved up from the waitlist and are enrolled in {COURSE}.",
        ),
        (None, "WAITLISTED", "on the waitlist", f"{COURSE} is full: you are number 3 on the waitlist."),
        (
            *("WAITLISTED", "WAITLISTED", "still on the waitlist"),
            "you could not have it: the add period ended\nYou keep number 3 on the waitlist.",
        ),
        ("ENROLLED", "DROPPED", "dropped", f"you are no longer in {COURSE} (the add period ended)."),
        ("ENROLLED", "WITHDRAWN", "withdrawn", f"you withdrew from {COURSE} (the add period ended)."),
        ("ENROLLED", "COMPLETED", "completed", f"you completed {COURSE}."),
    ],
)
def test_each_change_has_its_sentence(before: str | None, after: str, subject: str, sentence: str) -> None:
    [notice] = notices_of(changed(before, after))

    mail = compose("notifications/enrollment_changed", "ada@example.org", {**notice.content, **FOOTER})

    assert mail.subject == f"CS<1> Logic & Proof: {subject}"
    assert mail.text.startswith("Hello Ada,\n\n")
    assert f"{sentence}\n\n-- \n" in mail.text
    assert mail.html is not None
    assert "CS&lt;1&gt; Logic &amp; Proof" in mail.html
    assert "<b>CS" in mail.html


def test_it_is_told_in_the_readers_language() -> None:
    [notice] = notices_of(changed("WAITLISTED", "ENROLLED"))

    values = {**notice.content, **FOOTER}
    mail = compose("notifications/enrollment_changed", "ada@example.org", values, reader=Reader("de-AT"))

    assert mail.subject == "CS<1> Logic & Proof: ein Platz ist frei geworden"
    assert "nun angemeldet für CS<1> Logic & Proof, Gruppe A." in mail.text
    assert "&lt;1&gt;" in str(mail.html)
    assert '<html lang="de">' in str(mail.html)


def test_a_seat_from_the_waitlist_is_a_kind_of_its_own() -> None:
    kinds = {
        (before, after): notice.kind
        for before, after in [(None, "ENROLLED"), ("WAITLISTED", "ENROLLED"), ("WAITLISTED", "DROPPED")]
        for notice in notices_of(changed(before, after))
    }

    assert list(kinds.values()) == ["enrollment", "waitlist_promotion", "enrollment"]


def test_a_refusal_is_not_mailed() -> None:
    assert list(notices_of(changed(None, "FAILED_CAPACITY"))) == []
