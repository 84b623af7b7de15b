"""A deployment changes the emulator's state as a whole or not at all, whenever it is killed.

The emulator saves its state, file by file, only when it is stopped. So a deployment begins with a copy of the state
that the last stop saved (hard links: the emulator replaces its files, it never writes into them) and ends with a stop
whose state is complete; until ``deployed.json`` says so, the copy is what counts.

    before/  deployed.json   what is true
    -        -               nothing was ever deployed: the state is worth nothing
    -        yes             the state is that of a complete deployment
    yes      -               a deployment is under way, or was killed: the copy counts
    yes      yes             it was killed before it began or after it ended: the state counts
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from infra.local.files import write_whole
from infra.local.layout import StackDirectory
from infra.packaging.files import link_or_copy


def deployed(stack: StackDirectory) -> str | None:
    """Fingerprint of what is deployed; None when nothing is, or not completely."""
    try:
        return str(json.loads(stack.deployed_file.read_text())["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def under_way(stack: StackDirectory) -> bool:
    """Whether a deployment has begun and not ended."""
    return not stack.deployed_file.exists()


def begin(stack: StackDirectory) -> None:
    """Keep the state as it is now; the emulator must have been started from it and not stopped since."""
    if stack.deployed_file.exists():
        _copy(_state(stack), _before(stack), stack.deployed_file)
        stack.deployed_file.unlink()


def end(stack: StackDirectory, fingerprint: str) -> None:
    """The emulator has saved a complete deployment."""
    write_whole(stack.deployed_file, json.dumps({"fingerprint": fingerprint}))
    shutil.rmtree(_before(stack), ignore_errors=True)


def recover(stack: StackDirectory) -> None:
    """Bring the state back to the last complete deployment; the emulator must not run."""
    before = _before(stack)
    if not stack.deployed_file.exists():
        shutil.rmtree(_state(stack), ignore_errors=True)
        if before.exists():
            _copy(before, _state(stack))
            write_whole(stack.deployed_file, (_state(stack) / stack.deployed_file.name).read_text())
        else:
            shutil.rmtree(stack.emulator / "objects", ignore_errors=True)
    shutil.rmtree(before, ignore_errors=True)


def _state(stack: StackDirectory) -> Path:
    return stack.emulator / "state"


def _before(stack: StackDirectory) -> Path:
    return stack.emulator / "before"


def _copy(source: Path, target: Path, *more: Path) -> None:
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial, copy_function=link_or_copy)
    for file in more:
        link_or_copy(str(file), str(partial / file.name))
    partial.rename(target)
