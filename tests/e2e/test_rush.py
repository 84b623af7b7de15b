"""Journey 1: fifty learners ask for ten seats and a waitlist of twenty at once, through the gateway."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

import httpx
import pytest

from infra.local.stack import LocalStack

pytestmark = pytest.mark.build


def made(admin: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = admin.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def course(admin: httpx.Client) -> dict[str, Any]:
    """A published course with one open section of ten seats and a waitlist of twenty."""
    today, tag = datetime.now(UTC).date(), token_hex(4)
    dates = {
        name: (today + timedelta(days=days)).isoformat()
        for name, days in (("starts_on", -7), ("add_by", 14), ("drop_by", 21), ("withdraw_by", 60), ("ends_on", 90))
    }
    department = made(admin, "/api/departments", code=f"D{tag}", name="Safety")
    semester = made(admin, "/api/semesters", code=f"S{tag}", max_credits=30, **dates)
    course = made(
        admin,
        "/api/courses",
        code=f"C{tag}",
        title="Fire safety",
        department_id=department["id"],
        credits=3,
        state="published",
    )
    section = {"course_id": course["id"], "semester_id": semester["id"], "code": "A"}
    made(admin, "/api/sections", **section, capacity=10, waitlist_capacity=20)
    return course


def test_ten_get_a_seat_twenty_a_number_and_twenty_a_reason(
    admin: httpx.Client, stack: LocalStack, course: dict[str, Any]
) -> None:
    tag = token_hex(4)
    people = [
        made(
            admin,
            "/api/students",
            first_name="Learner",
            last_name=str(n),
            number=f"{tag}-{n}",
            email=f"{tag}-{n}@example.org",
        )
        for n in range(50)
    ]
    students = [person["id"] for person in people]

    with ThreadPoolExecutor(50) as crowd:
        answers = list(
            crowd.map(
                lambda student: admin.post(
                    "/api/enrollments", json={"student_id": student, "course_id": course["id"]}, timeout=120
                ),
                students,
            )
        )

    bodies = [answer.json() for answer in answers]
    assert Counter(answer.status_code for answer in answers) == {201: 30, 409: 20}
    assert Counter(body["status"] for body in bodies) == {"ENROLLED": 10, "WAITLISTED": 20, 409: 20}
    assert sorted(body["wait_no"] for body in bodies if body["status"] == "WAITLISTED") == list(range(1, 21))
    assert {body["code"] for body in bodies if body["status"] == 409} == {"capacity"}

    seated = next(body for body in bodies if body["status"] == "ENROLLED")
    first_in_line = next(body for body in bodies if body.get("wait_no") == 1)
    dropped = admin.post(f"/api/enrollments/{seated['id']}/drop", json={"reason": "moved away"})

    assert (dropped.status_code, dropped.json()["status"]) == (200, "DROPPED")
    promoted = admin.get(f"/api/enrollments/{first_in_line['id']}").json()
    assert promoted["status"] == "ENROLLED"
    schedule = admin.get(f"/api/students/{promoted['student_id']}/schedule").json()
    assert [entry["status"] for entry in schedule["entries"]] == ["ENROLLED"]

    address = next(person["email"] for person in people if person["id"] == promoted["student_id"])
    stack.invoke("maintenance", {"command": "tick"})
    texts = [" ".join(mail.text.split()) for mail in stack.mailbox.mails() if mail.recipients == (address,)]
    assert len([text for text in texts if "moved up from the waitlist" in text]) == 1
