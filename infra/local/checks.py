"""``make test`` and ``make test-fast``: each stage with its time, the coverage and pytest's closing line at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from infra.local import build
from infra.local.errors import LocalStackError
from infra.local.layout import ROOT, SOURCE_PATH

SOURCES = ("layers/shared", "layers/columnar", "functions", "infra", "migrations", "tests")
TYPED = ("layers/shared/dataforge", "layers/columnar/versioned_tables", "functions", "infra", "migrations")
BIN = ROOT / ".venv" / "bin"
_INNER_LOOP = ("-m", "not build and not slow", "--hypothesis-profile=inner-loop")
_PARALLEL = ("-n", "auto", "--maxprocesses", "4")  # each worker has a PostgreSQL of its own


def main() -> int:
    """Run the stages in order; stops at the first that fails."""
    fast = "--fast" in sys.argv[1:]
    stages = [
        ("lint", [str(BIN / "ruff"), "check", "-q", *SOURCES]),
        ("format", [str(BIN / "ruff"), "format", "-q", "--check", *SOURCES]),
        ("nothing breaks clients of the last release", [sys.executable, "-m", "infra.openapi.breaking"]),
    ]
    if not fast:
        stages.append(("types", [str(BIN / "mypy"), *TYPED]))
        stages.append(("known vulnerabilities", [sys.executable, "-m", "infra.packaging.audit"]))
    for name, command in stages:
        status = _stage(name, command)
        if status != 0:
            return status
    pytest = [sys.executable, "-m", "pytest", "-q", "--durations=5"]
    if fast:
        return _stage("tests", [*pytest, *_PARALLEL, *_INNER_LOOP, "tests/unit", "tests/architecture"])
    began = time.monotonic()
    try:
        build.build()
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"== build: {time.monotonic() - began:.0f} s", flush=True)
    # There is one stack, and what it runs is out of the reach of coverage: one after the other, and first.
    status = _stage("tests of the built functions and the deployed stack", [*pytest, "tests/functions", "tests/e2e"])
    if status != 0:
        return status
    # A browser wants the cores for itself: beside the other tests it would wait and not be wrong.
    status = _stage("tests of the pages in a browser", [*pytest, "tests/browser"])
    if status != 0:
        return status
    directories = [f"tests/{name}" for name in ("unit", "architecture", "integration")]
    return _stage("tests", [*pytest, *_PARALLEL, *directories], PYTEST_PLUGINS="infra.local.coverage")


def _stage(name: str, command: list[str], **variables: str) -> int:
    began = time.monotonic()
    tests = name.startswith("tests")
    if tests:
        print(f"== {name}", flush=True)
    environment = os.environ | {"PYTHONPATH": SOURCE_PATH} | variables
    status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    if not tests:
        print(f"== {name}: {time.monotonic() - began:.0f} s{'' if status == 0 else ', failed'}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
