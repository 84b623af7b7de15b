"""Pages of tutorials: drafted, edited beside the transcript, published, shared; and the page that a link leads to."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from markupsafe import Markup
from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.learning.contract import LessonPublishing
from dataforge.contexts.tutorials.drafts.commands import QueueDraft, queue_draft
from dataforge.contexts.tutorials.page_calls import (
    ROWS,
    TRANSCRIPTS,
    TUTORIALS,
    WorkspaceChoice,
    cohort_of_lesson,
    field_values,
    get_choice,
    list_choices,
    list_cohorts,
    may,
    router,
)
from dataforge.contexts.tutorials.transcripts.queries import list_segments
from dataforge.contexts.tutorials.tutorials import commands, queries, wire
from dataforge.contexts.tutorials.tutorials.answers import SHARED_PAGE, lesson_address, shared_page_address
from dataforge.contexts.tutorials.tutorials.calls import (
    draft_job_for,
    enter_lessons,
    enter_transcript,
    enter_tutorial,
    read_shared_for,
    selection_for,
)
from dataforge.contexts.tutorials.tutorials.domain.rendering import clock_time
from dataforge.contexts.tutorials.tutorials.domain.tutorial import (
    Transition,
    Tutorial,
    TutorialState,
    missing_tutorial,
)
from dataforge.contexts.tutorials.tutorials.exports import ExportFormat, export_answer
from dataforge.contexts.tutorials.unit_of_work import TutorialsUnitOfWork as Work
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, invalid
from dataforge.kernel.rules import may_any
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import Command, Result, run
from dataforge.platform.markdown import render_markdown
from dataforge.web.calls import ChosenId, PageCall, require_page
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of
from dataforge.web.templates import page as anonymous_page

TUTORIAL = TUTORIALS + "/{tutorial_id}"
SEGMENTS_SHOWN = 1_000
STATES = [(state.value, state.value.capitalize()) for state in TutorialState]
_TEXTS = ("title", "summary", "prerequisites", "content_md")
_MOVED = {
    Transition.PUBLISH: Text("The tutorial is published."),
    Transition.ARCHIVE: Text("The tutorial is archived: links to it lead nowhere."),
    Transition.REOPEN: Text("The tutorial is a draft again."),
}


@router.post(TRANSCRIPTS + "/{transcript_id}/tutorial")
async def draft_from_page(
    transcript_id: UUID, call: Annotated[PageCall, require_page(Action.CREATE, Kind.TUTORIAL)]
) -> Response:
    """Have a tutorial drafted from a transcript."""
    await enter_transcript(call, transcript_id)
    job_id = await run(call.unit_of_work(Work), queue_draft, QueueDraft(transcript_id))
    await call.platform.send_job(job_id)
    return call.see_other(TUTORIALS, "drafts", job_id)


@router.get(TUTORIALS + "/drafts/{job_id}")
async def draft_page(job_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.TUTORIAL)]) -> Response:
    """How far a draft is; the page asks again by itself."""
    draft = await draft_job_for(call, job_id)
    return call.page("tutorials/draft.html", draft=draft, error=draft["error"])


@router.get(TUTORIALS)
async def tutorials_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.TUTORIAL)],
    workspace_id: Annotated[ChosenId, Query()] = None,
    search: Annotated[str, Query(max_length=200)] = "",
    state: str = "",
    transcript_id: Annotated[ChosenId, Query()] = None,
    cursor: Cursor = None,
) -> Response:
    """Tutorials of a workspace, or of all that one is in."""
    chosen_state = TutorialState(state) if state in set(TutorialState) else None
    selection = await selection_for(call, workspace_id, search=search, state=chosen_state, transcript_id=transcript_id)
    found = await call.query(queries.list_tutorials, selection, after=call.after(cursor), limit=ROWS)
    last = found.tutorials[-1] if found.more else None
    choices = await call.query(list_choices, call.user_id)
    return call.page(
        "tutorials/tutorials.html",
        tutorials=found.tutorials,
        total=found.total,
        workspace_id=workspace_id,
        names={item.id: item.name for item in choices},
        workspaces=[(str(item.id), item.name) for item in choices],
        states=STATES,
        chosen={"workspace_id": str(workspace_id or ""), "search": search.strip(), "state": state},
        first=cursor is None,
        following=call.following(None if last is None else (last.created_at.isoformat(), str(last.id))),
    )


@router.get(TUTORIAL)
async def tutorial_page(
    tutorial_id: UUID,
    call: Annotated[PageCall, require_page(Action.READ, Kind.TUTORIAL)],
    at: Annotated[int, Query(ge=0, le=10**6, description="a segment to begin near")] = 0,
) -> Response:
    """One tutorial beside its transcript."""
    await enter_tutorial(call, tutorial_id, Action.READ, Kind.TUTORIAL)
    return await _one(call, tutorial_id, at=at)


@router.post(TUTORIAL)
async def change_tutorial_from_page(
    tutorial_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.TUTORIAL)]
) -> Response:
    """Change title, summary, prerequisites and text."""
    await enter_tutorial(call, tutorial_id, Action.CHANGE, Kind.TUTORIAL)
    given = field_values(call.form, *_TEXTS)
    try:
        lines = [line.strip() for line in given["prerequisites"].splitlines() if line.strip()]
        body = wire.TutorialChangesIn.model_validate({**given, "prerequisites": lines})
        command = commands.ChangeTutorial(tutorial_id, call.form.get("revision", ""), body.changes())
        await _carry_out(call, commands.change_tutorial, command)
    except (ValidationError, DataForgeError) as error:
        return await _one(call, tutorial_id, given=given, refusal=refusal_of(error, given))
    return call.go_on("success", Text("The change is saved."), TUTORIALS, tutorial_id)


@router.post(TUTORIAL + "/steps")
async def change_steps(
    tutorial_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.TUTORIAL)]
) -> Response:
    """Change, move, remove or add one step; the form was made for one revision."""
    await enter_tutorial(call, tutorial_id, Action.CHANGE, Kind.TUTORIAL)
    tutorial = await call.query(queries.read_tutorial, tutorial_id)
    try:
        edits = [edit.edit() for edit in wire.StepsIn.model_validate({"steps": _steps(tutorial, call.form)}).steps]
        command = commands.ReplaceSteps(tutorial_id, call.form.get("revision", ""), edits)
        await _carry_out(call, commands.replace_steps, command)
    except (ValidationError, DataForgeError) as error:
        return await _one(call, tutorial_id, refusal=refusal_of(error))
    return call.go_on("success", Text("The steps are saved."), TUTORIALS, tutorial_id)


@router.post(TUTORIAL + "/state")
async def move_from_page(
    tutorial_id: UUID, call: Annotated[PageCall, require_page(Action.PUBLISH, Kind.TUTORIAL)]
) -> Response:
    """Publish, archive or reopen it."""
    await enter_tutorial(call, tutorial_id, Action.PUBLISH, Kind.TUTORIAL)
    try:
        transition = _transition(call.form)
        command = commands.MoveTutorial(tutorial_id, transition, call.form.get("revision", ""))
        await _carry_out(call, commands.move_tutorial, command)
    except DataForgeError as error:
        return await _one(call, tutorial_id, refusal=refusal_of(error))
    return call.go_on("success", _MOVED[transition], TUTORIALS, tutorial_id)


@router.post(TUTORIAL + "/lesson")
async def publish_lesson_from_page(
    tutorial_id: UUID, call: Annotated[PageCall, require_page(Action.PUBLISH, Kind.TUTORIAL)]
) -> Response:
    """Make it a lesson of its workspace, or bring its lesson up to date."""
    await enter_tutorial(call, tutorial_id, Action.PUBLISH, Kind.TUTORIAL)
    try:
        await enter_lessons(call, tutorial_id)
        handler = partial(commands.publish_lesson, lessons=call.platform.get(LessonPublishing))
        sent = {"cohort_id": call.form.get("cohort_id", "").strip() or None}
        body = wire.LessonOfTutorialIn.model_validate(sent)
        address = lesson_address(call.request, tutorial_id)
        await _carry_out(call, handler, commands.PublishLesson(tutorial_id, address, body.cohort_id))
    except (ValidationError, DataForgeError) as error:
        return await _one(call, tutorial_id, refusal=refusal_of(error))
    return call.go_on("success", Text("The tutorial is a lesson: statements about it count."), TUTORIALS, tutorial_id)


@router.get(TUTORIAL + "/export")
async def export_from_page(
    tutorial_id: UUID,
    call: Annotated[PageCall, require_page(Action.READ, Kind.TUTORIAL)],
    written_as: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.MARKDOWN,
) -> Response:
    """The tutorial as a file."""
    await enter_tutorial(call, tutorial_id, Action.READ, Kind.TUTORIAL)
    return export_answer(await call.query(queries.read_tutorial, tutorial_id), written_as)


@router.post(TUTORIAL + "/links")
async def share_from_page(
    tutorial_id: UUID, call: Annotated[PageCall, require_page(Action.CREATE, Kind.TUTORIAL_LINK)]
) -> Response:
    """Make a link, which is shown this once."""
    await enter_tutorial(call, tutorial_id, Action.CREATE, Kind.TUTORIAL_LINK)
    try:
        made = await _carry_out(call, commands.share_tutorial, commands.ShareTutorial(tutorial_id))
    except DataForgeError as error:
        return await _one(call, tutorial_id, refusal=refusal_of(error))
    answer = await _one(call, tutorial_id, new_link=shared_page_address(call.request, made.token))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post(TUTORIAL + "/links/{link_id}/revoke")
async def revoke_from_page(
    tutorial_id: UUID, link_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.TUTORIAL_LINK)]
) -> Response:
    """End a link at once."""
    await enter_tutorial(call, tutorial_id, Action.DELETE, Kind.TUTORIAL_LINK)
    try:
        await _carry_out(call, commands.revoke_link, commands.RevokeLink(tutorial_id, link_id))
    except DataForgeError as error:
        return await _one(call, tutorial_id, refusal=refusal_of(error))
    return call.go_on("success", Text("The link is revoked."), TUTORIALS, tutorial_id)


@router.post(TUTORIAL + "/delete")
async def delete_tutorial_from_page(
    tutorial_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.TUTORIAL)]
) -> Response:
    """Delete it; its lesson stays."""
    await enter_tutorial(call, tutorial_id, Action.DELETE, Kind.TUTORIAL)
    command = commands.DeleteTutorial(tutorial_id, call.form.get("revision", "") or "*")
    try:
        await _carry_out(call, commands.delete_tutorial, command)
    except DataForgeError as error:
        return await _one(call, tutorial_id, refusal=refusal_of(error))
    return call.go_on("success", Text("The tutorial is deleted."), TUTORIALS)


@router.get(SHARED_PAGE + "/{token}")
async def shared_tutorial_page(token: str, request: Request) -> Response:
    """What a link leads to, for anybody: the tutorial, and nothing about who made it of whom."""
    tutorial = await read_shared_for(request, token)
    shown = wire.SharedTutorialOut.model_validate(asdict(tutorial))
    answer = anonymous_page(
        request.scope,
        "tutorials/shared_tutorial.html",
        tutorial=shown,
        content=Markup(render_markdown(shown.content_md, lower=1)),  # noqa: S704 - the renderer lets no markup of writers through
        clock=clock_time,
    )
    # Whoever has the link may read it; nobody finds it by searching, and a revoked one is not shown from a cache.
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


async def _carry_out(call: PageCall, handler: Callable[[Command, Work], Awaitable[Result]], command: Command) -> Result:
    return await run(call.unit_of_work(Work), handler, command)


def _transition(form: Mapping[str, str]) -> Transition:
    try:
        return Transition(form.get("transition", ""))
    except ValueError as error:
        raise invalid("/transition", Text("There is no such state."), "transition") from error


def _steps(tutorial: Tutorial, form: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """All steps of the tutorial, after what the form does with one of them."""
    steps: list[dict[str, Any]] = [{"id": step.id, "text": step.text} for step in tutorial.steps]
    text, cited = form.get("text", "").strip(), _cited(form)
    if form.get("do") == "add":
        return [*steps, {"text": text, **cited}]
    place = next((n for n, step in enumerate(tutorial.steps) if str(step.id) == form.get("step_id")), None)
    if place is None:
        raise (
            missing_tutorial(tutorial.id) if not steps else invalid("/step_id", Text("There is no such step any more."))
        )
    match form.get("do"):
        case "up" if place > 0:
            steps[place - 1 : place + 1] = [steps[place], steps[place - 1]]
        case "down" if place + 1 < len(steps):
            steps[place : place + 2] = [steps[place + 1], steps[place]]
        case "remove":
            del steps[place]
        case "save":
            steps[place] = {"id": tutorial.steps[place].id, "text": text, **cited}
    return steps


def _cited(form: Mapping[str, str]) -> dict[str, str]:
    names = ("segment_from", "segment_to")
    return {name: form[name].strip() for name in names if form.get(name, "").strip()}


async def _one(
    call: PageCall,
    tutorial_id: UUID,
    *,
    at: int = 0,
    given: Mapping[str, str] | None = None,
    refusal: Refusal = ACCEPTED,
    new_link: str = "",
) -> Response:
    tutorial = await call.query(queries.read_tutorial, tutorial_id)
    workspace = await call.query(get_choice, tutorial.workspace_id)
    begin = at // SEGMENTS_SHOWN * SEGMENTS_SHOWN
    segments: Sequence[Mapping[str, Any]] = ()
    ends = True
    if tutorial.transcript_id is not None:
        after = (begin - 1,) if begin else None
        found = await call.query(partial(list_segments, after=after, limit=SEGMENTS_SHOWN), tutorial.transcript_id)
        segments, ends = found.rows, found.next_key is None
    abilities = await _abilities(call, workspace, archived=tutorial.state is TutorialState.ARCHIVED)
    teaches = abilities["may_teach"] and abilities["may_publish"]
    texts = {
        "title": tutorial.title,
        "summary": tutorial.summary,
        "prerequisites": "\n".join(tutorial.prerequisites),
        "content_md": tutorial.content_md,
    }
    return call.page(
        "tutorials/tutorial.html",
        refusal=refusal,
        tutorial=tutorial,
        workspace=workspace,
        segments=segments,
        begin=begin,
        ends=ends,
        shown=SEGMENTS_SHOWN,
        clock=clock_time,
        content=Markup(render_markdown(tutorial.content_md, lower=1)),  # noqa: S704 - as on the shared page
        given=given or texts,
        new_link=new_link,
        links=await call.query(queries.list_links, tutorial_id, call.platform.clock.now()),
        now=call.platform.clock.now(),
        formats=[(ExportFormat.MARKDOWN, "Markdown"), (ExportFormat.HTML, "HTML"), (ExportFormat.VTT, "Chapters")],
        cohorts=await call.query(list_cohorts, workspace.id) if teaches else [],
        cohort_id=await call.query(cohort_of_lesson, tutorial.lesson_id) if teaches and tutorial.lesson_id else None,
        **abilities,
    )


async def _abilities(call: PageCall, workspace: WorkspaceChoice, *, archived: bool) -> dict[str, bool]:
    return {
        "may_change": not archived and await may(call, workspace, Action.CHANGE, Kind.TUTORIAL),
        "may_publish": await may(call, workspace, Action.PUBLISH, Kind.TUTORIAL),
        "may_share": await may(call, workspace, Action.CREATE, Kind.TUTORIAL_LINK),
        "may_delete": await may(call, workspace, Action.DELETE, Kind.TUTORIAL),
        "may_teach": may_any(call.principal, Action.CREATE, Kind.LESSON),
    }
