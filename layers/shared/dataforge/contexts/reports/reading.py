"""What the queries of all reports share: the basis, and whom and what a report is of."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.basis import Basis, LessonLabel, Window
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text

_REMOVED = text("SELECT learning.removed_since(:watermark)")
_COHORT = text("SELECT name, workspace_id FROM learning.cohorts WHERE cohort_id = :cohort_id")
_LESSON = text(
    "SELECT lesson_id, title, lesson_number, lesson_date, required, cohort_id, workspace_id FROM learning.lessons "
    "WHERE lesson_id = :lesson_id"
)
# Learners of a report: who was a member at the watermark and not suspended, of the cohort that is asked for, or of any
# that is active in a workspace, or in the organisation.
# The array lets people be found by their ids, where a join would read all of them.
_MEMBERS = (
    "SELECT m.user_id FROM learning.cohorts c CROSS JOIN LATERAL learning.members_as_of(:watermark, c.cohort_id) m "
    "WHERE (c.cohort_id = CAST(:cohort_id AS uuid) OR CAST(:cohort_id AS uuid) IS NULL AND c.active "
    "AND c.workspace_id IS NOT DISTINCT FROM CAST(:workspace_id AS uuid))"
)


def _people(members: str) -> str:
    return (
        "SELECT d.user_id, d.display_name, d.email FROM identity.directory d "
        f"WHERE d.user_id = ANY (ARRAY({members})) AND (d.suspended_at IS NULL OR d.suspended_at > :watermark)"
    )


LEARNERS = _people(_MEMBERS)
# Of whom a lesson is expected: of learners of its cohort, or of every cohort of its workspace if it belongs to none.
EXPECTED = _people(
    f"{_MEMBERS} AND (CAST(:of_cohort AS uuid) IS NULL OR c.cohort_id = CAST(:of_cohort AS uuid) "
    "AND (c.active OR CAST(:cohort_id AS uuid) IS NOT NULL))"
)


async def basis_of(connection: AsyncConnection, statements: StatementMatching, window: Window) -> Basis:
    """The basis of a report: the watermark of the pages before, or the instant asked for if it is not too late."""
    watermark = window.watermark
    if watermark is None:
        bound = await statements.reported_through(connection)
        watermark = bound if window.as_of is None else min(window.as_of, bound)
    removed = (await connection.execute(_REMOVED, {"watermark": watermark})).scalar_one()
    return Basis(watermark, removed)


@dataclass(frozen=True, slots=True)
class ReportedCohort:
    """A cohort, and the workspace that it belongs to."""

    name: str
    workspace_id: UUID | None


@dataclass(frozen=True, slots=True)
class ReportedLesson:
    """A lesson, and the cohort and workspace that it belongs to."""

    label: LessonLabel
    cohort_id: UUID | None
    workspace_id: UUID | None


def cohort_missing(cohort_id: UUID) -> NotFound:
    """The refusal for a cohort that is not there, and for everybody who may not read reports of it."""
    return NotFound(Text("There is no cohort {cohort_id}.", cohort_id=cohort_id))


def lesson_missing(lesson_id: UUID) -> NotFound:
    """The refusal for a lesson that is not there, and for everybody who may not read reports of it."""
    return NotFound(Text("There is no lesson {lesson_id}.", lesson_id=lesson_id))


async def find_cohort(connection: AsyncConnection, cohort_id: UUID) -> ReportedCohort:
    """A cohort; raises NotFound."""
    row = (await connection.execute(_COHORT, {"cohort_id": cohort_id})).one_or_none()
    if row is None:
        raise cohort_missing(cohort_id)
    return ReportedCohort(row.name, row.workspace_id)


async def workspace_of(connection: AsyncConnection, cohort_id: UUID | None) -> UUID | None:
    """The workspace that a report of a cohort is of; None for the organisation. Raises NotFound."""
    return None if cohort_id is None else (await find_cohort(connection, cohort_id)).workspace_id


async def find_lesson(connection: AsyncConnection, lesson_id: UUID) -> ReportedLesson:
    """A lesson; raises NotFound."""
    row = (await connection.execute(_LESSON, {"lesson_id": lesson_id})).one_or_none()
    if row is None:
        raise lesson_missing(lesson_id)
    return ReportedLesson(label_of(row), row.cohort_id, row.workspace_id)


def label_of(row: Any) -> LessonLabel:  # noqa: ANN401 - a row with the columns of a lesson
    """A lesson as reports name it."""
    return LessonLabel(row.lesson_id, row.title, row.lesson_number, row.lesson_date, row.required)
