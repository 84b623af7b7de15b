"""REST of transcripts."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from dataforge.contexts.tutorials.routing import router
from dataforge.contexts.tutorials.transcripts import commands, queries, wire
from dataforge.contexts.tutorials.transcripts.calls import about_transcript, answer, enter_workspace, keep_new
from dataforge.contexts.tutorials.transcripts.domain import TranscriptFormat
from dataforge.contexts.tutorials.unit_of_work import TutorialsUnitOfWork as Work
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS, VERSIONED, changes_of, no_content
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT, Page
from dataforge.kernel.uploads import URL_SECONDS
from dataforge.platform.db.unit_of_work import run

TRANSCRIPTS = "/api/transcripts"
TRANSCRIPT = TRANSCRIPTS + "/{transcript_id}"
# The parameter meant this before lists were CSV, too: clients that filter by it go on.
_WRITTEN_AS = "how the file was written; unlike other lists, this one is CSV by `Accept: text/csv` alone"
Reader = Annotated[Call, about_transcript(Action.READ, Kind.TRANSCRIPT)]
Maker = Annotated[Call, require(Action.CREATE, Kind.TRANSCRIPT, replays=False)]
Milliseconds = Annotated[int | None, Query(ge=0, le=10**12, description="milliseconds from the beginning")]


@router.post(
    TRANSCRIPTS + "/uploads", status_code=201, response_model=wire.TranscriptUploadOut, openapi_extra={UNKEYED: True}
)
async def announce_transcript_upload(body: wire.TranscriptUploadIn, call: Maker) -> Response:
    """Where a file of captions goes, for an hour: S3 refuses another file. For editors."""
    await enter_workspace(call, body.workspace_id, Action.CREATE)
    announce = partial(commands.announce_transcript, limits=call.platform.upload_limits)
    command = commands.AnnounceTranscript(body.workspace_id, body.size_bytes)
    upload_id, key = await run(call.unit_of_work(Work), announce, command)
    url, headers = await call.platform.objects.upload_url(
        key, sha256=bytes.fromhex(body.sha256), length=body.size_bytes
    )
    place = {"upload_id": str(upload_id), "url": url, "method": "PUT", "headers": headers, "expires_in": URL_SECONDS}
    return json_response(place, status=201)


@router.post(TRANSCRIPTS, status_code=201, response_model=wire.TranscriptDetailOut, responses=PROBLEMS)
async def create_transcript(body: wire.TranscriptIn, call: Maker) -> Response:
    """Make a transcript of an uploaded file or of phrases, for editors.

    The file may be WebVTT (as of YouTube, Zoom or Teams), SRT or the JSON of phrases, which is seen from its content.
    The same content a second time in a workspace answers 200 with the first transcript.
    """
    await enter_workspace(call, body.workspace_id, Action.CREATE)
    return await keep_new(call, body)


@router.get(TRANSCRIPTS, response_model=wire.TranscriptPage)
async def list_transcripts(
    workspace_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.TRANSCRIPT)],
    search: Annotated[str | None, Query(min_length=1, max_length=200, description="a part of the title")] = None,
    written_as: Annotated[TranscriptFormat | None, Query(alias="format", description=_WRITTEN_AS)] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Transcripts of a workspace, the newest first."""
    await enter_workspace(call, workspace_id, Action.READ)
    list_page = partial(queries.list_transcripts, search=search, written_as=written_as)
    page = await call.query(list_page, workspace_id, after=call.after(cursor), limit=limit)
    rows = [wire.TranscriptOut.model_validate(row) for row in page.rows]
    return call.page_response(Page(rows, page.next_key), limit=limit)


@router.get(TRANSCRIPT, response_model=wire.TranscriptDetailOut, responses=PROBLEMS)
async def get_transcript(transcript_id: UUID, call: Reader) -> Response:
    """One transcript with its speakers."""

    async def read(connection: AsyncConnection) -> Response:
        return await answer(call, connection, transcript_id)

    return await call.query(read)


@router.get(TRANSCRIPT + "/segments", response_model=wire.SegmentPage, responses=PROBLEMS)
async def list_transcript_segments(
    transcript_id: UUID,
    call: Reader,
    from_ms: Milliseconds = None,
    to_ms: Milliseconds = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """What is said, in order; with times, what is said between them."""
    list_page = partial(queries.list_segments, from_ms=from_ms, to_ms=to_ms)
    page = await call.query(list_page, transcript_id, after=call.after(cursor), limit=limit)
    rows = [wire.SegmentOut.model_validate(row) for row in page.rows]
    return call.page_response(Page(rows, page.next_key), limit=limit)


@router.get(TRANSCRIPT + "/file", status_code=303, response_class=RedirectResponse, responses=PROBLEMS)
async def download_transcript(transcript_id: UUID, call: Reader) -> Response:
    """Where the file is read as it was uploaded, for an hour."""
    key = await call.query(queries.object_of, transcript_id)
    return RedirectResponse(await call.platform.objects.download_url(key), status_code=303)


@router.patch(TRANSCRIPT, response_model=wire.TranscriptDetailOut, responses=VERSIONED)
async def change_transcript(
    transcript_id: UUID,
    body: wire.TranscriptChangeIn,
    call: Annotated[Call, about_transcript(Action.CHANGE, Kind.TRANSCRIPT)],
) -> Response:
    """Change what is said about a transcript, or names of its speakers, for editors; needs If-Match."""
    changes = changes_of(body)
    speakers = changes.pop("speakers", None) or {}
    command = commands.ChangeTranscript(transcript_id, call.expected_revision(), changes, speakers)

    async def read(connection: AsyncConnection, changed: UUID) -> Response:
        return await answer(call, connection, changed)

    return await call.execute_and_read(Work, commands.change_transcript, command, read)


@router.delete(TRANSCRIPT, status_code=204, responses=VERSIONED)
async def delete_transcript(
    transcript_id: UUID, call: Annotated[Call, about_transcript(Action.DELETE, Kind.TRANSCRIPT)]
) -> Response:
    """Delete a transcript with its file, for administrators of the workspace; tutorials of it stay. Needs If-Match."""
    command = commands.DeleteTranscript(transcript_id, call.expected_revision())
    return await call.execute(Work, commands.delete_transcript, command, no_content)
