"""Layers folded into functions: LocalStack's open edition accepts layers and does not put them on the path."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from infra.packaging.files import link_or_copy, tree_size
from infra.packaging.sizes import BUDGET_BYTES
from infra.packaging.template import expand_loops, function_layers, load_template

_EXTENSIONS = "AWS::LanguageExtensions"


def fold_layers(build: Path, folded: Path) -> Path:
    """Copy a build with each layer's content inside its functions, and return the path of a template without layers.

    Loops are expanded on the way, so that the template needs no language extensions either.
    """
    template = load_template(build / "template.yaml")
    carried = function_layers(template)
    shutil.rmtree(folded, ignore_errors=True)
    for name, layers in carried.items():
        function = folded / name
        shutil.copytree(build / name, function, copy_function=link_or_copy)
        for layer in layers:
            shutil.copytree(build / layer / "python", function, dirs_exist_ok=True, copy_function=link_or_copy)
        if tree_size(function) > BUDGET_BYTES:
            # LocalStack has the same limit as AWS. Python makes the byte code again, if at the price of a slower start.
            for cache in list(function.rglob("__pycache__")):
                shutil.rmtree(cache)
    target = folded / "template.yaml"
    target.write_text(yaml.safe_dump(without_layers(template), sort_keys=False))
    return target


def without_layers(template: dict[str, Any]) -> dict[str, Any]:
    """The template with its layers and loops taken out, everything else as it was."""
    resources = expand_loops(template["Resources"])
    layers = {name for name, resource in resources.items() if resource["Type"] == "AWS::Serverless::LayerVersion"}
    template["Resources"] = {name: resource for name, resource in resources.items() if name not in layers}
    for name in function_layers(template):
        template["Resources"][name]["Properties"].pop("Layers", None)
        template["Resources"][name]["Properties"]["CodeUri"] = name
    template["Globals"]["Function"].pop("Layers", None)
    template["Transform"] = [name for name in template["Transform"] if name != _EXTENSIONS]
    return template
