"""Static files: each address carries the hash of the content, so that browsers may keep a file for ever."""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "static"
PATH = "/ui/static"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


class Asset(NamedTuple):
    """One static file."""

    content: bytes
    digest: str
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Every static file by name."""
    found = {}
    for file in sorted(FOLDER.iterdir()):
        content = file.read_bytes()
        found[file.name] = Asset(content, hashlib.sha256(content).hexdigest()[:16], MEDIA_TYPES[file.suffix])
    return found


def asset_path(name: str) -> str:
    """The path of a static file with its present content; raises KeyError for one there is not."""
    return f"{PATH}/{assets()[name].digest}/{name}"
