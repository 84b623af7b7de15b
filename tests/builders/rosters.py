"""Roster files."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from dataforge.contexts.academics.rosters.commands import ApplyRoster, PlanRoster, apply_roster, plan_roster
from dataforge.contexts.academics.rosters.domain.plans import RosterOptions
from dataforge.contexts.academics.rosters.sources import FileSource, from_bytes
from tests.builders.academics import Campus

ONEROSTER_COLUMNS = {
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,"
    "subjectCodes,metadata.credits",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods,metadata.capacity,metadata.waitlistCapacity",
    "users": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,"
    "identifier,email,sms,phone,agentSourcedIds,grades,password",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate",
}


def csv_bytes(header: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A CSV file with these columns; fields a row lacks are empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def simple_csv(*rows: Mapping[str, Any]) -> bytes:
    """A simple roster."""
    header = ["student_number", "first_name", "last_name", "email", "course_code", "section_code", "status"]
    return csv_bytes(header, rows)


def oneroster_zip(columns: Mapping[str, str] = ONEROSTER_COLUMNS, **files: Sequence[Mapping[str, Any]]) -> bytes:
    """A OneRoster 1.2 archive with these columns; files that are not given have a header only."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.csv", "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\n")
        for name, header in columns.items():
            archive.writestr(f"{name}.csv", csv_bytes(header.split(","), files.get(name, ())))
    return out.getvalue()


def source(content: bytes) -> FileSource:
    """A roster as a request brings it."""
    return from_bytes(content)


async def lines(*rows: Sequence[str]) -> AsyncIterator[tuple[int, Sequence[str]]]:
    """Lines of a table, the first being line 2."""
    for number, row in enumerate(rows, start=2):
        yield number, row


async def plan(campus: Campus, content: bytes, fmt: str = "simple", **options: Any) -> dict[str, Any]:
    """Plan a roster of the campus's semester."""
    file = source(content)
    try:
        command = PlanRoster(await campus.semester(), fmt, file, RosterOptions(**options))
        made: dict[str, Any] = await campus.run(plan_roster, command)
        return made
    finally:
        file.close()


async def apply(campus: Campus, made: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Apply a plan; its drops are confirmed unless `confirm_drops` says otherwise."""
    confirmed = {"confirm_drops": made["counts"].get("enrollment", {}).get("drop", 0), **more}
    applied: dict[str, Any] = await campus.run(apply_roster, ApplyRoster(made["id"], made["plan_hash"], **confirmed))
    return applied


async def rows(campus: Campus, made: dict[str, Any], kind: str = "enrollment") -> list[dict[str, Any]]:
    """The rows of a plan of one kind."""
    sql = "SELECT * FROM academics.roster_rows WHERE plan_id = :id AND kind = :kind ORDER BY row_no"
    return await campus.rows(sql, id=made["id"], kind=kind)


def changes(made: dict[str, Any]) -> dict[str, dict[str, int]]:
    """What a plan would do: its counts without those of rows that do nothing."""
    acting = ("create", "change", "drop")
    found = {kind: {a: n for a, n in counts.items() if a in acting} for kind, counts in made["counts"].items()}
    return {kind: counts for kind, counts in found.items() if counts}


def school(**more: Any) -> dict[str, Any]:
    """A small school: class k1 of course c1 in the session FALL, students u1 to u4 (S1 to S4), the teacher p1."""
    files: dict[str, Any] = {
        "orgs": [{"sourcedId": "o1", "name": "Computing", "type": "department", "identifier": "CMP"}],
        "academicSessions": [
            {"sourcedId": "t1", "title": "FALL", "type": "term", "startDate": "2026-09-07", "endDate": "2026-12-18"},
            {"sourcedId": "t2", "title": "SPRING", "type": "term", "startDate": "2027-01-07", "endDate": "2027-05-18"},
        ],
        "courses": [
            {
                "sourcedId": "c1",
                "title": "Introduction",
                "courseCode": "CS-1",
                "orgSourcedId": "o1",
                "metadata.credits": "4",
            },
            {"sourcedId": "c2", "title": "Of spring", "courseCode": "CS-2", "orgSourcedId": "o1"},
        ],
        "classes": [
            {
                "sourcedId": "k1",
                "title": "Introduction A",
                "courseSourcedId": "c1",
                "classCode": "A",
                "termSourcedIds": "t1",
                "metadata.capacity": "2",
                "metadata.waitlistCapacity": "1",
            },
            {
                "sourcedId": "k2",
                "title": "Of spring",
                "courseSourcedId": "c2",
                "classCode": "A",
                "termSourcedIds": "t2",
            },
        ],
        "users": [
            {"sourcedId": f"u{n}", "givenName": "Ada", "familyName": f"L{n}", "identifier": f"S{n}"}
            for n in range(1, 5)
        ]
        + [{"sourcedId": "p1", "givenName": "Grace", "familyName": "Hopper", "email": "Grace@Example.org"}],
        "enrollments": [
            {"sourcedId": f"e{n}", "classSourcedId": "k1", "userSourcedId": f"u{n}", "role": "student"}
            for n in range(1, 5)
        ]
        + [{"sourcedId": "e9", "classSourcedId": "k1", "userSourcedId": "p1", "role": "teacher", "primary": "true"}]
        + [{"sourcedId": "e8", "classSourcedId": "k2", "userSourcedId": "u1", "role": "student"}],
    }
    return {**files, **more}
