"""The Agents resource (Communication 2.4)."""

from starlette.responses import Response

from dataforge.contexts.lrs.agents.domain import person_of
from dataforge.contexts.lrs.statements.domain import to_json
from dataforge.contexts.lrs.xapi_protocol import XapiCall, XapiResource


class Agents(XapiResource):
    """Who an agent is."""

    async def get(self, call: XapiCall) -> Response:
        """The Person of the agent that is asked for."""
        call.require_one_of("profile", "statements/read", "all/read")
        call.check_parameters(("agent",))
        return Response(to_json(person_of(call.agent())), media_type="application/json")
