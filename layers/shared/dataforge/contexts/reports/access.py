"""Who may read which report: of a cohort or lesson of a workspace its members, of everything else the organisation."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID

from dataforge.contexts.reports.reading import cohort_missing, find_cohort, find_lesson, lesson_missing
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.platform.access import Decisions


class Reader(Protocol):
    """Somebody who asks for a report, by its address or in a statement."""

    @property
    def decisions(self) -> Decisions:
        """What they may do."""
        ...

    async def query(self, function: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function
        """Run one query function in a READ ONLY transaction."""
        ...


async def require_report(call: Reader, *, cohort_id: UUID | None = None, lesson_id: UUID | None = None) -> None:
    """Raise NotFound for a cohort or lesson that the caller may not read reports of, Forbidden where neither is given.

    Reports of neither are of what belongs to no workspace.
    """
    if cohort_id is None and lesson_id is None:
        await call.decisions.require(Action.READ, Resource(Kind.REPORT))
    if cohort_id is not None:
        cohort = await call.query(find_cohort, cohort_id)
        of_cohort = Resource(Kind.REPORT, workspace=cohort.workspace_id)
        await call.decisions.require(Action.READ, of_cohort, cohort_missing(cohort_id))
    if lesson_id is not None:
        lesson = await call.query(find_lesson, lesson_id)
        of_lesson = Resource(Kind.REPORT, workspace=lesson.workspace_id)
        await call.decisions.require(Action.READ, of_lesson, lesson_missing(lesson_id))
