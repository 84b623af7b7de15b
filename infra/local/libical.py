"""libical, the calendar library of many mail programs, for the tests: the system's, or out of Debian's packages.

No package of PyPI or npm carries it. What apt brings is verified with the system's own keys, in directories of ours:
nothing is installed, and nobody has to be root.
"""

from __future__ import annotations

import ctypes.util
import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.local.files import replace_tree
from infra.local.layout import TOOLS

PLACE = TOOLS / "libical"
_NAMES = ("libical3", "libical3t64")  # the second in releases whose times have 64 bits everywhere
_LIBRARY = "libical.so.3"


def libical(place: Path = PLACE) -> str:
    """The library as a program loads it, brought in first if it is not there; raises LocalStackError."""
    if system := ctypes.util.find_library("ical"):
        return system
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _found(place):
            _bring_in(place)
    return str(_found(place)[0])


def library_path(library: str) -> dict[str, str]:
    """The environment of a program that loads it: with what came along, where it is not the system's."""
    directory = Path(library).parent
    return {} if directory == Path() else {"LD_LIBRARY_PATH": str(directory)}


def _found(place: Path) -> list[Path]:
    return sorted(place.glob(f"usr/lib/*/{_LIBRARY}"))


def _bring_in(place: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        message = "The tests of calendars need libical 3, and this system has neither it nor Debian's packages."
        raise LocalStackError(message, "Install libical (brew install libical, dnf install libical) and run again.")
    partial = place.with_name(f"{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    work = partial / "apt"
    (work / "state" / "lists" / "partial").mkdir(parents=True)
    (work / "cache" / "archives" / "partial").mkdir(parents=True)
    try:
        _apt(work, "update")
        library = _downloaded(work, *_NAMES)
        # Its own name says with which release of ICU it was built.
        needed = re.findall(r"libicu\d+(?:t64)?", _run(["dpkg-deb", "-f", str(library), "Depends"], work))
        for package in (library, *(_downloaded(work, name) for name in needed)):
            _run(["dpkg-deb", "-x", str(package), str(partial)], work)
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout or "no output").strip().splitlines()
        message = f"libical could not be downloaded: {lines[-1]}"
        raise LocalStackError(message, "Check that Debian's packages are reachable, or install libical.") from error
    shutil.rmtree(work)
    if not _found(partial):
        message = f"Debian's package of libical has no {_LIBRARY}."
        raise LocalStackError(message, "Install libical 3 and run again.")
    replace_tree(partial, place)


def _downloaded(work: Path, *names: str) -> Path:
    """The first of the packages that there is."""
    for name in names[:-1]:
        try:
            _apt(work, "download", name)
        except subprocess.CalledProcessError:
            continue
        return next(work.glob(f"{name}_*.deb"))
    _apt(work, "download", names[-1])
    return next(work.glob(f"{names[-1]}_*.deb"))


def _apt(work: Path, *command: str) -> None:
    options = {
        "Dir::State": str(work / "state"),
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": str(work / "cache"),
        "APT::Sandbox::User": "",  # the directory is ours alone
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    _run(["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items()), *command], work)


def _run(command: list[str], directory: Path) -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=True)
    return done.stdout
