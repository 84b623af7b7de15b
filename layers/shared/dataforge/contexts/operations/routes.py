"""REST of operations."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response, platform_of
from dataforge.kernel.access import Action, Kind
from dataforge.platform.health import require_database

router = context_router("operations")


class HttpFunction(StrEnum):
    """The functions that answer HTTP."""

    API = "api"
    DATASETS = "datasets"
    SQL = "sql"
    XAPI = "xapi"


class PublicHealthOut(BaseModel):
    """What everybody may know."""

    status: str


class HealthOut(BaseModel):
    """Whether what is behind this function answers; queue depths are approximate."""

    status: str
    function: str
    database: dict[str, Any]
    queues: dict[str, dict[str, Any]]


@router.get("/health", response_model=PublicHealthOut)
async def public_health(request: Request) -> Response:
    """`{"status": "ok"}`, or 503: whether the API answers and reaches its database, and nothing more."""
    await require_database(platform_of(request).database)
    return json_response({"status": "ok"})


@router.get("/api/health", response_model=HealthOut)
async def health(call: Annotated[Call, require(Action.READ, Kind.HEALTH)]) -> Response:
    """Database, queue depths and migration revision as the function `api` sees them; 503 when one does not answer."""
    return await _health(call, "api")


@router.get("/api/health/{function}", response_model=HealthOut)
async def health_of_function(
    function: HttpFunction, call: Annotated[Call, require(Action.READ, Kind.HEALTH)]
) -> Response:
    """The same from another HTTP function: `xapi`, `datasets`, `sql`."""
    return await _health(call, function.value)


async def _health(call: Call, function: str) -> Response:
    found = await call.platform.health()
    return json_response({"function": function, **found}, status=200 if found["status"] == "ok" else 503)
