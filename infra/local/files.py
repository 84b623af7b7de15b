"""Files that are there whole or not at all, whoever is killed while writing them."""

from __future__ import annotations

import shutil
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one step, readable by the owner only."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(path)


def replace_tree(new: Path, place: Path) -> None:
    """Put a finished directory in the place of another; a half-deleted one is never found there."""
    old = place.with_name(f"{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)
