"""Who calls about which tutorial: a member of its workspace whose role allows it, for everybody else there is none."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from dataforge.contexts.tutorials.drafts.queries import missing_draft_job, read_draft_job, spoken_transcript
from dataforge.contexts.tutorials.transcripts.domain import missing_transcript
from dataforge.contexts.tutorials.tutorials.commands import reading_budget, too_many_reads, use_link
from dataforge.contexts.tutorials.tutorials.domain.selection import TutorialSelection, search_words
from dataforge.contexts.tutorials.tutorials.domain.tutorial import Tutorial, TutorialState, missing_tutorial
from dataforge.contexts.tutorials.tutorials.queries import read_shared, workspace_of_tutorial
from dataforge.contexts.tutorials.unit_of_work import TutorialsUnitOfWork
from dataforge.contexts.workspaces.contract import Memberships
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.caller import client_address
from dataforge.kernel.access import Action, Kind, Resource, role_missing
from dataforge.kernel.rules import RULES, may_any
from dataforge.kernel.throttling import Budget
from dataforge.platform.db.unit_of_work import run


async def enter_tutorial(call: Call, tutorial_id: UUID, action: Action, kind: Kind) -> UUID:
    """The tutorial's workspace; raises TutorialNotFound, WorkspaceRoleMissing, WorkspaceArchived."""
    workspace_id = await call.query(workspace_of_tutorial, tutorial_id)
    await call.require(action, Resource(kind, workspace=workspace_id), missing_tutorial(tutorial_id))
    return workspace_id


def about_tutorial(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a route about the tutorial in its path says of who may call it."""

    async def member_call(tutorial_id: UUID, call: Annotated[Call, require(action, kind, replays=False)]) -> Call:
        await enter_tutorial(call, tutorial_id, action, kind)
        return call

    return Depends(member_call)


async def enter_transcript(call: Call, transcript_id: UUID) -> None:
    """Raise unless the person may have a tutorial drafted of it: TranscriptNotFound, WorkspaceRoleMissing,
    WorkspaceArchived.
    """
    transcript = await call.query(spoken_transcript, transcript_id)
    resource = Resource(Kind.TUTORIAL, workspace=transcript.workspace_id)
    await call.require(Action.CREATE, resource, missing_transcript(transcript_id))


async def enter_lessons(call: Call, tutorial_id: UUID) -> None:
    """Raise unless the person may make lessons of the tutorial's workspace: WorkspaceRoleMissing, WorkspaceArchived,
    Forbidden.

    As for every lesson, that takes a role in the organisation besides the one in the workspace (ADR 49).
    """
    workspace_id = await call.query(workspace_of_tutorial, tutorial_id)
    await call.require(Action.CREATE, Resource(Kind.LESSON, workspace=workspace_id))
    if not may_any(call.principal, Action.CREATE, Kind.LESSON):
        raise role_missing(RULES[Kind.LESSON, Action.CREATE].roles, call.principal.role)


async def draft_job_for(call: Call, job_id: UUID) -> dict[str, Any]:
    """How far the draft is, for members of its workspace; raises JobNotFound."""
    draft = await call.query(read_draft_job, job_id)
    workspace_id = UUID(draft["workspace_id"])
    await call.require(Action.READ, Resource(Kind.TUTORIAL, workspace=workspace_id), missing_draft_job(job_id))
    return draft


async def selection_for(
    call: Call,
    workspace_id: UUID | None,
    *,
    search: str | None = None,
    mine: bool | None = None,
    state: TutorialState | None = None,
    transcript_id: UUID | None = None,
    created_from: datetime | None = None,
    created_before: datetime | None = None,
) -> TutorialSelection:
    """What a person asks for, in one workspace or in all that they are in; raises WorkspaceNotFound."""
    if workspace_id is not None:
        await call.require(Action.READ, Resource(Kind.TUTORIAL, workspace=workspace_id))
        workspaces = frozenset({workspace_id})
    else:
        workspaces = frozenset(await call.services(Memberships).workspaces_of(call.user_id))
    return TutorialSelection(
        workspaces=workspaces,
        words=search_words(search or ""),
        author=call.user_id if mine is True else None,
        not_author=call.user_id if mine is False else None,
        state=state,
        transcript_id=transcript_id,
        created_from=created_from,
        created_before=created_before,
    )


async def read_shared_for(request: Request, token: str) -> Tutorial:
    """The published tutorial that a link leads to, for anybody; raises ShareLinkNotFound, TooManyRequests.

    What is asked for in vain counts as well.
    """
    call = Call.of_anybody(request)
    budget = reading_budget(client_address(request))
    wait = await run(call.unit_of_work(TutorialsUnitOfWork), _spend, budget)
    if wait is not None:
        raise too_many_reads(wait)
    tutorial_id = await run(call.unit_of_work(TutorialsUnitOfWork), use_link, token)
    return await call.query(read_shared, tutorial_id)


async def _spend(budget: Budget, uow: TutorialsUnitOfWork) -> int | None:
    return await uow.throttle.spend_one(budget)
