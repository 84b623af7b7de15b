"""The whole school as the files of the OneRoster 1.2 CSV binding, in bulk form: what is listed is there.

`status` and `dateLastModified` are empty in bulk files (§2.2 of the binding). A thing without a sourcedId has its id
for one, as in the REST collections; a roster that is made of these files finds everything again by them.
Who waits for a seat has the role `ext:waitlisted`: other systems pass it over, and a roster here keeps the place.
"""

import zipfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import IO

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.http.file_answers import Bounds
from dataforge.kernel.csv_cells import write_cell, write_lines

_SYSTEM = "DataForge"
_BULK = ("academicSessions", "classes", "courses", "enrollments", "orgs", "roles", "users")
_ABSENT = (
    "categories",
    "classResources",
    "courseResources",
    "demographics",
    "lineItemLearningObjectiveIds",
    "lineItems",
    "lineItemScoreScales",
    "resources",
    "resultLearningObjectiveIds",
    "results",
    "resultScoreScales",
    "scoreScales",
    "userProfiles",
    "userResources",
)
_ROWS = 1_000  # fetched and written at once
_TEACHERS = """identity.directory i
WHERE i.user_id IN (SELECT s.instructor_id FROM academics.sections s JOIN academics.courses c ON c.id = s.course_id
                    WHERE c.state <> 'draft')"""
_NUMBERED = "coalesce({0}.sourced_id, {0}.id::text)"
_ORG, _SESSION, _COURSE = _NUMBERED.format("d"), _NUMBERED.format("sem"), _NUMBERED.format("c")
_CLASS, _STUDENT, _ENROLLMENT = _NUMBERED.format("sec"), _NUMBERED.format("s"), _NUMBERED.format("e")

