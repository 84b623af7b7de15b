"""Boxes, the links between them, and where both are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass

GAP = 24.0  # between boxes


class TooDense(ValueError):
    """So much is connected with so much that lines would show nothing."""


@dataclass(frozen=True, slots=True)
class Box:
    """Something with a size in units."""

    key: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Link:
    """A connection from the height `source_at` of a box to the height `target_at` of another or of itself.

    Connections of one bundle end at the same place and are drawn as one line with branches.
    """

    source: str
    target: str
    source_at: float
    target_at: float
    bundle: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """Where a connection meets a box; `outwards` is 1 for its right side and -1 for its left."""

    x: float
    y: float
    outwards: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """The lines of some links, each (x, y, x, y), where they begin (in the order of `links`), and where they end."""

    links: tuple[Link, ...]
    lines: tuple[tuple[float, float, float, float], ...]
    sources: tuple[End, ...]
    target: End


@dataclass(frozen=True, slots=True)
class Layout:
    """The left upper corners of boxes by key, the connections, and the size of everything."""

    corners: Mapping[str, tuple[float, float]]
    bundles: tuple[Bundle, ...]
    width: float
    height: float
