"""Where a local stack keeps its things: ``make run`` in ``.local``, the tests in ``.local/test``, complete each."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# PYTHONPATH of our packages as they are in a checkout.
SOURCE_PATH = os.pathsep.join(str(ROOT / "layers" / layer) for layer in ("shared", "columnar"))
LOCAL = ROOT / ".local"
TOOLS = LOCAL / "tools"
BUILD = ROOT / ".aws-sam" / "build"
PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


@dataclass(frozen=True)
class StackDirectory:
    """The files of one local stack and the name it has in the emulator."""

    root: Path
    stack_name: str
    preferred_port: int | None

    @property
    def postgres(self) -> Path:
        """Database cluster."""
        return self.root / "postgres"

    @property
    def emulator(self) -> Path:
        """State, objects and temporary files of the AWS emulator."""
        return self.root / "emulator"

    @property
    def mail(self) -> Path:
        """Mail that was sent."""
        return self.root / "mail"

    @property
    def packages(self) -> Path:
        """What the layers carry, unpacked once for all workers of this stack."""
        return self.root / "packages"

    @property
    def logs(self) -> Path:
        """Output of the servers and tools."""
        return self.root / "logs"

    @property
    def stack_file(self) -> Path:
        """URLs and credentials, for scripts and tests."""
        return self.root / "stack.json"

    @property
    def deployed_file(self) -> Path:
        """Content hash of what is deployed; absent while a deployment is not complete (see `snapshot`)."""
        return self.root / "deployed.json"

    @property
    def lock_file(self) -> Path:
        """Held by the launcher for as long as it runs."""
        return self.root / "run.lock"


DEVELOPMENT = StackDirectory(root=LOCAL, stack_name="dataforge-local", preferred_port=4566)
TEST = StackDirectory(root=LOCAL / "test", stack_name="dataforge-test", preferred_port=None)


def stack_in(directory: Path) -> StackDirectory:
    """A stack of its own in a directory of its own, beside all others."""
    root = directory.resolve()
    name = f"dataforge-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"
    return StackDirectory(root=root, stack_name=name, preferred_port=None)


def content_hash(*paths: Path, extra: str = "") -> str:
    """Hash of files and trees by relative name and content, byte code left out."""
    digest = hashlib.sha256(extra.encode())
    for top in paths:
        files = [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file())
        for file in files:
            if "__pycache__" in file.parts or file.suffix == ".pyc":
                continue
            digest.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
