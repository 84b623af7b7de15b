"""The page about the format: its examples are valid, and no member of the format is left out."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.designs.domain.format import target_format

PAGE = (Path(__file__).parents[4] / "docs" / "schema-format.md").read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_is_a_valid_target(example: str) -> None:
    document = json.loads(example)

    Draft202012Validator(target_format()).validate(document)
    parse_design(document)


def test_each_member_is_on_the_page() -> None:
    def members(thing: Any) -> set[str]:
        if isinstance(thing, dict):
            own = set(thing.get("properties", {})) if isinstance(thing.get("properties"), dict) else set()
            return own.union(*map(members, thing.values()))
        return set().union(*map(members, thing)) if isinstance(thing, list) else set()

    written = set(re.findall(r"[\w$]+", " ".join(re.findall(r"`[^`]*`|```.*?```", PAGE, re.DOTALL))))

    assert len(EXAMPLES) > 5
    assert members(target_format()) - written == set()
