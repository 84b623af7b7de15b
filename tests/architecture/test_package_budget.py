"""A function with its layers must fit into what Lambda unzips: 250 MB."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.build import build
from infra.local.layout import BUILD, SOURCE_PATH
from infra.packaging.elf import SharedLibrary
from infra.packaging.sizes import BUDGET_BYTES, build_for_aws, packaged_sizes

pytestmark = pytest.mark.build


def test_what_was_built_for_this_machine_fits_without_its_byte_code() -> None:
    build()

    # Machine code for x86-64 is larger than for arm64, which AWS gets: the byte code of SQL has no room beside it.
    sizes = packaged_sizes(BUILD, byte_code=False)

    assert {name: size for name, size in sizes.items() if size > BUDGET_BYTES} == {}


def test_what_aws_would_get_fits_with_its_byte_code(tmp_path: Path) -> None:
    build_for_aws(tmp_path)

    sizes = packaged_sizes(tmp_path)

    assert len(sizes) == len(packaged_sizes(BUILD))
    assert {name: size for name, size in sizes.items() if size > BUDGET_BYTES} == {}


def test_arrow_finds_each_of_its_symbols_in_the_libraries_that_are_left(tmp_path: Path) -> None:
    build_for_aws(tmp_path)

    for columnar in (tmp_path / "ColumnarLayer", BUILD / "ColumnarLayer"):
        files = list((columnar / "python" / "pyarrow").rglob("*.so*"))
        libraries = {file.name: library for file in files if (library := SharedLibrary.of(file)) is not None}
        symbols = [library.symbols() for library in libraries.values()]
        defined = set().union(*(names for _, names in symbols))
        wanted = set().union(*(names for names, _ in symbols))
        needed = {name for library in libraries.values() for name in library.needed()}
        assert {name for name in wanted - defined if "5arrow" in name or "7parquet" in name} == set()
        assert {name for name in needed if name.startswith(("libarrow", "libparquet"))} <= set(libraries)


def test_reading_a_version_needs_neither_the_parsers_nor_duckdb() -> None:
    blocked = ("clevercsv", "python_calamine", "chardet", "duckdb", "pyiceberg")
    program = f"""
import sys
for name in {blocked!r}:
    sys.modules[name] = None
import dataforge.contexts.datasets.routes, dataforge.contexts.datasets.imports.consumers
import dataforge.contexts.datasets.exports.commands
"""

    result = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": SOURCE_PATH},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr


def test_a_light_function_carries_no_columnar_data_libraries() -> None:
    sizes = packaged_sizes(BUILD)

    assert sizes["XapiFunction"] < BUDGET_BYTES // 2
    assert not list((BUILD / "SharedLayer" / "python").glob("pyarrow*"))
