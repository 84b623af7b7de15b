"""Enrolment, schedules and who may see what, over HTTP."""

import csv
import io
import json
from collections import Counter
from datetime import time
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from icalendar import Calendar

from dataforge.contexts.academics.catalog.domain import Requirement
from dataforge.contexts.academics.catalog.wire import PrerequisitesOut
from dataforge.contexts.academics.sections.domain import Meeting
from dataforge.contexts.academics.students.wire import ProgressOut, ScheduleOut, TranscriptOut
from dataforge.http.encoding import dump_json
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest

NOWHERE = "00000000-0000-7000-8000-000000000000"


class Person:
    """A learner with a student record and a client."""

    def __init__(self, student: UUID, client: httpx.AsyncClient) -> None:
        self.student = student
        self.client = client


async def learner(api: ApiUnderTest, campus: Campus) -> Person:
    user = await api.add_user(Role.LEARNER)
    return Person(await campus.student(user_id=user), await api.as_user(user, Role.LEARNER))


async def enrolled(person: Person, **body: Any) -> httpx.Response:
    given = {"student_id": str(person.student), **{key: str(value) for key, value in body.items()}}
    return await person.client.post("/api/enrollments", json=given)


async def test_an_enrolment_answers_its_status(api: ApiUnderTest, campus: Campus) -> None:
    section, person = await campus.section(), await learner(api, campus)

    response = await enrolled(person, section_id=section)

    answer = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/enrollments/{answer['id']}"
    assert (answer["status"], answer["wait_no"], answer["failure"]) == ("ENROLLED", None, None)


async def test_a_refusal_answers_the_rule_and_is_kept(api: ApiUnderTest, campus: Campus) -> None:
    section, person = await campus.section(capacity=0, waitlist_capacity=0), await learner(api, campus)

    response = await enrolled(person, section_id=section)

    problem = response.json()
    kept = (await person.client.get(f"/api/enrollments/{problem['enrollment_id']}")).json()
    assert (response.status_code, problem["code"]) == (409, "capacity")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["capacity"] == 0
    assert (kept["status"], kept["failure"]["rule"]) == ("FAILED_CAPACITY", "capacity")


async def test_an_attempt_that_is_refused_again_is_kept_once(api: ApiUnderTest, campus: Campus) -> None:
    section, person = await campus.section(capacity=0, waitlist_capacity=0), await learner(api, campus)

    answers = [(await enrolled(person, section_id=section)).json() for _ in range(3)]

    listed = (await person.client.get("/api/enrollments")).json()["items"]
    assert [(answer["code"], answer["enrollment_id"]) for answer in answers] == [("capacity", listed[0]["id"])] * 3
    assert [item["status"] for item in listed] == ["FAILED_CAPACITY"]
    events = (await person.client.get(f"/api/enrollments/{listed[0]['id']}/events")).json()["items"]
    assert len(events) == 2


async def test_a_refusal_that_sees_something_else_notes_it_on_the_same_attempt(
    api: ApiUnderTest, campus: Campus
) -> None:
    section, person = await campus.section(capacity=0, waitlist_capacity=0), await learner(api, campus)
    first = (await enrolled(person, section_id=section)).json()
    await campus.resize(section, capacity=1)
    await campus.enroll(await campus.student(), section)

    second = (await enrolled(person, section_id=section)).json()

    kept = (await person.client.get(f"/api/enrollments/{first['enrollment_id']}")).json()
    assert second["enrollment_id"] == first["enrollment_id"]
    assert (kept["status"], kept["failure"]["capacity"]) == ("FAILED_CAPACITY", 1)
    assert await campus.broken_invariants(section) == []


async def test_an_attempt_that_another_rule_refuses_is_another_one(api: ApiUnderTest, campus: Campus) -> None:
    section, person = await campus.section(capacity=0, waitlist_capacity=0), await learner(api, campus)
    first = (await enrolled(person, section_id=section)).json()
    await campus.hold(person.student)

    second = (await enrolled(person, section_id=section)).json()
    third = (await enrolled(person, section_id=section)).json()

    assert (first["code"], second["code"]) == ("capacity", "hold")
    assert first["enrollment_id"] != second["enrollment_id"] == third["enrollment_id"]
    assert await campus.statuses(section) == {"FAILED_CAPACITY": 1, "FAILED_HOLD": 1}


