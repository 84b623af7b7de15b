"""Child processes that survive our Ctrl-C until we stop them, and that a later run can find again."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from infra.local.errors import LocalStackError

# Our own children, to be reaped when they end; servers of earlier runs are known by their record only.
_SPAWNED: dict[int, subprocess.Popen[bytes]] = {}


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The few variables a child needs; nothing of the caller's Python, proxies or AWS configuration gets through."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "USER", "SSL_CERT_FILE", "UV_CACHE_DIR", "XDG_CACHE_HOME")
    return {name: os.environ[name] for name in kept if name in os.environ} | dict(extra)


def spawn(
    command: Sequence[str], *, environment: Mapping[str, str], log: Path, record: Path, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, with its output in ``log``, and write down who it is in ``record``."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=cwd or log.parent,
        )
    _SPAWNED[process.pid] = process
    record.write_text(json.dumps({"pid": process.pid, "created": psutil.Process(process.pid).create_time()}))
    return process


def recorded(record: Path) -> psutil.Process | None:
    """The process written down in ``record``, if it is still that process."""
    try:
        facts = json.loads(record.read_text())
        process = psutil.Process(facts["pid"])
        alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        return process if alive and abs(process.create_time() - facts["created"]) < 1 else None
    except (OSError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
        return None


def stop(record: Path, *, patience_seconds: float = 60) -> None:
    """Ask the recorded process to save its state and end; end it and its children by force when it does not."""
    process = recorded(record)
    if process is not None:
        children = process.children(recursive=True)
        process.terminate()
        try:
            process.wait(patience_seconds)
        except psutil.TimeoutExpired:
            process.kill()
        for child in psutil.wait_procs(children, timeout=5)[1]:
            child.kill()
        child_of_ours = _SPAWNED.pop(process.pid, None)
        if child_of_ours is not None:
            child_of_ours.wait()
    record.unlink(missing_ok=True)


def tool_record(log: Path) -> Path:
    """Where `run_tool` writes down who it runs."""
    return log.with_suffix(".process.json")


def run_tool(command: Sequence[str], *, environment: Mapping[str, str], log: Path, what: str, cwd: Path) -> None:
    """Run a tool to its end with its output in ``log``; its last words become the one-line cause when it fails.

    The same tool left over from a run that was killed is stopped first, and this one when we are interrupted.
    """
    record = tool_record(log)
    stop(record, patience_seconds=5)
    log.unlink(missing_ok=True)
    try:
        status = spawn(command, environment=environment, log=log, record=record, cwd=cwd).wait()
    finally:
        stop(record, patience_seconds=5)
    if status == 0:
        return
    text = log.read_text(errors="replace")
    if "No space left on device" in text:
        raise LocalStackError(f"There is no space left for {what}.", f"Free some space beneath {cwd} and run again.")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("make:")]
    telling = [line for line in lines if "rror" in line] or lines or ["no output"]
    raise LocalStackError(f"{what} failed: {telling[-1][:500]}", f"Details: {log}")
