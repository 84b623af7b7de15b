"""Generators of clients over our OpenAPI document: what they make of it, and what they say about it."""

import os
import shutil
import subprocess
from pathlib import Path

from infra.local.environments import ENVIRONMENTS
from infra.local.npm import GENERATORS, generators
from infra.openapi.generate import HERE

DOCUMENT = HERE / "openapi.json"
PYTHON_CONFIG = HERE / "openapi-python-client.yaml"


def run_package(tool: str, *arguments: str, place: Path) -> str:
    """What a program of one of the packages prints, complaints included; fails the test when it fails."""
    node = ENVIRONMENTS["node"][0] / "bin" / "node"
    script = (generators() / "node_modules" / ".bin" / tool).resolve()
    done = subprocess.run(
        [str(node), str(script), *arguments], cwd=place, env={"HOME": str(place)}, capture_output=True, check=False
    )
    output = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, output[-4000:]
    return output


def typescript_client(place: Path) -> str:
    """Types of the document in `api.d.ts`, our scripts beside them, all compiled; what the generator said."""
    for script in GENERATORS.iterdir():
        shutil.copy(script, place / script.name)
    (place / "node_modules").symlink_to(generators() / "node_modules")
    said = run_package("openapi-typescript", str(DOCUMENT), "-o", "api.d.ts", place=place)
    run_package("tsc", "--project", ".", place=place)
    return said


def run_script(script: Path, *arguments: str) -> str:
    """What a compiled script prints."""
    node = ENVIRONMENTS["node"][0] / "bin" / "node"
    done = subprocess.run(
        [str(node), script.name, *arguments], cwd=script.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def python_client(place: Path) -> str:
    """A package `dataforge_api_client` in the place; what the generator said."""
    programs = ENVIRONMENTS["clients"][0] / "bin"
    target = place / "generated"
    command = [str(programs / "openapi-python-client"), "generate", "--path", str(DOCUMENT)]
    command += ["--config", str(PYTHON_CONFIG), "--output-path", str(target)]
    path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
    done = subprocess.run(command, cwd=place, env={**os.environ, "PATH": path}, capture_output=True, check=False)
    output = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, output[-4000:]
    return output
