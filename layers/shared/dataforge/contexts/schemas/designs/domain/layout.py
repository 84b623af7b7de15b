"""Where boxes stand and how their connections run: nothing lies upon anything else.

Boxes that hang together are laid out in layers, and the groups are set beside each other; boxes without links follow.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from dataforge.contexts.schemas.designs.domain.layers import Component
from dataforge.contexts.schemas.designs.domain.shapes import GAP, Box, Bundle, End, Layout, Link


def arrange(boxes: Sequence[Box], links: Sequence[Link], *, aspect: float = 1.4) -> Layout:
    """Place boxes and connections; about `aspect` times as wide as high.

    Links of unknown boxes raise KeyError, too many that pass too much raise TooDense.
    """
    sizes = {box.key: box for box in boxes}
    parts = _components(sizes, links)
    drawn = [Component([sizes[key] for key in keys], part, aspect).layout() for keys, part in parts if part]
    single = [sizes[keys[0]] for keys, part in parts if not part]
    area = sum((part.width + GAP) * (part.height + GAP) for part in drawn)
    area += sum((box.width + GAP) * (box.height + GAP) for box in single)
    width = max([(area * aspect) ** 0.5, *(part.width for part in drawn), *(box.width for box in single)])
    corners: dict[str, tuple[float, float]] = {}
    bundles: list[Bundle] = []
    x = y = highest = widest = 0.0
    for part in sorted(drawn, key=lambda item: -item.height):
        if x and x + part.width > width:
            x, y, highest = 0.0, y + highest + 2 * GAP, 0.0
        corners |= {key: (x + left, y + top) for key, (left, top) in part.corners.items()}
        bundles += [_moved(bundle, x, y) for bundle in part.bundles]
        x, highest, widest = x + part.width + 2 * GAP, max(highest, part.height), max(widest, x + part.width)
    top = y + highest + 2 * GAP if drawn else 0.0
    columns, bottom = _columns(single, width, top)
    corners |= columns
    widest = max([widest, *(corners[box.key][0] + box.width for box in single)])
    return Layout(corners, tuple(bundles), widest, max(bottom, y + highest))


def _components(sizes: Mapping[str, Box], links: Sequence[Link]) -> list[tuple[list[str], list[Link]]]:
    leader = {key: key for key in sizes}

    def find(key: str) -> str:
        while leader[key] != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    for link in links:
        leader[find(link.source)] = find(link.target)
    members: dict[str, tuple[list[str], list[Link]]] = defaultdict(lambda: ([], []))
    for key in sizes:
        members[find(key)][0].append(key)
    for link in links:
        members[find(link.target)][1].append(link)
    return list(members.values())


def _columns(boxes: Sequence[Box], width: float, top: float) -> tuple[dict[str, tuple[float, float]], float]:
    """Boxes in columns of one width, each below the shortest column so far; and where the longest ends."""
    if not boxes:
        return {}, 0.0
    step = max(box.width for box in boxes) + GAP
    ends = [top] * max(1, min(len(boxes), int((width + GAP) // step)))
    corners = {}
    for box in boxes:
        index = min(range(len(ends)), key=lambda place: ends[place])
        corners[box.key] = (index * step, ends[index])
        ends[index] += box.height + GAP
    return corners, max(ends) - GAP


def _moved(bundle: Bundle, x: float, y: float) -> Bundle:
    lines = tuple((a + x, b + y, c + x, d + y) for a, b, c, d in bundle.lines)
    begins = tuple(End(end.x + x, end.y + y, end.outwards) for end in bundle.sources)
    target = End(bundle.target.x + x, bundle.target.y + y, bundle.target.outwards)
    return Bundle(bundle.links, lines, begins, target)
