"""REST of imports: of an uploaded file, or of another record store."""

from base64 import b64encode
from functools import partial
from typing import Annotated, Any
from uuid import uuid4

from starlette.responses import Response

from dataforge.contexts.lrs.imports import commands, wire
from dataforge.contexts.lrs.imports.domain import OtherStoreRefused
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork as Work
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.jobs import QueuedJobOut, queue_and_answer
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.texts import Text
from dataforge.kernel.uploads import URL_SECONDS
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.outgoing import AddressForbidden, check_url
from dataforge.settings import Environment

router = context_router("lrs")


@router.post(
    "/api/xapi/imports/uploads", status_code=201, response_model=wire.StatementUploadOut, openapi_extra={UNKEYED: True}
)
async def announce_upload(
    body: wire.StatementUploadIn, call: Annotated[Call, require(Action.CREATE, Kind.STATEMENT)]
) -> Response:
    """Where a file of statements goes, for an hour: S3 refuses another file."""
    announce = partial(commands.announce_statements, limits=call.platform.upload_limits)
    key = await run(call.unit_of_work(Work), announce, commands.AnnounceStatements(body.size_bytes))
    url, headers = await call.platform.objects.upload_url(
        key, sha256=bytes.fromhex(body.sha256), length=body.size_bytes, content_type="application/x-ndjson"
    )
    facts = {"upload_key": key, "url": url, "method": "PUT", "headers": headers, "expires_in": URL_SECONDS}
    return json_response(facts, status=201)


@router.post("/api/xapi/imports", status_code=202, response_model=QueuedJobOut)
async def import_file(
    body: wire.StatementImportIn, call: Annotated[Call, require(Action.CREATE, Kind.STATEMENT)]
) -> Response:
    """Import the lines of an upload, each a statement, with their ids and the times they were stored.

    The job reports lines that are none, and ids that are stored with another content; importing again changes nothing.
    """
    source = {"upload_key": body.upload_key}
    return await queue_and_answer(call, Work, commands.queue_import, commands.QueueImport(source, source))


@router.post("/api/xapi/imports/stores", status_code=202, response_model=QueuedJobOut)
async def import_store(
    body: wire.StoreImportIn, call: Annotated[Call, require(Action.CREATE, Kind.STATEMENT)]
) -> Response:
    """Import the statements of another record store by its own API, page after page."""
    return await queue_and_answer(call, Work, commands.queue_import, _of_store(body, call))


def _of_store(body: wire.StoreImportIn, call: Call) -> commands.QueueImport:
    try:
        check_url(body.endpoint, private=call.platform.settings.environment is Environment.LOCAL)
    except AddressForbidden as error:
        message = Text("The endpoint {error}.", error=error)
        raise OtherStoreRefused(message) from error
    about = str(uuid4())
    shown: dict[str, Any] = body.model_dump(mode="json", exclude={"username", "password"}, exclude_none=True)
    sealed = call.services(LrsServices).secret_box.seal(body.password.get_secret_value(), about)
    secret = {"username": body.username, "password": b64encode(sealed).decode(), "about": about}
    return commands.QueueImport(shown, {**shown, **secret})
