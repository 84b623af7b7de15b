"""Read the template: CloudFormation's short tags, and the loops of its language extensions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
_LOOP = "Fn::ForEach::"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags, read as their long forms."""


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_tag)


def load_template(path: Path = ROOT / "template.yaml") -> dict[str, Any]:
    """Parse a template, short intrinsics included; loops are left as they are."""
    return dict(yaml.load(path.read_text(), Loader=_Loader))


def expand_loops(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Repeat what `Fn::ForEach` repeats, as CloudFormation's language extensions do."""
    expanded: dict[str, Any] = {}
    for name, body in resources.items():
        if not name.startswith(_LOOP):
            expanded[name] = body
            continue
        variable, values, fragments = body
        for value in values:
            alphanumeric = "".join(character for character in value if character.isalnum())
            for key, fragment in fragments.items():
                logical_id = key.replace(f"&{{{variable}}}", alphanumeric)
                expanded[logical_id] = _substitute(fragment, f"${{{variable}}}", value)
    return expanded


def _substitute(node: Any, placeholder: str, value: str) -> Any:  # noqa: ANN401 - any YAML node
    if isinstance(node, dict):
        return {key: _substitute(item, placeholder, value) for key, item in node.items()}
    if isinstance(node, list):
        return [_substitute(item, placeholder, value) for item in node]
    return node.replace(placeholder, value) if isinstance(node, str) else node


def function_layers(template: Mapping[str, Any]) -> dict[str, list[str]]:
    """Logical ids of functions and of the layers each carries, those of Globals included."""
    common = template.get("Globals", {}).get("Function", {}).get("Layers", [])
    found = {}
    for name, resource in template["Resources"].items():
        if isinstance(resource, dict) and resource.get("Type") == "AWS::Serverless::Function":
            found[name] = [layer["Ref"] for layer in [*common, *resource["Properties"].get("Layers", [])]]
    return found
