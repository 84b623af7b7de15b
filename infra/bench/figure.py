"""A measured value beside its limit, printed as one JSON line: what every bench of figures ends in."""

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured value and what it must not pass; without a limit it is there to compare with."""

    name: str
    value: float
    limit: float | None = None
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the value is within its limit."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def show(part: str, figures: Iterable[Figure]) -> int:
    """Print figures as they come; returns how many limits were missed."""
    missed = 0
    for figure in figures:
        line: dict[str, object] = {"part": part, "figure": figure.name, "value": round(figure.value, 3)}
        if figure.limit is not None:
            missed += not figure.kept
            line |= {"limit": f"{'≥' if figure.at_least else '≤'} {figure.limit:g}", "kept": figure.kept}
        print(json.dumps(line, ensure_ascii=False), flush=True)
    return missed
