"""Virtual environments from the locked requirements: ``python3 -m infra.local.environments dev emulator sam node``.

Runs before anything is installed, so it uses the standard library only and no syntax newer than the oldest Python it
must be able to turn away politely.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".local" / "tools"
OLDEST = (3, 11)
TOO_NEW = (3, 14)
_NEEDED_BYTES = 3 * 1024**3
ENVIRONMENTS = {
    "uv": (TOOLS / "uv", ROOT / "requirements" / "bootstrap.txt"),
    "dev": (ROOT / ".venv", ROOT / "requirements" / "dev.txt"),
    "emulator": (TOOLS / "emulator", ROOT / "requirements" / "emulator.txt"),
    "sam": (TOOLS / "sam", ROOT / "requirements" / "sam.txt"),
    "node": (TOOLS / "node", ROOT / "requirements" / "node.txt"),
    "clients": (TOOLS / "clients", ROOT / "requirements" / "clients.txt"),
    "scale": (TOOLS / "scale", ROOT / "requirements" / "scale.txt"),
}


def main() -> int:
    """Bring the named environments up to date; returns the exit status."""
    if not OLDEST <= sys.version_info < TOO_NEW:
        return _fail(
            "Python {}.{} does not fit: DataForge needs 3.11, 3.12 or 3.13.".format(*sys.version_info[:2]),
            "Run 'make PYTHON=/path/to/python3.11 …'.",
        )
    wanted = ("uv", *sys.argv[1:])
    if all(_is_current(name) for name in wanted):
        return 0
    try:
        with _installation_lock():
            return _bring_up_to_date(*(name for name in wanted if not _is_current(name)))
    except OSError as error:
        return _fail(f"Setting up failed: {error}", "Check the disk and its permissions and run again.")


def _bring_up_to_date(*names: str) -> int:
    free = shutil.disk_usage(ROOT).free
    if free < _NEEDED_BYTES:
        cause = f"Only {free / 1024**3:.1f} GB are free on the disk of {ROOT}; setting up takes 3 GB."
        return _fail(cause, "Free some space and run the same command again.")
    try:
        for name in names:
            started = time.monotonic()
            print(f"  installing {name} …", end=" ", flush=True)
            _install(name)
            print(f"{time.monotonic() - started:.0f} s", flush=True)
    except subprocess.CalledProcessError as error:
        print("failed")
        output = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        reason = next((line for line in reversed(output) if "rror" in line), output[-1] if output else "no output")
        if "No space left" in "".join(output):
            return _fail(f"There is no space left on the disk of {ROOT}.", "Free 3 GB and run the same command again.")
        return _fail(
            f"Installing '{name}' failed: {reason.strip()}",
            "Check that the package index is reachable (see 'pip config list') and run the same command again.",
        )
    except OSError as error:
        print("failed")
        return _fail(f"Installing '{name}' failed: {error}", "Check the disk and its permissions and run again.")
    return 0


def _installation_lock() -> TextIO:
    """The file whose lock one installation holds; installers inherit it: those of a killed run are waited for."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    lock = (TOOLS / "install.lock").open("w")
    os.set_inheritable(lock.fileno(), True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("  waiting for another installation …", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _fail(cause: str, way_out: str) -> int:
    print(f"error: {cause} {way_out}", file=sys.stderr)
    return 1


def _stamp(name: str) -> str:
    requirements = ENVIRONMENTS[name][1].read_bytes()
    # A checkout that was moved has environments whose scripts point to the old place.
    return hashlib.sha256(requirements + sys.version.encode() + str(ROOT).encode()).hexdigest()


def _is_current(name: str) -> bool:
    directory = ENVIRONMENTS[name][0]
    try:
        return (directory / "bin" / "python").exists() and (directory / ".stamp").read_text() == _stamp(name)
    except OSError:
        return False


def _install(name: str) -> None:
    directory, requirements = ENVIRONMENTS[name]
    (directory / ".stamp").unlink(missing_ok=True)
    python = str(directory / "bin" / "python")
    if name == "uv":
        _run(sys.executable, "-m", "venv", "--clear", str(directory))
        _run(python, "-m", "pip", "install", "-q", "--require-hashes", "-r", str(requirements))
    else:
        uv = str(TOOLS / "uv" / "bin" / "uv")
        _run(uv, "venv", "-q", "--clear", "--python", sys.executable, str(directory))
        try:
            _run(uv, "pip", "install", "-q", "--python", python, "--require-hashes", "-r", str(requirements))
        except subprocess.CalledProcessError:
            # An index that only pip is configured for (pip.conf, PIP_* variables).
            pip = str(TOOLS / "uv" / "bin" / "pip")
            _run(pip, "--python", python, "install", "-q", "--require-hashes", "-r", str(requirements))
    (directory / ".stamp").write_text(_stamp(name))


def _run(*command: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    output = subprocess.PIPE
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=output, env=environment, close_fds=False)


if __name__ == "__main__":
    sys.exit(main())
