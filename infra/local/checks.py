"""``make test``, ``test-fast`` and ``explore``: each stage with its time, coverage and the last line at the end.

The build goes on beside the types, and the browser, which waits half of its time, beside the tests in process. A few
tests that fail among thousands run once more by themselves: what passes then is unsteady and named at the end; it is a
fault to mend, but not of the change that met it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.local import build
from infra.local.errors import LocalStackError
from infra.local.layout import LOCAL, ROOT, SOURCE_PATH

SOURCES = ("layers/shared", "layers/columnar", "functions", "infra", "migrations", "clients", "tests")
TYPED = (
    *("layers/shared/dataforge", "layers/columnar/versioned_tables", "functions", "infra", "migrations"),
    "clients/python/src/dataforge_client",
)
BIN = ROOT / ".venv" / "bin"
_INNER_LOOP = ("-m", "not build and not slow", "--hypothesis-profile=inner-loop", "-p", "no:schemathesis")
_EXPLORE = ("-m", "hypothesis", "--hypothesis-profile=explore", "tests/unit", "tests/integration")
# Each worker has a PostgreSQL of its own; one that has nothing left takes over what waits for another.
_PARALLEL = ("-n", "auto", "--maxprocesses", "4", "--dist", "worksteal")
# More failures than these are no matter of chance.
_MOST_UNSTEADY = 3
_unsteady: list[str] = []
_PYTEST = (sys.executable, "-m", "pytest", "-q", "--durations=5", "--hypothesis-profile=gate")


def main() -> int:
    """Run the stages in order, stop at the first that fails, and name unsteady tests."""
    status = _stages()
    for test in _unsteady:
        print(f"unsteady: {test} failed, and passed by itself", flush=True)
    return status


def _stages() -> int:
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
    status = _tests("tests of the built functions and the deployed stack", ["tests/functions", "tests/e2e"])
    if status != 0:
        return status
    directories = [f"tests/{name}" for name in ("unit", "architecture", "integration")]
    with ThreadPoolExecutor() as beside:
        pages = beside.submit(_told_at_the_end, "tests of the pages in a browser", ["tests/browser"])
        status = _tests("tests", [*_PARALLEL, *directories], PYTEST_PLUGINS="infra.local.coverage")
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
    status = _status(command, None, **variables)
    print(f"== {name}: {time.monotonic() - began:.0f} s{'' if status == 0 else ', failed'}", flush=True)
    return status


def _tests(name: str, arguments: Sequence[str], output: Path | None = None, **variables: str) -> int:
    """Run tests; a few that fail run once more, one after the other."""
    if output is None:
        print(f"== {name}", flush=True)
    cache = LOCAL / "pytest" / name.replace(" ", "-")
    shutil.rmtree(cache, ignore_errors=True)
    pytest = [*_PYTEST, "-o", f"cache_dir={cache}"]
    status = _status([*pytest, *arguments], output, **variables)
    failed = _failed(cache) if status == 1 else []
    if not 1 <= len(failed) <= _MOST_UNSTEADY:
        return status
    status = _status([*pytest, *failed], output)
    _unsteady.extend(failed if status == 0 else [])
    return status


def _failed(cache: Path) -> list[str]:
    file = cache / "v" / "cache" / "lastfailed"
    return list(json.loads(file.read_text())) if file.exists() else []


def _told_at_the_end(name: str, arguments: Sequence[str]) -> int:
    """Run tests beside others: their output follows in one piece."""
    output = LOCAL / f"{name.replace(' ', '-')}.txt"
    output.unlink(missing_ok=True)
    status = _tests(name, arguments, output)
    print(f"\n== {name}\n{output.read_text(errors='replace')}", flush=True)
    return status


def _status(command: Sequence[str], output: Path | None, **variables: str) -> int:
    # Each worker imports everything: without byte code that is a quarter of the inner loop.
    environment = os.environ | {"PYTHONPATH": SOURCE_PATH, "PYTHONDONTWRITEBYTECODE": ""} | variables
    if output is None:
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    with output.open("ab") as file:
        return subprocess.run(command, cwd=ROOT, env=environment, stdout=file, stderr=file, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
