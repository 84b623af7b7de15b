"""Progress of transfers and jobs: a bar where somebody looks on, silence elsewhere, or a function of one's own."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Report: TypeAlias = Callable[[str, int, int | None], None]
"""Called with the stage ("uploading", "downloading"), how much is done, and of how much if that is known."""

Progress: TypeAlias = Report | bool | None
"""None shows a bar in a terminal or a notebook with ipywidgets, if `rich` is installed; True always, False never."""


def _silent(_stage: str, _done: int, _total: int | None) -> None:
    return None


def _somebody_looks() -> bool:
    if "ipykernel" in sys.modules:
        # Without widgets a bar in a notebook is a warning.
        return importlib.util.find_spec("ipywidgets") is not None
    return sys.stderr.isatty()


@contextmanager
def shown(progress: Progress) -> Iterator[Report]:
    """What to call with progress while the block runs."""
    if callable(progress):
        yield progress
        return
    if progress is False or (progress is None and not _somebody_looks()):
        yield _silent
        return
    try:
        from rich import console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars
    except ImportError:
        yield _silent
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Bars(*columns, TimeRemainingColumn(), console=console.Console(stderr=True), transient=True) as bars:
        tasks: dict[str, int] = {}

        def report(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]  # rich's TaskID is an int

        yield report
