"""Turn the dependency lists of pyproject.toml into hashed requirements: ``make lock``.

A layer on top of the shared one lists only what it adds, in the versions that the shared layer was resolved with.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_COMPILE = (
    *("pip", "compile", "-q", "--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-header", "--no-annotate"),
)
_NAME = re.compile(r"^([a-z0-9][a-z0-9._-]*)==", re.IGNORECASE)


def main() -> None:
    """Write every locked file; a changed file is a change to review and commit."""
    shared = ROOT / "layers" / "shared" / "requirements.txt"
    constraint = ("-c", str(shared))
    tested = ROOT / "requirements" / "dev.txt"
    requirements = ROOT / "requirements"
    _compile("-o", str(shared))
    _compile("--all-extras", "--group", "dev", *constraint, "-o", str(tested))
    for group in ("emulator", "sam", "node", "clients", "scale", "bootstrap"):
        _compile("--group", group, "-o", str(requirements / f"{group}.txt"), project=False)
    base = set(blocks(shared.read_text()))
    with tempfile.TemporaryDirectory() as scratch:
        for extra in ("columnar", "git", "iceberg", "migrations", "parsers", "schemas", "sql", "text", "web"):
            everything = Path(scratch) / f"{extra}.txt"
            # The versions that the tests run with.
            _compile("--extra", extra, "-c", str(tested), "-o", str(everything))
            added = {name: block for name, block in blocks(everything.read_text()).items() if name not in base}
            (ROOT / "layers" / extra / "requirements.txt").write_text("".join(added.values()))


def blocks(text: str) -> dict[str, str]:
    """Split a requirements file into its entries, each with its hash lines, by normalised project name."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines(keepends=True):
        match = _NAME.match(line)
        if match:
            name = re.sub(r"[-_.]+", "-", match.group(1)).lower()
        if name:
            found[name] = found.get(name, "") + line
    return found


def pins(text: str) -> set[tuple[str, str]]:
    """Normalised name and version of each entry of a requirements file; two versions where markers choose."""
    found = (re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", line) for line in text.splitlines())
    return {(re.sub(r"[-_.]+", "-", match[1]).lower(), match[2]) for match in found if match}


def _compile(*arguments: str, project: bool = True) -> None:
    uv = shutil.which("uv", path=str(ROOT / ".local" / "tools" / "uv" / "bin")) or shutil.which("uv")
    if uv is None:
        sys.exit("uv is not installed: run 'make setup' first.")
    source = ("pyproject.toml",) if project else ()
    subprocess.run([uv, *_COMPILE, *source, *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
