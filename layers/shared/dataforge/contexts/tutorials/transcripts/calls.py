"""What routes and pages of transcripts share: who may call, and files between the bucket and the database."""

import asyncio
import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.tutorials.transcripts.commands import AddTranscript, add_transcript
from dataforge.contexts.tutorials.transcripts.domain import (
    MAX_FILE_BYTES,
    MAX_INLINE_BYTES,
    ParsedTranscript,
    TranscriptTooLarge,
    TranscriptUploadMissing,
    file_key,
    missing_transcript,
    upload_key,
)
from dataforge.contexts.tutorials.transcripts.queries import get_transcript, workspace_of
from dataforge.contexts.tutorials.transcripts.wire import TranscriptDetailOut, TranscriptIn
from dataforge.contexts.tutorials.unit_of_work import TutorialsUnitOfWork
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text


def about_transcript(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a route about the transcript in its path says of who may call it: whoever may not read it finds none."""

    async def member_call(transcript_id: UUID, call: Annotated[Call, require(action, kind, replays=False)]) -> Call:
        workspace_id = await call.query(workspace_of, transcript_id)
        await call.require(action, Resource(kind, workspace=workspace_id), missing_transcript(transcript_id))
        return call

    return Depends(member_call)


async def enter_workspace(call: Call, workspace_id: UUID, action: Action) -> None:
    """Raise WorkspaceNotFound, WorkspaceRoleMissing or WorkspaceArchived unless the person may do this there."""
    await call.require(action, Resource(Kind.TRANSCRIPT, workspace=workspace_id))


async def read_new(call: Call, body: TranscriptIn) -> tuple[bytes, ParsedTranscript]:
    """The file of a new transcript and what is in it.

    Raises TranscriptUploadMissing, TranscriptUnreadable, TranscriptTooLarge. An hour of captions is read in a tenth of
    a second, the largest file in two: that is why no job does it (ADR 50).
    """
    # Not before there is something to read: most requests only look.
    from dataforge.contexts.tutorials.transcripts.parsing.reading import parse_phrases, parse_transcript

    if body.upload_id is None:
        document = body.document()
        data = json.dumps(document, ensure_ascii=False).encode()
        if len(data) > MAX_INLINE_BYTES:
            message = Text(
                "Phrases in a request may have {max_inline_bytes:,} bytes; upload larger ones.",
                max_inline_bytes=MAX_INLINE_BYTES,
            )
            raise TranscriptTooLarge(message, facts={"limit_bytes": MAX_INLINE_BYTES})
        return data, parse_phrases(document)
    key = upload_key(body.workspace_id, call.user_id, body.upload_id)
    size = await call.platform.objects.size(key)
    if size is None:
        message = Text("Nothing of yours has been uploaded under this id for this workspace; upload the file again.")
        raise TranscriptUploadMissing(message)
    if size > MAX_FILE_BYTES:
        message = Text(
            "A transcript may have {max_file_bytes:,} bytes; this one has {size:,}.",
            max_file_bytes=MAX_FILE_BYTES,
            size=size,
        )
        raise TranscriptTooLarge(message)
    data = await call.platform.objects.get(key)
    return data, await asyncio.to_thread(parse_transcript, data)


async def keep_new(call: Call, body: TranscriptIn) -> Response:
    """Keep a new transcript and its file, and answer 201; 200 with the one that has the same content, if there is one.

    The file is there before the row that names it.
    """
    data, parsed = await read_new(call, body)
    transcript_id = uuid7()
    key = file_key(body.workspace_id, transcript_id)
    command = AddTranscript(transcript_id, body.workspace_id, key, len(data), parsed, body.about())
    kept: UUID | None = None

    async def read(connection: AsyncConnection, result: UUID) -> Response:
        nonlocal kept
        kept = result
        return await answer(call, connection, result, status=201 if result == transcript_id else 200)

    await call.platform.objects.put(key, data, content_type="application/octet-stream")
    try:
        return await call.execute_and_read(TutorialsUnitOfWork, add_transcript, command, read)
    finally:
        if kept != transcript_id:
            await call.platform.objects.delete([key])


async def answer(call: Call, connection: AsyncConnection, transcript_id: UUID, *, status: int = 200) -> Response:
    """The answer with one transcript: its revision as ETag, and after it was asked for as new, where it is."""
    row = await get_transcript(connection, transcript_id)
    headers = {"ETag": etag(row["revision"])}
    if call.request.method == "POST":
        headers["Location"] = call.address("/api/transcripts", transcript_id)
    return json_response(TranscriptDetailOut.model_validate(row), status=status, headers=headers)
