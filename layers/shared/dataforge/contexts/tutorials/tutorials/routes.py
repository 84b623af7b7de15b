"""REST of tutorials."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Body, Path, Request
from starlette.responses import Response

from dataforge.contexts.learning.contract import LessonPublishing
from dataforge.contexts.tutorials.drafts.commands import QueueDraft, queue_draft
from dataforge.contexts.tutorials.routing import router
from dataforge.contexts.tutorials.tutorials import commands, queries, wire
from dataforge.contexts.tutorials.tutorials.answers import (
    lesson_address,
    links_answer,
    new_link_answer,
    page_answer,
    shared_answer,
    tutorial_answer,
)
from dataforge.contexts.tutorials.tutorials.calls import (
    about_tutorial,
    draft_job_for,
    enter_lessons,
    enter_transcript,
    read_shared_for,
    selection_for,
)
from dataforge.contexts.tutorials.tutorials.domain.tutorial import Transition, TutorialState
from dataforge.contexts.tutorials.tutorials.exports import ExportFormat, export_answer
from dataforge.contexts.tutorials.unit_of_work import TutorialsUnitOfWork as Work
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.jobs import QueuedJobOut, queue_and_answer
from dataforge.http.openapi import UNKEYED
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS, VERSIONED, no_content
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.platform.db.unit_of_work import run

TUTORIALS = "/api/tutorials"
TUTORIAL = TUTORIALS + "/{tutorial_id}"
ShareToken = Annotated[str, Path(min_length=1, max_length=200, description="the token of the link")]
Reader = Annotated[Call, about_tutorial(Action.READ, Kind.TUTORIAL)]
Editor = Annotated[Call, about_tutorial(Action.CHANGE, Kind.TUTORIAL)]
Publisher = Annotated[Call, about_tutorial(Action.PUBLISH, Kind.TUTORIAL)]


@router.post(TUTORIALS + "/generate", status_code=202, response_model=QueuedJobOut, responses=PROBLEMS)
async def generate_tutorial(
    body: wire.DraftIn, call: Annotated[Call, require(Action.CREATE, Kind.TUTORIAL, replays=False)]
) -> Response:
    """Draft a tutorial from a transcript; while that is under way, asking again gives the same job."""
    await enter_transcript(call, body.transcript_id)
    return await queue_and_answer(call, Work, queue_draft, QueueDraft(body.transcript_id))


@router.get(TUTORIALS + "/generate/{job_id}", response_model=wire.DraftJobOut, responses=PROBLEMS)
async def get_draft(job_id: UUID, call: Annotated[Call, require(Action.READ, Kind.TUTORIAL)]) -> Response:
    """How far a draft is, for every member of the workspace: whoever asks second gets the job of another."""
    return json_response(wire.DraftJobOut.model_validate(await draft_job_for(call, job_id)))


@router.get(TUTORIALS, response_model=wire.TutorialPageOut)
async def list_tutorials(
    call: Annotated[Call, require(Action.READ, Kind.TUTORIAL)],
    workspace_id: UUID | None = None,
    search: wire.Search = None,
    state: TutorialState | None = None,
    transcript_id: UUID | None = None,
    created_from: wire.CreatedFrom = None,
    created_before: wire.CreatedBefore = None,
    mine: wire.Mine = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Tutorials of a workspace, or of all that one is in, the newest first; `total` counts those of all pages."""
    selection = await selection_for(
        call,
        workspace_id,
        search=search,
        mine=mine,
        state=state,
        transcript_id=transcript_id,
        created_from=created_from,
        created_before=created_before,
    )
    page = await call.query(queries.list_tutorials, selection, after=call.after(cursor), limit=limit)
    return page_answer(call, page, limit)


@router.get(TUTORIAL, response_model=wire.TutorialOut, responses=PROBLEMS)
async def get_tutorial(tutorial_id: UUID, call: Reader) -> Response:
    """One tutorial with its steps."""
    return tutorial_answer(await call.query(queries.read_tutorial, tutorial_id))


@router.patch(TUTORIAL, response_model=wire.TutorialOut, responses=VERSIONED)
async def change_tutorial(tutorial_id: UUID, body: wire.TutorialChangesIn, call: Editor) -> Response:
    """Change texts of a tutorial, for editors; needs If-Match."""
    command = commands.ChangeTutorial(tutorial_id, call.expected_revision(), body.changes())
    return await call.execute(Work, commands.change_tutorial, command, tutorial_answer)


@router.delete(TUTORIAL, status_code=204, responses=VERSIONED)
async def delete_tutorial(
    tutorial_id: UUID, call: Annotated[Call, about_tutorial(Action.DELETE, Kind.TUTORIAL)]
) -> Response:
    """Delete a tutorial, for administrators of the workspace; its lesson stays. Needs If-Match."""
    command = commands.DeleteTutorial(tutorial_id, call.expected_revision())
    return await call.execute(Work, commands.delete_tutorial, command, no_content)


@router.put(TUTORIAL + "/steps", response_model=wire.TutorialOut, responses=VERSIONED)
async def replace_steps(tutorial_id: UUID, body: wire.StepsIn, call: Editor) -> Response:
    """Write the steps, all of them in order, for editors; each cites segments of the transcript. Needs If-Match."""
    edits = [step.edit() for step in body.steps]
    command = commands.ReplaceSteps(tutorial_id, call.expected_revision(), edits)
    return await call.execute(Work, commands.replace_steps, command, tutorial_answer)


