"""The examples on the pages of docs/, run one after the other in a shell as their reader would, against the stack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.demo import run_demo
from infra.local.layout import ROOT
from infra.local.stack import LocalStack
from infra.site.environment import variables
from infra.site.examples import Example, differences, examples

pytestmark = pytest.mark.build
START = ROOT / "docs" / "index.md"
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if page != START and list(examples(page))]


@pytest.fixture(scope="module")
def environment(stack: LocalStack) -> dict[str, str]:
    """What `make run` leaves to the examples: its addresses and credentials, and the demo's data."""
    run_demo(stack)
    return os.environ | variables(stack.facts)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `dataforge`, as the package of the client library installs it."""
    directory = tmp_path_factory.mktemp("programs")
    program = directory / "dataforge"
    library = ROOT / "clients" / "python" / "src"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={library} exec {sys.executable} -m dataforge_client.cli "$@"\n')
    program.chmod(0o755)
    return directory


def script(blocks: list[Example], outputs: Path) -> str:
    """One shell for the whole page, with the output of each block in a file of its own."""
    lines = [f"{{\n{block.commands}}} >{outputs}/{number} || exit 1" for number, block in enumerate(blocks)]
    return "\n".join(["set -uo pipefail", *lines])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT / "docs")))
def test_a_page_does_what_it_shows(page: Path, environment: dict[str, str], programs: Path, tmp_path: Path) -> None:
    blocks = [*examples(START), *examples(page)]
    directory = tmp_path / "outputs"
    directory.mkdir()
    work = tmp_path / "work"  # files that the examples write
    work.mkdir()

    run = subprocess.run(
        ["bash", "-c", script(blocks, directory)],
        check=False,
        capture_output=True,
        text=True,
        env=environment | {"PATH": f"{programs}:{environment['PATH']}"},
        cwd=work,
        timeout=300,
    )

    outputs = {int(file.name): file.read_text(errors="replace") for file in directory.iterdir()}
    assert run.returncode == 0, f"line {blocks[len(outputs) - 1].line}: {run.stderr}{outputs[len(outputs) - 1]}"
    wrong = {
        block.line: different
        for number, block in enumerate(blocks)
        if (different := differences(block, outputs[number]))
    }
    assert wrong == {}
