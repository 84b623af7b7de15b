"""Calls about a cohort or lesson, which may belong to a workspace: whoever may not read it finds nothing (ADR 49).

A lesson claims an activity id, and there is one record store: who makes or changes lessons of a workspace needs their
role in the organisation for that, and one in the workspace besides.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends

from dataforge.contexts.learning.cohorts.queries import cohort_missing, workspace_of_cohort
from dataforge.contexts.learning.lessons.queries import lesson_missing, workspace_of_lesson
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.kernel.access import Action, Kind, Resource, role_missing
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.rules import RULES, may_any


def on_cohort(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a route about a cohort says of who may call it: `Annotated[Call, on_cohort(Action.CHANGE, Kind.COHORT)]`."""

    async def cohort_call(cohort_id: UUID, call: Annotated[Call, require(action, kind, replays=False)]) -> Call:
        workspace = await call.query(workspace_of_cohort, cohort_id)
        await call.require(action, Resource(kind, workspace=workspace), cohort_missing(cohort_id))
        return call

    return Depends(cohort_call)


def on_lesson(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a route about a lesson says of who may call it: `Annotated[Call, on_lesson(Action.CHANGE, Kind.LESSON)]`."""

    async def lesson_call(lesson_id: UUID, call: Annotated[Call, require(action, kind, replays=False)]) -> Call:
        workspace = await call.query(workspace_of_lesson, lesson_id)
        await _require(call, action, kind, workspace, lesson_missing(lesson_id))
        return call

    return Depends(lesson_call)


async def require_new_lesson(call: Call, workspace_id: UUID | None, cohort_id: UUID | None) -> None:
    """Raise unless the person may make a lesson there, and sees the cohort it is to belong to."""
    if cohort_id is not None:
        workspace_id = await call.query(workspace_of_cohort, cohort_id)
        await require_sight_of_cohort(call, cohort_id, workspace_id)
    await _require(call, Action.CREATE, Kind.LESSON, workspace_id, None)


async def require_sight_of_cohort(call: Call, cohort_id: UUID, workspace_id: UUID | None) -> None:
    """Raise NotFound for a cohort that the person may not read."""
    seen = Resource(Kind.COHORT, workspace=workspace_id)
    await call.decisions.require(Action.READ, seen, cohort_missing(cohort_id))


async def _require(
    call: Call, action: Action, kind: Kind, workspace_id: UUID | None, missing: DataForgeError | None
) -> None:
    await call.decisions.require(action, Resource(kind, workspace=workspace_id), missing)
    if kind is Kind.LESSON and not action.reads and not may_any(call.principal, action, kind):
        raise role_missing(RULES[kind, action].roles, call.principal.role)
    await call.replay()
