"""Layers by reference: the laptop's workers import from one unpacked copy instead of unpacking their own.

The emulator unpacks every layer anew for each worker process, one after the other: 85 MB a worker, which turns fifty
callers at once into minutes. So the stack keeps one copy of the built layers, the emulator's workers find it through
PYTHONPATH, and what is uploaded as a layer is an empty one. That the real layers are complete is shown by the tests
of the built artifacts under AWS's runtime interface emulator (infra/adr/0006-layers-by-reference-on-the-laptop.md).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import yaml

from infra.local.files import replace_tree
from infra.local.layout import BUILD, StackDirectory
from infra.packaging.files import link_or_copy
from infra.packaging.template import load_template

LAYER = "AWS::Serverless::LayerVersion"
FUNCTION = "AWS::Serverless::Function"
_DESCRIPTION = 256  # characters that Lambda takes


def search_path(directory: StackDirectory) -> str:
    """PYTHONPATH of the workers."""
    return os.pathsep.join(str(directory.packages / name) for name in layers())


def layers() -> list[str]:
    """Logical ids of the template's layers, in its order."""
    resources = load_template()["Resources"]
    return [
        name for name, resource in resources.items() if isinstance(resource, dict) and resource.get("Type") == LAYER
    ]


def unpack(directory: StackDirectory, source: str) -> None:
    """Copy the built layers for this stack's workers (hard links where they exist), once per ``source``."""
    stamp = directory.packages / ".stamp"
    if stamp.exists() and stamp.read_text() == source:
        return
    partial = directory.packages.with_name("packages.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name in layers():
        shutil.copytree(BUILD / name / "python", partial / name, copy_function=link_or_copy)
    (partial / ".stamp").write_text(source)
    replace_tree(partial, directory.packages)


def local_template(fingerprint: str) -> Path:
    """The built template with an empty layer in place of each; beside the original, whose paths are relative.

    Each function says which deployment it is of: SAM publishes a version when a function reads differently in the
    template, and neither code in layers that are empty nor the value of a parameter does.
    """
    empty = BUILD / "EmptyLayer" / "python"
    empty.mkdir(parents=True, exist_ok=True)
    (empty / "README.txt").write_text("The packages of this layer are on PYTHONPATH.\n")
    template = load_template(BUILD / "template.yaml")
    for name in layers():
        template["Resources"][name]["Properties"]["ContentUri"] = "EmptyLayer"
    for resource in template["Resources"].values():
        if isinstance(resource, dict) and resource.get("Type") == FUNCTION:
            description = resource["Properties"].get("Description", "")
            resource["Properties"]["Description"] = f"{fingerprint[:12]} {description}"[:_DESCRIPTION]
    written = BUILD / "template.local.yaml"
    written.write_text(yaml.safe_dump(template, sort_keys=False))
    return written
