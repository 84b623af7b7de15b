"""REST of operations."""

from enum import StrEnum
from importlib.resources import files
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from dataforge.http.app import context_router
from dataforge.http.call import json_response
from dataforge.platform.health import HealthServices

router = context_router("operations")


class HttpFunction(StrEnum):
    """The functions that answer HTTP."""

    API = "api"
    DATASETS = "datasets"
    SQL = "sql"
    XAPI = "xapi"


class HealthOut(BaseModel):
    """Whether what is behind this function answers; queue depths are approximate."""

    status: str
    function: str
    database: dict[str, Any]
    queues: dict[str, dict[str, Any]]


# The page is one file with its own style and script: nothing else may be loaded, and nobody may frame it.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


@router.get("/", response_class=HTMLResponse)
@router.get("/ui", response_class=HTMLResponse)
async def status_page() -> Response:
    """A page that shows what is behind the API."""
    page = files("dataforge.contexts.operations").joinpath("pages/status.html").read_text(encoding="utf-8")
    return HTMLResponse(page, headers=_PAGE_HEADERS)


@router.get("/api/health", response_model=HealthOut)
async def health(request: Request) -> Response:
    """Database, queue depths and migration revision as the function `api` sees them; 503 when one does not answer."""
    return await _health(request, "api")


@router.get("/api/health/{function}", response_model=HealthOut)
async def health_of_function(function: HttpFunction, request: Request) -> Response:
    """The same from another HTTP function: `xapi`, `datasets`."""
    return await _health(request, function.value)


async def _health(request: Request, function: str) -> Response:
    services: HealthServices = request.app.state.services
    found = await services.health()
    return json_response({"function": function, **found}, status=200 if found["status"] == "ok" else 503)
