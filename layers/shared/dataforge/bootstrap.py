"""The composition root: finds the contexts' modules and makes of them what each function serves.

Each `…_handler` function imports what its Lambda needs and nothing else; connections, secrets and clients are made at
first use, never here.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from dataforge import contexts, settings
from dataforge.platform.attributions import AttributionRegister
from dataforge.platform.cold_start import uncollected
from dataforge.platform.module import Module
from dataforge.platform.ops import OpsRegister
from dataforge.platform.personal_data import PersonalDataRegister
from dataforge.platform.services import Platform, Services

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Scope

    from dataforge.events.handlers import Handler
    from dataforge.http.app import DataForgeApp
    from dataforge.kernel.errors import DataForgeError

TITLES = {"api": "DataForge API"} | dict.fromkeys(("datasets_api", "datasets_sql"), "DataForge datasets API")


@cache
def modules() -> tuple[Module[Services], ...]:
    """The module of every context, by name."""
    names = sorted(found.name for found in iter_modules(contexts.__path__) if found.ispkg)
    return tuple(import_module(f"{contexts.__name__}.{name}.module").MODULE for name in names)


def build_platform(given: settings.Settings, **options: Any) -> Platform:  # noqa: ANN401 - those of Platform
    """What the contexts of one function are built on; each finds there what another one's contract offers."""
    offers = {kind: make for module in modules() for kind, make in module.offers.items()}
    offers[PersonalDataRegister] = lambda platform: PersonalDataRegister(platform, modules())
    offers[AttributionRegister] = lambda platform: AttributionRegister(platform, modules())
    offers[OpsRegister] = lambda platform: OpsRegister(platform, modules())
    return Platform(given, offers=offers, **options)


def _platform(kind: type[settings.Settings], **options: Any) -> Platform:  # noqa: ANN401 - as above
    return build_platform(kind.from_environment(), **options)


def rest_app(function: str, parts: Platform) -> "tuple[DataForgeApp, ASGIApp]":
    """The REST API that a function (`api`, `datasets_api`, `datasets_sql`) serves."""
    from dataforge.http.app import create_app

    owners = {prefix: name for module in modules() for prefix, name in module.routers.get(function, {}).items()}
    if function == "api":
        owners |= {
            "/docs": "dataforge.web.api_docs",
            "/errors": "dataforge.http.registry",
            "/openapi.json": "dataforge.web.api_docs",
            "/ui/csv": "dataforge.web.csv_pages",
            "/ui/static": "dataforge.web.static_files",
        }
    return create_app(
        platform=parts,
        owners=owners,
        cors_origins=parts.settings.cors_origins,
        open_paths=[path for module in modules() for path in module.open_paths],
        public_base_url=parts.settings.public_base_url,
        title=TITLES[function],
        problem_page=_problem_page if any(prefix.startswith("/ui") for prefix in owners) else None,
    )


def _problem_page(error: "DataForgeError", scope: "Scope") -> "Response":
    # Not before there is a problem to show: only functions with pages carry what makes them.
    from dataforge.web.problems import problem_page

    return problem_page(error, scope)


def xapi_app(parts: Platform) -> "ASGIApp":
    """The xAPI resources."""
    from dataforge.contexts.lrs.xapi import create_xapi_app

    return create_xapi_app(parts, public_base_url=parts.settings.public_base_url)


def _http_handler(asgi: "ASGIApp") -> "Handler":
    from dataforge.http.gateway import http_handler

    return http_handler(asgi)


@uncollected()
def api_handler() -> "Handler":
    """The handler of the function `api`."""
    return _http_handler(rest_app("api", _platform(settings.ApiSettings))[1])


@uncollected()
def datasets_api_handler() -> "Handler":
    """The handler of the function `datasets_api`."""
    # A request may read the version it works on while its transaction waits for a row.
    parts = _platform(settings.DatasetsApiSettings, pool_size=2, queues=("imports", "exports"), dead_letter_queues=())
    return _http_handler(rest_app("datasets_api", parts)[1])


@uncollected()
def datasets_sql_handler() -> "Handler":
    """The handler of the function `datasets_sql`: the same app, where DuckDB is on the path."""
    from versioned_tables.sql.process import shared_engine

    shared_engine().start()  # beside us, so that the first statement need not wait for DuckDB
    parts = _platform(settings.DatasetsSqlSettings, pool_size=2, queues=(), dead_letter_queues=())
    return _http_handler(rest_app("datasets_sql", parts)[1])


@uncollected()
def xapi_handler() -> "Handler":
    """The handler of the function `xapi`."""
    seen = ("statements",)
    return _http_handler(xapi_app(_platform(settings.XapiSettings, queues=seen, dead_letter_queues=seen)))


@uncollected()
def xapi_etl_handler() -> "Handler":
    """The handler of the function `xapi_etl`."""
    parts = _platform(settings.WorkerSettings, queues=("statements",), dead_letter_queues=())
    return _event_handler("xapi_etl", parts)


@uncollected()
def dataset_import_handler() -> "Handler":
    """The handler of the function `dataset_import`."""
    # The heartbeat of a job uses one connection while the job reads with another.
    parts = _platform(settings.WorkerSettings, pool_size=3, queues=("imports",), dead_letter_queues=())
    return _event_handler("dataset_import", parts)


@uncollected()
def dataset_export_handler() -> "Handler":
    """The handler of the function `dataset_export`."""
    parts = _platform(settings.WorkerSettings, pool_size=3, queues=("exports",), dead_letter_queues=())
    return _event_handler("dataset_export", parts)


@uncollected()
def worker_handler() -> "Handler":
    """The handler of the function `worker`."""
    from dataforge.events.handlers import worker_handler as handler_of

    # The heartbeat of a job uses one connection while the job reads with one and writes with another.
    parts = _platform(settings.JobSettings, pool_size=3, queues=("jobs",), dead_letter_queues=())
    return handler_of(modules(), parts)


@uncollected()
def maintenance_handler() -> "Handler":
    """The handler of the function `maintenance`."""
    # A relay holds one connection while a subscriber uses another.
    return _event_handler("maintenance", _platform(settings.MaintenanceSettings, pool_size=3), "tick")


@uncollected()
def reminders_handler() -> "Handler":
    """The handler of the function `reminders`."""
    parts = _platform(settings.RemindersSettings, queues=(), dead_letter_queues=())
    return _event_handler("reminders", parts, "send_daily_reminders")


@uncollected()
def notifier_handler() -> "Handler":
    """The handler of the function `notifier`."""
    parts = _platform(settings.NotifierSettings, queues=("feedback",), dead_letter_queues=())
    return _event_handler("notifier", parts)


@uncollected()
def schema_deployer_handler() -> "Handler":
    """The handler of the function `schema_deployer`."""
    parts = _platform(settings.DeployerSettings, queues=(), dead_letter_queues=())
    return _event_handler("schema_deployer", parts, "migrate")


def _event_handler(function: str, parts: Platform, default: str = "") -> "Handler":
    from dataforge.events.handlers import event_handler

    return event_handler(modules(), function, parts, default)
