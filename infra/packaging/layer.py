"""Build one layer into the directory SAM names: ``python layer.py shared <artifacts>``; the layers' Makefiles call it.

Uses the standard library only, because SAM runs it with whatever Python it finds. What to build for comes from the
environment:

    DATAFORGE_TARGET_PYTHON    minor version, for example 3.13 (default: what the template deploys by default)
    DATAFORGE_TARGET_PLATFORM  a uv platform, for example aarch64-manylinux_2_28, or ``host`` for this machine
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # this is run as a file

from infra.packaging.elf import SharedLibrary  # noqa: E402 - after the line that makes it importable

DEFAULT_PYTHON = "3.13"
DEFAULT_PLATFORM = "aarch64-manylinux_2_28"
HOST = "host"

# Service models that botocore must be able to load; all others (several hundred) are left out.
BOTOCORE_SERVICES = frozenset(
    {
        "athena",
        "bedrock-runtime",
        "cloudwatch",
        "glue",
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
    *("numpy/f2py", "numpy/random", "numpy/testing", "numpy/polynomial", "numpy/fft", "numpy/ctypeslib"),
    *("numpy/doc", "numpy/_pyinstaller", "pyarrow/interchange"),
    # Other databases than PostgreSQL.
    *("sqlalchemy/testing", "sqlalchemy/dialects/mysql", "sqlalchemy/dialects/oracle", "sqlalchemy/dialects/mssql"),
    *("sqlalchemy/dialects/sqlite", "sqlalchemy/ext/declarative", "sqlalchemy/ext/mypy"),
    # What extension modules were made with; they need `_cffi_backend` alone.
    *("cffi", "pycparser"),
    # boto3's resources, of which only the clients are used, and urllib3 in a browser.
    *("boto3/data", "boto3/dynamodb", "boto3/ec2", "urllib3/contrib/emscripten", "pydantic/experimental"),
    # All but the logger.
    *("aws_lambda_powertools/event_handler", "aws_lambda_powertools/metrics/provider/datadog"),
    *(f"aws_lambda_powertools/utilities/{name}" for name in _UNUSED_UTILITIES),
    *("alembic/testing", "boto3/examples", "duckdb/experimental", "_duckdb-stubs"),
    # Of what Iceberg tables need nothing but Parquet files, S3 and two catalogs: the command line and all others.
    *("hive_metastore", "fb303", "pyiceberg/cli", "pyiceberg/catalog/rest", "pyiceberg/io/geospatial"),
    *("rich", "pygments", "click", "fsspec"),
    # What clevercsv's wheel puts beside its package by mistake.
    *("auxiliary", "docs", "man", "notes", "src", "stubs"),
)
# Locale data of babel that mails need; all others are 30 MB.
LANGUAGES = frozenset({"en", "de", "es", "fr", "root"})
UNUSED_FILES = (
    *("**/*.c", "**/*.cpp", "**/*.h", "**/*.hpp", "**/*.pxd", "**/*.pxi", "**/*.pyx", "**/*.a", "**/*.pyi"),
    # Two of the three copies of one library; the loader asks for the one with the short version.
    *("pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.*.*.*"),
    # Arrow's own network and file systems, formats nobody here reads, encryption, and its query engine.
    *("pyarrow/libarrow_s3*", "pyarrow/_s3fs*", "pyarrow/_gcsfs*", "pyarrow/_azurefs*", "pyarrow/_hdfs*"),
    *("pyarrow/libarrow_flight*", "pyarrow/_flight*", "pyarrow/libarrow_python_flight*", "pyarrow/flight.py"),
    *("pyarrow/_orc*", "pyarrow/_feather*", "pyarrow/_dataset*", "pyarrow/_acero*", "pyarrow/_substrait*"),
    *("pyarrow/libarrow_python_parquet_encryption*", "pyarrow/_parquet_encryption*", "pyarrow/_pyarrow_cpp_tests*"),
    *(f"pyarrow/{name}.py" for name in ("acero", "benchmark", "conftest", "cuda", "dataset", "feather", "jvm", "orc")),
    *("numpy/_core/_simd.*.so", "numpy/_core/*_tests.*.so"),
    # Plug-ins for type checkers and test runners, and the loops of other libraries for asynchronous programs.
    *("pydantic/mypy.py", "pydantic/v1/mypy.py", "pydantic/v1/_hypothesis_plugin.py", "numpy/typing/mypy_plugin.py"),
    *("anyio/pytest_plugin.py", "anyio/_backends/_trio.py", "sqlalchemy/connectors/*odbc.py"),
    # Of what extends the mapping of objects, which nobody here uses.
    *(f"sqlalchemy/ext/{name}.py" for name in ("associationproxy", "automap", "baked", "horizontal_shard", "hybrid")),
    *(
        f"sqlalchemy/ext/{name}.py"
        for name in ("indexable", "instrumentation", "mutable", "orderinglist", "serializer")
    ),
    *("starlette/testclient.py", "numpy/conftest.py", "numpy/matlib.py", "numpy/lib/recfunctions.py"),
    # Ways to the same that need a library which is not here.
    *("psycopg/pq/*_ctypes.py", "s3transfer/crt.py", "s3transfer/processpool.py", "urllib3/contrib/pyopenssl.py"),
    *("botocore/stub.py", "annotated_types/test_cases.py", "numpy/ma/mrecords.py", "numpy/ma/testutils.py"),
    # What says which files a package has, most of which are gone; the packages' licences and metadata stay.
    "*.dist-info/RECORD",
    # Time zones are those of tzdata.
    "dateutil/zoneinfo/*.tar.gz",
    ".lock",
)
# Arrow's query engine: its own libraries are linked against it and call nothing of it, which a test looks at.
UNCALLED_LIBRARIES = ("pyarrow/libarrow_acero.so*", "pyarrow/libarrow_dataset.so*", "pyarrow/libarrow_substrait.so*")


def main() -> None:
    """Build the layer named on the command line."""
    layer, artifacts = sys.argv[1], Path(sys.argv[2])
    target = artifacts / "python"
    shutil.rmtree(target, ignore_errors=True)
    install(ROOT / "layers" / layer / "requirements.txt", target)
    strip(target)
    strip_libraries(target)
    for source, package in OUR_PACKAGES.get(layer, {}).items():
        shutil.copytree(ROOT / source, target / package, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.md"))
    compact(target)
    # Byte code of another minor version would be dead weight.
    same = _target_python() == f"{sys.version_info.major}.{sys.version_info.minor}"
    if same and not precompile(target, layer):
        sys.exit(f"A file below {target} does not compile.")


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

        endpoints = models / "endpoints.json"  # written with indents, half a megabyte of them
        compact = json.dumps(json.loads(endpoints.read_text()), separators=(",", ":"))
        endpoints.unlink()
        endpoints.write_text(compact)

    for entry in (target / "babel" / "locale-data").glob("*.dat"):
        if entry.stem.partition("_")[0] not in LANGUAGES:
            entry.unlink()


def compact(target: Path) -> None:
    """Take the line breaks out of our document of the API, which are a third of it."""
    document = target / "dataforge" / "http" / "openapi.json"
    if document.exists():
        text = json.dumps(json.loads(document.read_text()), separators=(",", ":"), ensure_ascii=False)
        document.write_text(text)


def strip_libraries(target: Path) -> None:
    """Cut from shared libraries what the loader never maps, 24 MB over all layers, and drop those that nobody calls.

    `strip` would do the former, but is rarely at hand for another machine's architecture.
    """
    unused = {file.name for pattern in UNCALLED_LIBRARIES for file in target.glob(pattern)}
    for file in target.rglob("*.so*"):
        library = None if file.name in unused else SharedLibrary.of(file)
        if library is None or not any([library.cut(), library.without(unused)]):
            continue
        # A new file in its place: the old one may be a hard link into uv's cache.
        stripped = file.with_name(file.name + ".stripped")
        stripped.write_bytes(library.image)
        shutil.copymode(file, stripped)
        stripped.replace(file)
    for pattern in UNCALLED_LIBRARIES:
        for file in list(target.glob(pattern)):
            file.unlink()


def precompile(target: Path, layer: str) -> bool:
    """Store byte code that is never checked against its source: /opt is read-only and its time stamps mean nothing.

    That of others has no columns, which are 8 % of it: a traceback shows the line and does not mark the part of it.
    False when a file does not compile.
    """
    own = OUR_PACKAGES.get(layer, {}).values()
    others = [entry for entry in sorted(target.iterdir()) if entry.name not in own]
    return all([_compiled(target, others, columns=False), _compiled(target, [target / name for name in own])])


def _compiled(target: Path, paths: Sequence[Path], *, columns: bool = True) -> bool:
    if not paths:
        return True
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONNODEBUGRANGES"}
    environment |= {} if columns else {"PYTHONNODEBUGRANGES": "1"}
    command = [sys.executable, "-m", "compileall", "-qq", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(target), *map(str, paths)]
    return subprocess.run(command, env=environment, check=False).returncode == 0


def _target_python() -> str:
    return os.environ.get("DATAFORGE_TARGET_PYTHON", DEFAULT_PYTHON)


if __name__ == "__main__":
    main()