async def test_a_course_with_one_open_section_needs_no_section(api: ApiUnderTest, campus: Campus) -> None:
    course, person = await campus.course(), await learner(api, campus)
    section = await campus.section(course=course)
    await campus.section(course=course, state="closed")

    response = await enrolled(person, course_id=course)

    assert response.json()["section_id"] == str(section)


async def test_a_course_with_several_open_sections_asks_which(api: ApiUnderTest, campus: Campus) -> None:
    course, person = await campus.course(), await learner(api, campus)
    sections = {str(await campus.section(course=course)) for _ in range(2)}

    response = await enrolled(person, course_id=course)

    assert (response.status_code, response.json()["code"]) == (409, "section_required")
    assert {item["section_id"] for item in response.json()["sections"]} == sections


@pytest.mark.parametrize(
    ("state", "sections", "detail"),
    [
        ("published", [], "The course NONE has no section yet."),
        ("published", ["closed", "closed"], "The course NONE has no open section; its sections: 2 closed."),
        ("draft", ["open"], "The course NONE is draft, so that nobody can enrol in it."),
    ],
)
async def test_a_course_that_takes_nobody_says_why(
    api: ApiUnderTest, campus: Campus, state: str, sections: list[str], detail: str
) -> None:
    course, person = await campus.course("NONE", state=state), await learner(api, campus)
    for section in sections:
        await campus.section(course=course, state=section)

    response = await enrolled(person, course_id=course)

    problem = response.json()
    assert (response.status_code, problem["code"], problem["detail"]) == (409, "no_open_section", detail)
    assert (problem["course_id"], problem["course_state"]) == (str(course), state)
    assert problem["sections_by_state"] == dict(Counter(sections))


async def test_a_draft_or_a_closed_section_takes_nobody(api: ApiUnderTest, campus: Campus) -> None:
    person = await learner(api, campus)
    draft = await campus.section(course=await campus.course(state="draft"))
    closed = await campus.section(state="closed")

    answers = [await enrolled(person, section_id=section) for section in (draft, closed)]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "not_open")}


@pytest.mark.parametrize("body", [{}, {"section_id": NOWHERE, "course_id": NOWHERE}, {"section_id": "x"}])
async def test_a_request_that_names_no_section_or_both_is_refused(
    api: ApiUnderTest, campus: Campus, body: dict[str, Any]
) -> None:
    person = await learner(api, campus)

    assert (await enrolled(person, **body)).status_code == 400


async def test_what_is_not_there_is_not_found(api: ApiUnderTest, campus: Campus) -> None:
    person = await learner(api, campus)
    stranger = Person(uuid7(), await api.as_role(Role.REGISTRAR))

    assert (await enrolled(person, section_id=NOWHERE)).status_code == 404
    assert (await enrolled(stranger, section_id=await campus.section())).status_code == 404
    assert (await person.client.post(f"/api/enrollments/{NOWHERE}/drop")).status_code == 404


async def test_nobody_enrols_somebody_else(api: ApiUnderTest, campus: Campus) -> None:
    section, victim, other = await campus.section(), await learner(api, campus), await learner(api, campus)
    intruder = Person(victim.student, other.client)

    response = await enrolled(intruder, section_id=section)

    assert response.status_code == 404
    assert await campus.statuses(section) == {}


async def test_the_events_of_an_enrolment_tell_who_and_why(api: ApiUnderTest, campus: Campus) -> None:
    section, person = await campus.section(), await learner(api, campus)
    enrollment = (await enrolled(person, section_id=section)).json()["id"]
    registrar = await api.as_role(Role.REGISTRAR)
    await registrar.post(f"/api/enrollments/{enrollment}/drop", json={"reason": "moved away"})

    events = (await person.client.get(f"/api/enrollments/{enrollment}/events")).json()["items"]

    assert [(event["from"], event["to"]) for event in events] == [
        (None, "PENDING"),
        ("PENDING", "ENROLLED"),
        ("ENROLLED", "DROPPED"),
    ]
    assert events[2]["reason"] == "moved away"
    assert events[2]["actor"].startswith("registrar_")
    assert events[2]["actor_id"] != events[0]["actor_id"]


async def test_the_schedule_lists_sections_with_their_hours(api: ApiUnderTest, campus: Campus) -> None:
    person = await learner(api, campus)
    section = await campus.section(meetings=(Meeting(2, time(9), time(10, 30), "A1"),))
    await enrolled(person, section_id=section)

    schedule = (await person.client.get(f"/api/students/{person.student}/schedule")).json()

    [entry] = schedule["entries"]
    assert schedule["credits"] == 3
    assert (entry["section_id"], entry["status"]) == (str(section), "ENROLLED")
    assert entry["meetings"] == [{"weekday": 2, "starts": "09:00", "ends": "10:30", "room": "A1"}]