@router.put(TUTORIAL + "/steps/order", response_model=wire.TutorialOut, responses=VERSIONED)
async def order_steps(tutorial_id: UUID, body: wire.StepOrderIn, call: Editor) -> Response:
    """Put the steps into another order, for editors; needs If-Match."""
    command = commands.OrderSteps(tutorial_id, call.expected_revision(), body.step_ids)
    return await call.execute(Work, commands.order_steps, command, tutorial_answer)


@router.post(TUTORIAL + "/publish", response_model=wire.TutorialOut, responses=PROBLEMS)
async def publish_tutorial(tutorial_id: UUID, call: Publisher) -> Response:
    """Publish a draft, for editors; with If-Match only what was read."""
    return await _move(call, tutorial_id, Transition.PUBLISH)


@router.post(TUTORIAL + "/archive", response_model=wire.TutorialOut, responses=PROBLEMS)
async def archive_tutorial(tutorial_id: UUID, call: Publisher) -> Response:
    """Archive a published tutorial, for editors: it is not changed any more, and links to it lead nowhere."""
    return await _move(call, tutorial_id, Transition.ARCHIVE)


@router.post(TUTORIAL + "/reopen", response_model=wire.TutorialOut, responses=PROBLEMS)
async def reopen_tutorial(tutorial_id: UUID, call: Publisher) -> Response:
    """Make a published or archived tutorial a draft again, for editors."""
    return await _move(call, tutorial_id, Transition.REOPEN)


@router.post(TUTORIAL + "/lesson", response_model=wire.TutorialOut, responses=PROBLEMS)
async def publish_lesson(
    tutorial_id: UUID,
    body: Annotated[wire.LessonOfTutorialIn, Body(default_factory=wire.LessonOfTutorialIn)],
    call: Publisher,
) -> Response:
    """Make a published tutorial a lesson, or bring its lesson up to date, for editors who may create lessons there.

    Statements about the lesson's `lesson_url`, the address of the tutorial, are then counted as completions.
    """
    await enter_lessons(call, tutorial_id)
    handler = partial(commands.publish_lesson, lessons=call.platform.get(LessonPublishing))
    command = commands.PublishLesson(tutorial_id, lesson_address(call.request, tutorial_id), body.cohort_id)
    return await call.execute(Work, handler, command, tutorial_answer)


@router.get(TUTORIAL + "/export", responses=PROBLEMS, response_class=Response)
async def export_tutorial(tutorial_id: UUID, call: Reader, format: ExportFormat = ExportFormat.MARKDOWN) -> Response:  # noqa: A002 - the name of the parameter
    """The tutorial as a file: Markdown, an HTML page, or WebVTT chapters for the recording."""
    return export_answer(await call.query(queries.read_tutorial, tutorial_id), format)


@router.get(TUTORIAL + "/links", response_model=wire.ShareLinkPage, responses=PROBLEMS)
async def list_links(
    tutorial_id: UUID, call: Annotated[Call, about_tutorial(Action.READ, Kind.TUTORIAL_LINK)]
) -> Response:
    """The links that were made: the good ones, then those that ended, the newest first, at most a hundred."""
    return links_answer(await call.query(queries.list_links, tutorial_id, call.platform.clock.now()))


@router.post(
    TUTORIAL + "/links",
    status_code=201,
    response_model=wire.NewShareLinkOut,
    responses=PROBLEMS,
    openapi_extra={UNKEYED: True},
)
async def share_tutorial(
    tutorial_id: UUID,
    body: Annotated[wire.ShareLinkIn, Body(default_factory=wire.ShareLinkIn)],
    call: Annotated[Call, about_tutorial(Action.CREATE, Kind.TUTORIAL_LINK)],
) -> Response:
    """Make a link by which anybody reads the tutorial while it is published; the answer is never shown again."""
    command = commands.ShareTutorial(tutorial_id, body.expires_at)
    made = await run(call.unit_of_work(Work), commands.share_tutorial, command)
    return new_link_answer(call.request, made)


@router.delete(TUTORIAL + "/links/{link_id}", status_code=204, responses=PROBLEMS)
async def revoke_link(
    tutorial_id: UUID, link_id: UUID, call: Annotated[Call, about_tutorial(Action.DELETE, Kind.TUTORIAL_LINK)]
) -> Response:
    """End a link at once, for editors."""
    return await call.execute(Work, commands.revoke_link, commands.RevokeLink(tutorial_id, link_id), no_content)


@router.get("/api/shared-tutorials/{token}", response_model=wire.SharedTutorialOut, responses=PROBLEMS)
async def get_shared_tutorial(token: ShareToken, request: Request) -> Response:
    """What a link leads to, for anybody: a published tutorial without names of people; answers 304 to If-None-Match."""
    return shared_answer(await read_shared_for(request, token))


async def _move(call: Call, tutorial_id: UUID, transition: Transition) -> Response:
    expected = call.expected_revision() if "if-match" in call.request.headers else "*"
    command = commands.MoveTutorial(tutorial_id, transition, expected)
    return await call.execute(Work, commands.move_tutorial, command, tutorial_answer)
