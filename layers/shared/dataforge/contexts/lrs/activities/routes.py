"""The Activities resource (Communication 2.5)."""

from starlette.responses import Response

from dataforge.contexts.lrs.activities.repository import read_definitions
from dataforge.contexts.lrs.statements.domain import to_json
from dataforge.contexts.lrs.xapi_protocol import XapiCall, XapiResource
from dataforge.kernel.access import Action, Kind


class Activities(XapiResource):
    """What is known of one activity."""

    async def get(self, call: XapiCall) -> Response:
        """The activity with its merged definition; one that is not known has its id only."""
        call.require(Action.READ, Kind.ACTIVITY)
        call.check_parameters(("activityId",))
        activity_id = call.activity_id()
        async with call.services.database.read_only() as connection:
            known = (await read_definitions(connection, [activity_id])).get(activity_id)
        activity: dict[str, object] = {"objectType": "Activity", "id": activity_id}
        if known is not None:
            activity["definition"] = known.definition
        return Response(to_json(activity), media_type="application/json")
