"""Rosters in bulk: the plan tells everything, applying does exactly that, or nothing."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, update

from dataforge.contexts.academics.catalog.domain import Requirement
from dataforge.contexts.academics.enrollment.domain.statuses import Rule
from dataforge.contexts.academics.rosters.commands import ApplyRoster, apply_roster
from dataforge.contexts.academics.rosters.domain.files import RosterUnreadable
from dataforge.contexts.academics.rosters.domain.plans import DropsUnconfirmed, PlanHashMismatch
from dataforge.contexts.identity.tables import users
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.errors import PlanStale
from dataforge.kernel.principal import Role
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest
from tests.builders.rosters import ONEROSTER_COLUMNS, changes, oneroster_zip, plan, rows, school, simple_csv


async def apply(campus: Campus, made: dict[str, Any], **more: Any) -> dict[str, Any]:
    applied: dict[str, Any] = await campus.run(apply_roster, ApplyRoster(made["id"], made["plan_hash"], **more))
    return applied


def line(number: str, course: str = "CS1", section: str = "A", **more: Any) -> dict[str, Any]:
    return {"student_number": number, "course_code": course, "section_code": section, **more}


def newcomer(number: str, course: str = "CS1", section: str = "A", **more: Any) -> dict[str, Any]:
    return line(number, course, section, first_name="New", last_name=f"Comer {number}", **more)


@pytest.fixture
async def section(campus: Campus) -> UUID:
    """Section A of CS1 with three seats and two places to wait."""
    return await campus.section(course=await campus.course("CS1"), code="A", capacity=3, waitlist_capacity=2)


async def test_a_plan_tells_what_each_row_would_do_and_changes_nothing(campus: Campus, section: UUID) -> None:
    present, gone = await campus.student(number="1"), await campus.student(number="2")
    await campus.enroll(present, section)
    await campus.enroll(gone, section)

    other = await campus.section(course=await campus.course("CS2"), code="A")
    await campus.enroll(gone, other)

    content = simple_csv(line("1"), newcomer("3"), line("404", "CS2"), line("1", "NONE"))
    made = await plan(campus, content, mode="full")

    assert [(row["action"], row["line"]) for row in await rows(campus, made)] == [
        ("unchanged", 2),
        ("create", 3),
        ("conflict", 4),
        ("conflict", 5),
        ("drop", None),
        ("kept", None),
    ]
    reasons = [(row["reason"] or {}).get("rule") for row in await rows(campus, made)]
    assert reasons[2:4] == ["unknown_student", "unknown_section"]
    assert made["counts"]["enrollment"] == {"unchanged": 1, "create": 1, "conflict": 2, "drop": 1, "kept": 1}
    assert made["counts"]["user"] == {"unchanged": 1, "create": 1, "conflict": 1}
    assert await campus.statuses(section) == {"ENROLLED": 2}
    assert await campus.rows("SELECT 1 FROM academics.students WHERE number = '3'") == []


async def test_applying_does_what_the_plan_says(campus: Campus, section: UUID) -> None:
    gone = await campus.student(number="2")
    dropped = await campus.enroll(gone, section)
    made = await plan(campus, simple_csv(newcomer("3", email="c@example.org"), newcomer("4")), mode="full")

    applied = await apply(campus, made, confirm_drops=1)

    assert applied["state"] == "applied"
    assert await campus.statuses(section) == {"DROPPED": 1, "ENROLLED": 2}
    assert await campus.broken_invariants(section) == []
    [student] = await campus.rows("SELECT email FROM academics.students WHERE number = '3'")
    assert student["email"] == "c@example.org"
    [event] = await campus.rows(
        "SELECT reason, facts FROM academics.enrollment_events WHERE enrollment_id = :id AND to_status = 'DROPPED'",
        id=dropped.enrollment.id,
    )
    assert event["reason"] == "not in the file"
    assert event["facts"]["roster_plan"] == str(made["id"])


async def test_every_change_of_a_roster_is_audited_and_mailed(campus: Campus, section: UUID) -> None:
    await campus.enroll(await campus.student(number="2", email="old@example.org"), section)
    made = await plan(campus, simple_csv(newcomer("3", email="new@example.org")), mode="full")

    await apply(campus, made, confirm_drops=1)

    mails = await campus.rows(
        "SELECT payload FROM platform.outbox WHERE name = 'academics.enrollment_changed' ORDER BY occurred_at, id"
    )
    audited = await campus.rows("SELECT action FROM platform.audit_log WHERE after ? 'roster_plan' ORDER BY id")
    assert {(m["payload"]["email"], m["payload"]["from"], m["payload"]["to"]) for m in mails} >= {
        ("old@example.org", "ENROLLED", "DROPPED"),
        ("new@example.org", "PENDING", "ENROLLED"),
    }
    assert Counter(row["action"] for row in audited) == {
        "student.created": 1,
        "enrollment.enrolled": 1,
        "enrollment.dropped": 1,
    }


async def test_a_plan_whose_state_has_moved_is_refused_and_nothing_is_done(campus: Campus, section: UUID) -> None:
    made = await plan(campus, simple_csv(newcomer("3")))
    await campus.enroll(await campus.student(), section)

    with pytest.raises(PlanStale) as caught:
        await apply(campus, made)

    assert caught.value.status == 409
    assert await campus.statuses(section) == {"ENROLLED": 1}
    assert await campus.rows("SELECT 1 FROM academics.students WHERE number = '3'") == []


@pytest.mark.parametrize("change", ["hold", "capacity", "prerequisite", "next day"])
async def test_everything_a_plan_looked_at_makes_it_stale(
    campus: Campus, clock: FixedClock, section: UUID, change: str
) -> None:
    student = await campus.student(number="1")
    made = await plan(campus, simple_csv(line("1")))

    if change == "hold":
        await campus.hold(student)
    elif change == "capacity":
        await campus.resize(section, capacity=4)
    elif change == "prerequisite":
        [course] = await campus.rows("SELECT course_id AS id FROM academics.sections WHERE id = :id", id=section)
        await campus.requires(course["id"], Requirement(1, await campus.course(), ""))
    else:
        clock.advance(timedelta(days=1))

    with pytest.raises(PlanStale):
        await apply(campus, made)


async def test_a_plan_is_stale_when_a_teacher_is_no_instructor_any_more(campus: Campus, api: ApiUnderTest) -> None:
    campus._semester = await campus.semester(code="FALL")
    teacher = await api.add_user(Role.INSTRUCTOR, email="grace@example.org")
    made = await plan(campus, oneroster_zip(**school()), "oneroster")
    administrator = await api.as_role(Role.ADMIN)

    path = f"/api/users/{teacher}"
    suspended = await administrator.patch(path, json={"suspended": True}, headers={"If-Match": "*"})

    assert suspended.status_code == 200
    with pytest.raises(PlanStale):
        await apply(campus, made)


async def test_a_plan_is_stale_when_a_teacher_has_proved_the_address(campus: Campus, api: ApiUnderTest) -> None:
    campus._semester = await campus.semester(code="FALL")
    await api.add_user(Role.INSTRUCTOR, email="grace@example.org", email_confirmed_at=None)
    made = await plan(campus, oneroster_zip(**school()), "oneroster")

    async with api.database.transaction() as connection:
        await connection.execute(update(users).values(email_confirmed_at=func.now()))

    with pytest.raises(PlanStale):
        await apply(campus, made)


async def test_applying_again_and_planning_again_change_nothing(campus: Campus, section: UUID) -> None:
    content = simple_csv(newcomer("3"), newcomer("4"), newcomer("5"), newcomer("6"), newcomer("7"), newcomer("8"))
    made = await plan(campus, content)
    first = await apply(campus, made)

    second = await apply(campus, made)
    again = await plan(campus, content)

    assert made["counts"]["enrollment"] == {"create": 5, "conflict": 1}
    assert second == first
    assert again["counts"]["enrollment"] == {"unchanged": 5, "conflict": 1}
    assert await campus.statuses(section) == {"ENROLLED": 3, "WAITLISTED": 2}
    assert await campus.broken_invariants(section) == []


async def test_the_same_file_and_state_give_the_same_hash(campus: Campus, section: UUID) -> None:
    content = simple_csv(newcomer("3"))

    first, second = await plan(campus, content), await plan(campus, content)
    other = await plan(campus, content, mode="full")

    assert first["plan_hash"] == second["plan_hash"] != other["plan_hash"]


async def test_a_wrong_hash_is_refused(campus: Campus, section: UUID) -> None:
    made = await plan(campus, simple_csv(newcomer("3")))

    with pytest.raises(PlanHashMismatch):
        await campus.run(apply_roster, ApplyRoster(made["id"], "0" * 64))


async def test_more_drops_than_the_threshold_must_be_confirmed_by_their_number(campus: Campus, section: UUID) -> None:
    for _ in range(3):
        await campus.enroll(await campus.student(), section)
    made = await plan(campus, simple_csv(newcomer("9")), mode="full", drop_threshold=2)

    for wrong in (None, 2):
        with pytest.raises(DropsUnconfirmed, match="confirm_drops: 3"):
            await apply(campus, made, confirm_drops=wrong)
    await apply(campus, made, confirm_drops=3)

    assert await campus.statuses(section) == {"DROPPED": 3, "ENROLLED": 1}


async def test_an_additive_roster_drops_only_who_is_named(campus: Campus, section: UUID) -> None:
    await campus.enroll(await campus.student(number="1"), section)
    await campus.enroll(await campus.student(number="2"), section)

    made = await plan(campus, simple_csv(line("1", status="drop"), line("7", status="drop")))
    await apply(campus, made)

    assert made["counts"]["enrollment"] == {"drop": 1, "conflict": 1}
    assert await campus.statuses(section) == {"DROPPED": 1, "ENROLLED": 1}


async def test_another_semester_is_not_touched(campus: Campus, section: UUID) -> None:
    other = await campus.section(semester_id=await campus.semester(max_credits=Decimal(9)))
    await campus.enroll(await campus.student(), other)

    made = await plan(campus, simple_csv(newcomer("3")), mode="full")

    assert "drop" not in made["counts"]["enrollment"]


async def test_the_rules_judge_every_row_in_the_light_of_those_before_it(campus: Campus) -> None:
    heavy, light = await campus.course("HEAVY", credits=Decimal(16)), await campus.course("LIGHT")
    advanced = await campus.course("ADV")
    await campus.requires(advanced, Requirement(1, heavy, ""))
    for course in (heavy, light, advanced):
        await campus.section(course=course, code="A")
    held = await campus.student(number="2")
    await campus.hold(held)

    content = simple_csv(
        newcomer("1", "HEAVY"),
        newcomer("1", "LIGHT"),
        newcomer("1", "ADV"),
        line("2", "LIGHT"),
    )
    made = await plan(campus, content)

    reasons = [(row["reason"] or {}).get("rule") for row in await rows(campus, made)]
    assert reasons == [None, "credit_limit", "prerequisites", "hold"]


async def test_rules_are_waived_for_a_whole_roster_with_a_reason(campus: Campus, section: UUID) -> None:
    held = await campus.student(number="2")
    await campus.hold(held)

    made = await plan(
        campus, simple_csv(line("2")), waive=frozenset({Rule.HOLD}), waive_reason="the fee office is closed"
    )
    await apply(campus, made)

    assert await campus.statuses(section) == {"ENROLLED": 1}
    [entry] = await campus.rows("SELECT after FROM platform.audit_log WHERE action = 'roster.applied'")
    assert entry["after"]["waive_reason"] == "the fee office is closed"


async def test_an_override_counts_in_its_own_section_only(campus: Campus, section: UUID) -> None:
    other = await campus.section(course=await campus.course("CS2"), code="A")
    student = await campus.student(number="2")
    await campus.hold(student)
    await campus.override(student, other, "hold")

    made = await plan(campus, simple_csv(line("2", "CS1"), line("2", "CS2")))

    assert [row["action"] for row in await rows(campus, made)] == ["conflict", "create"]


async def test_a_capacity_override_raises_the_capacity_when_the_plan_is_applied(campus: Campus) -> None:
    full = await campus.section(course=await campus.course("CS1"), code="A", capacity=0)
    student = await campus.student(number="2")
    await campus.override(student, full, "capacity")

    await apply(campus, await plan(campus, simple_csv(line("2"))))

    assert await campus.statuses(full) == {"ENROLLED": 1}
    assert await campus.broken_invariants(full) == []


async def test_a_move_to_another_section_of_the_course_is_a_change(campus: Campus) -> None:
    course = await campus.course("CS1")
    one, two = await campus.section(course=course, code="A"), await campus.section(course=course, code="B")
    await campus.enroll(await campus.student(number="1"), one)

    made = await plan(campus, simple_csv(line("1", "CS1", "B")), mode="full")
    await apply(campus, made, confirm_drops=1)

    assert [(row["action"], row["reason"]["message"]) for row in await rows(campus, made)] == [
        ("change", "moved from section A"),
        ("drop", "not in the file"),
    ]
    assert (await campus.statuses(one), await campus.statuses(two)) == ({"DROPPED": 1}, {"ENROLLED": 1})


async def test_seats_that_a_roster_frees_go_to_those_who_wait_afterwards(campus: Campus) -> None:
    section = await campus.section(course=await campus.course("CS1"), code="A", capacity=1)
    await campus.enroll(await campus.student(number="1"), section)
    await campus.enroll(await campus.student(number="2"), section)
    made = await plan(campus, simple_csv(line("1", status="drop")))

    await apply(campus, made)
    [due] = await campus.rows("SELECT payload FROM platform.outbox WHERE name = 'academics.promotion_due'")
    await campus.promote(UUID(due["payload"]["section_id"]))

    assert await campus.statuses(section) == {"DROPPED": 1, "ENROLLED": 1}
    assert await campus.broken_invariants(section) == []


async def test_a_roster_does_not_overtake_those_who_wait(campus: Campus) -> None:
    section = await campus.section(course=await campus.course("CS1"), code="A", capacity=1)
    await campus.enroll(await campus.student(number="1"), section)
    await campus.enroll(await campus.student(number="2"), section)

    made = await plan(campus, simple_csv(line("1", status="drop"), newcomer("3")))

    assert [row["outcome"] for row in await rows(campus, made)] == ["ENROLLED", "WAITLISTED"]
    assert [row["action"] for row in await rows(campus, made)] == ["drop", "create"]


async def test_drops_after_the_deadline_are_conflicts(campus: Campus, clock: FixedClock, section: UUID) -> None:
    await campus.enroll(await campus.student(number="1"), section)
    clock.advance(timedelta(days=40))

    late = await plan(campus, simple_csv(line("1", status="drop")))
    waived = await plan(
        campus,
        simple_csv(line("1", status="drop")),
        mode="additive",
        waive=frozenset({Rule.DROP_DEADLINE}),
        waive_reason="the file came late",
    )

    assert [row["reason"]["rule"] for row in await rows(campus, late)] == ["drop_deadline"]
    assert [row["action"] for row in await rows(campus, waived)] == ["drop"]


async def test_the_format_of_a_file_in_the_body_is_named_in_the_address(campus: Campus, api: ApiUnderTest) -> None:
    semester, registrar = await campus.semester(code="FALL"), await api.as_role(Role.REGISTRAR)
    sent = {"headers": {"Content-Type": "application/zip"}, "content": oneroster_zip(**school())}

    answer = await registrar.post(f"/api/rosters/{semester}/plans", params={"format": "oneroster"}, **sent)
    other = await registrar.post(f"/api/rosters/{semester}/plans", params={"format": "xml"}, **sent)

    assert (answer.status_code, answer.json()["format"]) == (201, "oneroster")
    assert (other.status_code, [item["pointer"] for item in other.json()["errors"]]) == (400, ["query:format"])


async def test_the_same_row_twice_is_told(campus: Campus, section: UUID) -> None:
    made = await plan(campus, simple_csv(newcomer("3"), newcomer("3")))

    assert [(row["action"], (row["reason"] or {}).get("rule")) for row in await rows(campus, made)] == [
        ("create", None),
        ("ignored", "duplicate_in_file"),
    ]


async def test_a_line_that_cannot_be_read_is_a_conflict_with_its_number(campus: Campus, section: UUID) -> None:
    content = simple_csv(newcomer("3")) + b"4,too,short\n" + simple_csv(newcomer("5")).split(b"\r\n")[1] + b"\r\n"

    made = await plan(campus, content)

    found = await rows(campus, made)
    assert [row["action"] for row in found] == ["create", "conflict", "create"]
    assert found[1]["reason"]["message"] == "Line 3: the line has 3 fields, the header 7."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "lacks the column student_number"),
        (b"student_number,course_code,section_code\n\xff,CS1,A\n", "is not UTF-8: line 2"),
        (b'student_number,course_code,section_code\n"1,CS1,A\n', "is not CSV at line 2"),
        (b"student_number,student_number\n", "names the column student_number twice"),
        (b"Student_Number,course_code,section_code,STATUS,status\n", "has both 'STATUS' and 'status'"),
        (b"PK\x03\x04 no zip at all", "damaged or encrypted"),
        (b"student_number," + b"x" * 1_000_001, "a line of more than"),
    ],
)
async def test_what_is_no_roster_is_refused_with_the_place(campus: Campus, content: bytes, message: str) -> None:
    await campus.semester()

    with pytest.raises(RosterUnreadable, match=message):
        await plan(campus, content)


async def test_a_oneroster_archive_brings_departments_courses_classes_users_and_enrolments(
    campus: Campus, api: ApiUnderTest
) -> None:
    await campus.semester(code="FALL")
    campus._semester = (await campus.rows("SELECT id FROM academics.semesters"))[0]["id"]
    teacher = await api.add_user(Role.INSTRUCTOR, email="grace@example.org")

    made = await plan(campus, oneroster_zip(**school()), "oneroster")
    await apply(campus, made)

    assert made["counts"] == {
        "class": {"create": 1, "ignored": 1},
        "course": {"create": 1, "ignored": 1},
        "enrollment": {"change": 1, "conflict": 1, "create": 3, "ignored": 1},
        "org": {"create": 1},
        "session": {"change": 1, "ignored": 1},
        "user": {"create": 4, "ignored": 1},
    }
    [section] = await campus.rows("SELECT * FROM academics.sections")
    [course] = await campus.rows("SELECT * FROM academics.courses")
    assert (section["sourced_id"], section["capacity"], section["instructor_id"]) == ("k1", 2, teacher)
    assert (course["code"], course["credits"], course["state"]) == ("CS-1", Decimal(4), "published")
    assert await campus.statuses(section["id"]) == {"ENROLLED": 2, "WAITLISTED": 1}
    assert await campus.broken_invariants(section["id"]) == []


async def test_the_same_archive_again_changes_nothing(campus: Campus) -> None:
    await campus.semester(code="FALL")
    campus._semester = (await campus.rows("SELECT id FROM academics.semesters"))[0]["id"]
    await apply(campus, await plan(campus, oneroster_zip(**school()), "oneroster"))

    again = await plan(campus, oneroster_zip(**school()), "oneroster")

    actions = {action for counts in again["counts"].values() for action in counts}
    assert actions == {"unchanged", "ignored", "conflict"}
    assert again["counts"]["enrollment"]["conflict"] == 1


async def test_what_an_archive_says_anew_is_a_change_and_what_it_says_is_gone_is_a_drop(campus: Campus) -> None:
    await campus.semester(code="FALL")
    campus._semester = (await campus.rows("SELECT id FROM academics.semesters"))[0]["id"]
    await apply(campus, await plan(campus, oneroster_zip(**school()), "oneroster"))
    changed = school()
    changed["users"][0]["familyName"] = "Byron"
    changed["classes"][0]["metadata.capacity"] = "3"
    changed["courses"][0]["title"] = "Beginnings"
    changed["enrollments"][0]["status"] = "tobedeleted"

    made = await plan(campus, oneroster_zip(**changed), "oneroster")
    await apply(campus, made)

    assert made["counts"]["user"]["change"] == 1
    assert made["counts"]["class"] == {"change": 1, "ignored": 1}
    assert made["counts"]["course"] == {"change": 1, "ignored": 1}
    assert made["counts"]["enrollment"]["drop"] == 1
    [course] = await campus.rows("SELECT title, search FROM academics.courses")
    assert course["title"] == "Beginnings"
    assert "beginnings" in course["search"]


@pytest.mark.parametrize(
    ("file", "index", "field", "value", "kind", "rule"),
    [
        ("academicSessions", 0, "startDate", "2026-09-01", "session", "dates_differ"),
        ("academicSessions", 0, "startDate", "1 September", "session", "unreadable"),
        ("courses", 0, "orgSourcedId", "nowhere", "course", "unknown_org"),
        ("classes", 0, "courseSourcedId", "nothing", "class", "unknown_course"),
        ("classes", 0, "termSourcedIds", "FAL", "class", "unknown_session"),
        ("classes", 0, "metadata.capacity", "many", "class", "unreadable"),
        ("users", 0, "givenName", "", "user", "unreadable"),
        ("enrollments", 0, "userSourcedId", "nobody", "enrollment", "unknown_student"),
        ("enrollments", 0, "classSourcedId", "nothing", "enrollment", "unknown_section"),
        ("enrollments", 0, "status", "perhaps", "enrollment", "unreadable"),
        ("enrollments", 1, "sourcedId", "e1", "enrollment", "duplicate_in_file"),
    ],
)
async def test_a_bad_row_of_an_archive_is_a_conflict_that_says_why(
    campus: Campus, file: str, index: int, field: str, value: str, kind: str, rule: str
) -> None:
    await campus.semester(code="FALL")
    campus._semester = (await campus.rows("SELECT id FROM academics.semesters"))[0]["id"]
    broken = school()
    broken[file][index][field] = value
    if rule == "unreadable" and kind == "session":
        broken[file].append({**school()[file][0], "sourcedId": "FALL"})

    made = await plan(campus, oneroster_zip(**broken), "oneroster")

    rules = [(row["reason"] or {}).get("rule") for row in await rows(campus, made, kind)]
    assert rule in rules


@pytest.mark.parametrize("spelled", [str.upper, str.lower, str.title])
async def test_columns_of_an_archive_are_known_whatever_their_capitals(
    campus: Campus, spelled: Callable[[str], str]
) -> None:
    # A column `Status` that is passed over would enrol whom the file wants dropped.
    campus._semester = await campus.semester(code="FALL")
    await apply(campus, await plan(campus, oneroster_zip(**school()), "oneroster"))
    files = school()
    files["enrollments"][0]["status"] = "tobedeleted"
    files["users"][1]["email"] = "new@example.org"
    archive = {name: [{spelled(key): value for key, value in row.items()} for row in rs] for name, rs in files.items()}
    columns = {name: spelled(header) for name, header in ONEROSTER_COLUMNS.items()}

    made = await plan(campus, oneroster_zip(columns, **archive), "oneroster")

    assert changes(made) == {"user": {"change": 1}, "enrollment": {"drop": 1}}


async def test_a_column_of_an_archive_that_is_there_in_two_spellings_is_refused(campus: Campus) -> None:
    campus._semester = await campus.semester(code="FALL")
    columns = {**ONEROSTER_COLUMNS, "users": ONEROSTER_COLUMNS["users"] + ",Status"}

    with pytest.raises(RosterUnreadable, match="names the column status twice"):
        await plan(campus, oneroster_zip(columns, **school()), "oneroster")


async def test_an_archive_of_another_semester_is_refused(campus: Campus) -> None:
    await campus.semester()

    with pytest.raises(RosterUnreadable, match="No academic session"):
        await plan(campus, oneroster_zip(**school()), "oneroster")


async def test_an_archive_without_a_file_is_refused(campus: Campus) -> None:
    import io
    import zipfile

    await campus.semester()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("orgs.csv", "sourcedId,name,type\n")

    with pytest.raises(RosterUnreadable, match="lacks the files for class, course, enrollment, session, user"):
        await plan(campus, out.getvalue(), "oneroster")


async def test_columns_without_a_name_are_passed_over(campus: Campus, section: UUID) -> None:
    content = b"\r\nstudent_number;course_code;section_code;first_name;last_name;;;\r\n1;CS1;A;Ada;Lovelace;;;\r\n"

    made = await plan(campus, content)

    assert [(row["action"], row["line"]) for row in await rows(campus, made)] == [("create", 3)]
