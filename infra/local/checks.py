"""``make test``, ``test-fast`` and ``explore``: each stage with its time, coverage and the last line at the end.

The build goes on beside the types, and the browser, which waits half of its time, beside the tests in process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.local import build
from infra.local.errors import LocalStackError
from infra.local.layout import LOCAL, ROOT, SOURCE_PATH

SOURCES = ("layers/shared", "layers/columnar", "functions", "infra", "migrations", "tests")
TYPED = ("layers/shared/dataforge", "layers/columnar/versioned_tables", "functions", "infra", "migrations")
BIN = ROOT / ".venv" / "bin"
_INNER_LOOP = ("-m", "not build and not slow", "--hypothesis-profile=inner-loop", "-p", "no:schemathesis")
_EXPLORE = ("-m", "hypothesis", "--hypothesis-profile=explore", "tests/unit", "tests/integration")
# Each worker has a PostgreSQL of its own; one that has nothing left takes over what waits for another.
_PARALLEL = ("-n", "auto", "--maxprocesses", "4", "--dist", "worksteal")
_PYTEST = (sys.executable, "-m", "pytest", "-q", "--durations=5", "--hypothesis-profile=gate")


def main() -> int:
    """Run the stages in order; stops at the first that fails."""
    first = [
        ("lint", [str(BIN / "ruff"), "check", "-q", *SOURCES]),
        ("format", [str(BIN / "ruff"), "format", "-q", "--check", *SOURCES]),
        ("nothing breaks clients of the last release", [sys.executable, "-m", "infra.openapi.breaking"]),
    ]
    for name, command in first:
        status = _stage(name, command)
        if status != 0:
            return status
    if "--explore" in sys.argv[1:]:
        return _stage("tests of properties with new examples", [*_PYTEST, *_PARALLEL, *_EXPLORE])
    if "--fast" in sys.argv[1:]:
        return _stage("tests", [*_PYTEST, *_PARALLEL, *_INNER_LOOP, "tests/unit", "tests/architecture"])
    with ThreadPoolExecutor() as beside:
        built = beside.submit(_build)
        status = _stage("types", [str(BIN / "mypy"), *TYPED]) or _stage(
            "known vulnerabilities", [sys.executable, "-m", "infra.packaging.audit"]
        )
        status = built.result() or status
    if status != 0:
        return status
    # There is one stack, and fifty callers at once want all cores; what it runs is out of the reach of coverage.
    status = _stage("tests of the built functions and the deployed stack", [*_PYTEST, "tests/functions", "tests/e2e"])
    if status != 0:
        return status
    directories = [f"tests/{name}" for name in ("unit", "architecture", "integration")]
    with ThreadPoolExecutor() as beside:
        pages = beside.submit(_told_at_the_end, "tests of the pages in a browser", [*_PYTEST, "tests/browser"])
        status = _stage("tests", [*_PYTEST, *_PARALLEL, *directories], PYTEST_PLUGINS="infra.local.coverage")
        return pages.result() or status


def _build() -> int:
    began = time.monotonic()
    try:
        build.build()
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"== build: {time.monotonic() - began:.0f} s", flush=True)
    return 0


def _stage(name: str, command: Sequence[str], **variables: str) -> int:
    began = time.monotonic()
    tests = name.startswith("tests")
    if tests:
        print(f"== {name}", flush=True)
    status = _status(command, None, **variables)
    if not tests:
        print(f"== {name}: {time.monotonic() - began:.0f} s{'' if status == 0 else ', failed'}", flush=True)
    return status


def _told_at_the_end(name: str, command: Sequence[str]) -> int:
    """Run a stage beside others: its output follows in one piece."""
    output = LOCAL / f"{name.replace(' ', '-')}.txt"
    status = _status(command, output)
    print(f"\n== {name}\n{output.read_text(errors='replace')}", flush=True)
    return status


def _status(command: Sequence[str], output: Path | None, **variables: str) -> int:
    # Each worker imports everything: without byte code that is a quarter of the inner loop.
    environment = os.environ | {"PYTHONPATH": SOURCE_PATH, "PYTHONDONTWRITEBYTECODE": ""} | variables
    if output is None:
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    with output.open("wb") as file:
        return subprocess.run(command, cwd=ROOT, env=environment, stdout=file, stderr=file, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
