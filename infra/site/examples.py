"""The examples of a page: shell commands, and the answers that are shown below them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```(sh|json|csv)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"


@dataclass(frozen=True, slots=True)
class Example:
    """Commands of one block, and what is shown of their output: `kind` is empty where nothing is."""

    line: int
    commands: str
    kind: str = ""
    shown: str = ""


def examples(page: Path) -> Iterator[Example]:
    """The examples in the order of the page, none where no block has commands.

    Raises ValueError for an answer that no command stands above.
    """
    text = page.read_text()
    if "```sh\n" not in text:
        return
    waiting: Example | None = None
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        if block[1] == "sh":
            if waiting is not None:
                yield waiting
            waiting = Example(line, block[2])
        elif waiting is None:
            message = f"{page.name}:{line}: an answer without a command"
            raise ValueError(message)
        else:
            yield Example(waiting.line, waiting.commands, block[1], block[2])
            waiting = None
    if waiting is not None:
        yield waiting


def differences(example: Example, output: str) -> list[str]:
    """What is shown and is not in the output, with its place; nothing where it fits."""
    match example.kind:
        case "json":
            try:
                answer = json.loads(output)
            except ValueError:
                return [f"no JSON: {output[:500]}"]
            return list(_differences(json.loads(example.shown), answer, ""))
        case "csv":
            return list(_lines(example.shown.splitlines(), output.splitlines()))
        case _:
            return []


def _differences(shown: Any, answer: Any, place: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if shown == ANYTHING:
        return
    if isinstance(shown, dict) and isinstance(answer, dict):
        for name, value in shown.items():
            if name not in answer:
                yield f"{place}/{name}: is not in the answer"
            else:
                yield from _differences(value, answer[name], f"{place}/{name}")
    elif isinstance(shown, list) and isinstance(answer, list):
        # A last element `"…"` stands for any further ones.
        more = bool(shown) and shown[-1] == ANYTHING
        items = shown[:-1] if more else shown
        if len(answer) < len(items) or (len(answer) > len(items) and not more):
            yield f"{place}: has {len(answer)} elements, not {len(items)}"
        for number, (value, item) in enumerate(zip(items, answer, strict=False)):
            yield from _differences(value, item, f"{place}/{number}")
    elif isinstance(shown, str) and isinstance(answer, str) and ANYTHING in shown:
        if not _pattern(shown).fullmatch(answer):
            yield f"{place}: is {answer!r}, not {shown!r}"
    elif shown != answer or isinstance(shown, bool) != isinstance(answer, bool):
        yield f"{place}: is {answer!r}, not {shown!r}"


def _lines(shown: list[str], lines: list[str]) -> Iterator[str]:
    more = bool(shown) and shown[-1] == ANYTHING
    wanted = shown[:-1] if more else shown
    if len(lines) < len(wanted) or (len(lines) > len(wanted) and not more):
        yield f"has {len(lines)} lines, not {len(wanted)}: {lines[:5]}"
    for number, (line, given) in enumerate(zip(wanted, lines, strict=False), 1):
        if not _pattern(line).fullmatch(given):
            yield f"line {number} is {given!r}, not {line!r}"


def _pattern(shown: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in shown.split(ANYTHING)), re.DOTALL)