async def test_the_schedule_is_a_calendar_too(api: ApiUnderTest, campus: Campus) -> None:
    person = await learner(api, campus)
    berlin = await campus.semester(time_zone="Europe/Berlin")
    section = await campus.section(semester_id=berlin, meetings=(Meeting(2, time(9), time(10, 30), "Room A1; ground"),))
    await enrolled(person, section_id=section)

    response = await person.client.get(f"/api/students/{person.student}/schedule", headers={"Accept": "text/calendar"})

    calendar = Calendar.from_ical(response.content)
    event: Any = calendar.walk("VEVENT")[0]
    assert len(calendar.walk("VEVENT")) == 1
    assert response.headers["Content-Type"].startswith("text/calendar")
    assert event.decoded("DTSTART").isoformat() == "2026-09-08T09:00:00+02:00"
    assert event["RRULE"]["UNTIL"][0].isoformat() == "2026-12-18T22:59:59+00:00"
    assert event["RRULE"]["BYDAY"] == ["TU"]
    assert str(event["LOCATION"]) == "Room A1; ground"
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["Europe/Berlin"]


async def test_an_empty_schedule_is_a_calendar_without_events(api: ApiUnderTest, campus: Campus) -> None:
    person = await learner(api, campus)

    response = await person.client.get(f"/api/students/{person.student}/schedule", headers={"Accept": "text/calendar"})

    assert response.text.splitlines()[0] == "BEGIN:VCALENDAR"
    assert "VEVENT" not in response.text


async def test_transcript_and_progress_tell_what_is_done(api: ApiUnderTest, campus: Campus) -> None:
    person = await learner(api, campus)
    done, running, missing = [await campus.course(code) for code in ("DONE", "RUNNING", "MISSING")]
    outcome = await campus.enroll(person.student, await campus.section(course=done))
    await campus.complete(outcome.enrollment.id, 88)
    await campus.enroll(person.student, await campus.section(course=running))

    transcript = (await person.client.get(f"/api/students/{person.student}/transcript")).json()
    required = {"course_id": [str(done), str(running), str(missing)]}
    progress = (await person.client.get(f"/api/students/{person.student}/progress", params=required)).json()

    assert [(row["course_code"], row["score"], row["source"]) for row in transcript["completions"]] == [
        ("DONE", 88, "enrolment")
    ]
    assert transcript["credits_earned"] == 3
    assert {row["course_code"]: row["state"] for row in progress["courses"]} == {
        "DONE": "completed",
        "RUNNING": "in_progress",
        "MISSING": "missing",
    }
    assert (progress["completed"], progress["required"], progress["percent"]) == (1, 3, 33.3)


async def test_what_a_student_does_is_csv_with_a_column_for_each_member(api: ApiUnderTest, campus: Campus) -> None:
    person = await learner(api, campus)
    done, running = [await campus.course(code) for code in ("DONE", "RUNNING")]
    await campus.complete((await campus.enroll(person.student, await campus.section(course=done))).enrollment.id, 88)
    await campus.enroll(
        person.student, await campus.section(course=running, meetings=(Meeting(1, time(9), time(10), "A1"),))
    )
    await campus.requires(running, Requirement(1, done, ""))
    of = f"/api/students/{person.student}"
    required = f"{of}/progress?course_id={done}&course_id={running}"
    prerequisites = f"/api/courses/{running}/prerequisites?student_id={person.student}"

    answers = {
        path: (await person.client.get(path), await person.client.get(path, headers={"Accept": "text/csv"}))
        for path in (f"{of}/schedule", f"{of}/transcript", required, prerequisites)
    }

    models = (ScheduleOut, TranscriptOut, ProgressOut, PrerequisitesOut)
    for (path, (plain, _)), model in zip(answers.items(), models, strict=True):
        described = model.model_validate(plain.json()).model_dump(exclude_unset=True)
        assert json.loads(dump_json(described)) == plain.json(), path
    lists = [list(csv.DictReader(io.StringIO(file.text, newline=""))) for _, file in answers.values()]
    schedule, transcript, progress, groups = lists
    assert [(row["course_code"], row["status"], row["semester_code"] != "") for row in schedule] == [
        ("RUNNING", "ENROLLED", True)
    ]
    assert [(row["course_code"], row["score"]) for row in transcript] == [("DONE", "88")]
    assert [(row["course_code"], row["state"]) for row in progress] == [
        ("DONE", "completed"),
        ("RUNNING", "in_progress"),
    ]
    assert [(row["group_no"], row["met"]) for row in groups] == [("1", "true")]


