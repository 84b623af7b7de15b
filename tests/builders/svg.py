"""A picture as a strict reader sees it: well formed, whole in itself, inside its frame, dark on white."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from xml.etree import ElementTree as ET

from dataforge.kernel.pictures import width_of

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_ELEMENTS = {"svg", "title", "desc", "defs", "pattern", "g", "rect", "line", "path", "circle", "text"}
_ATTRIBUTES = {
    *("viewBox", "width", "height", "role", "lang", "aria-labelledby", "aria-describedby", "id", "d", "direction"),
    *("x", "y", "x1", "y1", "x2", "y2", "fill", "stroke", "stroke-width", "stroke-dasharray", "text-anchor"),
    *("font-family", "font-size", "font-weight", "transform", "patternUnits", "patternTransform"),
    *("class", "cx", "cy", "r", "text-decoration"),
}
_PAINT = re.compile(r"none|#[0-9a-f]{6}|url\(#([\w-]+)\)")
_COMMAND = re.compile(r"([MLHVlhvz])([^MLHVlhvz]*)")
_SLACK = 0.51  # half a line's width, and coordinates have two digits


@dataclass(frozen=True)
class Picture:
    """What a picture says: the name and description for those who do not see it, and the texts for those who do."""

    title: str
    description: str
    texts: list[str]
    wholes: list[str]
    rectangles: int
    width: float
    height: float


def read_picture(svg: str) -> Picture:
    """Read a picture, and fail for whatever a picture of ours must not be."""
    root = ET.fromstring(svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    ids = {element.attrib["id"]: element for element in root.iter() if "id" in element.attrib}
    for element in root.iter():
        name = element.tag.removeprefix(_NAMESPACE)
        assert element.tag.startswith(_NAMESPACE), element.tag
        assert name in _ELEMENTS, name
        assert set(element.attrib) <= _ATTRIBUTES, element.attrib
        for paint in (element.attrib.get("fill", "none"), element.attrib.get("stroke", "none")):
            found = _PAINT.fullmatch(paint)
            assert found, paint
            assert found[1] is None or found[1] in ids
        if name not in ("pattern", "svg") and element not in list(root.iter(f"{_NAMESPACE}pattern")):
            for x, y in () if _in_pattern(root, element) else points_of(element):
                assert isfinite(x), element.attrib
                assert isfinite(y), element.attrib
                assert -_SLACK <= x <= width + _SLACK, (element.attrib, x)
                assert -_SLACK <= y <= height + _SLACK, (element.attrib, y)
    assert root.attrib["role"] == "img"
    title, description = ids[root.attrib["aria-labelledby"]], ids[root.attrib["aria-describedby"]]
    assert root[0] is title
    ground = next(child for child in root if child.tag == f"{_NAMESPACE}rect")
    assert (ground.attrib["fill"], float(ground.attrib["width"])) == ("#ffffff", width)
    texts = list(root.iter(f"{_NAMESPACE}text"))
    for text in texts:
        assert contrast(text.attrib.get("fill", root.attrib["fill"]), "#ffffff") >= 4.5
    return Picture(
        title=title.text or "",
        description=description.text or "",
        texts=[shown(text) for text in texts],
        wholes=[found.text or "" for text in texts for found in text],
        rectangles=sum(1 for _ in root.iter(f"{_NAMESPACE}rect")),
        width=width,
        height=height,
    )


def shown(text: ET.Element) -> str:
    """What is seen of a text."""
    return (text.text or "") + "".join(child.tail or "" for child in text)


def _in_pattern(root: ET.Element, element: ET.Element) -> bool:
    return any(element in list(pattern) for pattern in root.iter(f"{_NAMESPACE}pattern"))


def points_of(element: ET.Element) -> Iterator[tuple[float, float]]:
    """The corners of what an element draws; of a text about, as fonts differ."""
    name, given = element.tag.removeprefix(_NAMESPACE), element.attrib
    if name == "rect":
        x, y = float(given.get("x", 0)), float(given.get("y", 0))
        assert float(given["width"]) >= 0
        yield from ((x, y), (x + float(given["width"]), y + float(given["height"])))
    elif name == "line":
        yield from ((float(given["x1"]), float(given["y1"])), (float(given["x2"]), float(given["y2"])))
    elif name == "text":
        yield from _corners(element)
    elif name == "path":
        yield from walk(given["d"])
    elif name == "circle":
        x, y, radius = float(given["cx"]), float(given["cy"]), float(given["r"])
        yield from ((x - radius, y - radius), (x + radius, y + radius))


def _corners(text: ET.Element) -> Iterator[tuple[float, float]]:
    given = text.attrib
    x, y, size = float(given["x"]), float(given["y"]), float(given["font-size"])
    width, anchor = width_of(shown(text), size), given.get("text-anchor", "start")
    if given.get("direction") == "rtl":
        anchor = {"start": "end", "end": "start"}.get(anchor, anchor)
    before = {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    for along in (-before, width - before):
        for above in (0.0, -0.7 * size):
            yield (x + above, y - along) if "transform" in given else (x + along, y + above)


def walk(commands: str) -> Iterator[tuple[float, float]]:
    """The points of a path."""
    x = y = start_x = start_y = 0.0
    assert "".join(f"{name}{rest}" for name, rest in _COMMAND.findall(commands)) == commands
    for name, rest in _COMMAND.findall(commands):
        values = [float(value) for value in re.findall(r"-?[\d.]+", rest)]
        match name:
            case "M" | "L":
                x, y = values
            case "l":
                x, y = x + values[0], y + values[1]
            case "H":
                (x,) = values
            case "V":
                (y,) = values
            case "h":
                x += values[0]
            case "v":
                y += values[0]
            case _:
                x, y = start_x, start_y
        if name == "M":
            start_x, start_y = x, y
        yield x, y


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
