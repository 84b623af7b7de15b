"""The demo's catalog and dataset: what the pages of the console have to show after the first `make run`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from infra.local.errors import LocalStackError

_COURSES = (
    ("SAFE-101", "Fire safety", "What to do when the alarm rings: exits, extinguishers and assembly points.", 12),
    ("SAFE-201", "Evacuation lead", "Lead a floor out of the building, count heads and report to the brigade.", 4),
    ("SEC-120", "Phishing and passwords", "How attackers write, and how to notice before you click.", 20),
)
_PEOPLE = ("Ada Lovelace", "Alan Turing", "Barbara Liskov", "Edsger Dijkstra", "Grace Hopper", "Margaret Hamilton")
_MARKS = tuple((name.split()[1].lower(), 61 + 7 * number) for number, name in enumerate(_PEOPLE))


def ensure_catalog(api: httpx.Client) -> None:
    """Courses with a section each and people in them, and a dataset; nothing if they are there already.

    Raises LocalStackError when something is refused.
    """
    if any(row["code"] == "DEMO" for row in _call(api, "GET", "/api/departments")["items"]):
        return
    department = _call(api, "POST", "/api/departments", {"code": "DEMO", "name": "Health and safety"})["id"]
    semester = _call(api, "POST", "/api/semesters", _semester())["id"]
    students = [_call(api, "POST", "/api/students", _student(*item))["id"] for item in enumerate(_PEOPLE)]
    for number, (code, title, text, seats) in enumerate(_COURSES, start=1):
        values = {"code": code, "title": title, "description": text, "credits": number, "state": "published"}
        course = _call(api, "POST", "/api/courses", {**values, "capacity": seats, "department_id": department})["id"]
        meetings = [{"weekday": number, "starts": "09:00", "ends": "10:30", "room": f"Room {number}"}]
        limits = {"capacity": seats, "waitlist_capacity": 10, "meetings": meetings}
        section = {"course_id": course, "semester_id": semester, "code": "A", **limits}
        section_id = _call(api, "POST", "/api/sections", section)["id"]
        for student in students:
            _call(api, "POST", "/api/enrollments", {"student_id": student, "section_id": section_id})
    _make_dataset(api)


def _semester() -> dict[str, Any]:
    today = datetime.now(UTC).date()
    days = {"starts_on": -7, "add_by": 30, "drop_by": 45, "withdraw_by": 60, "ends_on": 120}
    dates = {name: (today + timedelta(days=offset)).isoformat() for name, offset in days.items()}
    return {"code": f"{today:%Y-%m}", "max_credits": 18, "time_zone": "UTC", **dates}


def _student(number: int, name: str) -> dict[str, str]:
    first, last = name.split()
    return {"number": f"D{number + 1:04}", "first_name": first, "last_name": last}


def _make_dataset(api: httpx.Client) -> None:
    body = {"name": "Demo grades", "description": "Marks of the safety courses", "tags": ["demo"]}
    dataset = f"/api/datasets/{_call(api, 'POST', '/api/datasets', body)['id']}"
    columns = [{"name": "student", "type": "string"}, {"name": "mark", "type": "int"}]
    rows = [{"op": "insert", "values": {"student": student, "mark": mark}} for student, mark in _MARKS]
    first = {"create_tables": [{"sheet": "marks", "key": ["student"], "columns": columns}], "operations": rows}
    correction = [{"op": "update", "key": {"student": "turing"}, "values": {"mark": 81}}]
    path = f"{dataset}/refs/main/commits"
    _call(api, "POST", path, {"message": "Marks of the first exam", **first}, **{"If-Match": "*"})
    _call(api, "POST", path, {"message": "A mark was corrected", "operations": correction}, **{"If-Match": "*"})


def _call(
    api: httpx.Client, method: str, path: str, body: dict[str, Any] | None = None, **headers: str
) -> dict[str, Any]:
    answer = api.request(method, path, json=body, headers=headers)
    if answer.status_code >= 400:
        message = f"The demo was refused: {method} {path}: {answer.status_code} {answer.text[:300]}"
        raise LocalStackError(message, "See the logs.")
    return dict(answer.json())
