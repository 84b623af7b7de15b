"""Pages of transcripts: listed, uploaded, read, renamed, deleted."""

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Query
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from dataforge.contexts.tutorials.page_calls import (
    ROWS,
    TRANSCRIPTS,
    WorkspaceChoice,
    field_values,
    get_choice,
    list_choices,
    may,
    router,
)
from dataforge.contexts.tutorials.transcripts import commands, queries, wire
from dataforge.contexts.tutorials.transcripts.calls import enter_workspace, keep_new
from dataforge.contexts.tutorials.transcripts.domain import (
    MAX_FILE_BYTES,
    TranscriptFormat,
    missing_transcript,
    upload_key,
)
from dataforge.contexts.tutorials.unit_of_work import TutorialsUnitOfWork as Work
from dataforge.http.call import json_response
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import ChosenId, PageCall, require_page
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of
from dataforge.web.templates import CONTENT_SECURITY_POLICY

TRANSCRIPT = TRANSCRIPTS + "/{transcript_id}"
SEGMENTS_SHOWN = 500
_NEW = {"workspace_id": "", "title": "", "recording_url": "", "content": "", "upload_key": ""}
_ABOUT = {"title": "", "recording_url": "", "language": ""}
FORMATS = [
    (TranscriptFormat.VTT.value, "WebVTT"),
    (TranscriptFormat.SRT.value, "SRT"),
    (TranscriptFormat.ZOOM.value, "Zoom"),
    (TranscriptFormat.TEAMS.value, "Teams"),
    (TranscriptFormat.PHRASES.value, "Phrases"),
]


@router.get(TRANSCRIPTS)
async def transcripts_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.TRANSCRIPT)],
    workspace_id: Annotated[ChosenId, Query()] = None,
    search: Annotated[str, Query(max_length=200)] = "",
    cursor: Cursor = None,
) -> Response:
    """Transcripts of a workspace, and a form for another one."""
    return await _list(call, workspace_id, search=search.strip(), cursor=cursor)


@router.post(TRANSCRIPTS + "/uploads")
async def announce_from_page(
    call: Annotated[PageCall, require_page(Action.CREATE, Kind.TRANSCRIPT)], workspace_id: UUID
) -> Response:
    """Where the browser puts the file that was chosen, as JSON for its script."""
    try:
        sent = {"workspace_id": workspace_id, **field_values(call.form, "size_bytes", "sha256")}
        body = wire.TranscriptUploadIn.model_validate(sent)
    except ValidationError:
        message = Text("A file has 1 to {max_file_bytes:,} bytes.", max_file_bytes=MAX_FILE_BYTES)
        return json_response({"detail": message}, status=400)
    await enter_workspace(call, body.workspace_id, Action.CREATE)
    announce = partial(commands.announce_transcript, limits=call.platform.upload_limits)
    command = commands.AnnounceTranscript(body.workspace_id, body.size_bytes)
    upload_id, key = await run(call.unit_of_work(Work), announce, command)
    digest = bytes.fromhex(body.sha256)
    url, headers = await call.platform.objects.upload_url(key, sha256=digest, length=body.size_bytes)
    return json_response({"upload_key": str(upload_id), "url": url, "headers": headers})


@router.post(TRANSCRIPTS)
async def create_from_page(call: Annotated[PageCall, require_page(Action.CREATE, Kind.TRANSCRIPT)]) -> Response:
    """Make a transcript of a file that the browser has put away, or of a text that was pasted."""
    given = field_values(call.form, *_NEW)
    try:
        about = {name: given[name] for name in ("workspace_id", "title", "recording_url") if given[name]}
        upload_id = given["upload_key"] or str(await _put_pasted(call, given))
        body = wire.TranscriptIn.model_validate({**about, "upload_id": upload_id})
        await enter_workspace(call, body.workspace_id, Action.CREATE)
        kept = await keep_new(call, body)
    except (ValidationError, DataForgeError) as error:
        workspace_id = _id(given["workspace_id"])
        return await _list(call, workspace_id, given=given, refusal=refusal_of(error, given))
    transcript_id = kept.headers["Location"].rpartition("/")[2]
    if kept.status_code == 201:
        return call.go_on("success", Text("The transcript is read."), TRANSCRIPTS, transcript_id)
    return call.go_on(
        "info", Text("The workspace had this transcript already: here it is."), TRANSCRIPTS, transcript_id
    )


