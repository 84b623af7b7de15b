"""Boxes that hang together in layers from left to right.

What is referred to stands left of what refers to it. Boxes of a layer stand below each other, and a connection passes a
layer through a slot of its own between them; it turns only in the gaps between layers. So no connection can cross a
box, whatever the graph is (Sugiyama, Tagawa and Toda 1981, with the connections to one place bundled).
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import TypeVar

from dataforge.contexts.schemas.designs.domain.shapes import GAP, Box, Bundle, End, Layout, Link, TooDense
from dataforge.kernel.texts import Text

SLOT = 9.0  # around a connection that passes a layer
STUB = 22.0  # from a box to the first turn: the marks of cardinality stand there
TRACK = 7.0  # between connections that turn in one gap
MAX_SLOTS = 6_000  # more take longer than an answer may, and nobody could follow the lines
_PASSES = 6
_APART = 2.5  # lines that are nearer look like one


Node = TypeVar("Node", str, int)
Item = tuple[str, int]  # a box is (its key, -1), a slot of a bundle in a layer ("", the number of the bundle)


@dataclass(frozen=True, slots=True)
class _Meeting:
    """Where a bundle meets an item: so far below its middle; `source_at` is that of the link that begins there."""

    item: Item
    below: float
    source_at: float | None = None

    @property
    def is_slot(self) -> bool:
        return self.item[1] >= 0


@dataclass(slots=True)
class _Route:
    """A bundle on one side of its target: `layers` are those that it passes in slots, from its target outwards."""

    number: int
    links: list[Link]
    target: str
    outwards: int  # the side of the target that it leaves: 1 right, -1 left
    layers: range
    home: int
    loop: bool = False
    offset: dict[tuple[str, bool, float], float] = field(default_factory=dict)


class Component:
    """Boxes that hang together, and their layout."""

    def __init__(self, boxes: Sequence[Box], links: Sequence[Link], aspect: float) -> None:
        self.sizes = {box.key: box for box in boxes}
        self.links = links
        self.layer_of = self._layers(aspect)
        self.depth = max(self.layer_of.values()) + 1
        self.routes = self._routes()
        if sum(len(route.layers) for route in self.routes) > MAX_SLOTS:
            message = Text("the lines would pass more than {max_slots} places between boxes", max_slots=MAX_SLOTS)
            raise TooDense(message)
        self.in_gap = self._routes_in_gaps()
        self._spread_ends()
        self.order = self._ordered()
        self.centres = self._heights()

    # ---------------------------------------------------------------- layers

    def _layers(self, aspect: float) -> dict[str, int]:
        """Each box right of what it refers to, but for circles; roots beside the first that refers to them."""
        above: dict[str, list[str]] = {key: [] for key in self.sizes}
        for link in self.links:
            if link.source != link.target and link.target not in above[link.source]:
                above[link.source].append(link.target)
        above = _without_circles(above)
        below: dict[str, list[str]] = {key: [] for key in above}
        for key, targets in above.items():
            for target in targets:
                below[target].append(key)
        layers: dict[str, int] = {}
        for key in TopologicalSorter(above).static_order():
            layers[key] = max((layers[target] + 1 for target in above[key]), default=0)
        for key, sources in below.items():
            if not above[key] and sources:
                layers[key] = min(layers[source] for source in sources) - 1
        return self._wrapped(layers, below, aspect)

    def _wrapped(self, layers: Mapping[str, int], below: Mapping[str, Sequence[str]], aspect: float) -> dict[str, int]:
        """Layers that would be too high, as several."""
        area = sum((box.width + 2 * STUB + GAP) * (box.height + GAP) for box in self.sizes.values())
        most = max((area / aspect) ** 0.5 * 1.15, *(box.height for box in self.sizes.values()))
        members: dict[int, list[str]] = defaultdict(list)
        for key, layer in layers.items():
            members[layer].append(key)
        wrapped: dict[str, int] = {}
        place = -1
        for layer in sorted(members):
            place, height = place + 1, 0.0
            for key in sorted(members[layer], key=lambda item: bool(below[item])):
                if height and height + self.sizes[key].height > most:
                    place, height = place + 1, 0.0
                wrapped[key] = place
                height += self.sizes[key].height + GAP
        return wrapped

    # ---------------------------------------------------------------- connections

    def _routes(self) -> list[_Route]:
        grouped: dict[tuple[str, float, str, int], list[Link]] = defaultdict(list)
        for link in self.links:
            here, there = self.layer_of[link.source], self.layer_of[link.target]
            side = 0 if link.source == link.target else 1 if here > there else -1
            grouped[link.target, link.target_at, link.bundle, side].append(link)
        routes = []
        for number, ((target, _, _, side), links) in enumerate(grouped.items()):
            home = self.layer_of[target]
            places = [self.layer_of[link.source] for link in links]
            passed = range(home + 1, max(places)) if side == 1 else range(home - 1, min(places), -1)
            routes.append(_Route(number, links, target, side or 1, passed if side else range(0), home, loop=side == 0))
        return routes

    def _routes_in_gaps(self) -> dict[int, list[_Route]]:
        """The routes that turn in the gap right of each layer."""
        in_gap: dict[int, list[_Route]] = defaultdict(list)
        for route in self.routes:
            places = [route.home, *(self.layer_of[link.source] for link in route.links)]
            for gap in (route.home,) if route.loop else range(min(places), max(places)):
                in_gap[gap].append(route)
        return in_gap

    def _spread_ends(self) -> None:
        """Ends of different bundles at one height of a box, beside each other."""
        ends: dict[tuple[str, int, float], list[tuple[_Route, bool]]] = defaultdict(list)
        for route in self.routes:
            ends[route.target, route.outwards, route.links[0].target_at].append((route, True))
            side = 1 if route.loop else -route.outwards
            for place in dict.fromkeys((link.source, link.source_at) for link in route.links):
                ends[place[0], side, place[1]].append((route, False))
        for (key, _, at), some in ends.items():
            step = min(8.0, 15.0 / len(some))
            for index, (route, is_target) in enumerate(some):
                route.offset[key, is_target, at] = (index - (len(some) - 1) / 2) * step

    def _meetings(self, route: _Route, gap: int) -> tuple[list[_Meeting], list[_Meeting]]:
        """What a bundle connects in the gap right of a layer, left and right of the gap; nothing where it is not."""
        target = _Meeting(
            (route.target, -1), self._below_middle(route, route.target, route.links[0].target_at, is_target=True)
        )
        sources = dict.fromkeys((link.source, link.source_at) for link in route.links)
        begins = [
            (self.layer_of[key], _Meeting((key, -1), self._below_middle(route, key, at, is_target=False), at))
            for key, at in sources
        ]
        if route.loop:
            return ([target, *(meeting for _, meeting in begins)], []) if route.home == gap else ([], [])
        slot = _Meeting(("", route.number), 0.0)
        inner, outer = (gap, gap + 1) if route.outwards == 1 else (gap + 1, gap)
        near = [target] if inner == route.home else [slot] if inner in route.layers else []
        far = [meeting for layer, meeting in begins if layer == outer] + ([slot] if outer in route.layers else [])
        if not near or not far:
            return [], []
        return (near, far) if route.outwards == 1 else (far, near)

    def _below_middle(self, route: _Route, key: str, at: float, *, is_target: bool) -> float:
        height = self.sizes[key].height
        return min(max(at + route.offset[key, is_target, at], 2.0), height - 2.0) - height / 2

    # ---------------------------------------------------------------- order and heights

    def _ordered(self) -> list[list[Item]]:
        """The items of each layer from top to bottom: as near to what they are connected with as the others allow."""
        order: list[list[Item]] = [[] for _ in range(self.depth)]
        for key, layer in self.layer_of.items():
            order[layer].append((key, -1))
        for route in self.routes:
            for layer in route.layers:
                order[layer].append(("", route.number))
        self.joints = self._joints()
        for turn in range(_PASSES):
            forward = turn % 2 == 0
            for layer in range(self.depth) if forward else range(self.depth - 1, -1, -1):
                known = layer - 1 if forward else layer + 1
                if not 0 <= known < self.depth:
                    continue
                place = {item: index for index, item in enumerate(order[known])}
                middle: dict[Item, float] = {}
                for index, item in enumerate(order[layer]):
                    near = [place[other] for other, _, _ in self.joints[layer, item, forward]]
                    middle[item] = sum(near) / len(near) if near else index * len(place) / len(order[layer])
                order[layer].sort(key=middle.__getitem__)
        return order

    def _joints(self) -> dict[tuple[int, Item, bool], list[tuple[Item, float, float]]]:
        """What an item is connected with in the layer left (True) or right of its own, and the heights at both."""
        joints: dict[tuple[int, Item, bool], list[tuple[Item, float, float]]] = defaultdict(list)
        for gap, routes in self.in_gap.items():
            for route in routes:
                left, right = self._meetings(route, gap)
                for one in left:
                    for other in right:
                        joints[gap, one.item, False].append((other.item, one.below, other.below))
                        joints[gap + 1, other.item, True].append((one.item, other.below, one.below))
        return joints

    def _half(self, item: Item) -> float:
        return self.sizes[item[0]].height / 2 if item[1] < 0 else 0.0

    def _heights(self) -> list[dict[Item, float]]:
        """The middle of each item: so that connections run straight where nothing stands in the way."""
        centres: list[dict[Item, float]] = []
        steps: list[list[float]] = []
        for items in self.order:
            apart = [0.0]
            for upper, lower in pairwise(items):
                room = GAP if upper[1] < 0 and lower[1] < 0 else SLOT
                apart.append(apart[-1] + self._half(upper) + room + self._half(lower))
            steps.append(apart)
            centres.append(dict(zip(items, apart, strict=True)))
        for turn in range(_PASSES):
            forward = turn % 2 == 0
            for layer in range(self.depth) if forward else range(self.depth - 1, -1, -1):
                wished = []
                for item in self.order[layer]:
                    near = [
                        centres[layer + (-1 if side else 1)][other] + other_at - own_at
                        for side in ((True, False) if turn >= _PASSES - 2 else (forward,))
                        for other, own_at, other_at in self.joints[layer, item, side]
                    ]
                    wished.append(sum(near) / len(near) if near else centres[layer][item])
                found = _spaced(wished, steps[layer])
                centres[layer] = dict(zip(self.order[layer], found, strict=True))
        highest = min(middle - self._half(item) for layer in centres for item, middle in layer.items())
        return [{item: middle - highest for item, middle in layer.items()} for layer in centres]

    # ---------------------------------------------------------------- lines

    def layout(self) -> Layout:
        """Everything in its place."""
        drawings = {route.number: _Drawing() for route in self.routes}
        corners: dict[str, tuple[float, float]] = {}
        x = 0.0
        for layer, items in enumerate(self.order):
            width = max((self.sizes[key].width for key, number in items if number < 0), default=SLOT)
            for key, number in items:
                middle = self.centres[layer][key, number]
                if number < 0:
                    corners[key] = (x, middle - self.sizes[key].height / 2)
                else:
                    drawings[number].lines.append((x, middle, x + width, middle))
            x = self._draw_gap(layer, x, width, drawings)
        bundles = tuple(drawings[route.number].bundle(route.links) for route in self.routes)
        points = [(a, b) for bundle in bundles for line in bundle.lines for a, b in (line[:2], line[2:])]
        points += [(left + self.sizes[key].width, top + self.sizes[key].height) for key, (left, top) in corners.items()]
        return Layout(corners, bundles, max(a for a, _ in points), max(b for _, b in points))

    def _draw_gap(self, layer: int, x: float, width: float, drawings: Mapping[int, "_Drawing"]) -> float:
        """Draw what turns in the gap right of a layer that begins at `x`; returns where the next layer begins."""
        turns: list[_Turn] = []
        for route in self.in_gap[layer]:
            left, right = self._meetings(route, layer)
            met = [(meeting, self.centres[layer][meeting.item] + meeting.below, 1) for meeting in left]
            met += [(meeting, self.centres[layer + 1][meeting.item] + meeting.below, -1) for meeting in right]
            if met:
                heights = [y for _, y, _ in met]
                turns.append(_Turn(route.number, met, min(heights), max(heights)))
        turns.sort(key=lambda turn: (turn.top, turn.bottom, turn.number))
        tracks = _tracks(turns)
        following = x + width + 2 * STUB + TRACK * max(tracks, default=0)
        for track, turn in zip(tracks, turns, strict=True):
            drawing, across = drawings[turn.number], x + width + STUB + TRACK * track
            drawing.lines.append((across, turn.top, across, turn.bottom))
            for meeting, y, side in turn.met:
                own_width = width if meeting.is_slot else self.sizes[meeting.item[0]].width
                border = x + own_width if side > 0 else following
                drawing.lines.append((min(border, across), y, max(border, across), y))
                if not meeting.is_slot:
                    drawing.note(meeting, End(border, y, side))
        return following


@dataclass(frozen=True, slots=True)
class _Turn:
    """Where a bundle goes up and down in a gap: what it meets, how high, and left (1) or right (-1) of the gap."""

    number: int
    met: list[tuple[_Meeting, float, int]]
    top: float
    bottom: float

    def heights(self, side: int) -> list[float]:
        return [y for _, y, place in self.met if place == side]


@dataclass(slots=True)
class _Drawing:
    """The lines of a bundle so far."""

    lines: list[tuple[float, float, float, float]] = field(default_factory=list)
    sources: dict[tuple[str, float], End] = field(default_factory=dict)
    target: End = field(default_factory=lambda: End(0.0, 0.0, 1))

    def note(self, meeting: _Meeting, end: End) -> None:
        if meeting.source_at is None:
            self.target = end
        else:
            self.sources[meeting.item[0], meeting.source_at] = end

    def bundle(self, links: Sequence[Link]) -> Bundle:
        begins = tuple(self.sources[link.source, link.source_at] for link in links)
        return Bundle(tuple(links), tuple(self.lines), begins, self.target)


def _tracks(turns: Sequence[_Turn]) -> list[int]:
    """For each turn the first track on which it meets no other.

    Where a line that comes from the left is as high as one that goes to the right, the first turns before the other
    begins: otherwise both would lie upon each other.
    """
    levels = sorted((y, index) for index, turn in enumerate(turns) for y in turn.heights(-1))
    heights = [y for y, _ in levels]
    before: dict[int, list[int]] = {index: [] for index in range(len(turns))}
    for index, turn in enumerate(turns):
        for y in turn.heights(1):
            near = levels[bisect_right(heights, y - _APART) : bisect_left(heights, y + _APART)]
            for _, other in near:
                if other != index and index not in before[other]:
                    before[other].append(index)
    earlier = _without_circles(before)
    chosen: dict[int, int] = {}
    taken: dict[int, list[_Turn]] = defaultdict(list)
    for index in TopologicalSorter(earlier).static_order():
        turn = turns[index]
        track = max((chosen[other] + 1 for other in earlier[index]), default=0)
        while any(turn.top < other.bottom + TRACK and other.top < turn.bottom + TRACK for other in taken[track]):
            track += 1
        chosen[index] = track
        taken[track].append(turn)
    return [chosen[index] for index in range(len(turns))]


def _without_circles(above: Mapping[Node, Sequence[Node]]) -> dict[Node, list[Node]]:
    """The graph with the edges that close a circle turned round."""
    state: dict[Node, int] = {}  # 1 while it is on the way, 2 when it is done
    kept: dict[Node, list[Node]] = {key: [] for key in above}
    for start in above:
        if start in state:
            continue
        state[start] = 1
        way = [(start, iter(above[start]))]
        while way:
            key, targets = way[-1]
            target = next(targets, None)
            if target is None:
                state[key] = 2
                way.pop()
            elif state.get(target) == 1:
                kept[target].append(key)
            else:
                kept[key].append(target)
                if target not in state:
                    state[target] = 1
                    way.append((target, iter(above[target])))
    return {key: list(dict.fromkeys(targets)) for key, targets in kept.items()}


def _spaced(wished: Iterable[float], steps: Sequence[float]) -> list[float]:
    """Numbers as near as possible to those wished for, at least as far apart as the steps are (pooled violators)."""
    blocks: list[tuple[float, int]] = []  # sum and count
    for wish, step in zip(wished, steps, strict=True):
        total, count = wish - step, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / count:
            before, members = blocks.pop()
            total, count = total + before, count + members
        blocks.append((total, count))
    bases = [total / count for total, count in blocks for _ in range(count)]
    return [base + step for base, step in zip(bases, steps, strict=True)]
