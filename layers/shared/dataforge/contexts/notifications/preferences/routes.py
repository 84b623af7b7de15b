"""REST of one's own preferences."""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.notifications.preferences import commands, queries, wire
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind

router = context_router("notifications")
KindName = Annotated[str, Path(max_length=40, description="the kind of message")]


@router.get("/api/notification-preferences", response_model=wire.PreferenceList)
async def list_preferences(call: Annotated[Call, require(Action.READ, Kind.PREFERENCE)]) -> Response:
    """What the signed-in person wants to hear of."""
    return json_response({"items": await call.query(queries.preferences_of, call.user_id)})


@router.put("/api/notification-preferences/{kind}", response_model=wire.PreferenceList)
async def set_preference(
    kind: KindName, body: wire.PreferenceIn, call: Annotated[Call, require(Action.CHANGE, Kind.PREFERENCE)]
) -> Response:
    """Turn a kind of message on or off; what has not been sent yet is not sent."""
    command = commands.SetPreference(call.user_id, kind, body.wanted)
    return await call.execute_and_read(NotificationsUnitOfWork, commands.set_preference, command, _read)


async def _read(connection: AsyncConnection, user_id: UUID) -> Response:
    return json_response({"items": await queries.preferences_of(connection, user_id)})
