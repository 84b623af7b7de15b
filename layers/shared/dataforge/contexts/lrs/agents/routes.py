"""The Agents resource (Communication 2.4)."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from dataforge.contexts.lrs.identifiers.domain import person_of
from dataforge.contexts.lrs.statements.domain import actor_email, actor_key, to_json
from dataforge.contexts.lrs.xapi_protocol import XapiCall, XapiResource
from dataforge.kernel.access import Action, Kind


class Agents(XapiResource):
    """Who an agent is."""

    async def get(self, call: XapiCall) -> Response:
        """The Person of the agent that is asked for: with all identifiers for who may read all statements anyway."""
        call.require(Action.READ, Kind.AGENT)
        call.check_parameters(("agent",))
        asked = call.agent()
        others = await _others(call, asked) if call.credential.may(Action.READ, Kind.STATEMENT) else ()
        return Response(to_json(person_of([asked, *others])), media_type="application/json")


async def _others(call: XapiCall, asked: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    # It brings the database along, for which no statement that is sent waits.
    from dataforge.contexts.lrs.identifiers.queries import agents_of_person

    async with call.services.database.read_only() as connection:
        return await agents_of_person(connection, actor_key(asked), actor_email(asked))