async def test_an_instructor_sees_the_roster_of_an_own_section_and_completes_in_it(
    api: ApiUnderTest, campus: Campus
) -> None:
    teacher = await api.add_user(Role.INSTRUCTOR)
    own, other = await campus.section(instructor_id=teacher), await campus.section()
    student = await campus.student(last_name="Zuse")
    mine = await campus.enroll(student, own)
    theirs = await campus.enroll(student, other)
    client = await api.as_user(teacher, Role.INSTRUCTOR)

    roster = (await client.get(f"/api/sections/{own}/roster")).json()["items"]
    completed = await client.post(f"/api/enrollments/{mine.enrollment.id}/complete", json={"score": 77.5})
    refused = await client.post(f"/api/enrollments/{theirs.enrollment.id}/complete", json={"score": 77.5})

    assert [row["last_name"] for row in roster] == ["Zuse"]
    assert (completed.json()["status"], completed.json()["score"]) == ("COMPLETED", 77.5)
    assert refused.status_code == 404
    assert (await client.get(f"/api/sections/{other}/roster")).status_code == 404
    assert (await client.get(f"/api/enrollments/{theirs.enrollment.id}")).status_code == 404
    listed = (await client.get("/api/enrollments")).json()["items"]
    assert [row["id"] for row in listed] == [str(mine.enrollment.id)]


@pytest.mark.parametrize("score", [-1, 100.5, "NaN", 33.333])
async def test_a_score_outside_0_to_100_is_refused(api: ApiUnderTest, campus: Campus, score: Any) -> None:
    outcome = await campus.enroll(await campus.student(), await campus.section())
    registrar = await api.as_role(Role.REGISTRAR)

    response = await registrar.post(f"/api/enrollments/{outcome.enrollment.id}/complete", json={"score": score})

    assert response.status_code == 400


async def test_learners_list_their_own_enrolments_only(api: ApiUnderTest, campus: Campus) -> None:
    section = await campus.section()
    one, two = await learner(api, campus), await learner(api, campus)
    await enrolled(one, section_id=section)
    await enrolled(two, section_id=section)

    listed = (await one.client.get("/api/enrollments", params={"section_id": str(section)})).json()["items"]

    assert [row["student_id"] for row in listed] == [str(one.student)]


# What belongs to one student answers 404 to another, and 403 where the role alone decides.
OF_A_STUDENT = [
    ("GET", "/api/students/{student}", 404),
    ("GET", "/api/students/{student}/schedule", 404),
    ("GET", "/api/students/{student}/transcript", 404),
    ("GET", "/api/students/{student}/progress?course_id={course}", 404),
    ("GET", "/api/students/{student}/holds", 404),
    ("GET", "/api/students/{student}/overrides", 404),
    ("GET", "/api/courses/{course}/prerequisites?student_id={student}", 404),
    ("GET", "/api/enrollments/{enrollment}", 404),
    ("GET", "/api/enrollments/{enrollment}/events", 404),
    ("POST", "/api/enrollments/{enrollment}/drop", 404),
    ("POST", "/api/enrollments/{enrollment}/withdraw", 404),
    ("POST", "/api/enrollments/{enrollment}/complete", 403),
    ("GET", "/api/sections/{section}/roster", 403),
    ("GET", "/api/students", 403),
    ("POST", "/api/students/{student}/holds", 403),
    ("POST", "/api/students/{student}/overrides", 403),
    ("POST", "/api/students/{student}/completions", 403),
]


@pytest.mark.parametrize(("method", "path", "status"), OF_A_STUDENT)
async def test_another_learner_gets_nothing_of_a_student(
    api: ApiUnderTest, campus: Campus, method: str, path: str, status: int
) -> None:
    person, stranger = await learner(api, campus), await learner(api, campus)
    course = await campus.course()
    section = await campus.section(course=course)
    enrollment = (await enrolled(person, section_id=section)).json()["id"]
    url = path.format(student=person.student, course=course, section=section, enrollment=enrollment)

    response = await stranger.client.request(method, url, json=None if method == "GET" else {})

    assert response.status_code == status