# Every file has the columns of the binding in its order; those that are not selected are empty.
_COLUMNS: Mapping[str, str] = {
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,"
    "subjectCodes,metadata.credits",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods,metadata.capacity,metadata.waitlistCapacity",
    "users": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,"
    "identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,"
    "preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns",
    "roles": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
    "userProfileSourcedId",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate",
}
_SELECTED: Mapping[str, str] = {
    "orgs": f"""SELECT {_ORG} AS "sourcedId", d.name, 'department' AS type, d.code AS identifier
FROM academics.departments d ORDER BY d.code, d.id""",
    "academicSessions": f"""SELECT {_SESSION} AS "sourcedId", sem.code AS title, 'semester' AS type,
    sem.starts_on AS "startDate", sem.ends_on AS "endDate", extract(year FROM sem.ends_on)::int AS "schoolYear"
FROM academics.semesters sem ORDER BY sem.starts_on, sem.code, sem.id""",
    "courses": f"""SELECT {_COURSE} AS "sourcedId", c.title, c.code AS "courseCode", {_ORG} AS "orgSourcedId",
    c.credits::text AS "metadata.credits"
FROM academics.courses c JOIN academics.departments d ON d.id = c.department_id
WHERE c.state <> 'draft' ORDER BY c.code, c.id""",
    "classes": f"""SELECT {_CLASS} AS "sourcedId", c.title || ' ' || sec.code AS title, {_COURSE} AS "courseSourcedId",
    sec.code AS "classCode", 'scheduled' AS "classType", {_ORG} AS "schoolSourcedId", {_SESSION} AS "termSourcedIds",
    (SELECT min(m.room) FROM academics.section_meetings m WHERE m.section_id = sec.id) AS location,
    sec.capacity AS "metadata.capacity", sec.waitlist_capacity AS "metadata.waitlistCapacity"
FROM academics.sections sec JOIN academics.courses c ON c.id = sec.course_id
JOIN academics.departments d ON d.id = c.department_id JOIN academics.semesters sem ON sem.id = sec.semester_id
WHERE c.state <> 'draft' ORDER BY sem.starts_on, c.code, sec.code, sec.id""",
    "users": f"""SELECT * FROM (
    SELECT {_STUDENT} AS "sourcedId", 'true' AS "enabledUser", s.number AS username, s.number AS identifier,
        s.first_name AS "givenName", s.last_name AS "familyName", s.email
    FROM academics.students s
    UNION ALL
    -- Of a teacher there is a display name only: what follows the last space is taken for the family name.
    SELECT i.user_id::text, 'true', i.username, i.username,
        coalesce(nullif(regexp_replace(i.display_name, '\\s*\\S+\\s*$', ''), ''), i.username),
        coalesce(substring(i.display_name FROM '(\\S+)\\s*$'), i.username), i.proved_email FROM {_TEACHERS}
) u ORDER BY u.identifier, u."sourcedId" """,
    "roles": f"""SELECT {_STUDENT} || '-student' AS "sourcedId", {_STUDENT} AS "userSourcedId",
    'primary' AS "roleType", 'student' AS role, {_ORG} AS "orgSourcedId"
FROM academics.students s JOIN LATERAL (
    SELECT c.department_id FROM academics.enrollments e JOIN academics.sections sec ON sec.id = e.section_id
    JOIN academics.courses c ON c.id = sec.course_id WHERE e.student_id = s.id ORDER BY e.id LIMIT 1) first ON true
JOIN academics.departments d ON d.id = first.department_id
UNION ALL
SELECT i.user_id || '-teacher', i.user_id::text, 'primary', 'teacher', (
    SELECT {_ORG} FROM academics.sections sec JOIN academics.courses c ON c.id = sec.course_id
    JOIN academics.departments d ON d.id = c.department_id
    WHERE sec.instructor_id = i.user_id AND c.state <> 'draft' ORDER BY sec.id LIMIT 1)
FROM {_TEACHERS}""",
    "enrollments": f"""SELECT q.* FROM (
    SELECT {_ENROLLMENT} AS "sourcedId", {_CLASS} AS "classSourcedId", {_ORG} AS "schoolSourcedId",
        {_STUDENT} AS "userSourcedId", CASE e.status WHEN 'WAITLISTED' THEN 'ext:waitlisted' ELSE 'student' END AS role,
        'false' AS primary, sem.starts_on AS "beginDate", sem.ends_on AS "endDate", e.wait_no
    FROM academics.enrollments e JOIN academics.students s ON s.id = e.student_id
    JOIN academics.sections sec ON sec.id = e.section_id JOIN academics.courses c ON c.id = sec.course_id
    JOIN academics.departments d ON d.id = c.department_id JOIN academics.semesters sem ON sem.id = sec.semester_id
    WHERE e.status IN ('ENROLLED', 'WAITLISTED', 'COMPLETED') AND c.state <> 'draft'
    UNION ALL
    SELECT {_CLASS} || '-teacher', {_CLASS}, {_ORG}, sec.instructor_id::text, 'teacher', 'true', sem.starts_on,
        sem.ends_on, NULL
    FROM academics.sections sec JOIN academics.courses c ON c.id = sec.course_id
    JOIN academics.departments d ON d.id = c.department_id JOIN academics.semesters sem ON sem.id = sec.semester_id
    WHERE sec.instructor_id IS NOT NULL AND c.state <> 'draft'
) q ORDER BY q."beginDate", q."classSourcedId", q.wait_no NULLS FIRST, q."sourcedId" """,
}


class NobodyReads(Exception):
    """Whoever asked for the archive has gone away."""


async def write_archive(connection: AsyncConnection, file: IO[bytes], is_gone: Callable[[], Awaitable[bool]]) -> None:
    """Write a zip with the manifest and seven files, all as of one moment; raises ListTooLong, and NobodyReads as soon
    as the client is gone.

    A thousand rows are in memory at a time.
    """
    await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    bounds, lines = Bounds(), 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr("manifest.csv", _manifest())
        for name, header in _COLUMNS.items():
            columns = header.split(",")
            with archive.open(f"{name}.csv", "w", force_zip64=True) as entry:
                entry.write(write_lines([columns]))
                selected = text(_SELECTED[name])
                async with connection.stream(selected, execution_options={"yield_per": _ROWS}) as rows:
                    async for batch in rows.mappings().partitions(_ROWS):
                        entry.write(_written(columns, batch))
                        lines += len(batch)
                        bounds.check(file, lines)
                        if await is_gone():
                            raise NobodyReads


def _written(columns: Sequence[str], rows: Sequence[RowMapping]) -> bytes:
    return write_lines([[write_cell(row.get(name)) for name in columns] for row in rows])


def _manifest() -> bytes:
    modes = {**dict.fromkeys(_BULK, "bulk"), **dict.fromkeys(_ABSENT, "absent")}
    rows = [
        ("propertyName", "value"),
        ("manifest.version", "1.0"),
        ("oneroster.version", "1.2"),
        *((f"file.{name}", modes[name]) for name in sorted(modes, key=str.lower)),
        ("source.systemName", _SYSTEM),
        ("source.systemCode", _SYSTEM.lower()),
    ]
    return write_lines(rows)
