"""The matrix of a cohort, read so that its cells reach the answer without becoming objects here."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.basis import Basis, LessonLabel, Window
from dataforge.contexts.reports.cohort.domain import LearnerRow, LessonColumn, MatrixReport
from dataforge.contexts.reports.reading import LEARNERS, basis_of, find_cohort, label_of

_LESSONS = text(
    "SELECT lesson_id, title, lesson_number, lesson_date, required "
    "FROM learning.lessons_as_of(:watermark, :cohort_id) "
    "ORDER BY lesson_number NULLS LAST, lesson_date NULLS LAST, title, lesson_id"
)
_PAGE = text(
    f"WITH learners AS ({LEARNERS}) SELECT user_id, display_name, email, (SELECT count(*) FROM learners) AS learners "
    "FROM learners WHERE CAST(:user_id AS uuid) IS NULL OR (display_name, user_id) > (:display_name, :user_id) "
    "ORDER BY display_name, user_id LIMIT :limit"
)
_ALL = text(f"SELECT user_id FROM ({LEARNERS}) l")
# Times as UTC without an offset, whatever the time zone of the session; `places` only where a lesson is missing.
_CELLS = (
    "SELECT p.user_id, max(p.last_at) AS last_activity, "
    "string_agg(CASE WHEN p.completed_at IS NULL THEN 'p' ELSE 'c' END, '' ORDER BY l.place) AS states, "
    "array_to_json(array_agg(p.completed_at AT TIME ZONE 'UTC' ORDER BY l.place))::text AS completed_at, "
    "array_to_json(array_agg(p.started_at AT TIME ZONE 'UTC' ORDER BY l.place))::text AS started_at, "
    "CASE WHEN count(*) < cardinality(CAST(:lessons AS uuid[])) THEN array_agg(l.place ORDER BY l.place) END AS places "
    "FROM unnest(CAST(:lessons AS uuid[])) WITH ORDINALITY l (lesson_id, place) "
)
# As it is now, and whether that is how it was: few have done anything since the watermark, and only theirs is worked
# out again. Looking through the progress of all for what is new takes as long as reading it.
_NOW = text(
    _CELLS.replace("SELECT p.user_id", "SELECT p.user_id, bool_or(p.changed_at > :watermark) AS changed", 1)
    + "JOIN learning.progress p ON p.lesson_id = l.lesson_id AND p.user_id = ANY (CAST(:users AS uuid[])) "
    "AND p.lesson_id = ANY (CAST(:lessons AS uuid[])) AND (p.statements > 0 OR p.changed_at > :watermark) "
    "GROUP BY p.user_id"
)
_THEN = text(
    f"{_CELLS} JOIN learning.progress_as_of(:watermark, CAST(:users AS uuid[]), CAST(:lessons AS uuid[])) p "
    "ON p.lesson_id = l.lesson_id GROUP BY p.user_id"
)
_COUNTS = text(
    "SELECT lesson_id, count(*) AS started, count(completed_at) AS completed "
    "FROM learning.progress_as_of(:watermark, CAST(:users AS uuid[]), CAST(:lessons AS uuid[])) GROUP BY lesson_id"
)


async def read_matrix(
    connection: AsyncConnection, statements: StatementMatching, cohort_id: UUID, window: Window, *, counted: bool = True
) -> MatrixReport:
    """The matrix of a cohort, `window.limit` of its learners by name; raises NotFound.

    Without `counted` how many have started and completed a lesson is that of the page.
    """
    cohort = await find_cohort(connection, cohort_id)
    basis = await basis_of(connection, statements, window)
    given = {"watermark": basis.watermark, "cohort_id": cohort_id, "workspace_id": cohort.workspace_id}
    lessons = [label_of(row) for row in await connection.execute(_LESSONS, given)]
    display_name, user_id = window.key or ("", None)
    position = {"display_name": display_name, "user_id": user_id, "limit": window.limit + 1}
    people = (await connection.execute(_PAGE, {**given, **position})).all()
    learners = people[0].learners if people else 0
    more, people = len(people) > window.limit, people[: window.limit]
    rows = await _rows(connection, basis, lessons, people)
    if not counted or len(rows) == learners:
        counts = _counted(rows, len(lessons))
    else:
        users = (await connection.execute(_ALL, given)).scalars().all()
        counts = await _counts_of_all(connection, basis, lessons, users)
    columns = [LessonColumn(lesson, learners, *count) for lesson, count in zip(lessons, counts, strict=True)]
    last = window.next_key(basis, rows[-1].display_name, rows[-1].user_id) if more else None
    return MatrixReport(basis, cohort_id, cohort.name, learners, columns, rows, last)


async def _rows(
    connection: AsyncConnection, basis: Basis, lessons: Sequence[LessonLabel], people: Sequence[Any]
) -> list[LearnerRow]:
    given = {
        "watermark": basis.watermark,
        "lessons": [lesson.lesson_id for lesson in lessons],
        "users": [person.user_id for person in people],
    }
    found = {row.user_id: row for row in await connection.execute(_NOW, given)} if people and lessons else {}
    changed = [user_id for user_id, row in found.items() if row.changed]
    if changed:
        then = {row.user_id: row for row in await connection.execute(_THEN, {**given, "users": changed})}
        found = {user_id: row for user_id, row in found.items() if not row.changed} | then
    nothing = f"[{','.join(['null'] * len(lessons))}]"
    rows = []
    for person in people:
        cells = found.get(person.user_id)
        if cells is None:
            last_activity, states, completed_at, started_at = None, "-" * len(lessons), nothing, nothing
        else:
            last_activity, states = cells.last_activity, cells.states
            completed_at, started_at = _in_utc(cells.completed_at), _in_utc(cells.started_at)
            if cells.places is not None:
                states = "".join(_spread(states, cells.places, ["-"] * len(lessons)))
                completed_at, started_at = (
                    f"[{','.join(_spread(values[1:-1].split(','), cells.places, ['null'] * len(lessons)))}]"
                    for values in (completed_at, started_at)
                )
        rows.append(
            LearnerRow(
                person.user_id, person.display_name, person.email, last_activity, states, completed_at, started_at
            )
        )
    return rows


def _spread(values: Sequence[str], places: Sequence[int], among: list[str]) -> list[str]:
    for place, value in zip(places, values, strict=True):
        among[place - 1] = value
    return among


def _in_utc(times: str) -> str:
    return times.replace('",', 'Z",').replace('"]', 'Z"]')


def _counted(rows: Sequence[LearnerRow], columns: int) -> list[tuple[int, int]]:
    """How many of all learners have started and completed each lesson, when all of them are here."""
    by_lesson = zip(*(row.states for row in rows), strict=True) if rows else [()] * columns
    return [(len(states) - states.count("-"), states.count("c")) for states in by_lesson]


async def _counts_of_all(
    connection: AsyncConnection, basis: Basis, lessons: Sequence[LessonLabel], users: Sequence[UUID]
) -> list[tuple[int, int]]:
    ids = [lesson.lesson_id for lesson in lessons]
    found = await connection.execute(_COUNTS, {"watermark": basis.watermark, "users": users, "lessons": ids})
    counts = {row.lesson_id: (row.started, row.completed) for row in found}
    return [counts.get(lesson_id, (0, 0)) for lesson_id in ids]
