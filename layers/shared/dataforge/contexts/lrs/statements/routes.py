"""The Statements resource (Communication 2.1), on plain Starlette: an LMS that waits pays for nothing else."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response

from dataforge.contexts.lrs.attachments.domain import Attachment, is_mixed, read_mixed
from dataforge.contexts.lrs.attachments.uploads import located
from dataforge.contexts.lrs.statements.commands import AcceptStatements
from dataforge.contexts.lrs.statements.domain import (
    StatementsBody,
    XapiVersion,
    parse_body,
    with_statement_id,
)
from dataforge.contexts.lrs.xapi_protocol import (
    VERSION_HEADER,
    XapiCall,
    XapiParameterInvalid,
    XapiResource,
    refusals_noted,
    require_credential,
    require_version,
    xapi_json,
)
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, MalformedBody
from dataforge.kernel.texts import Text


class Statements(XapiResource):
    """The Statements resource."""

    noted_later = frozenset({"POST", "PUT"})

    async def get(self, call: XapiCall) -> Response:
        """One statement, or those that meet a filter (Communication 2.1.3)."""
        # It brings the database along, for which no statement that is sent waits.
        from dataforge.contexts.lrs.search.routes import read_statements

        return await read_statements(call)

    async def post(self, call: XapiCall) -> Response:
        """One statement or an array of them; answers the ids in request order (Communication 2.1.2)."""
        call.check_parameters(())
        return xapi_json(await _accept(call))

    async def put(self, call: XapiCall) -> Response:
        """One statement under the id of the `statementId` parameter (Communication 2.1.1)."""
        call.check_parameters(("statementId",))
        async with _keeping_refusal(call):
            await _put(call)
        return Response(status_code=204)


async def _put(call: XapiCall) -> None:
    statement_id = call.uuid("statementId")
    if statement_id is None:
        message = Text("PUT needs the parameter statementId, a UUID; use POST to have the id assigned.")
        raise XapiParameterInvalid(message)
    body, attachments = await _body(call)
    if body.is_array or not isinstance(body.statements[0], dict):
        message = Text("PUT takes one statement, a JSON object; use POST for several.")
        raise MalformedBody(message)
    statement = with_statement_id(body.statements[0], statement_id)
    one = StatementsBody([statement], is_array=False, part_hashes=body.part_hashes)
    await _take(call, AcceptStatements(one, call.credential, call.version, attachments))


async def queue_statements(request: Request) -> Response:
    """The alias for senders that speak no xAPI: the version header is optional and the answer names the queue."""
    version = require_version(request) if VERSION_HEADER in request.headers else XapiVersion.V1_0
    async with refusals_noted(request):
        call = XapiCall(request, await require_credential(request), version)
        return xapi_json({"queued": True, "ids": await _accept(call)})


async def _accept(call: XapiCall) -> list[str]:
    async with _keeping_refusal(call):
        body, attachments = await _body(call)
        return await _take(call, AcceptStatements(body, call.credential, call.version, attachments))


async def _take(call: XapiCall, command: AcceptStatements) -> list[str]:
    session = call.credential.session
    if session is None:
        return await call.services.acceptor.accept(command)
    return await call.services.players.take(session.session_id, command)


@asynccontextmanager
async def _keeping_refusal(call: XapiCall) -> AsyncIterator[None]:
    """Keep a request that is refused, for its administrators (ADR 26)."""
    try:
        yield
    except DataForgeError as error:
        keeper = call.services.refused_requests if error.status in (400, 409) else None
        if keeper is not None:
            # It brings the database along, for which no statement that is sent waits.
            from dataforge.contexts.lrs.quarantine.refusals import RefusedRequest

            body, content_type = await call.request.body(), call.request.headers.get("content-type", "")
            await keeper.keep(RefusedRequest(call.credential.key_id, body, content_type, call.version.value, error))
        raise


async def _body(call: XapiCall) -> tuple[StatementsBody, Mapping[str, Attachment]]:
    call.require(Action.CREATE, Kind.STATEMENT)
    body, content_type = await call.signed_body(), call.request.headers.get("content-type", "")
    read, attachments = (
        read_mixed(body, content_type) if is_mixed(content_type) else (parse_body(body, content_type), {})
    )
    return await located(call, read), attachments
