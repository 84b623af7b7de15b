"""Each built artifact answers with nothing on its path but what was packaged."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from dataforge import bootstrap
from dataforge.platform.db.migrations import head_revision
from infra.local.layout import BUILD, ROOT
from infra.local.postgres import PostgresServer
from infra.packaging.template import function_layers, load_template
from tests.functions.conftest import PackagedFunction, http_event, json_body

pytestmark = pytest.mark.build

# What only functions with a layer of its own import, as patterns. All else finds what it needs everywhere.
NEEDED_BY = {
    "ColumnarLayer": ["dataforge.contexts.datasets"],
    "ParsersLayer": [
        "versioned_tables.files",
        "versioned_tables.imports",
        "dataforge.contexts.datasets.imports.commands",
    ],
    "SqlLayer": ["versioned_tables.sql"],
    "IcebergLayer": [
        "versioned_tables.iceberg",
        "dataforge.contexts.datasets.publications.lake",
    ],
    "WebLayer": [
        "dataforge.web",
        "dataforge.contexts.*.pages",
        "dataforge.contexts.*.page_calls",
        "dataforge.contexts.*.calendar",
        "dataforge.platform.calendars",
    ],
    "GitLayer": ["dataforge.contexts.workspaces.remotes.protocol"],
    "MigrationsLayer": ["dataforge.platform.db.migrations"],
}
IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
from fnmatch import fnmatch
import app
missing = []
packages = [importlib.import_module(name) for name in {ours!r}]
walks = (pkgutil.walk_packages(package.__path__, package.__name__ + ".") for package in packages)
for module in (found for walk in walks for found in walk):
    if any(fnmatch(module.name, name) or fnmatch(module.name, f"{{name}}.*") for name in {skipped!r}):
        continue
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        missing.append(f"{{module.name}}: {{error}}")
sys.exit("\\n".join(missing) or 0)
"""

# What a function imports only when a request, message or command asks for it.
FUNCTIONS = {
    "ApiFunction": "api",
    "DatasetsApiFunction": "datasets_api",
    "DatasetsSqlFunction": "datasets_sql",
    "DatasetImportFunction": "dataset_import",
    "DatasetExportFunction": "dataset_export",
    "WorkerFunction": "worker",
    "XapiEtlFunction": "xapi_etl",
    "RemindersFunction": "reminders",
    "NotifierFunction": "notifier",
    "MaintenanceFunction": "maintenance",
    "SchemaDeployerFunction": "schema_deployer",
}
LOOK_UP = """
import importlib
from dataforge.bootstrap import build_platform, modules
from dataforge.events.wiring import commands, jobs, subscribers
from dataforge.settings import MaintenanceSettings
parts = build_platform(MaintenanceSettings())
for module in modules():
    for name in module.routers.get({function!r}, {{}}).values():
        importlib.import_module(name).router
    if {function!r} in module.consumers:
        module.consumers[{function!r}]()
commands(modules(), {function!r}, parts)
if {function!r} == "worker":
    from dataforge.events.worker import job_kinds
    job_kinds(modules())
if {function!r} == "maintenance":
    jobs(modules(), parts), subscribers(modules(), parts)
"""
# Those without Hypothesis, which wants numpy.random; no function does. The slow ones show nothing about a package.
ENGINE_TESTS = [
    f"tests/unit/versioned_tables/{name}"
    for name in (
        "sql/test_sql.py",
        "sql/test_statements.py",
        "write/test_operations.py",
        "imports/test_bad_input.py",
        "imports/test_formats.py",
    )
]
RUN_TESTS = """
import sys, duckdb, numpy, pyarrow, pytest, python_calamine
assert all(module.__file__.startswith({home!r}) for module in (duckdb, numpy, pyarrow, python_calamine))
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin", "-m", "not slow", *{tests!r}]))
"""


@pytest.mark.parametrize("logical_id", sorted(function_layers(load_template())))
def test_a_package_holds_everything_its_modules_import(
    logical_id: str, packaged: Callable[[str], PackagedFunction]
) -> None:
    function = packaged(logical_id)
    carried = {layer.name for layer in function.layers}
    skipped = [module for layer, modules in NEEDED_BY.items() if layer not in carried for module in modules]

    ours = ["dataforge", "versioned_tables"] if "ColumnarLayer" in carried else ["dataforge"]
    result = function.python(IMPORT_EVERYTHING.format(skipped=skipped, ours=ours))

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(("logical_id", "function"), sorted(FUNCTIONS.items()))
def test_what_a_function_imports_later_is_in_its_package(
    logical_id: str, function: str, packaged: Callable[[str], PackagedFunction]
) -> None:
    result = packaged(logical_id).python(LOOK_UP.format(function=function))

    assert result.returncode == 0, result.stderr


def test_every_function_that_a_module_names_is_looked_at() -> None:
    named = {
        name
        for module in bootstrap.modules()
        for part in (module.routers, module.commands, module.consumers)
        for name in part
    }

    assert named <= set(FUNCTIONS.values())


def test_the_engines_own_tests_pass_on_the_packaged_libraries(packaged: Callable[[str], PackagedFunction]) -> None:
    columnar, parsers, sql = (BUILD / name / "python" for name in ("ColumnarLayer", "ParsersLayer", "SqlLayer"))
    assert packaged("DatasetsSqlFunction").layers[1:] == (columnar.parent, sql.parent)
    path = os.pathsep.join(map(str, (columnar, parsers, sql)))

    result = subprocess.run(
        [sys.executable, "-c", RUN_TESTS.format(home=str(BUILD), tests=ENGINE_TESTS)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-1000:]


@pytest.mark.parametrize("logical_id", ["ApiFunction", "DatasetsApiFunction", "DatasetsSqlFunction", "XapiFunction"])
def test_an_http_function_answers_an_unknown_path_with_a_problem(logical_id: str, invoke: Callable[..., Any]) -> None:
    response = invoke(logical_id, http_event("GET", "/api/no-such-thing"))

    assert response["statusCode"] == 404
    assert json_body(response)["code"] == "not_found"


def test_the_xapi_function_asks_for_credentials_while_the_database_is_away(invoke: Callable[..., Any]) -> None:
    response = invoke("XapiFunction", http_event("POST", "/xapi/statements", body="[]"))

    assert response["statusCode"] == 401


@pytest.mark.parametrize(
    "logical_id",
    ["XapiEtlFunction", "DatasetImportFunction", "DatasetExportFunction", "WorkerFunction"],
)
def test_a_consumer_acknowledges_an_empty_batch(logical_id: str, invoke: Callable[..., Any]) -> None:
    response = invoke(logical_id, {"Records": []})

    assert response == {"batchItemFailures": []}


def test_the_schema_deployer_migrates_an_empty_database(postgres: PostgresServer, invoke: Callable[..., Any]) -> None:
    url = postgres.create_database("packaged_migrations")

    response = invoke("SchemaDeployerFunction", {"command": "migrate"}, DATABASE_URL=url)

    assert response == {"before": None, "after": head_revision()}


def test_maintenance_refuses_a_command_it_does_not_know(invoke: Callable[..., Any]) -> None:
    response = invoke("MaintenanceFunction", {"command": "no-such-command"})

    assert response["error"]["code"] == "bad_request"
