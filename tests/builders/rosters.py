"""Roster files."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from dataforge.contexts.academics.sources import FileSource, from_bytes

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


def oneroster_zip(**files: Sequence[Mapping[str, Any]]) -> bytes:
    """A OneRoster 1.2 archive; files that are not given have a header only."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.csv", "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\n")
        for name, columns in ONEROSTER_COLUMNS.items():
            archive.writestr(f"{name}.csv", csv_bytes(columns.split(","), files.get(name, ())))
    return out.getvalue()


def source(content: bytes) -> FileSource:
    """A roster as a request brings it."""
    return from_bytes(content)


async def lines(*rows: Sequence[str]) -> AsyncIterator[tuple[int, Sequence[str]]]:
    """Lines of a table, the first being line 2."""
    for number, row in enumerate(rows, start=2):
        yield number, row
