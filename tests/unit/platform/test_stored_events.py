"""Events as the outbox stores them: what is published comes back as the same dataclass, through JSON."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from dataforge.contexts.academics.contract import EnrollmentChanged, PromotionDue
from dataforge.contexts.identity.contract import XapiCredentialChanged
from dataforge.contexts.learning.contract import LessonCompleted
from dataforge.kernel.events import Event
from dataforge.platform.db.outbox import stored_event

ID = UUID("01989a3b-0000-7000-8000-000000000001")
AT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
CHANGED = EnrollmentChanged(
    ID,
    ID,
    "Ada Lovelace",
    None,
    None,
    ID,
    "A",
    ID,
    "CS1",
    "Logic",
    "2026S",
    None,
    "WAITLISTED",
    3,
    "full",
    None,
    None,
    AT,
)


@pytest.mark.parametrize(
    "event",
    [
        LessonCompleted(ID, ID, None, ID, None, AT),
        LessonCompleted(ID, ID, ID, ID, Decimal("0.8500"), AT),
        PromotionDue(ID, 7),
        XapiCredentialChanged("a-key"),
        CHANGED,
    ],
)
def test_an_event_comes_back_as_it_went(event: Event) -> None:
    row: Any = SimpleNamespace(id=event.event_id, payload=json.loads(json.dumps(event.payload())))

    assert stored_event(type(event), row) == event


def test_names_that_python_keeps_are_written_as_they_are_read_elsewhere() -> None:
    assert {"from", "to"} <= CHANGED.payload().keys()


def test_a_member_of_another_release_is_passed_over_and_a_missing_one_is_not() -> None:
    more: Any = SimpleNamespace(id=ID, payload={"section_id": str(ID), "after_wait_no": 1, "colour": "red"})
    less: Any = SimpleNamespace(id=ID, payload={"section_id": str(ID)})

    assert stored_event(PromotionDue, more) == PromotionDue(ID, 1, event_id=ID)
    with pytest.raises(ValidationError):
        stored_event(PromotionDue, less)
