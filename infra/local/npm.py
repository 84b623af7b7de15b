"""Packages of npm that tests need, locked by hash in a `package-lock.json`; Node and npm come from their wheel."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from infra.local.environments import ENVIRONMENTS
from infra.local.errors import LocalStackError
from infra.local.files import replace_tree
from infra.local.layout import ROOT, TOOLS

XAPI_CLIENTS = ROOT / "tests" / "functions" / "xapi_clients"
CALENDAR_READERS = ROOT / "tests" / "functions" / "calendar_readers"
DIAGRAM_READERS = ROOT / "tests" / "functions" / "diagram_readers"
GENERATORS = ROOT / "tests" / "functions" / "generators"


def npm_packages(
    locked: Path, place: Path, *options: str, finish: Callable[[Path], None] = lambda _place: None
) -> Path:
    """The place with what a directory locks, brought in first if it is not there; raises LocalStackError.

    `finish` is given the new place before it counts.
    """
    wanted = hashlib.sha256((locked / "package-lock.json").read_bytes()).hexdigest()
    stamp = place / ".stamp"
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == wanted):
            partial = place.with_name(f"{place.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(locked / name, partial / name)
            quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
            run_node("npm", "ci", *quiet, *options, cwd=partial)
            finish(partial)
            replace_tree(partial, place)
            stamp.write_text(wanted)
    return place


def xapi_clients() -> Path:
    """The client libraries of xAPI that the tests let send; raises LocalStackError."""
    return npm_packages(XAPI_CLIENTS, TOOLS / "xapi-clients")


def calendar_readers() -> Path:
    """The readers of iCalendar objects that the tests let read ours; raises LocalStackError."""
    return npm_packages(CALENDAR_READERS, TOOLS / "calendar-readers")


def diagram_readers() -> Path:
    """Mermaid's and DBML's own parsers, which the tests let read our diagrams; raises LocalStackError."""
    return npm_packages(DIAGRAM_READERS, TOOLS / "diagram-readers")


def generators() -> Path:
    """What makes clients of our OpenAPI document, and a linter of it; raises LocalStackError."""
    return npm_packages(GENERATORS, TOOLS / "generators")


def run_node(tool: str, *arguments: str, cwd: Path, **variables: str) -> str:
    """What `node` or `npm` prints; raises LocalStackError when it fails, or is not installed."""
    tools = ENVIRONMENTS["node"][0] / "bin"
    if not (tools / tool).exists():
        message = "Node is not installed."
        raise LocalStackError(message, "Run 'make setup-browser'.")
    path = os.pathsep.join([str(tools), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, **variables}
    done = subprocess.run(
        [str(tools / tool), *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = next((line for line in done.stderr.splitlines() if "rror" in line), done.stderr[-300:])
        message = f"'{tool} {arguments[0]}' failed: {reason.strip()}"
        raise LocalStackError(
            message, "Check that the npm registry is reachable (see 'npm config list') and run again."
        )
    return done.stdout
