"""A schema as an entity relationship diagram of Mermaid.

Its grammar is narrow: whatever a name is, the text is one that Mermaid reads. A name that has to be written otherwise
there stands in full in the comment of its line.
"""

import re
from collections.abc import Collection, Iterator
from itertools import count

from dataforge.contexts.schemas.designs.domain.cards import Card, Row, cards_of, ties_of
from dataforge.contexts.schemas.designs.domain.marks import NO_MARKS, Mark, Marks, State
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.kernel.pictures import clean

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OUTSIDE_TYPES = re.compile(r"[^A-Za-z0-9_\-\[\](),.]")
_KEYS = re.compile(r"(?:pk|fk|uk)\b", re.IGNORECASE)
_TURNS = re.compile(r"(direction)\s+", re.IGNORECASE)  # Mermaid takes `direction LR` for an order wherever it stands
# What ends a text, begins an order or a generic type, or is an entity of Mermaid's own.
_REPLACED = str.maketrans({'"': "'", "%": "\uff05", "\\": "\uff3c", "~": "\u223c", "#": "\uff03", "`": "'", ";": ","})
_PAINTS = {
    State.ADDED: "fill:#d3efdb,stroke:#0b4a24,color:#0b4a24",
    State.CHANGED: "fill:#fbe9c4,stroke:#5a3800,color:#5a3800",
    State.DROPPED: "fill:#f9dcd9,stroke:#7c150c,color:#7c150c,stroke-dasharray:4",
}


def write_mermaid(schema: Schema, marks: Marks = NO_MARKS) -> str:
    """The text of the diagram; what is marked has a class and a comment."""
    cards = [
        card for card in cards_of(schema, marks, every_row=True) if card.kind in ("table", "view", "materialized view")
    ]
    names: dict[str, str] = {}
    for card in cards:
        names[card.key] = _free(_quoted(card.name), names.values())
    lines = ["erDiagram"]
    for card in cards:
        lines += _entity(card, names[card.key])
    for tie in ties_of(schema, marks):
        here = "o|" if tie.alone else "o{"
        there = "|o" if tie.optional else "||"
        words = ", ".join(filter(None, (_in_words(tie.label), _mark_words(tie.mark))))
        line = f"{there}{'..' if tie.reads else '--'}{here}"
        lines.append(f'  {names[tie.target]} {line} {names[tie.source]} : "{words}"')
    states = sorted({card.mark.state for card in cards if card.mark is not None})
    lines += [f"  classDef {state} {_PAINTS[state]}" for state in states]
    return "\n".join(lines) + "\n"


def _entity(card: Card, name: str) -> Iterator[str]:
    if name != f'"{card.name}"':
        yield f"  %% {name} is {_in_words(card.name)}"
    head = name if card.mark is None else f"{name}:::{card.mark.state}"
    if not card.rows:
        yield f"  {head}"
        return
    yield f"  {head} {{"
    taken: set[str] = set()
    for row in card.rows:
        word = _free(_word(row.name), taken)
        taken.add(word)
        yield f"    {_attribute(row, word)}".rstrip()
    yield "  }"


def _attribute(row: Row, word: str) -> str:
    kind = _OUTSIDE_TYPES.sub("_", row.type.removesuffix(" null")).strip("_") or "_"
    keys = ", ".join(flag.replace("UQ", "UK") for flag in row.flag.split())
    remark = "; ".join(filter(None, ("" if word == row.name else _in_words(row.name), _mark_words(row.mark))))
    comment = f'"{remark}"' if remark else ""
    return " ".join(filter(None, (_safe_start(kind), word, keys, comment)))


def _mark_words(mark: Mark | None) -> str:
    if mark is None:
        return ""
    return _in_words(f"{mark.state}: {mark.words}" if mark.words else str(mark.state))


def _quoted(name: str) -> str:
    return f'"{_in_words(name) or "_"}"'


def _in_words(text: str) -> str:
    return _TURNS.sub(r"\1_", clean(text).translate(_REPLACED))


def _word(name: str) -> str:
    return _safe_start(name if _WORD.fullmatch(name) else re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "_")


def _safe_start(word: str) -> str:
    return f"_{word}" if _KEYS.match(word) or not (word[0].isalpha() or word[0] == "_") else word


def _free(name: str, taken: Collection[str]) -> str:
    if name not in taken:
        return name
    end = '"' if name.endswith('"') else ""
    stem = name.removesuffix('"')
    number = next(number for number in count(2) if f"{stem}_{number}{end}" not in taken)
    return f"{stem}_{number}{end}"
