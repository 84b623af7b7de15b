"""REST of claims."""

from dataclasses import asdict
from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.identity.claims import commands, wire
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind

router = context_router("identity")


@router.post("/api/claims", status_code=202, response_model=wire.ClaimsOut)
async def request_claims(
    body: wire.ClaimsIn, call: Annotated[Call, require(Action.CREATE, Kind.INVITATION)]
) -> Response:
    """Have people mailed the link by which they take over the accounts that imports made for them.

    A link works once, for a week. It sets the first password and proves the address; of two who have it, one wins.
    """
    return await call.execute(
        IdentityUnitOfWork,
        commands.request_claims,
        body.user_ids,
        lambda requested: json_response(asdict(requested), status=202),
    )