@router.get(TRANSCRIPT)
async def transcript_page(
    transcript_id: UUID,
    call: Annotated[PageCall, require_page(Action.READ, Kind.TRANSCRIPT)],
    at: Annotated[int, Query(ge=0, le=10**6, description="a segment to begin near")] = 0,
) -> Response:
    """One transcript with what is said."""
    await _enter(call, transcript_id, Action.READ)
    return await _one(call, transcript_id, at=at)


@router.post(TRANSCRIPT)
async def change_from_page(
    transcript_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.TRANSCRIPT)]
) -> Response:
    """Change title, language and recording."""
    await _enter(call, transcript_id, Action.CHANGE)
    given = field_values(call.form, *_ABOUT)
    try:
        sent = {name: value or None for name, value in given.items()}
        body = wire.TranscriptChangeIn.model_validate(sent)
        changes = body.model_dump(include=set(_ABOUT))
        await _carry_out(call, transcript_id, changes, {})
    except (ValidationError, DataForgeError) as error:
        return await _one(call, transcript_id, given=given, refusal=refusal_of(error, given))
    return call.go_on("success", Text("The change is saved."), TRANSCRIPTS, transcript_id)


@router.post(TRANSCRIPT + "/speakers")
async def rename_speaker(
    transcript_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.TRANSCRIPT)]
) -> Response:
    """Give a speaker another name."""
    await _enter(call, transcript_id, Action.CHANGE)
    try:
        names = {call.form.get("speaker", ""): call.form.get("name", "").strip() or None}
        body = wire.TranscriptChangeIn.model_validate({"speakers": names})
        await _carry_out(call, transcript_id, {}, body.speakers or {})
    except (ValidationError, DataForgeError) as error:
        return await _one(call, transcript_id, refusal=refusal_of(error))
    return call.go_on("success", Text("The name is changed."), TRANSCRIPTS, transcript_id)


@router.get(TRANSCRIPT + "/file")
async def transcript_file(
    transcript_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.TRANSCRIPT)]
) -> Response:
    """The file as it was uploaded."""
    await _enter(call, transcript_id, Action.READ)
    key = await call.query(queries.object_of, transcript_id)
    return RedirectResponse(await call.platform.objects.download_url(key), status_code=303)


@router.post(TRANSCRIPT + "/delete")
async def delete_from_page(
    transcript_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.TRANSCRIPT)]
) -> Response:
    """Delete it with its file."""
    await _enter(call, transcript_id, Action.DELETE)
    command = commands.DeleteTranscript(transcript_id, "*")
    await run(call.unit_of_work(Work), commands.delete_transcript, command)
    return call.go_on("success", Text("The transcript is deleted."), TRANSCRIPTS)


async def _enter(call: PageCall, transcript_id: UUID, action: Action) -> None:
    workspace_id = await call.query(queries.workspace_of, transcript_id)
    await call.require(action, Resource(Kind.TRANSCRIPT, workspace=workspace_id), missing_transcript(transcript_id))


