"""The composition root: finds the contexts' modules and makes of them what each function serves.

Each `…_handler` function imports what its Lambda needs and nothing else; connections, secrets and clients are made at
first use, never here.
"""

import asyncio
import gc
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import dataforge.contexts
from dataforge.platform.module import Module
from dataforge.platform.services import Platform, Services
from dataforge.settings import (
    ApiSettings,
    DatasetsApiSettings,
    DeployerSettings,
    MaintenanceSettings,
    Settings,
    WorkerSettings,
    XapiSettings,
)

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Scope

    from dataforge.http.app import DataForgeApp
    from dataforge.kernel.errors import DataForgeError

Handler = Callable[[Any, Any], Any]

# Parts of the media types whose bodies are UTF-8 text; bytes that are none go out in Base64 all the same.
TEXT_MEDIA_TYPES = ("text/", "/json", "+json", "/xml", "+xml", "/javascript", "/x-ndjson", "/jsonl")
TITLES = {"api": "DataForge API"} | dict.fromkeys(("datasets_api", "datasets_sql"), "DataForge datasets API")


@cache
def modules() -> tuple[Module[Services], ...]:
    """The module of every context, by name."""
    package = dataforge.contexts
    names = sorted(found.name for found in iter_modules(package.__path__) if found.ispkg)
    return tuple(import_module(f"{package.__name__}.{name}.module").MODULE for name in names)


def build_platform(settings: Settings, **options: Any) -> Platform:  # noqa: ANN401 - those of Platform
    """What the contexts of one function are built on; each finds there what another one's contract offers."""
    offers = {kind: make for module in modules() for kind, make in module.offers.items()}
    return Platform(settings, offers=offers, **options)


def own_event_loop() -> asyncio.AbstractEventLoop:
    """The one event loop of this worker: pooled connections belong to a loop and must find it again next time."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def rest_app(function: str, parts: Platform) -> "tuple[DataForgeApp, ASGIApp]":
    """The REST API that a function (`api`, `datasets_api`, `datasets_sql`) serves."""
    from dataforge.http.app import create_app

    owners = {prefix: name for module in modules() for prefix, name in module.routers.get(function, {}).items()}
    pages = any(prefix.startswith("/ui") for prefix in owners)
    if function == "api":
        owners |= {"/errors": "dataforge.http.registry", "/ui/static": "dataforge.web.static_files"}
    return create_app(
        platform=parts,
        owners=owners,
        cors_origins=parts.settings.cors_origins,
        public_base_url=parts.settings.public_base_url,
        title=TITLES[function],
        problem_page=_problem_page if pages else None,
    )


def _problem_page(error: "DataForgeError", scope: "Scope") -> "Response":
    # Not before there is a problem to show: only functions with pages carry what makes them.
    from dataforge.web.problems import problem_page

    return problem_page(error, scope)


def xapi_app(parts: Platform) -> "ASGIApp":
    """The xAPI resources."""
    from dataforge.contexts.records.xapi import create_xapi_app

    return create_xapi_app(parts, public_base_url=parts.settings.public_base_url)


def http_handler(asgi: "ASGIApp") -> Handler:
    """A Lambda handler for an ASGI app behind API Gateway."""
    from mangum import Mangum

    own_event_loop()
    # What is not named here goes out in Base64, which API Gateway decodes for clients with a fitting Accept only.
    return Mangum(asgi, lifespan="off", text_mime_types=list(TEXT_MEDIA_TYPES))  # type: ignore[arg-type]  # Mangum wants a coroutine function, ASGI an awaitable


def api_handler() -> Handler:
    """The handler of the function `api`."""
    return http_handler(rest_app("api", build_platform(ApiSettings.from_environment()))[1])


def datasets_api_handler() -> Handler:
    """The handler of the function `datasets_api`."""
    settings = DatasetsApiSettings.from_environment()
    # A request may read the version it works on while its transaction waits for a row.
    parts = build_platform(settings, pool_size=2, queues=("imports", "exports"), dead_letter_queues=())
    return http_handler(rest_app("datasets_api", parts)[1])


def datasets_sql_handler() -> Handler:
    """The handler of the function `datasets_sql`: the same app, where DuckDB is on the path.

    The process that loads DuckDB starts ahead and beside us, so that the first statement need not wait for it.
    """
    from dataforge.contexts.datasets.sql.process import shared_engine

    shared_engine().start()
    parts = build_platform(DatasetsApiSettings.from_environment(), pool_size=2, queues=(), dead_letter_queues=())
    return http_handler(rest_app("datasets_sql", parts)[1])


def xapi_handler() -> Handler:
    """The handler of the function `xapi`."""
    seen = ("statements",)
    return http_handler(xapi_app(build_platform(XapiSettings.from_environment(), queues=seen, dead_letter_queues=seen)))


def xapi_etl_handler() -> Handler:
    """The handler of the function `xapi_etl`."""
    # A batch makes hundreds of thousands of objects and frees them all at once: with the default thresholds the
    # collector looks at them again and again for nothing, at half of the CPU time (infra/bench/etl.py).
    gc.set_threshold(50_000, 50, 100)
    parts = build_platform(WorkerSettings.from_environment(), queues=("statements",), dead_letter_queues=())
    return queue_handler("xapi_etl", parts)


def dataset_import_handler() -> Handler:
    """The handler of the function `dataset_import`."""
    # The heartbeat of a job uses one connection while the job reads with another.
    parts = build_platform(WorkerSettings.from_environment(), pool_size=3, queues=("imports",), dead_letter_queues=())
    return queue_handler("dataset_import", parts)


def dataset_export_handler() -> Handler:
    """The handler of the function `dataset_export`."""
    parts = build_platform(WorkerSettings.from_environment(), pool_size=3, queues=("exports",), dead_letter_queues=())
    return queue_handler("dataset_export", parts)


def maintenance_handler() -> Handler:
    """The handler of the function `maintenance`."""
    # A relay holds one connection while a subscriber uses another.
    return command_handler("maintenance", build_platform(MaintenanceSettings.from_environment(), pool_size=3), "tick")


def schema_deployer_handler() -> Handler:
    """The handler of the function `schema_deployer`."""
    parts = build_platform(DeployerSettings.from_environment(), queues=(), dead_letter_queues=())
    return command_handler("schema_deployer", parts, "migrate")


def queue_handler(function: str, parts: Platform) -> Handler:
    """The handler of a function behind a queue, which takes commands too."""
    module = next(module for module in modules() if function in module.consumers)
    consume, services, loop = module.consumers[function](), parts.get(module.services), own_event_loop()

    def handler(event: Any, _context: Any) -> Any:  # noqa: ANN401 - Lambda's signature
        if "command" in event:
            return loop.run_until_complete(run_command(function, parts, event))
        return loop.run_until_complete(consume(event, services))

    return handler


def command_handler(function: str, parts: Platform, default: str) -> Handler:
    """The handler of a function that takes commands; without a name the default one."""
    loop = own_event_loop()

    def handler(event: Any, _context: Any) -> Any:  # noqa: ANN401 - Lambda's signature
        return loop.run_until_complete(run_command(function, parts, event, default))

    return handler


async def run_command(function: str, parts: Platform, event: Any, default: str = "") -> dict[str, Any]:  # noqa: ANN401 - what Lambda was given
    """Run a command of the function: the platform's or a context's."""
    from dataforge.events.commands import dispatch
    from dataforge.events.wiring import commands

    return await dispatch(event, commands(modules(), function, parts), default=default)
