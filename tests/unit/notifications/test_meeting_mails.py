"""What people with a seat are told when a meeting moves, is cancelled or takes place after all."""

from datetime import date, time

import pytest

from dataforge.contexts.academics.contract import MeetingChanged
from dataforge.contexts.notifications.notices.domain import notices_of
from dataforge.kernel.ids import uuid7
from dataforge.platform.mail.languages import Reader
from dataforge.platform.mail.templates import compose
from tests.builders.mail import FOOTER

ADA, BOB = uuid7(), uuid7()


def changed(change: str, note: str = "") -> MeetingChanged:
    slot = (date(2026, 10, 7), time(14), time(15, 30)) if change == "moved" else (None, None, None)
    room = "B<2>" if change == "moved" else ""
    day, people, addresses = date(2026, 10, 5), (ADA, BOB), ("cy@example.org", "di@example.org")
    return MeetingChanged(
        uuid7(), "A", "CS1", "Logic & Proof", change, day, time(9), *slot, room, note, people, addresses
    )


def test_everybody_is_told_once_whatever_accounts_there_are() -> None:
    event = changed("cancelled")

    notices = list(notices_of(event))

    told = [(notice.user_id, notice.address) for notice in notices]
    assert told == [(ADA, None), (BOB, None), (None, "cy@example.org"), (None, "di@example.org")]
    keys = [notice.dedupe_key(event.event_id) for notice in notices]
    assert len(set(keys)) == 4
    assert keys == [notice.dedupe_key(event.event_id) for notice in notices_of(event)]


@pytest.mark.parametrize(
    ("change", "language", "subject", "sentence"),
    [
        ("cancelled", "en", "no meeting on October 5, 2026, 09:00", "on October 5, 2026, 09:00 is cancelled."),
        (
            *("moved", "en", "the meeting on October 5, 2026, 09:00 is moved"),
            "is moved. It takes place on October 7, 2026, 14:00–15:30, B<2>.",
        ),
        ("restored", "en", "the meeting on October 5, 2026, 09:00 takes place", "takes place as it was planned."),
        ("cancelled", "de", "kein Termin am 5. Oktober 2026, 09:00", "am 5. Oktober 2026, 09:00 fällt aus."),
        (
            *("moved", "de", "der Termin am 5. Oktober 2026, 09:00 ist verlegt"),
            "ist verlegt. Er findet am 7. Oktober 2026, 14:00–15:30, B<2> statt.",
        ),
        ("restored", "de", "der Termin am 5. Oktober 2026, 09:00 findet statt", "findet wie geplant statt."),
    ],
)
def test_each_change_has_its_sentence_in_both_languages(
    change: str, language: str, subject: str, sentence: str
) -> None:
    notice = next(iter(notices_of(changed(change, "The teacher is <ill>."))))

    values = {**notice.content, "name": "Ada", **FOOTER}
    mail = compose("notifications/meeting_changed", "ada@example.org", values, reader=Reader(language))

    assert mail.subject == f"CS1 Logic & Proof: {subject}"
    assert sentence in mail.text
    assert "The teacher is <ill>." in mail.text
    assert mail.html is not None
    assert "The teacher is &lt;ill&gt;." in mail.html
    assert "Ada," in mail.text


def test_who_has_no_account_is_greeted_without_a_name() -> None:
    *_, notice = notices_of(changed("cancelled"))

    mail = compose("notifications/meeting_changed", "di@example.org", {**notice.content, "name": "", **FOOTER})

    assert mail.text.startswith("Hello,\n\n")
