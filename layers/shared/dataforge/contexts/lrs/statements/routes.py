"""The Statements resource (Communication 2.1), on plain Starlette: an LMS that waits pays for nothing else."""

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response

from dataforge.contexts.identity.contract import XapiCredential
from dataforge.contexts.lrs.statements.commands import AcceptStatements
from dataforge.contexts.lrs.statements.domain import (
    StatementsBody,
    XapiVersion,
    parse_body,
    parse_statement_id,
    with_statement_id,
)
from dataforge.contexts.lrs.xapi_protocol import (
    VERSION_HEADER,
    XapiParameterInvalid,
    check_parameters,
    require_credential,
    require_version,
    services_of,
    xapi_json,
)
from dataforge.kernel.errors import MalformedBody


class Statements(HTTPEndpoint):
    """The Statements resource; only writing is offered here, everything else is refused with 405."""

    async def post(self, request: Request) -> Response:
        """One statement or an array of them; answers the ids in request order (Communication 2.1.2)."""
        check_parameters(request, allowed=())
        return xapi_json(await _accept(request, require_version(request)))

    async def put(self, request: Request) -> Response:
        """One statement under the id of the `statementId` parameter (Communication 2.1.1)."""
        version = require_version(request)
        check_parameters(request, allowed=("statementId",))
        statement_id = parse_statement_id(request.query_params.get("statementId", ""))
        if statement_id is None:
            message = "PUT needs the parameter statementId, a UUID; use POST to have the id assigned."
            raise XapiParameterInvalid(message)
        credential, body = await _credential_and_body(request)
        if body.is_array or not isinstance(body.statements[0], dict):
            message = "PUT takes one statement, a JSON object; use POST for several."
            raise MalformedBody(message)
        statement = with_statement_id(body.statements[0], statement_id)
        command = AcceptStatements(StatementsBody([statement], is_array=False), credential, version)
        await services_of(request).acceptor.accept(command)
        return Response(status_code=204)

    async def options(self, _request: Request) -> Response:
        """What may be done here, for clients that ask outside CORS."""
        return Response(status_code=204, headers={"Allow": "POST, PUT, OPTIONS"})


async def queue_statements(request: Request) -> Response:
    """The alias for senders that speak no xAPI: the version header is optional and the answer names the queue."""
    version = require_version(request) if VERSION_HEADER in request.headers else XapiVersion.V1_0
    return xapi_json({"queued": True, "ids": await _accept(request, version)})


async def _accept(request: Request, version: XapiVersion) -> list[str]:
    credential, body = await _credential_and_body(request)
    return await services_of(request).acceptor.accept(AcceptStatements(body, credential, version))


async def _credential_and_body(request: Request) -> tuple[XapiCredential, StatementsBody]:
    credential = await require_credential(request)
    credential.require("statements/write")
    raw = await request.body()
    credential.check_signature(raw, request.headers.get("x-signature"))
    return credential, parse_body(raw, request.headers.get("content-type", ""))
