"""The registry of error codes, where the `type` of every problem document points (RFC 9457 §4.2)."""

from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import orjson
from fastapi import Request
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from dataforge.http.addresses import own_address
from dataforge.http.app import context_router
from dataforge.http.call import json_response
from dataforge.http.negotiation import preferred_media_type
from dataforge.http.problems import ERRORS
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text

router = context_router("errors")
_OFFERED = ("application/json", "text/html")
_HEADERS = {"Vary": "Accept", "Cache-Control": "public, max-age=3600"}
# Nothing is loaded by these pages, and nobody may frame them.
_PAGE_HEADERS = {**_HEADERS, "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"}
_HEAD = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
_HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


class ErrorOut(BaseModel):
    """An error code: it never changes its meaning."""

    type: str
    code: str
    status: int
    title: str
    description: str


class ErrorList(BaseModel):
    """Every error code."""

    items: list[ErrorOut]


@cache
def _registry() -> dict[str, dict[str, Any]]:
    # Written from the classes by `make openapi`: importing them all would need libraries that this function lacks.
    text = files("dataforge.http").joinpath("errors.json").read_bytes()
    return {item["code"]: item for item in orjson.loads(text)}


def _shown(request: Request, error: dict[str, Any]) -> dict[str, Any]:
    return {"type": own_address(request.scope, ERRORS, error["code"]), **error}


def _wants_html(request: Request) -> bool:
    return preferred_media_type(request.headers.get("accept", ""), _OFFERED) == "text/html"


def _page(title: str, body: str) -> Response:
    page = f'<!doctype html><html lang="en">{_HEAD}<title>{escape(title)}</title>{body}</html>'
    return HTMLResponse(page, headers=_PAGE_HEADERS)


@router.get(ERRORS, response_model=ErrorList, responses=_HTML)
async def list_errors(request: Request) -> Response:
    """Every code that problem documents carry; `Accept: text/html` gives a page."""
    errors = [_shown(request, error) for error in _registry().values()]
    if not _wants_html(request):
        return json_response({"items": errors}, headers=_HEADERS)
    rows = "".join(
        f'<li><a href="{escape(error["type"])}"><code>{escape(error["code"])}</code></a>'
        f" {error['status']} {escape(error['title'])}</li>"
        for error in errors
    )
    return _page("Error codes", f"<h1>Error codes</h1><ul>{rows}</ul>")


@router.get(ERRORS + "/{code}", response_model=ErrorOut, responses=_HTML)
async def get_error(code: str, request: Request) -> Response:
    """What a code means; the `type` of a problem document is this address."""
    error = _registry().get(code)
    if error is None:
        message = Text(
            "There is no error code {code!r}; {scope} lists them.",
            code=code[:100],
            scope=own_address(request.scope, ERRORS),
        )
        raise NotFound(message)
    if not _wants_html(request):
        return json_response(_shown(request, error), headers=_HEADERS)
    heading = f"<h1><code>{escape(code)}</code></h1><p>HTTP status {error['status']}: {escape(error['title'])}.</p>"
    back = f'<p><a href="{escape(own_address(request.scope, ERRORS))}">All error codes</a></p>'
    return _page(code, f"{heading}<p>{escape(error['description'])}</p>{back}")
