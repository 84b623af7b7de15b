"""Trees of files: how large they are, and copies that share their content."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def tree_size(directory: Path, *, byte_code: bool = True) -> int:
    """Bytes of all files beneath a directory."""
    files = (file for file in directory.rglob("*") if file.is_file())
    return sum(file.stat().st_size for file in files if byte_code or file.suffix != ".pyc")


def link_or_copy(source: str, target: str) -> None:
    """A copy function for `shutil.copytree` that makes hard links where the file system has them."""
    Path(target).unlink(missing_ok=True)  # never write through a link that is there already
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        shutil.copy2(source, target)
