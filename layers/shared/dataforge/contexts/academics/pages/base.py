"""What the pages of academics share."""

from typing import Any
from uuid import UUID

from fastapi import Query

from dataforge.contexts.academics.domain.status import ACTIVE
from dataforge.contexts.academics.queries import enrollment as people
from dataforge.kernel.errors import NotFound
from dataforge.kernel.paging import MAX_LIMIT
from dataforge.web.calls import PageCall
from dataforge.web.routing import page_router

router = page_router("academics")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ROWS = 25
SearchText = Query(max_length=200, description="words, each the beginning of a word of code, title or description")


async def own_student(call: PageCall) -> dict[str, Any] | None:
    """The student the signed-in person is; None for staff."""
    try:
        return await call.query(people.get_own_student, call.user_id)
    except NotFound:
        return None


async def own_enrollments(call: PageCall, student: dict[str, Any] | None) -> dict[UUID, dict[str, Any]]:
    """What the student is in or waits for, by section."""
    if student is None:
        return {}
    found = await call.query(
        people.list_enrollments, call.principal, after=None, limit=MAX_LIMIT, student_id=student["id"]
    )
    return {row["section_id"]: row for row in found.rows if row["status"] in ACTIVE}
