"""A function with its layers must fit into what Lambda unzips: 250 MB."""

from pathlib import Path

import pytest

from infra.local.build import build
from infra.local.layout import BUILD
from infra.packaging.sizes import BUDGET_BYTES, build_for_aws, packaged_sizes

pytestmark = pytest.mark.build


def test_what_was_built_for_this_machine_fits() -> None:
    build()

    sizes = packaged_sizes(BUILD)

    assert {name: size for name, size in sizes.items() if size > BUDGET_BYTES} == {}


def test_what_aws_would_get_fits(tmp_path: Path) -> None:
    build_for_aws(tmp_path)

    sizes = packaged_sizes(tmp_path)

    assert len(sizes) == len(packaged_sizes(BUILD))
    assert {name: size for name, size in sizes.items() if size > BUDGET_BYTES} == {}


def test_a_light_function_carries_no_columnar_data_libraries() -> None:
    sizes = packaged_sizes(BUILD)

    assert sizes["XapiFunction"] < BUDGET_BYTES // 2
    assert not list((BUILD / "SharedLayer" / "python").glob("pyarrow*"))
