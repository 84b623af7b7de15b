"""Child processes that survive our Ctrl-C until we stop them, and that a later run can find again.

A record tells which process is a stack's server. What a killed launcher had no time to write down, and the children of
servers that were killed, are found by the variable that all of them inherit.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from infra.local.errors import LocalStackError
from infra.local.files import write_whole

OWNER = "DATAFORGE_OWNER"
"""Names the directory that a process and its children belong to."""
# Our own children, to be reaped when they end; servers of earlier runs are known by their record only.
_SPAWNED: dict[int, subprocess.Popen[bytes]] = {}


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The few variables a child needs; nothing of the caller's Python, proxies or AWS configuration gets through."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "USER", "SSL_CERT_FILE", "UV_CACHE_DIR", "XDG_CACHE_HOME")
    return {name: os.environ[name] for name in kept if name in os.environ} | dict(extra)


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    record: Path,
    owner: Path,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, with its output in ``log``, and write down who it is in ``record``."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**environment, OWNER: str(owner.resolve())},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=cwd or log.parent,
        )
    _SPAWNED[process.pid] = process
    write_whole(record, json.dumps({"pid": process.pid, "created": psutil.Process(process.pid).create_time()}))
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
        _signal(process, psutil.Process.terminate)
        kill(wait_gone([process], patience_seconds))
        kill(wait_gone(children, 5))
        child_of_ours = _SPAWNED.pop(process.pid, None)
        if child_of_ours is not None:
            child_of_ours.wait()
    record.unlink(missing_ok=True)


def left_over(owner: Path) -> list[psutil.Process]:
    """Processes that belong to a directory, without this one; ours by what they inherited, never by name or number."""
    marker = str(owner.resolve())
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _owner(process) == marker]


def _owner(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(OWNER)
    except (psutil.Error, OSError):
        return None  # gone, or somebody else's


def end_left_over(owner: Path, *, patience_seconds: float = 60, save: bool = True) -> None:
    """End what a killed run left behind: asked first, so that an emulator saves its state, unless ``save`` is False."""
    found = left_over(owner)
    if save:
        known = {process.pid for process in found}
        asked = [process for process in found if _parent(process) not in known]
        for process in asked:
            _signal(process, psutil.Process.terminate)
        wait_gone(asked, patience_seconds)
    kill(left_over(owner))


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.Error:
        return None


def kill(processes: Iterable[psutil.Process]) -> None:
    """End processes by force and wait until they are gone."""
    killed = list(processes)
    for process in killed:
        _signal(process, psutil.Process.kill)
    wait_gone(killed, 10)


def _signal(process: psutil.Process, send: Callable[[psutil.Process], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        send(process)


def wait_gone(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for the end of processes, children or not; returns who is still there. A zombie is gone."""
    waiting, deadline = list(processes), time.monotonic() + seconds
    while True:
        waiting = [process for process in waiting if _lives(process)]
        if not waiting or time.monotonic() > deadline:
            _reap()
            return waiting
        time.sleep(0.02)


def _reap() -> None:
    for pid, child in list(_SPAWNED.items()):
        if child.poll() is not None:
            _SPAWNED.pop(pid, None)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


def tool_record(log: Path) -> Path:
    """Where `run_tool` writes down who it runs."""
    return log.with_suffix(".process.json")


def run_tool(
    command: Sequence[str], *, environment: Mapping[str, str], log: Path, what: str, cwd: Path, owner: Path
) -> None:
    """Run a tool to its end with its output in ``log``; its last words become the one-line cause when it fails.

    The same tool left over from a run that was killed is stopped first, and this one when we are interrupted.
    """
    record = tool_record(log)
    stop(record, patience_seconds=5)
    log.unlink(missing_ok=True)
    try:
        status = spawn(command, environment=environment, log=log, record=record, owner=owner, cwd=cwd).wait()
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
