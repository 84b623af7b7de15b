"""`sam build` for this machine, skipped when nothing that goes into it has changed."""

from __future__ import annotations

import fcntl
import os
import shutil

from infra.local import processes
from infra.local.files import replace_tree
from infra.local.layout import ARCHITECTURE, BUILD, PYTHON_VERSION, ROOT, TOOLS, content_hash

SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers", "migrations", "infra/packaging")


def source_hash() -> str:
    """Hash of everything that a build is made from, and of what it is made for."""
    return content_hash(*(ROOT / name for name in SOURCES), extra=f"{PYTHON_VERSION} {ARCHITECTURE}")


def is_current() -> bool:
    """Whether the build on disk is that of the present sources."""
    stamp = BUILD / ".stamp"
    return stamp.exists() and stamp.read_text() == source_hash()


def build() -> str:
    """Build all functions and layers into ``.aws-sam/build`` and return the hash of their sources."""
    BUILD.parent.mkdir(exist_ok=True)
    with (BUILD.parent / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = source_hash()
        if is_current():
            return wanted
        processes.end_left_over(BUILD, save=False)
        partial = BUILD.with_name("build.partial")
        shutil.rmtree(partial, ignore_errors=True)
        environment = sam_environment() | {
            "DATAFORGE_TARGET_PLATFORM": "host",
            "DATAFORGE_TARGET_PYTHON": PYTHON_VERSION,
        }
        overrides = (f"Runtime=python{PYTHON_VERSION}", f"Architecture={ARCHITECTURE}")
        processes.run_tool(
            [
                str(TOOLS / "sam" / "bin" / "sam"),
                "build",
                "--build-dir",
                str(partial),
                "--parameter-overrides",
                *overrides,
            ],
            environment=environment,
            log=BUILD.with_name("build.log"),
            what="the build",
            cwd=ROOT,
            owner=BUILD,
        )
        (partial / ".stamp").write_text(wanted)
        replace_tree(partial, BUILD)
        return wanted


def sam_environment() -> dict[str, str]:
    """What `sam` needs: our Python first, so that the builder finds the runtime's interpreter, and no telemetry."""
    path = os.pathsep.join([str(TOOLS / "sam" / "bin"), str(TOOLS / "uv" / "bin"), os.environ.get("PATH", "")])
    return processes.clean_environment(
        {
            "PATH": path,
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS": "1",
            # sam looks for credentials even where it uses none.
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    )
