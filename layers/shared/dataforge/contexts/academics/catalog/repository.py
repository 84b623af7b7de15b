"""Writes of the catalog."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.catalog.domain import Requirement, search_words
from dataforge.contexts.academics.tables import (
    course_activities,
    courses,
    departments,
    prerequisites,
    semesters,
)
from dataforge.platform.db.versioned_rows import VersionedRows, explained

_EDGES = text("""
WITH RECURSIVE reached(course_id, required_course_id) AS (
    SELECT course_id, required_course_id FROM academics.prerequisites WHERE course_id = ANY(:start)
    UNION
    SELECT p.course_id, p.required_course_id
    FROM academics.prerequisites p JOIN reached r ON p.course_id = r.required_course_id
)
SELECT course_id, required_course_id FROM reached
""")

_PREREQUISITES_LOCK = 4_003


class Courses(VersionedRows):
    """Courses, whose words are indexed for search with every write."""

    async def add(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Insert with the search words."""
        return await super().add({**values, "search": _indexed(values)})

    async def change(self, row: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Update; `changes` holds code, title and description whenever one of them changes."""
        if "title" in changes:
            changes = {**changes, "search": _indexed(changes)}
        return await super().change(row, changes)


def _indexed(values: Mapping[str, Any]) -> object:
    words = search_words(values["code"], values["title"], values.get("description", ""))
    return func.to_tsvector("simple", words)


class Catalog:
    """Departments, courses and semesters, one store of rows each, and what courses require."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self.departments = VersionedRows(connection, departments, "department", now)
        self.courses = Courses(connection, courses, "course", now, hidden=("search",))
        self.semesters = VersionedRows(connection, semesters, "semester", now)

    async def lock_prerequisites(self) -> None:
        """Take the transaction's advisory lock on all prerequisites."""
        await self._connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PREREQUISITES_LOCK})

    async def set_prerequisites(self, course_id: UUID, requirements: Sequence[Requirement]) -> None:
        """Replace the requirements of a course; an unknown course is refused."""
        await self._connection.execute(delete(prerequisites).where(prerequisites.c.course_id == course_id))
        if requirements:
            rows = [
                {
                    "course_id": course_id,
                    "group_no": item.group_no,
                    "required_course_id": item.course_id,
                    "kind": item.kind.value,
                    "min_score": item.min_score,
                }
                for item in requirements
            ]
            async with explained("prerequisite", "prerequisites"):
                await self._connection.execute(insert(prerequisites), rows)

    async def requirement_edges(self, start: Collection[UUID]) -> tuple[dict[UUID, list[UUID]], dict[UUID, str]]:
        """Requirements reachable from some courses, and the codes of all courses met on the way."""
        edges: dict[UUID, list[UUID]] = {}
        for course_id, required_id in await self._connection.execute(_EDGES, {"start": list(start)}):
            edges.setdefault(course_id, []).append(required_id)
        known = set(start) | set(edges) | {item for items in edges.values() for item in items}
        rows = await self._connection.execute(select(courses.c.id, courses.c.code).where(courses.c.id.in_(known)))
        return edges, {row.id: row.code for row in rows}

    async def set_lessons(self, course_id: UUID, lesson_ids: Collection[UUID]) -> None:
        """Replace the lessons whose completion counts as completing the course."""
        await self._connection.execute(delete(course_activities).where(course_activities.c.course_id == course_id))
        if lesson_ids:
            rows = [{"course_id": course_id, "lesson_id": item, "created_at": self._now} for item in set(lesson_ids)]
            await self._connection.execute(insert(course_activities), rows)

    async def courses_of_lesson(self, lesson_id: UUID) -> list[UUID]:
        """The courses that completing a lesson completes."""
        courses = select(course_activities.c.course_id).where(course_activities.c.lesson_id == lesson_id).distinct()
        return list((await self._connection.scalars(courses)).all())
