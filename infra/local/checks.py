"""``make test`` and ``make test-fast``: each stage with its time, pytest's closing line and the coverage at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from infra.local import build
from infra.local.errors import LocalStackError
from infra.local.layout import ROOT

SOURCES = ("layers/shared", "functions", "infra", "migrations", "tests")
TYPED = ("layers/shared/dataforge", "functions", "infra", "migrations")
BIN = ROOT / ".venv" / "bin"


def main() -> int:
    """Run the stages in order; stops at the first that fails."""
    fast = "--fast" in sys.argv[1:]
    stages = [
        ("lint", [str(BIN / "ruff"), "check", "-q", *SOURCES]),
        ("format", [str(BIN / "ruff"), "format", "-q", "--check", *SOURCES]),
    ]
    if not fast:
        stages.append(("types", [str(BIN / "mypy"), *TYPED]))
    for name, command in stages:
        status = _stage(name, command)
        if status != 0:
            return status
    options = ["-q", "--durations=5"]
    if fast:
        fast_ones = ["-n", "auto", "-m", "not build", "tests/unit", "tests/architecture"]
        return _stage("tests", [sys.executable, "-m", "pytest", *options, *fast_ones])
    began = time.monotonic()
    try:
        build.build()
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"== build: {time.monotonic() - began:.0f} s", flush=True)
    directories = [f"tests/{name}" for name in ("unit", "architecture", "integration", "functions", "e2e")]
    return _stage("tests", [sys.executable, "-m", "infra.local.coverage", *options, *directories])


def _stage(name: str, command: list[str]) -> int:
    began = time.monotonic()
    last = name == "tests"
    if last:
        print("== tests", flush=True)
    environment = os.environ | {"PYTHONPATH": "layers/shared"}
    status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    if not last:
        print(f"== {name}: {time.monotonic() - began:.0f} s{'' if status == 0 else ', failed'}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