@pytest.mark.parametrize(("method", "path", "status"), [row for row in OF_A_STUDENT if row[2] == 404])
async def test_an_instructor_of_another_section_gets_nothing_of_a_student(
    api: ApiUnderTest, campus: Campus, method: str, path: str, status: int
) -> None:
    person, stranger = await learner(api, campus), await api.as_role(Role.INSTRUCTOR)
    course = await campus.course()
    section = await campus.section(course=course)
    enrollment = (await enrolled(person, section_id=section)).json()["id"]
    url = path.format(student=person.student, course=course, section=section, enrollment=enrollment)

    response = await stranger.request(method, url, json=None if method == "GET" else {})

    assert response.status_code == status


async def test_a_student_reads_their_own_record_holds_and_overrides(api: ApiUnderTest, campus: Campus) -> None:
    person, section = await learner(api, campus), await campus.section()
    await campus.hold(person.student)
    await campus.override(person.student, section, "hold")

    me = (await person.client.get("/api/students/me")).json()
    holds = (await person.client.get(f"/api/students/{person.student}/holds")).json()
    overrides = (await person.client.get(f"/api/students/{person.student}/overrides")).json()

    assert me["id"] == str(person.student)
    assert [hold["code"] for hold in holds] == ["LIB"]
    assert [override["rules"] for override in overrides] == [["hold"]]


async def test_holds_and_overrides_are_placed_and_ended_over_http(api: ApiUnderTest, campus: Campus) -> None:
    registrar, student, section = await api.as_role(Role.REGISTRAR), await campus.student(), await campus.section()
    hold = (await registrar.post(f"/api/students/{student}/holds", json={"code": "FEE", "reason": "unpaid"})).json()
    body = {"section_id": str(section), "rules": ["hold"], "reason": "the dean agreed"}
    override = (await registrar.post(f"/api/students/{student}/overrides", json=body)).json()

    released = await registrar.post(f"/api/students/{student}/holds/{hold['id']}/release")
    revoked = await registrar.post(f"/api/students/{student}/overrides/{override['id']}/revoke")
    again = await registrar.post(f"/api/students/{student}/holds/{hold['id']}/release")

    assert released.json()["released_at"] is not None
    assert revoked.json()["revoked_at"] is not None
    assert again.status_code == 404


async def test_students_are_found_by_the_beginning_of_a_name_or_number(api: ApiUnderTest, campus: Campus) -> None:
    registrar = await api.as_role(Role.REGISTRAR)
    await campus.student(first_name="Grace", last_name="Hopper", number="G-1")
    await campus.student(first_name="Konrad", last_name="Zuse", number="K_1")

    async def found(q: str) -> list[str]:
        return [row["last_name"] for row in (await registrar.get("/api/students", params={"q": q})).json()["items"]]

    assert await found("hop") == ["Hopper"]
    assert await found("k_") == ["Zuse"]
    assert await found("%") == []
    assert await found("") == ["Hopper", "Zuse"]


async def test_a_student_is_changed_with_if_match_and_belongs_to_a_known_user(
    api: ApiUnderTest, campus: Campus
) -> None:
    registrar, student = await api.as_role(Role.REGISTRAR), await campus.student()
    path = f"/api/students/{student}"
    tag = (await registrar.get(path)).headers["ETag"]

    suspended_user = await api.add_user(Role.LEARNER, suspended_at=api.platform.clock.now())
    unknown = await registrar.patch(path, json={"user_id": NOWHERE}, headers={"If-Match": tag})
    suspended = await registrar.patch(path, json={"user_id": str(suspended_user)}, headers={"If-Match": tag})
    changed = await registrar.patch(path, json={"last_name": "Byron"}, headers={"If-Match": tag})
    stale = await registrar.patch(path, json={"last_name": "King"}, headers={"If-Match": tag})

    assert (unknown.status_code, changed.status_code, stale.status_code) == (400, 200, 412)
    assert (suspended.status_code, suspended.json()["errors"][0]["pointer"]) == (400, "/user_id")
    assert changed.json()["last_name"] == "Byron"


async def test_credits_of_a_course_that_was_repeated_count_once(api: ApiUnderTest, campus: Campus) -> None:
    registrar, student = await api.as_role(Role.REGISTRAR), await campus.student()
    course = await campus.course(credits=Decimal(4))
    for reference in ("first", "second"):
        body = {"course_id": str(course), "completed_on": "2025-06-30", "reference": reference}
        await registrar.post(f"/api/students/{student}/completions", json=body)

    transcript = (await registrar.get(f"/api/students/{student}/transcript")).json()

    assert (len(transcript["completions"]), transcript["credits_earned"]) == (2, 4)
