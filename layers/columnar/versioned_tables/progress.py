"""How far an import or export is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import or export is: its stage, rows and bytes done, bytes in all when known."""

    stage: str
    rows: int
    bytes_done: int
    bytes_total: int | None = None


ProgressCallback = Callable[[Progress], None]


def no_progress(progress: Progress) -> None:
    """Tell nobody. A callback may raise to cancel; nothing is committed then."""
    del progress
