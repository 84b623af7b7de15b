"""The build as LocalStack gets it: every function with its layers' content inside, in a template without layers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.compose.folding import fold_layers
from infra.local.layout import BUILD
from infra.packaging.files import tree_size
from infra.packaging.sizes import BUDGET_BYTES
from infra.packaging.template import expand_loops, function_layers, load_template
from tests.functions.conftest import PackagedFunction

pytestmark = pytest.mark.build


@pytest.fixture(scope="module")
def folded(packaged: Callable[[str], PackagedFunction], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folded build; `packaged` has built it."""
    return fold_layers(BUILD, tmp_path_factory.mktemp("compose") / "folded").parent


def test_the_folded_template_has_everything_but_layers_and_loops(folded: Path) -> None:
    original, template = load_template(BUILD / "template.yaml"), load_template(folded / "template.yaml")

    expected = expand_loops(original["Resources"])
    layers = {name for name, item in expected.items() if item["Type"] == "AWS::Serverless::LayerVersion"}
    assert set(template["Resources"]) == set(expected) - layers
    assert function_layers(template) == {name: [] for name in function_layers(original)}
    assert template["Transform"] == ["AWS::Serverless-2016-10-31"]
    assert template["Outputs"] == original["Outputs"]


@pytest.mark.parametrize("logical_id", sorted(function_layers(load_template())))
def test_a_folded_function_imports_without_its_layers(
    logical_id: str, folded: Path, packaged: Callable[[str], PackagedFunction]
) -> None:
    code = folded / load_template(folded / "template.yaml")["Resources"][logical_id]["Properties"]["CodeUri"]
    function = replace(packaged(logical_id), code=code, layers=())

    result = function.python("import app; assert callable(app.handler)")

    assert result.returncode == 0, result.stderr


def test_folded_functions_fit_into_what_lambda_unzips(folded: Path) -> None:
    sizes = {name: tree_size(folded / name) for name in function_layers(load_template(folded / "template.yaml"))}

    assert {name: size for name, size in sizes.items() if size > BUDGET_BYTES} == {}


def test_folding_leaves_the_build_as_it_was(folded: Path) -> None:
    assert list((BUILD / "SqlLayer").rglob("__pycache__"))
    assert not (folded / "ApiFunction" / "duckdb").exists()
    assert (folded / "DatasetsSqlFunction" / "duckdb").is_dir()
