"""Where boxes stand: whatever refers to whatever, nothing lies upon anything else."""

from collections.abc import Iterator
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.schemas.designs.domain.layout import arrange
from dataforge.contexts.schemas.designs.domain.shapes import Box, Bundle, Layout, Link

Rectangle = tuple[float, float, float, float]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Box], list[Link]]:
    count = draw(st.integers(1, 14))
    boxes = [Box(f"b{index}", draw(st.floats(40, 340)), draw(st.floats(26, 500))) for index in range(count)]
    ends = st.tuples(st.sampled_from(boxes), st.sampled_from(boxes), st.floats(0, 1), st.floats(0, 1))
    links = [
        Link(one.key, other.key, one.height * at, other.height * to, draw(st.sampled_from("ab")))
        for one, other, at, to in draw(st.lists(ends, max_size=30))
    ]
    return boxes, links


def rectangles(boxes: list[Box], layout: Layout) -> dict[str, Rectangle]:
    placed = {}
    for box in boxes:
        x, y = layout.corners[box.key]
        placed[box.key] = (x, y, x + box.width, y + box.height)
    return placed


def overlap(one: Rectangle, other: Rectangle) -> bool:
    """Whether the insides have a point in common; a line has an inside here too."""
    slack = 0.01
    return (
        one[0] < other[2] - slack
        and other[0] < one[2] - slack
        and one[1] < other[3] - slack
        and other[1] < one[3] - slack
    )


def lines(layout: Layout) -> Iterator[tuple[Bundle, Rectangle]]:
    for bundle in layout.bundles:
        for x, y, to_x, to_y in bundle.lines:
            assert x == to_x or y == to_y
            wide, high = (0.02, 0.0) if x == to_x else (0.0, 0.02)
            yield bundle, (min(x, to_x) - wide, min(y, to_y) - high, max(x, to_x) + wide, max(y, to_y) + high)


@given(graphs())
def test_nothing_lies_upon_anything_else(graph: tuple[list[Box], list[Link]]) -> None:
    boxes, links = graph

    layout = arrange(boxes, links)

    placed = rectangles(boxes, layout)
    for one, other in combinations(placed.values(), 2):
        assert not overlap(one, other)
    for _, line in lines(layout):
        assert not any(overlap(line, box) for box in placed.values())
    for left, top, right, bottom in [*placed.values(), *(line for _, line in lines(layout))]:
        assert min(left, top) >= -0.05
        assert right <= layout.width + 0.05
        assert bottom <= layout.height + 0.05


@given(graphs())
def test_each_link_begins_and_ends_at_the_sides_of_its_boxes_and_hangs_together(
    graph: tuple[list[Box], list[Link]],
) -> None:
    boxes, links = graph

    layout = arrange(boxes, links)

    placed = rectangles(boxes, layout)
    assert sorted(map(repr, (link for bundle in layout.bundles for link in bundle.links))) == sorted(map(repr, links))
    for bundle in layout.bundles:
        for key, end in [
            *((link.source, end) for link, end in zip(bundle.links, bundle.sources, strict=True)),
            (bundle.links[0].target, bundle.target),
        ]:
            left, top, right, bottom = placed[key]
            assert abs(end.x - (right if end.outwards == 1 else left)) < 0.01
            assert top <= end.y <= bottom
            assert any((end.x, end.y) in ((a, b), (c, d)) for a, b, c, d in bundle.lines)
        assert hangs_together(bundle)


def hangs_together(bundle: Bundle) -> bool:
    """Whether one can walk along the lines from each to each."""
    reached, waiting = {0}, [0]
    while waiting:
        x, y, to_x, to_y = bundle.lines[waiting.pop()]
        for index, (a, b, c, d) in enumerate(bundle.lines):
            touches = min(x, to_x) - 0.01 <= max(a, c) and min(a, c) - 0.01 <= max(x, to_x)
            touches = touches and min(y, to_y) - 0.01 <= max(b, d) and min(b, d) - 0.01 <= max(y, to_y)
            if touches and index not in reached:
                reached.add(index)
                waiting.append(index)
    return len(reached) == len(bundle.lines)


def test_what_is_referred_to_stands_left() -> None:
    boxes = [Box(key, 100, 60) for key in ("orders", "people", "lines")]

    layout = arrange(boxes, [Link("orders", "people", 30, 30), Link("lines", "orders", 30, 30)])

    assert layout.corners["people"][0] < layout.corners["orders"][0] < layout.corners["lines"][0]


def test_a_circle_is_drawn_too() -> None:
    boxes = [Box(key, 100, 60) for key in "abc"]

    layout = arrange(boxes, [Link("a", "b", 30, 30), Link("b", "c", 30, 30), Link("c", "a", 30, 30)])

    assert len({x for x, _ in layout.corners.values()}) == 3
    assert len(layout.bundles) == 3


def test_lines_that_meet_at_one_height_do_not_lie_upon_each_other() -> None:
    count = 200
    boxes = [Box(f"b{index}", 160, 100) for index in range(count)]
    links = [Link(f"b{index}", f"b{index // 3}", 75, 40) for index in range(4, count, 2)]
    links += [Link(f"b{index}", f"b{(index * 7) % index}", 75, 40) for index in range(3, count, 2)]
    links += [Link(f"b{index}", f"b{(index * index * 5) % (index - 1)}", 55, 40) for index in range(4, count, 2)]

    layout = arrange(boxes, links)

    level = sorted(
        (y, min(x, to_x), max(x, to_x), number)
        for number, bundle in enumerate(layout.bundles)
        for x, y, to_x, to_y in bundle.lines
        if y == to_y
    )
    for index, (y, left, right, number) in enumerate(level):
        for below, start, end, other in level[index + 1 :]:
            if below - y > 1.5:
                break
            assert number == other or min(right, end) - max(left, start) < 1


@pytest.mark.parametrize("count", [40, 300])
def test_many_that_refer_to_one_do_not_make_a_tower(count: int) -> None:
    boxes = [Box(f"b{index}", 160, 100) for index in range(count)]

    layout = arrange(boxes, [Link(box.key, "b0", 80, 40) for box in boxes[1:]])

    assert len(layout.bundles) == 1
    assert 0.4 < layout.width / layout.height < 4


@pytest.mark.parametrize("count", [1, 12, 300])
def test_boxes_without_links_fill_a_sheet(count: int) -> None:
    boxes = [Box(f"b{index}", 160, 100) for index in range(count)]

    layout = arrange(boxes, [])

    assert 0.4 < layout.width / layout.height < 4
