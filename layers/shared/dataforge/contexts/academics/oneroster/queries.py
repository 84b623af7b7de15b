"""OneRoster 1.2 Rostering, read side (IMS Global OneRoster 1.2 REST Binding, §3): six collections.

Paging by `limit` and `offset`, `sort` and `orderBy`, `filter` with = != > >= < <= ~ joined by AND or OR, `fields`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import missing
from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.keyset_lists import Row

_ORG = "coalesce(d.sourced_id, d.id::text)"
_SESSION = "coalesce(sem.sourced_id, sem.id::text)"
_COURSE = "coalesce(c.sourced_id, c.id::text)"
_CLASS = "coalesce(sec.sourced_id, sec.id::text)"
_STUDENT = "coalesce(s.sourced_id, s.id::text)"


def _ref(kind: str, sourced_id: str) -> str:
    return f"jsonb_build_object('sourcedId', {sourced_id}, 'type', '{kind}')"


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection: its SQL, and the fields that can be filtered and sorted by, all of them text, number or time."""

    name: str
    single: str
    sql: str
    fields: tuple[str, ...]


COLLECTIONS = {
    item.name: item
    for item in (
        Collection(
            "orgs",
            "org",
            f"""
            SELECT {_ORG} AS "sourcedId", 'active' AS "status", d.updated_at AS "dateLastModified", d.name AS "name",
                'department' AS "type", d.code AS "identifier"
            FROM academics.departments d
            """,
            ("sourcedId", "status", "dateLastModified", "name", "type", "identifier"),
        ),
        Collection(
            "academicSessions",
            "academicSession",
            f"""
            SELECT {_SESSION} AS "sourcedId", 'active' AS "status", sem.updated_at AS "dateLastModified",
                sem.code AS "title", 'semester' AS "type", sem.starts_on AS "startDate", sem.ends_on AS "endDate",
                extract(year FROM sem.ends_on)::int::text AS "schoolYear"
            FROM academics.semesters sem
            """,
            ("sourcedId", "status", "dateLastModified", "title", "type", "startDate", "endDate", "schoolYear"),
        ),
        Collection(
            "courses",
            "course",
            f"""
            SELECT {_COURSE} AS "sourcedId", CASE c.state WHEN 'archived' THEN 'tobedeleted' ELSE 'active' END AS
                "status",
                c.updated_at AS "dateLastModified", c.title AS "title", c.code AS "courseCode", {_ref("org", _ORG)}
                    AS "org",
                jsonb_build_object('credits', c.credits, 'state', c.state) AS "metadata"
            FROM academics.courses c JOIN academics.departments d ON d.id = c.department_id WHERE c.state <> 'draft'
            """,
            ("sourcedId", "status", "dateLastModified", "title", "courseCode"),
        ),
        Collection(
            "classes",
            "class",
            f"""
            SELECT {_CLASS} AS "sourcedId", CASE sec.state WHEN 'closed' THEN 'tobedeleted' ELSE 'active' END AS
                "status",
                sec.updated_at AS "dateLastModified", c.title || ' ' || sec.code AS "title", sec.code AS "classCode",
                'scheduled' AS "classType",
                (SELECT min(m.room) FROM academics.section_meetings m WHERE m.section_id = sec.id) AS "location",
                {_ref("course", _COURSE)} AS "course", {_ref("org", _ORG)} AS "school",
                jsonb_build_array({_ref("academicSession", _SESSION)}) AS "terms",
                jsonb_build_object('capacity', sec.capacity, 'waitlistCapacity', sec.waitlist_capacity) AS "metadata"
            FROM academics.sections sec
            JOIN academics.courses c ON c.id = sec.course_id
            JOIN academics.departments d ON d.id = c.department_id
            JOIN academics.semesters sem ON sem.id = sec.semester_id WHERE c.state <> 'draft'
            """,
            ("sourcedId", "status", "dateLastModified", "title", "classCode", "classType", "location"),
        ),
        Collection(
            "users",
            "user",
            f"""
            SELECT {_STUDENT} AS "sourcedId", 'active' AS "status", s.updated_at AS "dateLastModified",
                'true' AS "enabledUser", s.number AS "identifier", s.number AS "username", s.first_name AS "givenName",
                s.last_name AS "familyName", s.email AS "email", 'student' AS "role",
                jsonb_build_array(jsonb_build_object('roleType', 'primary', 'role', 'student')) AS "roles"
            FROM academics.students s
            UNION ALL
            SELECT i.user_id::text, 'active', NULL, 'true', i.username, i.username, i.display_name, '', i.proved_email,
                'teacher',
                jsonb_build_array(jsonb_build_object('roleType', 'primary', 'role', 'teacher'))
            FROM identity.directory i
            WHERE i.user_id IN (SELECT instructor_id FROM academics.sections WHERE instructor_id IS NOT NULL)
            """,
            (
                "sourcedId",
                "status",
                "dateLastModified",
                "enabledUser",
                "identifier",
                "username",
                "givenName",
                "familyName",
                "email",
                "role",
            ),
        ),
        Collection(
            "enrollments",
            "enrollment",
            f"""
            SELECT coalesce(e.sourced_id, e.id::text) AS "sourcedId",
                CASE WHEN e.status IN ('ENROLLED', 'COMPLETED') THEN 'active' ELSE 'tobedeleted' END AS "status",
                coalesce(e.decided_at, e.requested_at) AS "dateLastModified", 'student' AS "role", 'false' AS "primary",
                sem.starts_on AS "beginDate", sem.ends_on AS "endDate", {_ref("user", _STUDENT)} AS "user",
                {_ref("class", _CLASS)} AS "class", {_ref("org", _ORG)} AS "school"
            FROM academics.enrollments e
            JOIN academics.students s ON s.id = e.student_id
            JOIN academics.sections sec ON sec.id = e.section_id
            JOIN academics.courses c ON c.id = sec.course_id
            JOIN academics.departments d ON d.id = c.department_id
            JOIN academics.semesters sem ON sem.id = sec.semester_id
            WHERE e.status IN ('ENROLLED', 'COMPLETED', 'DROPPED', 'WITHDRAWN')
            """,
            ("sourcedId", "status", "dateLastModified", "role", "primary", "beginDate", "endDate"),
        ),
    )
}
_NAMES = {item.single: item.name for item in COLLECTIONS.values()}
_TIMES = {"dateLastModified": "timestamptz", "startDate": "date", "endDate": "date", "beginDate": "date"}
_OPERATORS = {"=": "=", "!=": "IS DISTINCT FROM", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_CONDITION = re.compile(r"\s*([A-Za-z.]{1,40})\s*(!=|>=|<=|=|>|<|~)\s*'((?:[^']|'')*)'\s*")
_JOIN = re.compile(r"(AND|OR)\b", re.IGNORECASE)


class InvalidFilter(BadRequest):
    """A filter, sort or field selection that OneRoster does not define for the collection."""

    code = "invalid_selection"
    title = "The filter, sort or fields cannot be used"


def collection_of(kind: str) -> str:
    """The name of the collection that holds items of a type: `class` is in `classes`."""
    return _NAMES[kind]


def _field(collection: Collection, name: str) -> str:
    if name not in collection.fields:
        known = ", ".join(collection.fields)
        message = Text(
            "{name} cannot be filtered or sorted by {name_2!r}; use one of {known}.",
            name=collection.name,
            name_2=name,
            known=known,
        )
        raise InvalidFilter(message)
    return f'q."{name}"'


def _where(collection: Collection, given: str | None) -> tuple[str, Row]:
    """SQL of a filter: at most one AND or OR, as the standard has it (§3.4.3), evaluated left to right."""
    if not given:
        return "TRUE", {}
    parameters: Row = {}
    sql, position, number = "", 0, 0
    while True:
        match = _CONDITION.match(given, position)
        if match is None or number == 10:
            message = Text(
                "The filter is not understood from character {position}: write field='value' AND field>'value'.",
                position=position + 1,
            )
            raise InvalidFilter(message)
        sql += _condition(collection, match[1], match[2], match[3].replace("''", "'"), number, parameters)
        position, number = match.end(), number + 1
        if position == len(given):
            return sql, parameters
        join = _JOIN.match(given, position)
        if join is None:
            continue_at = (
                f"The filter is not understood from character {position + 1}: conditions are joined by AND or OR."
            )
            raise InvalidFilter(continue_at)
        sql, position = f"({sql}) {join[1].upper()} ", join.end()


def _condition(collection: Collection, name: str, operator: str, value: str, number: int, parameters: Row) -> str:
    column, parameter = _field(collection, name), f"v{number}"
    kind = _TIMES.get(name, "text")
    if operator == "~":
        parameters[parameter] = value
        return f"position(lower(:{parameter}) in lower({column}::text)) > 0"
    parameters[parameter] = _checked(value, kind, name)
    return f"{column} {_OPERATORS[operator]} CAST(:{parameter} AS {kind})"


def _checked(value: str, kind: str, name: str) -> str:
    from datetime import date, datetime

    try:
        if kind == "date":
            date.fromisoformat(value)
        elif kind == "timestamptz":
            datetime.fromisoformat(value)
    except ValueError as error:
        message = Text(
            "{name} is compared with a date or time such as 2026-09-01, not {value!r}.", name=name, value=value
        )
        raise InvalidFilter(message) from error
    return value


def _shown(row: Mapping[str, Any], fields: Sequence[str]) -> Row:
    return {name: value for name, value in row.items() if (not fields or name in fields) and value is not None}


def _selected(collection: Collection, fields: str | None) -> list[str]:
    names = [name.strip() for name in (fields or "").split(",") if name.strip()]
    known = set(re.findall(r'AS "(\w+)"', collection.sql))
    unknown = [name for name in names if name not in known]
    if unknown:
        message = Text(
            "{name} has no field {unknown!r}; it has {known}.",
            name=collection.name,
            unknown=unknown[0],
            known=", ".join(sorted(known)),
        )
        raise InvalidFilter(message)
    return names


async def list_collection(
    connection: AsyncConnection,
    collection: Collection,
    *,
    limit: int,
    offset: int,
    given: str | None,
    sort: str | None,
    descending: bool,
    fields: str | None,
) -> tuple[list[Row], int]:
    """A page of a collection, and how many rows the whole has."""
    names = _selected(collection, fields)
    condition, parameters = _where(collection, given)
    base = f"FROM ({collection.sql}) q WHERE {condition}"
    total = int(await connection.scalar(text(f"SELECT count(*) {base}"), parameters) or 0)
    order = f"{_field(collection, sort)} {'DESC' if descending else 'ASC'}, " if sort else ""
    sql = text(f'SELECT q.* {base} ORDER BY {order}q."sourcedId" LIMIT :limit OFFSET :offset')
    rows = await connection.execute(sql, {**parameters, "limit": limit, "offset": offset})
    return [_shown(row_dict(row), names) for row in rows], total


async def get_item(connection: AsyncConnection, collection: Collection, sourced_id: str, fields: str | None) -> Row:
    """One item by its sourcedId; raises NotFound."""
    names = _selected(collection, fields)
    sql = text(f'SELECT q.* FROM ({collection.sql}) q WHERE q."sourcedId" = :sourced_id')
    row = (await connection.execute(sql, {"sourced_id": sourced_id})).first()
    if row is None:
        raise missing(collection.single, sourced_id)
    return _shown(row_dict(row), names)
