"""The app factory: every HTTP function is one FastAPI app whose contexts are loaded when first asked for."""

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataforge.http.bounds import too_large
from dataforge.http.csv_lists import ListRoute
from dataforge.http.encoding import parse_json
from dataforge.http.etag import not_modified
from dataforge.http.middleware import RequestEnvelope
from dataforge.http.parameters import query_parameters, refuse_unknown_parameters
from dataforge.http.problems import (
    handle_domain_error,
    handle_http_exception,
    handle_unforeseen_error,
    handle_validation_error,
)
from dataforge.http.replay import Replayed, handle_replayed
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.limits import MAX_BODY_BYTES
from dataforge.platform.cold_start import uncollected
from dataforge.platform.services import Platform


class StrictJsonRequest(Request):
    """A request whose JSON is parsed strictly: no NaN, no NUL characters, errors with their place."""

    async def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The parsed body."""
        return parse_json(await self.body())


class RestRoute(APIRoute):
    """A route of the API: strict JSON, no query parameters but its own, lists as CSV, and 304 for what a client has."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """FastAPI's handler between these checks."""
        handler = super().get_route_handler()
        lists = ListRoute(self, StrictJsonRequest)
        known = lists.parameters.union(query_parameters(self))

        async def checked(request: Request) -> Response:
            refuse_unknown_parameters(request, known)
            response = await lists.answer(handler, StrictJsonRequest(request.scope, request.receive))
            return not_modified(request, response)

        return checked


def context_router(tag: str) -> APIRouter:
    """The router of one context: routes of the API, with one tag in the OpenAPI."""
    return APIRouter(route_class=RestRoute, tags=[tag])


def _routes_of(router: APIRouter) -> list[APIRoute]:
    return [route for route in router.routes if isinstance(route, APIRoute)]


def _imported(module: str) -> Any:  # noqa: ANN401 - a module that defines `router`
    if module in sys.modules:
        return sys.modules[module]
    with uncollected():
        return import_module(module)


class LazyContexts:
    """Loads a context's routes when its first request arrives, so that a cold start pays only for what it serves.

    `owners` maps the first path segments (`/api/courses`) to the module that defines `router`.
    """

    def __init__(self, app: FastAPI, inner: ASGIApp, owners: Mapping[str, str]) -> None:
        self._app = app
        self._inner = inner
        self._owners = dict(owners)
        self._loaded: set[str] = set()

    def load(self, module: str) -> None:
        """Import one routes module and add its router; a second call does nothing."""
        if module not in self._loaded:
            # Not included: FastAPI would make each route, with its models, a second time.
            self._app.router.routes.extend(_imported(module).router.routes)
            self._loaded.add(module)

    def load_all(self) -> None:
        """Import every context; for the OpenAPI document and for warm starts that are prepared in advance."""
        for module in dict.fromkeys(self._owners.values()):
            self.load(module)

    def routes(self) -> list[APIRoute]:
        """The routes of the contexts loaded so far."""
        return [route for module in sorted(self._loaded) for route in _routes_of(import_module(module).router)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Load the owner of the path, then pass the request on."""
        if scope["type"] == "http":
            segments = str(scope["path"]).split("/", 4)
            for prefix in ("/".join(segments[:length]) for length in (4, 3, 2)):
                if prefix in self._owners:
                    self.load(self._owners[prefix])
                    break
            if scope["method"] == "HEAD":
                await self._head(scope, receive, send)
                return
        await self._inner(scope, receive, send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        # As GET, without the content (RFC 9110 §9.3.2). The server looks at its own scope for the method, hence a copy.
        async def head_only(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        inner = {**scope, "method": "GET"}
        await self._inner(inner, receive, head_only)
        scope.update({**inner, "method": "HEAD"})


class DataForgeApp(FastAPI):
    """A FastAPI app that knows how to load all of its contexts."""

    contexts: LazyContexts


def create_app(
    *,
    platform: Platform,
    owners: Mapping[str, str],
    cors_origins: Iterable[str] = (),
    open_paths: Iterable[str] = (),
    title: str = "DataForge",
    max_body: int = MAX_BODY_BYTES,
    public_base_url: str = "",
    problem_page: Callable[[DataForgeError, Scope], Response] | None = None,
) -> tuple[DataForgeApp, ASGIApp]:
    """Build the app and the ASGI callable to serve (middleware, lazy loading, app).

    Routes find `platform` on `app.state.platform`; for the rest see RequestEnvelope. Functions serve no
    documentation pages; the OpenAPI is committed. `problem_page` makes a page of a problem, where there are pages.
    """
    app = DataForgeApp(
        title=title, version="1", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.state.platform = platform
    app.add_exception_handler(DataForgeError, handle_domain_error)
    app.add_exception_handler(Replayed, handle_replayed)
    app.add_exception_handler(RequestValidationError, handle_validation_error)
    app.add_exception_handler(HTTPException, handle_http_exception)
    app.add_exception_handler(Exception, handle_unforeseen_error)
    app.contexts = LazyContexts(app, app, owners)
    envelope = RequestEnvelope(
        app.contexts,
        max_body=max_body,
        cors_origins=cors_origins,
        open_paths=open_paths,
        public_base_url=public_base_url,
        problem_page=problem_page,
        too_large=too_large,
    )
    return app, envelope
