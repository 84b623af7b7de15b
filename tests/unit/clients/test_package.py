"""The package as somebody installs it: what is in the wheel, and the types that a caller sees."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.local.layout import ROOT

pytestmark = pytest.mark.slow
PACKAGE = ROOT / "clients" / "python"
CALLER = """
from collections.abc import AsyncIterator, Iterator
from typing import assert_type

import pandas as pd

from dataforge_client import (
    Async, AsyncClient, Client, CommitResult, Dataset, DatasetInfo, Diff, ImportPlan, Report, Sent, Sync
)


def called(client: Client) -> None:
    grades = client.datasets["Grades"]
    assert_type(grades, Dataset[Sync])
    assert_type(client.datasets.get("Grades"), Dataset[Sync])
    assert_type(client.datasets.list(), Iterator[DatasetInfo])
    assert_type(grades.to_pandas(), pd.DataFrame)
    assert_type(grades.diff("a", "b"), Diff)
    assert_type(grades.plan("marks.csv", key=["student"]), ImportPlan[Sync])
    assert_type(grades.plan("marks.csv").apply(), CommitResult)
    assert_type(client.reports.cohort("c"), Report[Sync])
    grades.upload(3)  # type: ignore[arg-type]
    grades.merge()  # type: ignore[call-arg]


async def awaited(client: AsyncClient) -> None:
    grades = client.datasets["Grades"]
    assert_type(grades, Dataset[Async])
    assert_type(await client.datasets.get("Grades"), Dataset[Async])
    assert_type(client.datasets.list(), AsyncIterator[DatasetInfo])
    assert_type(await grades.to_pandas(), pd.DataFrame)
    assert_type(await grades.plan("marks.csv"), ImportPlan[Async])
    assert_type(await client.lrs.send([]), Sent)
    assert_type(await client.reports.cohort("c").to_pandas(), pd.DataFrame)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = ROOT / ".local" / "tools" / "uv" / "bin" / "uv"
    command = [str(uv), "build", "-q", "--offline", "--wheel", "--out-dir", str(folder), str(PACKAGE)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel is installed, alone."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_has_the_whole_package_and_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = [archive.read(name).decode() for name in names if name.endswith("METADATA")]

    sources = PACKAGE / "src"
    expected = {str(path.relative_to(sources)) for path in sources.rglob("*.py")} | {"dataforge_client/py.typed"}
    assert expected <= names
    assert "Requires-Dist: httpx>=0.28,<1\n" in metadata
    assert "Provides-Extra: pandas\n" in metadata
    assert "Client.from_env()" in metadata  # the README


def test_it_starts_without_frames_and_says_which_version_it_is(installed: Path) -> None:
    code = (
        "import sys, dataforge_client as d; heavy = {'pandas', 'polars', 'pyarrow'} & set(sys.modules); "
        "assert not heavy, heavy; print(d.__version__, d.__file__)"
    )

    shown = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True
    ).stdout.split()

    assert shown == ["0.1.0", str(installed / "dataforge_client" / "__init__.py")]


def test_a_caller_sees_types_called_and_awaited(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "caller.py").write_text(CALLER)
    # Types of the caller; what an installed package needs besides is its own business.
    options = ["--strict", "--config-file=", "--follow-imports=silent", "--cache-dir", str(ROOT / ".mypy_cache")]
    command = [sys.executable, "-m", "mypy", *options, "caller.py"]

    environment = {"MYPYPATH": str(installed)}
    checked = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout
