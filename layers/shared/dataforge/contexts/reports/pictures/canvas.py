"""What pictures are drawn on: an SVG whose numbers are finite and whose texts can be written as XML.

A unit is a quarter of a millimetre on paper; a picture of 760 units is as wide as an A4 page between its margins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from dataforge.kernel.pictures import clean, fitted, is_right_to_left, number, width_of

PAGE_WIDTH = 760.0
MARGIN = 16.0
MM = 0.25
# Okabe and Ito's blue and vermilion, darker, so that they differ for every kind of colour blindness and in grey.
INK, SOFT, LINE, PAPER = "#1a2030", "#4a5266", "#8790a6", "#ffffff"
STRONG, LIGHT, ACCENT = "#0b4f7d", "#cfe3f1", "#b34700"
TEXT_SIZE, SMALL_SIZE, TITLE_SIZE = 12.0, 10.0, 16.0


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands above a picture; `note` says as of when its numbers are, `key` tells it from others on a page."""

    title: str
    note: str = ""
    key: str = "picture"


@dataclass(frozen=True, slots=True)
class Swatch:
    """What a legend explains: a paint and the `mark` that it is seen as, a square, a diamond or a tick."""

    paint: str
    words: str
    mark: str = "square"


def box(x: float, y: float, width: float, height: float) -> str:
    """The commands of a rectangle, for a path of many."""
    return f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z"


class Canvas:
    """A picture under way; `top` is the first free height below the caption."""

    def __init__(self, caption: Caption, description: str, *, width: float, height: float) -> None:
        """Begin a picture; the height is that of what comes below the caption."""
        self._key = caption.key
        self.width, self.top = width, MARGIN + TITLE_SIZE + 8 + (SMALL_SIZE + 8 if caption.note else 0)
        self.height = self.top + height + MARGIN
        self._root = Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": f"0 0 {number(self.width)} {number(self.height)}",
                "width": f"{number(self.width * MM)}mm",
                "height": f"{number(self.height * MM)}mm",
                "role": "img",
                "lang": "en",
                "aria-labelledby": f"{caption.key}-title",
                "aria-describedby": f"{caption.key}-desc",
                "font-family": "system-ui, 'Segoe UI', Roboto, 'Noto Sans', Arial, sans-serif",
                "font-size": number(TEXT_SIZE),
                "fill": INK,
            },
        )
        SubElement(self._root, "title", {"id": f"{caption.key}-title"}).text = clean(caption.title)
        SubElement(self._root, "desc", {"id": f"{caption.key}-desc"}).text = clean(description)
        self._define_hatch()
        self.rectangle(0, 0, self.width, self.height, fill=PAPER)
        room = self.width - 2 * MARGIN
        self.text(MARGIN, MARGIN + TITLE_SIZE * 0.8, caption.title, size=TITLE_SIZE, room=room, bold=True)
        if caption.note:
            self.text(MARGIN, MARGIN + TITLE_SIZE + 12, caption.note, size=SMALL_SIZE, fill=SOFT, room=room)

    @property
    def hatch(self) -> str:
        """The paint of diagonal lines on a light ground: distinct from solid and empty without colour."""
        return f"url(#{self._key}-hatch)"

    def _define_hatch(self) -> None:
        size = {"width": "5", "height": "5", "patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
        pattern = SubElement(SubElement(self._root, "defs"), "pattern", {"id": f"{self._key}-hatch", **size})
        SubElement(pattern, "rect", {"width": "5", "height": "5", "fill": LIGHT})
        SubElement(pattern, "rect", {"width": "2", "height": "5", "fill": STRONG})

    def rectangle(
        self, x: float, y: float, width: float, height: float, *, fill: str = STRONG, stroke: str = "", name: str = ""
    ) -> None:
        """A rectangle; `name` is what a pointer on it shows."""
        given = {"x": number(x), "y": number(y), "width": number(max(0.0, width)), "height": number(max(0.0, height))}
        drawn = SubElement(self._root, "rect", {**given, "fill": fill, **({"stroke": stroke} if stroke else {})})
        if name:
            SubElement(drawn, "title").text = clean(name)

    def path(self, commands: str, *, fill: str = "none", stroke: str = "", width: float = 1, dashes: str = "") -> None:
        """A path of commands made with `number`; nothing for none."""
        if commands:
            line = {"stroke": stroke, "stroke-width": number(width)} if stroke else {}
            dashed = {"stroke-dasharray": dashes} if dashes else {}
            SubElement(self._root, "path", {"d": commands, "fill": fill, **line, **dashed})

    def line(self, x: float, y: float, to_x: float, to_y: float, *, stroke: str = LINE, width: float = 1) -> None:
        """A straight line."""
        ends = {"x1": number(x), "y1": number(y), "x2": number(to_x), "y2": number(to_y)}
        SubElement(self._root, "line", {**ends, "stroke": stroke, "stroke-width": number(width)})

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        room: float,
        size: float = TEXT_SIZE,
        fill: str = INK,
        anchor: str = "start",
        bold: bool = False,
        upwards: bool = False,
    ) -> None:
        """A text on its base line, cut to `room`; its whole is in its `title` then.

        `anchor` says which end of the text is at `x`: start is the left one, also of a text from right to left.
        """
        whole = clean(words)
        shown = fitted(whole, room, size)
        given = {"x": number(x), "y": number(y), "font-size": number(size), "fill": fill}
        if bold:
            given["font-weight"] = "bold"
        if upwards:
            given["transform"] = f"rotate(-90 {number(x)} {number(y)})"
        if is_right_to_left(whole):
            given["direction"] = "rtl"
            anchor = {"start": "end", "end": "start"}.get(anchor, anchor)
        if anchor != "start":
            given["text-anchor"] = anchor
        drawn = SubElement(self._root, "text", given)
        if shown == whole:
            drawn.text = whole
        else:
            title = SubElement(drawn, "title")
            title.text, title.tail = whole, shown

    def legend(self, y: float, entries: Sequence[Swatch]) -> None:
        """The paints and marks of the picture with their words, in one line."""
        x = MARGIN
        for entry in entries:
            if entry.mark == "square":
                self.rectangle(x, y - 10, 14, 12, fill=entry.paint, stroke=SOFT)
            elif entry.mark == "diamond":
                self.diamond(x + 7, y - 4, fill=entry.paint)
            else:
                self.rectangle(x + 6, y - 6, 1.5, 4, fill=entry.paint)
            width = width_of(entry.words, TEXT_SIZE)
            self.text(x + 20, y, entry.words, room=width + 1)
            x += width + 44

    def diamond(self, x: float, y: float, *, fill: str = ACCENT) -> None:
        """A diamond around a point."""
        self.path(f"M{number(x)} {number(y - 7)}l7 7l-7 7l-7 -7z", fill=fill, stroke=PAPER)

    def nothing(self, words: str) -> None:
        """Say in the place of the picture that there is nothing to draw."""
        self.text(MARGIN, self.top + 22, words, fill=SOFT, room=self.width - 2 * MARGIN)

    def finish(self) -> str:
        """The picture as text."""
        return tostring(self._root, encoding="unicode")
