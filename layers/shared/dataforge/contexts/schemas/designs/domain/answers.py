"""Answers to the questions that a target leaves open, written into it: what is a new name, and what shall go."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """About an object that would go: it is now called as the candidate at `pointer`, or, without one, it shall go."""

    object: str
    previous_name: str
    pointer: str = ""
    candidate: str = ""


def answered(target: Mapping[str, Any], answers: Iterable[Answer]) -> dict[str, Any]:
    """The target with the answers in it; one whose place is not there changes nothing, so that it is asked again."""
    document = deepcopy(dict(target))
    for answer in answers:
        if not answer.pointer:
            drops = document.setdefault("drops", [])
            if isinstance(drops, list):
                drops.append({"object": answer.object})
            continue
        _rename(document, answer)
    return document


def _rename(document: dict[str, Any], answer: Answer) -> None:
    holder: Any = document
    _, *parts = answer.pointer.split("/")
    if not parts:
        return
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in parts]
    for part in path:
        holder = _member(holder, part)
    found = _member(holder, last)
    if answer.object.startswith("value ") and isinstance(found, dict) and isinstance(found.get("values"), list):
        # The place of a value may be that of its enum.
        holder, name = found["values"], answer.candidate.rpartition(".")[2]
        last = str(next((n for n, item in enumerate(holder) if name in (item, _member(item, "name"))), len(holder)))
        found = _member(holder, last)
    if isinstance(found, dict):
        found["previousName"] = answer.previous_name
    elif isinstance(found, str) and isinstance(holder, list):
        holder[int(last)] = {"name": found, "previousName": answer.previous_name}


def _member(holder: Any, part: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(holder, dict):
        return holder.get(part)
    if isinstance(holder, list) and part.isdecimal() and part.isascii() and int(part) < len(holder):
        return holder[int(part)]
    return None
