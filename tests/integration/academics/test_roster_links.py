"""Whom and what a line means is found in one statement, as by one look after another."""

import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from dataforge.contexts.academics.rosters.domain.rows import RowKind, StagedRow
from dataforge.kernel.ids import uuid7
from tests.builders.academics import Campus

_R = "pg_temp.expected"
_TELLING = "r.kind = 'enrollment' AND (r.action IS NULL OR r.action = 'conflict')"
_UNUSABLE = "(r.removed OR r.action = 'conflict')"
_USABLE = "action IN ('create', 'change', 'unchanged')"
_USERS = f"""UPDATE {_R} r SET student_id = u.entity_id FROM {_R} u
    WHERE {_TELLING} AND coalesce(r.data->>'role', 'student') = 'student' AND u.kind = 'user'
      AND u.sourced_id = r.data->>'user' AND u.{_USABLE} AND (r.removed OR NOT u.removed)"""
# One look after another, each for what those before it have not found or may be wrong about.
_LOOKS: dict[str, Sequence[str]] = {
    "simple": (
        f"""UPDATE {_R} r SET section_id = sec.id
            FROM academics.sections sec JOIN academics.courses c ON c.id = sec.course_id
            WHERE {_TELLING} AND sec.semester_id = :semester AND sec.code = r.data->>'section_code'
              AND lower(c.code) = lower(r.data->>'course_code')""",
        f"""UPDATE {_R} r SET section_id = alike.id
            FROM (SELECT lower(c.code) AS course_key, lower(sec.code) AS section_key, (array_agg(sec.id))[1] AS id
                  FROM academics.sections sec JOIN academics.courses c ON c.id = sec.course_id
                  WHERE sec.semester_id = :semester GROUP BY 1, 2 HAVING count(*) = 1) alike
            WHERE {_TELLING} AND r.section_id IS NULL AND alike.course_key = lower(r.data->>'course_code')
              AND alike.section_key = lower(r.data->>'section_code')""",
        f"""UPDATE {_R} r SET student_id = alike.id
            FROM (SELECT lower(number) AS key, (array_agg(id))[1] AS id FROM academics.students
                  GROUP BY 1 HAVING count(*) = 1) alike
            WHERE {_TELLING} AND {_UNUSABLE} AND alike.key = lower(r.data->>'number')""",
        f"""UPDATE {_R} r SET student_id = s.id FROM academics.students s
            WHERE {_TELLING} AND {_UNUSABLE} AND s.number = r.data->>'number'""",
        _USERS,
    ),
    "oneroster": (
        f"""UPDATE {_R} r SET section_id = c.entity_id FROM {_R} c
            WHERE {_TELLING} AND c.kind = 'class' AND c.sourced_id = r.data->>'class' AND c.{_USABLE}""",
        f"""UPDATE {_R} r SET section_id = s.id FROM academics.sections s
            WHERE {_TELLING} AND r.section_id IS NULL AND s.semester_id = :semester AND s.sourced_id = r.data->>'class'
              AND (r.action = 'conflict' OR (r.removed AND NOT EXISTS (
                  SELECT FROM {_R} c
                  WHERE c.kind = 'class' AND c.sourced_id = r.data->>'class' AND c.action = 'conflict')))""",
        _USERS,
        f"""UPDATE {_R} r SET student_id = s.id FROM academics.students s
            WHERE {_TELLING} AND {_UNUSABLE} AND r.student_id IS NULL AND s.sourced_id = r.data->>'user'
              AND coalesce(r.data->>'role', 'student') = 'student'""",
    ),
}
_SPELLINGS = ("S0", "S1", "S2", "S3", "s3", "S4")
_CODES = ("A", "b", "B", "C")


async def _furnish(campus: Campus) -> None:
    """Numbers and codes in several capitals; some students and sections with a sourcedId."""
    for number in _SPELLINGS:
        await campus.student(number=number)
    for course in ("CS1", "CS2"):
        course_id = await campus.course(course)
        for code in _CODES:
            await campus.section(course=course_id, code=code)
    async with campus.unit_of_work() as uow:
        await uow.connection.execute(text("UPDATE academics.students SET sourced_id = 'u-' || number"))
        await uow.connection.execute(
            text("""UPDATE academics.sections s SET sourced_id = 'k-' || c.code || s.code FROM academics.courses c
                    WHERE c.id = s.course_id AND s.code <> 'C'""")
        )
        await uow.commit()


