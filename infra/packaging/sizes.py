"""Package sizes as Lambda counts them: a function with its layers, unzipped, may have 250 MB (262,144,000 bytes)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.packaging.files import tree_size
from infra.packaging.layer import precompile
from infra.packaging.template import function_layers, load_template

ROOT = Path(__file__).resolve().parents[2]
BUDGET_BYTES = 250 * 1024 * 1024


def packaged_sizes(build: Path, *, byte_code: bool = True) -> dict[str, int]:
    """Bytes per function of a build directory, layers included."""
    trees = {name: [name, *carried] for name, carried in function_layers(load_template()).items()}
    return {name: sum(tree_size(build / tree, byte_code=byte_code) for tree in parts) for name, parts in trees.items()}


def build_for_aws(target: Path) -> None:
    """Lay out functions and layers for the platform of the template's defaults in ``target``, on any machine.

    The byte code is that of this Python where it is not the target's: to be measured, not to be deployed.
    """
    template = load_template()
    for name in function_layers(template):
        shutil.copytree(ROOT / template["Resources"][name]["Properties"]["CodeUri"], target / name)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DATAFORGE_TARGET")}
    for layer in sorted({name for carried in function_layers(template).values() for name in carried}):
        directory = target / layer
        directory.mkdir(parents=True)
        name = Path(template["Resources"][layer]["Properties"]["ContentUri"]).name
        command = [sys.executable, str(ROOT / "infra" / "packaging" / "layer.py"), name, str(directory)]
        subprocess.run(command, check=True, env=environment)
        precompile(directory / "python", name)


def main() -> None:
    """Print sizes per function for AWS, and for this machine if it was built."""
    with tempfile.TemporaryDirectory() as scratch:
        aws = Path(scratch)
        build_for_aws(aws)
        columns = {"AWS (arm64)": packaged_sizes(aws)}
        if (ROOT / ".aws-sam" / "build").is_dir():
            columns["this machine"] = packaged_sizes(ROOT / ".aws-sam" / "build")
        print(f"{'function':28}" + "".join(f"{title:>14}" for title in columns) + "   (MB of 250)")
        for name in columns["AWS (arm64)"]:
            print(f"{name:28}" + "".join(f"{sizes[name] / 1024**2:14.1f}" for sizes in columns.values()))


if __name__ == "__main__":
    main()
