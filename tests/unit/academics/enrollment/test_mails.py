"""What students are told when an enrolment changes: one sentence for every change, in text and in HTML."""

from datetime import UTC, datetime

import pytest

from dataforge.contexts.academics.contract import EnrollmentChanged
from dataforge.kernel.ids import uuid7
from dataforge.platform.mail.templates import compose

COURSE = "CS<1> Logic & Proof, section A"


def changed(before: str | None, after: str) -> EnrollmentChanged:
    ids = {name: uuid7() for name in ("enrollment_id", "section_id", "student_id", "course_id")}
    return EnrollmentChanged(
        **ids, from_=before, to=after, reason="the add period ended", wait_no=3, student_name="Ada", user_id=None,
        email="ada@example.org", course_code="CS<1>", course_title="Logic & Proof", section_code="A",
        semester_code="2026F", rule=None, actor_id=None, at=datetime(2026, 9, 1, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (None, "ENROLLED", f"you are enrolled in {COURSE}."),
        ("WAITLISTED", "ENROLLED", f"you moved up from the waitlist and are enrolled in {COURSE}."),
        (None, "WAITLISTED", f"{COURSE} is full: you are number 3 on the waitlist."),
        ("WAITLISTED", "WAITLISTED", "you could not have it: the add period ended\nYou keep number 3 on the waitlist."),
        ("ENROLLED", "DROPPED", f"you are no longer in {COURSE} (the add period ended)."),
        ("ENROLLED", "WITHDRAWN", f"you withdrew from {COURSE} (the add period ended)."),
        ("ENROLLED", "COMPLETED", f"you completed {COURSE}."),
    ],
)
def test_each_change_has_its_sentence(before: str | None, after: str, sentence: str) -> None:
    mail = compose("academics/enrollment_changed", "ada@example.org", {"event": changed(before, after)})

    assert mail.subject == f"CS<1> Logic & Proof: {after.lower()}"
    assert mail.text.startswith("Hello Ada,\n\n")
    assert mail.text.endswith(sentence + "\n")
    assert mail.html is not None
    assert "CS&lt;1&gt; Logic &amp; Proof" in mail.html
