"""Build one layer into the directory SAM names: ``python layer.py shared <artifacts>``; the layers' Makefiles call it.

Uses the standard library only, because SAM runs it with whatever Python it finds. What to build for comes from the
environment:

    DATAFORGE_TARGET_PYTHON    minor version, for example 3.13 (default: what the template deploys by default)
    DATAFORGE_TARGET_PLATFORM  a uv platform, for example aarch64-manylinux_2_28, or ``host`` for this machine
"""

from __future__ import annotations

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_PYTHON = "3.13"
DEFAULT_PLATFORM = "aarch64-manylinux_2_28"
HOST = "host"

# Service models that botocore must be able to load; all others (several hundred) are left out.
BOTOCORE_SERVICES = frozenset(
    {"cloudwatch", "lambda", "s3", "scheduler", "secretsmanager", "ses", "sesv2", "sqs", "sso-oidc", "sts"}
)
_WORTH_STRIPPING = 300_000
# What clevercsv's wheel puts beside its package by mistake.
_STRAY_DIRECTORIES = ("auxiliary", "docs", "man", "notes", "src", "stubs")
# Directories that only serve the tests or the compilation of other packages.
UNUSED_DIRECTORIES = (
    *("**/tests", "bin", "include", "pyarrow/include", "pyarrow/src", "numpy/_core/include", "numpy/f2py"),
    *_STRAY_DIRECTORIES,
)
UNUSED_FILES = (
    *("**/*.c", "**/*.cpp", "**/*.h", "**/*.hpp", "**/*.pxd", "**/*.pxi", "**/*.pyx", "**/*.a", "**/*.pyi"),
    # Two of the three copies of one library; the loader asks for the one with the short version.
    *("pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.*.*.*"),
    # S3 is read with boto3, whose credentials and retries are ours.
    *("pyarrow/libarrow_s3*", "pyarrow/_s3fs*", "pyarrow/_pyarrow_cpp_tests*"),
    # Arrow Flight is a network protocol nobody here speaks. Substrait stays: pyarrow.dataset links against it.
    *("pyarrow/libarrow_flight*", "pyarrow/_flight*", "pyarrow/libarrow_python_flight*", "pyarrow/flight.py"),
    ".lock",
)


def main() -> None:
    """Build the layer named on the command line."""
    layer, artifacts = sys.argv[1], Path(sys.argv[2])
    target = artifacts / "python"
    shutil.rmtree(target, ignore_errors=True)
    install(ROOT / "layers" / layer / "requirements.txt", target)
    strip(target)
    strip_debug_information(target)
    if layer == "shared":
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(ROOT / "layers" / "shared" / "dataforge", target / "dataforge", ignore=ignored)
        shutil.copytree(ROOT / "migrations", target / "dataforge_migrations", ignore=ignored)
    precompile(target)


def install(requirements: Path, target: Path) -> None:
    """Install hashed requirements for the target's Python and platform."""
    platform = os.environ.get("DATAFORGE_TARGET_PLATFORM", DEFAULT_PLATFORM)
    uv = shutil.which("uv", path=str(ROOT / ".local" / "tools" / "uv" / "bin")) or shutil.which("uv")
    if uv is None:
        sys.exit("uv is not installed: run 'make setup' first.")
    command = [uv, "pip", "install", "-q", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += ["--no-compile-bytecode", "--target", str(target), "-r", str(requirements)]
    if platform == HOST:
        command += ["--python", sys.executable]
    else:
        command += ["--python-version", _target_python(), "--python-platform", platform]
    subprocess.run(command, check=True)


def strip(target: Path) -> None:
    """Take out what no function needs at run time; licences and package metadata stay."""
    for pattern in UNUSED_DIRECTORIES:
        for directory in list(target.glob(pattern)):
            shutil.rmtree(directory, ignore_errors=True)
    for pattern in UNUSED_FILES:
        for file in list(target.glob(pattern)):
            file.unlink()
    models = target / "botocore" / "data"
    if models.is_dir():
        for entry in models.iterdir():
            if entry.is_dir() and entry.name not in BOTOCORE_SERVICES:
                shutil.rmtree(entry)


def strip_debug_information(target: Path) -> None:
    """Drop the debug sections of extension modules, 14 MB over all layers, where a tool for the target is at hand.

    Vendored libraries (``*.libs``) are left alone: their headers were rewritten by the wheel's repair tool.
    """
    if os.environ.get("DATAFORGE_TARGET_PLATFORM", DEFAULT_PLATFORM) == HOST:
        tools = ["strip"] if sys.platform == "linux" else []
    else:
        tools = ["aarch64-linux-gnu-strip", "llvm-strip"]
    tool = next((path for name in tools if (path := shutil.which(name))), None)
    if tool is None:
        return
    for module in target.rglob("*.so"):
        if module.stat().st_size < _WORTH_STRIPPING or any(part.endswith(".libs") for part in module.parts):
            continue
        # Into a new file: the old one may be a hard link into uv's cache.
        stripped = module.with_suffix(".stripped")
        if subprocess.run([tool, "--strip-debug", "-o", str(stripped), str(module)], check=False).returncode == 0:
            stripped.replace(module)
        else:
            stripped.unlink(missing_ok=True)


def precompile(target: Path) -> None:
    """Store byte code that is never checked against its source: /opt is read-only and its time stamps mean nothing."""
    if _target_python() != f"{sys.version_info.major}.{sys.version_info.minor}":
        return  # byte code of another minor version would be dead weight
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(target, quiet=1, workers=0, invalidation_mode=mode, stripdir=str(target)):
        sys.exit(f"A file below {target} does not compile.")


def _target_python() -> str:
    return os.environ.get("DATAFORGE_TARGET_PYTHON", DEFAULT_PYTHON)


if __name__ == "__main__":
    main()
