"""A schema as an SVG: a card for each table, view and type, and lines with their cardinality for foreign keys.

What a colour says a sign or a word says too. Each paint also stands in a class (`dg-ground`, `dg-ink`, `dg-added` …),
so that the style sheet of a page that holds the picture gives it the colours of its theme; by itself it is dark on
white, on a screen and on paper, and it has neither a style sheet nor a style attribute.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from xml.etree.ElementTree import Element, SubElement, tostring

from dataforge.contexts.schemas.designs.domain.cards import Card, Row, Tie, cards_of, ties_of
from dataforge.contexts.schemas.designs.domain.layout import arrange
from dataforge.contexts.schemas.designs.domain.marks import NO_MARKS, SIGNS, Mark, Marks, State
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.domain.shapes import Box, Bundle, End, Layout, Link, TooDense
from dataforge.kernel.pictures import clean, fitted, is_right_to_left, number, width_of

MARGIN, HEAD, ROW, TEXT, SMALL, TITLE = 16.0, 26.0, 18.0, 12.0, 10.0, 16.0
_FLAG, _PAD, _MOST_WIDE, _LEAST_WIDE = 36.0, 8.0, 340.0, 110.0
_MM = 0.25
PAPER, INK, SOFT, LINE = "#ffffff", "#1a2030", "#4a5266", "#6b7488"
HEADS = {"table": "#cfe3f1", "view": "#e4dcf2", "materialized view": "#e4dcf2", "sequence": "#e6e8ee"}
TYPE_HEAD = "#e3ead2"
# The ground and the ink of what is marked; each pair has a contrast of at least 7 (WCAG 2.2, 1.4.6).
STATES = {
    State.ADDED: ("#d3efdb", "#0b4a24"),
    State.CHANGED: ("#fbe9c4", "#5a3800"),
    State.DROPPED: ("#f9dcd9", "#7c150c"),
}
_WORDS = {State.ADDED: "new", State.CHANGED: "changed", State.DROPPED: "dropped"}
_MOST_NAMED = 60


def draw_svg(
    schema: Schema, marks: Marks = NO_MARKS, *, title: str = "Schema", note: str = "", key: str = "schema"
) -> str:
    """The picture; `note` stands below the title, `key` tells its ids from those of others on a page."""
    cards, ties = cards_of(schema, marks), ties_of(schema, marks)
    try:
        sizes, placed = _placed(cards, ties)
    except TooDense:
        of_card: dict[str, dict[str | None, str]] = {}
        for tie in ties:
            of_card.setdefault(tie.source, {})[tie.source_row] = tie.target.partition(" ")[2]
        cards, ties = [_with_references(card, of_card.get(card.key, {})) for card in cards], []
        sizes, placed = _placed(cards, ties)
        note = " ".join(filter(None, (note, "Too many foreign keys for lines: each column says what it refers to.")))
    return _Sheet(cards, ties, sizes, placed, (title, note, key)).finish()


def _placed(cards: Sequence[Card], ties: Sequence[Tie]) -> tuple[dict[str, tuple[float, float]], Layout]:
    sizes = {card.key: _size_of(card) for card in cards}
    return sizes, arrange([Box(name, *size) for name, size in sizes.items()], _links(cards, ties))


def _with_references(card: Card, there: Mapping[str | None, str]) -> Card:
    """The card of a diagram without lines; `there` says for rows what they refer to."""
    rows = [replace(row, type=f"→ {there[row.name]}") if row.name in there else row for row in card.rows]
    return replace(card, rows=tuple(rows))


def describe(cards: Sequence[Card], ties: Sequence[Tie]) -> str:
    """A schema in words, for those who do not see its picture."""
    kinds: dict[str, int] = {}
    for card in cards:
        kinds[card.kind] = kinds.get(card.kind, 0) + 1
    parts = [f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in kinds.items()]
    keys = sum(not tie.reads for tie in ties)
    parts += [f"{keys} foreign key{'' if keys == 1 else 's'}"] if keys else []
    marked = [f"{_WORDS[card.mark.state]}: {card.kind} {card.name}" for card in cards if card.mark is not None]
    marked += [f"{_WORDS[row.mark.state]}: {card.name}.{row.name}" for card in cards for row in card.rows if row.mark]
    listed = marked or [f"{card.kind} {card.name}" for card in cards]
    rest = f"; and {len(listed) - _MOST_NAMED} more" if len(listed) > _MOST_NAMED else ""
    return f"{', '.join(parts) or 'Nothing'}. {'; '.join(listed[:_MOST_NAMED])}{rest}".strip().rstrip(".") + "."


def _size_of(card: Card) -> tuple[float, float]:
    flagged = _FLAG if any(row.flag for row in card.rows) else 0.0
    widths = [_width(_head_words(card)) + _width(_kind_words(card), SMALL) + 12]
    widths += [flagged + _width(_row_words(row)) + _width(row.type, SMALL) + 14 for row in card.rows]
    widths += [_width(note, SMALL) for note in card.notes]
    width = min(_MOST_WIDE, max(_LEAST_WIDE, max(widths) + 2 * _PAD))
    return round(width, 1), HEAD + ROW * (len(card.rows) + len(card.notes)) + (4.0 if card.rows or card.notes else 0.0)


def _width(words: str, size: float = TEXT) -> float:
    return width_of(clean(words), size)


def _head_words(card: Card) -> str:
    return _signed(card.name, card.mark)


def _kind_words(card: Card) -> str:
    return "" if card.kind == "table" else card.kind


def _row_words(row: Row) -> str:
    return _signed(row.name, row.mark)


def _signed(words: str, mark: Mark | None) -> str:
    return words if mark is None else f"{SIGNS[mark.state]} {words}"


def _links(cards: Iterable[Card], ties: Iterable[Tie]) -> list[Link]:
    heights: dict[tuple[str, str | None], float] = {}
    for card in cards:
        heights[card.key, None] = HEAD / 2
        for index, row in enumerate(card.rows):
            heights.setdefault((card.key, row.name), HEAD + ROW * index + ROW / 2)
    return [
        Link(
            tie.source,
            tie.target,
            heights.get((tie.source, tie.source_row), HEAD / 2),
            heights.get((tie.target, tie.target_row), HEAD / 2),
            f"{tie.reads}/{tie.optional}/{tie.mark.state if tie.mark else ''}",
        )
        for tie in ties
    ]


class _Sheet:
    """The picture under way."""

    def __init__(
        self,
        cards: Sequence[Card],
        ties: Sequence[Tie],
        sizes: Mapping[str, tuple[float, float]],
        placed: Layout,
        caption: tuple[str, str, str],
    ) -> None:
        title, note, key = caption
        states = sorted({mark.state for mark in _marks_in(cards, ties)})
        self.left, self.top = MARGIN, MARGIN + TITLE + 14 + (SMALL + 8 if note else 0) + (24 if states else 0)
        width = max(placed.width, 320.0) + 2 * MARGIN
        height = self.top + max(placed.height, 20.0) + MARGIN
        self.root = Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "class": "schema-diagram",
                "viewBox": f"0 0 {number(width)} {number(height)}",
                "width": f"{number(width * _MM)}mm",
                "height": f"{number(height * _MM)}mm",
                "role": "img",
                "lang": "en",
                "aria-labelledby": f"{key}-title",
                "aria-describedby": f"{key}-desc",
                "font-family": "system-ui, 'Segoe UI', Roboto, 'Noto Sans', Arial, sans-serif",
                "font-size": number(TEXT),
                "fill": INK,
            },
        )
        SubElement(self.root, "title", {"id": f"{key}-title"}).text = clean(title)
        SubElement(self.root, "desc", {"id": f"{key}-desc"}).text = clean(describe(cards, ties))
        self._rectangle(self.root, (0, 0, width, height), PAPER, "dg-ground")
        room = width - 2 * MARGIN
        self._text(self.root, (MARGIN, MARGIN + TITLE * 0.8), title, room, size=TITLE, bold=True)
        if note:
            self._text(self.root, (MARGIN, MARGIN + TITLE + 14), note, room, size=SMALL, paint=(SOFT, "dg-soft"))
        if states:
            self._legend(states)
        if not cards:
            self._text(self.root, (MARGIN, self.top + 12), "There is nothing in it yet.", room, paint=(SOFT, "dg-soft"))
        tied: dict[Link, list[Tie]] = {}
        for tie, link in zip(ties, _links(cards, ties), strict=True):
            tied.setdefault(link, []).append(tie)
        for bundle in placed.bundles:
            self._draw_bundle(bundle, tied)
        for card in cards:
            self._draw_card(card, placed.corners[card.key], sizes[card.key])

    def finish(self) -> str:
        """The picture as text."""
        return tostring(self.root, encoding="unicode")

    # ---------------------------------------------------------------- parts

    def _draw_card(self, card: Card, corner: tuple[float, float], size: tuple[float, float]) -> None:
        x, y, (width, height) = self.left + corner[0], self.top + corner[1], size
        group = SubElement(self.root, "g", {"class": f"dg-card dg-{card.kind.split()[-1]}"})
        words = f"{card.kind} {card.name}"
        for extra in (f"{_WORDS[card.mark.state]} {card.mark.words}".strip() if card.mark else "", card.whole):
            words += f"; {extra}" if extra else ""
        SubElement(group, "title").text = clean(words)
        self._rectangle(group, (x, y, width, height), PAPER, "dg-frame", stroke=LINE)
        ground, ink = _paints(card.mark, HEADS.get(card.kind, TYPE_HEAD))
        self._rectangle(group, (x, y, width, HEAD), ground, _class("dg-head", card.mark), stroke=LINE)
        kind = _kind_words(card)
        kind_width = _width(kind, SMALL) + 10 if kind else 0.0
        room = width - 2 * _PAD - kind_width
        self._text(group, (x + _PAD, y + 17), _head_words(card), room, paint=ink, bold=True, mark=card.mark)
        if kind:
            self._text(group, (x + width - _PAD, y + 17), kind, kind_width, size=SMALL, paint=ink, anchor="end")
        flagged = _FLAG if any(row.flag for row in card.rows) else 0.0
        for index, row in enumerate(card.rows):
            self._draw_row(group, row, (x, y + HEAD + ROW * index), width, flagged)
        for index, note in enumerate(card.notes, len(card.rows)):
            at = (x + _PAD, y + HEAD + ROW * index + 13)
            self._text(group, at, note, width - 2 * _PAD, size=SMALL, paint=(SOFT, "dg-soft"))

    def _draw_row(self, group: Element, row: Row, corner: tuple[float, float], width: float, flagged: float) -> None:
        x, y = corner
        line = SubElement(group, "g", {"class": "dg-row"})
        whole = "; ".join(filter(None, (row.whole or row.name, row.mark.words if row.mark else "")))
        SubElement(line, "title").text = clean(whole)
        ground, ink = _paints(row.mark, PAPER)
        if row.mark is not None:
            self._rectangle(line, (x + 0.5, y + 1, width - 1, ROW - 1), ground, _class("dg-ground", row.mark))
        soft = ink if row.mark is not None else (SOFT, "dg-soft")
        if row.flag:
            self._text(line, (x + _PAD, y + 13), row.flag, flagged - 2, size=SMALL - 1, paint=soft)
        inner = width - 2 * _PAD - flagged
        type_room = min(_width(row.type, SMALL) + 1, max(inner * 0.5, inner - _width(_row_words(row)) - 10))
        name_room = inner - (type_room + 10 if row.type else 0.0)
        self._text(line, (x + _PAD + flagged, y + 13), _row_words(row), name_room, paint=ink, mark=row.mark)
        if row.type:
            self._text(line, (x + width - _PAD, y + 13), row.type, type_room, size=SMALL, paint=soft, anchor="end")

    def _draw_bundle(self, bundle: Bundle, tied: Mapping[Link, Sequence[Tie]]) -> None:
        ties = [tie for link in dict.fromkeys(bundle.links) for tie in tied[link]]
        first = ties[0]
        ink, name = (
            (LINE, "dg-edge") if first.mark is None else (STATES[first.mark.state][1], f"dg-edge dg-{first.mark.state}")
        )
        group = SubElement(self.root, "g", {"class": name, "stroke": ink, "fill": "none"})
        more = f"; and {len(ties) - 20} more" if len(ties) > 20 else ""
        SubElement(group, "title").text = clean("; ".join(tie.words for tie in ties[:20]) + more)
        commands = "".join(
            f"M{number(a + self.left)} {number(b + self.top)}L{number(c + self.left)} {number(d + self.top)}"
            for a, b, c, d in bundle.lines
            if (a, b) != (c, d)
        )
        dropped = first.mark is not None and first.mark.state is State.DROPPED
        dashes = {"stroke-dasharray": "2 4"} if first.reads else {"stroke-dasharray": "7 4"} if dropped else {}
        SubElement(group, "path", {"d": commands, "stroke-width": number(1.5 if first.mark else 1.2), **dashes})
        if first.reads:
            return
        for link, end in dict(zip(bundle.links, bundle.sources, strict=True)).items():
            self._draw_end(group, end, many=not all(tie.alone for tie in tied[link]), optional=True)
        self._draw_end(group, bundle.target, many=False, optional=first.optional)

    def _draw_end(self, group: Element, end: End, *, many: bool, optional: bool) -> None:
        """The mark of a cardinality: a crow's foot or a bar, and before it a ring for none or a bar for one."""
        x, y, way = end.x + self.left, end.y + self.top, end.outwards
        if many:
            commands = f"M{number(x)} {number(y - 5)}L{number(x + 9 * way)} {number(y)}"
            commands += f"L{number(x)} {number(y + 5)}"
        else:
            commands = f"M{number(x + 6 * way)} {number(y - 4.5)}L{number(x + 6 * way)} {number(y + 4.5)}"
        if not optional:
            commands += f"M{number(x + 11 * way)} {number(y - 4.5)}L{number(x + 11 * way)} {number(y + 4.5)}"
        SubElement(group, "path", {"d": commands, "stroke-width": "1.2"})
        if optional:
            ring = {"cx": number(x + 13 * way), "cy": number(y), "r": "3.5", "fill": PAPER, "class": "dg-ground"}
            SubElement(group, "circle", ring)

    def _legend(self, states: Iterable[State]) -> None:
        x, y = MARGIN, self.top - 24
        for state in states:
            ground, ink = STATES[state]
            self._rectangle(self.root, (x, y, 16, 14), ground, f"dg-ground dg-{state}", stroke=ink)
            at = (x + 4.5, y + 11)
            self._text(self.root, at, SIGNS[state], 14, paint=(ink, f"dg-ink dg-{state}"), bold=True)
            self._text(self.root, (x + 22, y + 11), _WORDS[state], 80)
            x += 100

    # ---------------------------------------------------------------- strokes

    def _rectangle(
        self, parent: Element, place: tuple[float, float, float, float], fill: str, name: str, *, stroke: str = ""
    ) -> None:
        x, y, width, height = map(number, place)
        given = {"x": x, "y": y, "width": width, "height": height, "fill": fill, "class": name}
        SubElement(parent, "rect", {**given, **({"stroke": stroke} if stroke else {})})

    def _text(
        self,
        parent: Element,
        at: tuple[float, float],
        words: str,
        room: float,
        *,
        size: float = TEXT,
        paint: tuple[str, str] = (INK, "dg-ink"),
        anchor: str = "start",
        bold: bool = False,
        mark: Mark | None = None,
    ) -> None:
        """A text on its base line, cut to its room."""
        whole = clean(words)
        given = {"x": number(at[0]), "y": number(at[1]), "font-size": number(size), "fill": paint[0], "class": paint[1]}
        if bold:
            given["font-weight"] = "bold"
        if mark is not None and mark.state is State.DROPPED:
            given["text-decoration"] = "line-through"
        if is_right_to_left(whole):
            given["direction"] = "rtl"
            anchor = {"start": "end", "end": "start"}[anchor]
        if anchor != "start":
            given["text-anchor"] = anchor
        SubElement(parent, "text", given).text = fitted(whole, room, size)


def _marks_in(cards: Iterable[Card], ties: Iterable[Tie]) -> Iterable[Mark]:
    for card in cards:
        yield from (mark for mark in (card.mark, *(row.mark for row in card.rows)) if mark is not None)
    yield from (tie.mark for tie in ties if tie.mark is not None)


def _paints(mark: Mark | None, ground: str) -> tuple[str, tuple[str, str]]:
    if mark is None:
        return ground, (INK, "dg-ink")
    return STATES[mark.state][0], (STATES[mark.state][1], f"dg-ink dg-{mark.state}")


def _class(name: str, mark: Mark | None) -> str:
    return name if mark is None else f"{name} dg-{mark.state}"
