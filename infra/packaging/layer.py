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
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_PYTHON = "3.13"
DEFAULT_PLATFORM = "aarch64-manylinux_2_28"
HOST = "host"

# Service models that botocore must be able to load; all others (several hundred) are left out.
BOTOCORE_SERVICES = frozenset(
    {
        "bedrock-runtime",
        "cloudwatch",
        "lambda",
        "s3",
        "scheduler",
        "secretsmanager",
        "ses",
        "sesv2",
        "sqs",
        "sso-oidc",
        "sts",
    }
)
# Our own code by layer: where it stands, and what it is called in the package.
OUR_PACKAGES = {
    "shared": {"layers/shared/dataforge": "dataforge"},
    "migrations": {"migrations": "dataforge_migrations"},
    "columnar": {"layers/columnar/versioned_tables": "versioned_tables"},
}
_UNUSED_UTILITIES = (
    *("auth_alpha", "batch", "circuit_breaker", "data_classes", "data_masking", "feature_flags", "idempotency"),
    *("kafka", "parameters", "parser", "streaming", "validation"),
)
# Directories that only serve the tests or the compilation of other packages, or a feature nobody here uses.
UNUSED_DIRECTORIES = (
    *("**/tests", "bin", "include", "pyarrow/include", "pyarrow/src", "pyarrow/includes", "numpy/_core/include"),
    *("numpy/f2py", "numpy/random", "numpy/testing", "numpy/polynomial"),
    # Other databases than PostgreSQL.
    *("sqlalchemy/testing", "sqlalchemy/dialects/mysql", "sqlalchemy/dialects/oracle", "sqlalchemy/dialects/mssql"),
    # All but the logger.
    "aws_lambda_powertools/event_handler",
    *(f"aws_lambda_powertools/utilities/{name}" for name in _UNUSED_UTILITIES),
    *("alembic/testing", "boto3/examples", "duckdb/experimental", "_duckdb-stubs"),
    # What clevercsv's wheel puts beside its package by mistake.
    *("auxiliary", "docs", "man", "notes", "src", "stubs"),
)
# Locale data of babel that mails need; all others are 30 MB.
LANGUAGES = frozenset({"en", "de", "es", "fr", "root"})
UNUSED_FILES = (
    *("**/*.c", "**/*.cpp", "**/*.h", "**/*.hpp", "**/*.pxd", "**/*.pxi", "**/*.pyx", "**/*.a", "**/*.pyi"),
    # Two of the three copies of one library; the loader asks for the one with the short version.
    *("pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.*.*.*"),
    *("pyarrow/libarrow_python_parquet_encryption.so", "pyarrow/libarrow_python_parquet_encryption.so.*.*.*"),
    # Arrow's own network and file systems, formats nobody here reads, and its query engine. The libraries of the
    # latter (acero, dataset, substrait) stay: all others are linked against them.
    *("pyarrow/libarrow_s3*", "pyarrow/_s3fs*", "pyarrow/_gcsfs*", "pyarrow/_azurefs*", "pyarrow/_hdfs*"),
    *("pyarrow/libarrow_flight*", "pyarrow/_flight*", "pyarrow/libarrow_python_flight*", "pyarrow/flight.py"),
    *("pyarrow/_orc*", "pyarrow/_feather*", "pyarrow/_dataset*", "pyarrow/_acero*", "pyarrow/_substrait*"),
    "pyarrow/_pyarrow_cpp_tests*",
    *("numpy/_core/_simd.*.so", "numpy/_core/*_tests.*.so"),
    ".lock",
)
_ELF_64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"


def main() -> None:
    """Build the layer named on the command line."""
    layer, artifacts = sys.argv[1], Path(sys.argv[2])
    target = artifacts / "python"
    shutil.rmtree(target, ignore_errors=True)
    install(ROOT / "layers" / layer / "requirements.txt", target)
    strip(target)
    strip_symbols(target)
    for source, package in OUR_PACKAGES.get(layer, {}).items():
        shutil.copytree(ROOT / source, target / package, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.md"))
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

    for entry in (target / "babel" / "locale-data").glob("*.dat"):
        if entry.stem.partition("_")[0] not in LANGUAGES:
            entry.unlink()


def strip_symbols(target: Path) -> None:
    """Cut shared libraries after the last byte that the loader maps: symbol tables and debug sections lie behind it.

    Saves 24 MB over all layers. `strip` would do the same, but is rarely at hand for another machine's architecture.
    """
    for library in target.rglob("*.so*"):
        image = library.read_bytes()
        end = _mapped_end(image)
        if end is None or end >= len(image):
            continue
        header = bytearray(image[:end])
        header[40:48] = bytes(8)  # e_shoff: the section headers went as well; only linkers and debuggers read them
        header[58:64] = bytes(6)  # e_shentsize, e_shnum, e_shstrndx
        # A new file in its place: the old one may be a hard link into uv's cache.
        stripped = library.with_name(library.name + ".stripped")
        stripped.write_bytes(header)
        shutil.copymode(library, stripped)
        stripped.replace(library)


def _mapped_end(image: bytes) -> int | None:
    """Where the last segment of a 64-bit little-endian ELF file ends; None for any other file."""
    if not image.startswith(_ELF_64_LITTLE_ENDIAN):
        return None
    (table,) = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    end = int(table + size * count)
    for start in range(table, table + size * count, size):
        (offset,) = struct.unpack_from("<Q", image, start + 8)
        (length,) = struct.unpack_from("<Q", image, start + 32)
        end = max(end, offset + length)
    return end


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