async def _put_pasted(call: PageCall, given: Mapping[str, str]) -> UUID:
    """Put a pasted text where an uploaded file would be; its upload."""
    data = call.form.get("content", "").encode()
    body = wire.TranscriptUploadIn.model_validate(
        {"workspace_id": given["workspace_id"], "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    )
    await enter_workspace(call, body.workspace_id, Action.CREATE)
    announce = partial(commands.announce_transcript, limits=call.platform.upload_limits)
    command = commands.AnnounceTranscript(body.workspace_id, body.size_bytes)
    upload_id, _ = await run(call.unit_of_work(Work), announce, command)
    await call.platform.objects.put(upload_key(body.workspace_id, call.user_id, upload_id), data)
    return upload_id


async def _carry_out(
    call: PageCall, transcript_id: UUID, changes: Mapping[str, Any], speakers: Mapping[str, str | None]
) -> None:
    command = commands.ChangeTranscript(transcript_id, call.form.get("revision", ""), changes, speakers)
    await run(call.unit_of_work(Work), commands.change_transcript, command)


async def _list(
    call: PageCall,
    workspace_id: UUID | None,
    *,
    search: str = "",
    cursor: str | None = None,
    given: Mapping[str, str] | None = None,
    refusal: Refusal = ACCEPTED,
) -> Response:
    choices = await call.query(list_choices, call.user_id)
    chosen = next((item for item in choices if item.id == workspace_id), choices[0] if choices else None)
    if workspace_id is not None and (chosen is None or chosen.id != workspace_id):
        await enter_workspace(call, workspace_id, Action.READ)
    rows, following = await _rows(call, chosen, search, None if refusal is not ACCEPTED else cursor)
    able = chosen is not None and await may(call, chosen, Action.CREATE, Kind.TRANSCRIPT)
    page = call.page(
        "tutorials/transcripts.html",
        refusal=refusal,
        workspaces=[(str(item.id), item.name) for item in choices],
        chosen=chosen,
        search=search,
        transcripts=rows,
        formats=dict(FORMATS),
        given=given or _NEW,
        able=able,
        most=MAX_FILE_BYTES,
        first=cursor is None,
        following=following if refusal is ACCEPTED else None,
    )
    if able:
        # The script of the page puts the file into the bucket itself.
        url, _ = await call.platform.objects.upload_url("uploads/", sha256=bytes(32), length=1)
        bucket = urlsplit(url)
        policy = CONTENT_SECURITY_POLICY.replace(
            "connect-src 'self'", f"connect-src 'self' {bucket.scheme}://{bucket.netloc}"
        )
        page.headers["Content-Security-Policy"] = policy
    return page


async def _rows(
    call: PageCall, chosen: WorkspaceChoice | None, search: str, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    if chosen is None:
        return [], None
    list_page = partial(queries.list_transcripts, search=search or None)
    page = await call.query(list_page, chosen.id, after=call.after(cursor), limit=ROWS)
    return list(page.rows), call.following(page.next_key)


async def _one(
    call: PageCall,
    transcript_id: UUID,
    *,
    at: int = 0,
    given: Mapping[str, str] | None = None,
    refusal: Refusal = ACCEPTED,
) -> Response:
    transcript = await call.query(queries.get_transcript, transcript_id)
    workspace = await call.query(get_choice, transcript["workspace_id"])
    begin = at // SEGMENTS_SHOWN * SEGMENTS_SHOWN
    after = (begin - 1,) if begin else None
    list_page = partial(queries.list_segments, after=after, limit=SEGMENTS_SHOWN)
    segments = await call.query(list_page, transcript_id)
    return call.page(
        "tutorials/transcript.html",
        refusal=refusal,
        transcript=transcript,
        workspace=workspace,
        segments=segments.rows,
        begin=begin,
        ends=segments.next_key is None,
        shown=SEGMENTS_SHOWN,
        format=dict(FORMATS)[transcript["format"]],
        given=given or {name: transcript[name] or "" for name in _ABOUT},
        may_change=await may(call, workspace, Action.CHANGE, Kind.TRANSCRIPT),
        may_delete=await may(call, workspace, Action.DELETE, Kind.TRANSCRIPT),
        may_draft=await may(call, workspace, Action.CREATE, Kind.TUTORIAL),
    )


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
