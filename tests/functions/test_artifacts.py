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

# What only functions with a layer of its own import. Everything else must find what it needs in every package.
NEEDED_BY = {
    "ColumnarLayer": ["dataforge.contexts.datasets"],
    "ParsersLayer": [
        "dataforge.contexts.datasets.parsing",
        "dataforge.contexts.datasets.engine.importing",
        "dataforge.contexts.datasets.services.imports",
    ],
    "SqlLayer": ["dataforge.contexts.datasets.sql"],
    "WebLayer": [
        "dataforge.web",
        *(f"dataforge.contexts.{context}.pages" for context in ("academics", "datasets", "identity", "operations")),
    ],
}
IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
import app, dataforge
missing = []
for module in pkgutil.walk_packages(dataforge.__path__, "dataforge."):
    if module.name.startswith(tuple({skipped!r})):
        continue
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        missing.append(f"{{module.name}}: {{error}}")
sys.exit("\\n".join(missing) or 0)
"""

# Names that `bootstrap` resolves only when a request, message or command asks for them.
LOOKED_UP = {
    "ApiFunction": ["API_OWNERS"],
    "DatasetsApiFunction": ["DATASETS_OWNERS", "DATASETS_PAGES"],
    "DatasetsSqlFunction": ["DATASETS_OWNERS"],
    "DatasetImportFunction": ["DATASET_COMMANDS"],
    "DatasetExportFunction": ["HEALTH_COMMANDS"],
    "XapiEtlFunction": ["HEALTH_COMMANDS"],
    "MaintenanceFunction": ["MAINTENANCE_COMMANDS", "MAINTENANCE_JOBS", "OUTBOX_SUBSCRIBERS"],
    "SchemaDeployerFunction": ["DEPLOYER_COMMANDS"],
}
LOOK_UP = """
import importlib
from dataforge import bootstrap
for table in {tables!r}:
    for entry in getattr(bootstrap, table).values():
        for path in [entry] if isinstance(entry, str) else entry:
            module, _, name = path.partition(":")
            getattr(importlib.import_module(module), name or "router")
"""
# Those without Hypothesis, which wants numpy.random; no function does.
ENGINE_TESTS = [
    f"tests/unit/datasets/{name}"
    for name in (
        "test_sql.py",
        "sql/test_statements.py",
        "engine/test_operations.py",
        "parsing/test_bad_input.py",
        "parsing/test_formats.py",
    )
]
RUN_TESTS = """
import sys, duckdb, numpy, pyarrow, pytest, python_calamine
assert all(module.__file__.startswith({home!r}) for module in (duckdb, numpy, pyarrow, python_calamine))
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin", *{tests!r}]))
"""


@pytest.mark.parametrize("logical_id", sorted(function_layers(load_template())))
def test_a_package_holds_everything_its_modules_import(
    logical_id: str, packaged: Callable[[str], PackagedFunction]
) -> None:
    function = packaged(logical_id)
    carried = {layer.name for layer in function.layers}
    skipped = [module for layer, modules in NEEDED_BY.items() if layer not in carried for module in modules]

    result = function.python(IMPORT_EVERYTHING.format(skipped=skipped))

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(("logical_id", "tables"), sorted(LOOKED_UP.items()))
def test_what_a_function_looks_up_by_name_is_in_its_package(
    logical_id: str, tables: list[str], packaged: Callable[[str], PackagedFunction]
) -> None:
    result = packaged(logical_id).python(LOOK_UP.format(tables=tables))

    assert result.returncode == 0, result.stderr


def test_every_function_but_those_without_tables_is_looked_at() -> None:
    tables = {name for name in vars(bootstrap) if name.isupper() and isinstance(getattr(bootstrap, name), dict)}

    assert {name for names in LOOKED_UP.values() for name in names} == tables


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
    ["XapiEtlFunction", "DatasetImportFunction", "DatasetExportFunction"],
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
