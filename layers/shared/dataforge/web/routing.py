"""Routers of pages: not part of the API's document, and with addresses that people see."""

from fastapi import APIRouter
from starlette.datastructures import URL
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from dataforge.http.addresses import own_address


def page_router(tag: str) -> APIRouter:
    """The router of one context's pages."""
    return APIRouter(tags=[tag], include_in_schema=False)


def see_other(scope: Scope, path: str, *segments: object, **query: object) -> Response:
    """Go on to one of our pages with GET (303), as after every form."""
    return RedirectResponse(URL(own_address(scope, path, *segments, query=query)), status_code=303)


def local_path(scope: Scope, asked: str) -> str:
    """The path of ours that a person wanted, from `next`; the home page for anything that is not a page of ours."""
    home = own_address(scope, "/ui")
    inside = asked == home or asked.startswith((f"{home}/", f"{home}?"))
    return asked if inside and "\\" not in asked and asked.isprintable() else home