async def _lines(fmt: str, chance: random.Random) -> AsyncIterator[StagedRow]:
    """Lines of all kinds in any state, of which many mean nobody or nothing."""
    numbers, number = [*_SPELLINGS, "s0", "S9"], 0
    if fmt == "oneroster":
        for course in ("CS1", "CS2"):
            for code in (*_CODES, "new"):
                number += 1
                yield StagedRow(number, "f", number, RowKind.CLASS, {"code": code}, f"k-{course}{code}")
        for student in numbers:
            number += 1
            yield StagedRow(number, "f", number, RowKind.USER, {}, f"u-{student}", chance.random() < 0.3)
    for _ in range(400):
        number += 1
        student, removed = chance.choice(numbers), chance.random() < 0.3
        data: dict[str, object] = {"role": chance.choice(["student", "student", "teacher"])}
        if chance.random() < 0.9:
            data |= {"number": student, "user": f"number:{student.lower()}" if fmt == "simple" else f"u-{student}"}
        if chance.random() < 0.9:
            course, code = chance.choice(["CS1", "cs1", "CS2", "CS3"]), chance.choice([*_CODES, "a", "c", "new"])
            data |= {"course_code": course, "section_code": code, "class": f"k-{course}{code}"}
        broken = {"rule": "unreadable", "message": "why"} if chance.random() < 0.2 else None
        if broken and chance.random() < 0.5:
            del data["role"]
        yield StagedRow(number, "f", number, RowKind.ENROLLMENT, data, f"e{number}", removed, broken)


@pytest.mark.parametrize("fmt", ["simple", "oneroster"])
async def test_one_statement_links_lines_as_one_look_after_another(campus: Campus, fmt: str) -> None:
    await _furnish(campus)
    semester, chance = await campus.semester(), random.Random(17)
    linked: list[dict[str, Any]] = []
    for _ in range(3):
        async with campus.unit_of_work() as uow:
            draft, connection = uow.rosters.draft(), uow.connection
            await draft.stage(_lines(fmt, chance))
            if fmt == "simple":
                await draft.derive_users()
            for row_no in (await connection.scalars(text(_OTHERS))).all():
                action = chance.choice(["create", "change", "unchanged", "conflict", "ignored"])
                entity = uuid7() if action in ("create", "change", "unchanged") else None
                given = {"action": action, "entity": entity, "row_no": row_no}
                await connection.execute(text(_DECIDED), given)
            await connection.execute(text("CREATE TEMPORARY TABLE expected AS SELECT * FROM pg_temp.roster_draft"))
            for look in _LOOKS[fmt]:
                statement = text(look)
                names = statement.compile().params
                await connection.execute(statement, {"semester": semester} if "semester" in names else {})

            await draft.link_enrollments(semester, simple=fmt == "simple")

            rows = await connection.execute(text(_BOTH))
            linked += [dict(row) for row in rows.mappings()]
            await connection.execute(text("DROP TABLE pg_temp.expected"))

    assert [row for row in linked if row["is"] != row["expected"]] == []
    assert len({(row["expected"][0] is None, row["expected"][1] is None) for row in linked}) == 4


_OTHERS = "SELECT row_no FROM pg_temp.roster_draft WHERE kind <> 'enrollment' ORDER BY row_no"
_DECIDED = "UPDATE pg_temp.roster_draft SET action = :action, entity_id = :entity WHERE row_no = :row_no"
_BOTH = """
SELECT r.row_no, r.data, ARRAY[r.section_id, r.student_id] AS is, ARRAY[e.section_id, e.student_id] AS expected
FROM pg_temp.roster_draft r JOIN pg_temp.expected e ON e.row_no = r.row_no WHERE r.kind = 'enrollment'
"""
