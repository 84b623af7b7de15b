"""Each built artifact answers with nothing on its path but what was packaged."""

from collections.abc import Callable
from typing import Any

import pytest

from dataforge.platform.db.migrations import head_revision
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
        "dataforge.contexts.datasets.engine.fanout",
        "dataforge.contexts.datasets.services.imports",
    ],
    "SqlLayer": ["dataforge.contexts.datasets.sql"],
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


@pytest.mark.parametrize("logical_id", sorted(function_layers(load_template())))
def test_a_package_holds_everything_its_modules_import(
    logical_id: str, packaged: Callable[[str], PackagedFunction]
) -> None:
    function = packaged(logical_id)
    carried = {layer.name for layer in function.layers}
    skipped = [module for layer, modules in NEEDED_BY.items() if layer not in carried for module in modules]

    result = function.python(IMPORT_EVERYTHING.format(skipped=skipped))

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("logical_id", ["ApiFunction", "DatasetsApiFunction", "DatasetsSqlFunction", "XapiFunction"])
def test_an_http_function_answers_an_unknown_path_with_a_problem(logical_id: str, invoke: Callable[..., Any]) -> None:
    response = invoke(logical_id, http_event("GET", "/api/no-such-thing"))

    assert response["statusCode"] == 404
    assert json_body(response)["code"] == "not_found"


def test_the_xapi_function_asks_for_credentials_while_the_database_is_away(invoke: Callable[..., Any]) -> None:
    response = invoke("XapiFunction", http_event("POST", "/xapi/statements", body="[]"))

    assert response["statusCode"] == 401


@pytest.mark.parametrize("logical_id", ["XapiEtlFunction", "DatasetImportFunction", "DatasetExportFunction"])
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
