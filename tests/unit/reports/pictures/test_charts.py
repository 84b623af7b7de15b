"""Every kind of picture: sound whatever it is drawn from, and with the numbers that it was given."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.reports.pictures import canvas as drawing
from dataforge.contexts.reports.pictures.bar_chart import Bar, BarChart, draw_bars
from dataforge.contexts.reports.pictures.canvas import Caption
from dataforge.contexts.reports.pictures.funnel_chart import FunnelBar, draw_funnel
from dataforge.contexts.reports.pictures.heat_map import HeatColumn, HeatMap, draw_heat_map
from dataforge.contexts.reports.pictures.histogram import Bin, Histogram, draw_histogram
from dataforge.contexts.reports.pictures.lane_chart import Lane, draw_lanes
from dataforge.contexts.reports.pictures.series_chart import Series, SeriesChart, draw_series
from dataforge.kernel.pictures import clean
from tests.builders.svg import contrast, read_picture

CAPTION = Caption("Completions", "As of 29 Nov 2026, 23:40 UTC")
START = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(
    ["<&\"'>", "محمد عبد الله " * 5, "]]>", "a" * 999]
)
CAPTIONS = st.builds(Caption, NAMES, NAMES)
NUMBERS = st.integers(0, 10) | st.integers(0, 10**9)
TIMES = st.integers(0, 10**8).map(lambda minutes: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes / 2))


@st.composite
def heat_maps(draw: st.DrawFn) -> HeatMap:
    columns = draw(st.integers(0, 12))
    rows = draw(st.lists(st.tuples(NAMES, st.text("cp-", min_size=columns, max_size=columns)), max_size=8))
    heads = draw(st.lists(st.builds(HeatColumn, NAMES, NUMBERS, NUMBERS), min_size=columns, max_size=columns))
    return HeatMap([name for name, _ in rows], heads, [states for _, states in rows])


@st.composite
def series_charts(draw: st.DrawFn) -> SeriesChart:
    length = draw(st.sampled_from([timedelta(hours=1), timedelta(days=1), timedelta(days=7)]))
    periods, first = draw(st.integers(0, 60)), draw(TIMES)
    values = st.lists(NUMBERS, min_size=periods, max_size=periods)
    series = draw(st.lists(st.builds(Series, NAMES, values, NUMBERS), max_size=3))
    starts = [first + length * position for position in range(periods)]
    return SeriesChart(starts, starts[-1] + length if starts else first, series)


@given(CAPTIONS, heat_maps())
def test_any_heat_map_is_sound(caption: Caption, chart: HeatMap) -> None:
    picture = read_picture(draw_heat_map(caption, chart))

    assert picture.title == clean(caption.title)
    assert picture.description.startswith(f"{len(chart.rows)} learner")


@given(CAPTIONS, st.lists(st.builds(FunnelBar, NAMES, NUMBERS, NAMES), max_size=6))
def test_any_funnel_is_sound(caption: Caption, stages: list[FunnelBar]) -> None:
    picture = read_picture(draw_funnel(caption, stages))

    for stage in stages:
        assert f"{stage.people:,} learner" in picture.description
        assert any(text.startswith(f"{stage.people:,}") for text in picture.texts)


@given(CAPTIONS, st.lists(st.builds(Bin, NAMES, NUMBERS), max_size=80))
def test_any_histogram_is_sound(caption: Caption, bins: list[Bin]) -> None:
    picture = read_picture(draw_histogram(caption, Histogram(bins, "questions", "Difficulty")))

    assert picture.description.startswith(f"{sum(item.size for item in bins):,} questions.")


@given(CAPTIONS, st.lists(st.builds(Bar, NAMES, st.floats(-1, 1e6), NAMES, st.booleans()), max_size=70))
def test_any_bars_are_sound(caption: Caption, bars: list[Bar]) -> None:
    read_picture(draw_bars(caption, BarChart(bars, "lesson", solid="Open", hatched="Closed")))


@given(CAPTIONS, series_charts())
def test_any_series_are_sound(caption: Caption, chart: SeriesChart) -> None:
    picture = read_picture(draw_series(caption, chart))

    for series in chart.series if chart.starts else ():
        assert f"{series.total:,} in all" in picture.description


@given(CAPTIONS, st.lists(st.builds(Lane, NAMES, TIMES | st.none(), TIMES | st.none(), st.lists(TIMES)), max_size=8))
def test_any_lanes_are_sound(caption: Caption, lanes: list[Lane]) -> None:
    picture = read_picture(draw_lanes(caption, lanes))

    completed = sum(lane.completed_at is not None for lane in lanes)
    assert f", {completed} completed" in picture.description


def test_a_heat_map_of_500_learners_and_50_lessons_stays_small() -> None:
    cells = ["".join("cp-"[(row * 7 + column * column) % 3] for column in range(50)) for row in range(500)]
    heads = [HeatColumn(f"Lesson {column} with quite a long name", 300, 500) for column in range(50)]

    svg = draw_heat_map(CAPTION, HeatMap([f"Learner {row} Lovelace-Hopper" for row in range(500)], heads, cells))

    assert len(svg.encode()) < 600_000
    picture = read_picture(svg)
    assert picture.rectangles == 6  # ground, pattern and legend: cells are in a path for each state
    states = "".join(cells)
    assert f"{states.count('c'):,} completed, {states.count('p'):,} in progress" in picture.description


def test_a_band_of_a_heat_map_fits_a_page() -> None:
    heads = [HeatColumn(f"Lesson {column}", 1, 50) for column in range(50)]
    rows = [f"Learner {row}" for row in range(50)]

    picture = read_picture(draw_heat_map(CAPTION, HeatMap(rows, heads, ["c" * 50] * 50)))

    assert picture.width * drawing.MM <= 210 - 2 * 10  # A4
    assert picture.height * drawing.MM <= 297 - 2 * 10


def cells_of(svg: str, fill: str) -> set[tuple[int, int]]:
    """The cells (row, column) that the paths of a paint cover, from the picture alone."""
    root = ET.fromstring(svg)
    paths = [item.attrib["d"] for item in root.iter("{http://www.w3.org/2000/svg}path")]
    painted = [item.attrib for item in root.iter("{http://www.w3.org/2000/svg}path") if item.attrib["fill"] == fill]
    left, top = (float(value) for value in re.match(r"M([\d.]+) ([\d.]+)H", paths[-1]).groups())  # type: ignore[union-attr]
    side = float(re.findall(r"M([\d.]+) [\d.]+V", paths[-1])[1]) - left
    found = set()
    for item in painted:
        for x, y, width in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v", item["d"]):
            row, first = round((float(y) - top) / 14), round((float(x) - left) / side)
            found |= {(row, first + at) for at in range(round(float(width) / side))}
    return found


@given(st.integers(1, 30).flatmap(lambda n: st.lists(st.text("cp-", min_size=n, max_size=n), min_size=1, max_size=20)))
def test_each_cell_is_painted_as_its_learner_is(cells: list[str]) -> None:
    heads = [HeatColumn(str(column), 0, 0) for column in range(len(cells[0]))]

    svg = draw_heat_map(CAPTION, HeatMap([str(row) for row in range(len(cells))], heads, cells))

    for letter, paint in (("c", drawing.STRONG), ("p", "url(#picture-hatch)")):
        wanted = {(row, column) for row, states in enumerate(cells) for column, s in enumerate(states) if s == letter}
        assert cells_of(svg, paint) == wanted


def test_more_than_fits_a_page_goes_on_below_with_its_headings() -> None:
    cells = ["".join("cp-"[(row * 5 + column * column) % 3] for column in range(120)) for row in range(60)]
    heads = [HeatColumn(f"Lesson {column}", 7, 60) for column in range(120)]

    svg = draw_heat_map(CAPTION, HeatMap([f"Learner {row}" for row in range(60)], heads, cells))

    picture = read_picture(svg)
    assert picture.width == drawing.PAGE_WIDTH
    assert [picture.texts.count(name) for name in ("Lesson 0", "Lesson 119", "Learner 0", "7 of 60")] == [2, 2, 3, 120]
    for letter, paint in (("c", drawing.STRONG), ("p", "url(#picture-hatch)")):
        paths = [item.attrib for item in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")]
        runs = "".join(item["d"] for item in paths if item["fill"] == paint)
        assert sum(float(width) for width in re.findall(r"h([\d.]+)v", runs)) == 10 * "".join(cells).count(letter)


def test_who_cannot_see_a_funnel_hears_its_numbers() -> None:
    stages = [FunnelBar("Expected", 1240), FunnelBar("Started", 812), FunnelBar("Completed", 1, "median 3 days")]

    assert read_picture(draw_funnel(CAPTION, stages)).description == (
        "Expected: 1,240 learners. Started: 812 learners, 65% of the first stage. "
        "Completed: 1 learner, <1% of the first stage, median 3 days."
    )


def test_what_is_empty_says_so() -> None:
    assert "No learners." in read_picture(draw_heat_map(CAPTION, HeatMap([], [], []))).texts
    assert "No lessons." in read_picture(draw_heat_map(CAPTION, HeatMap(["Ada"], [], [""]))).texts
    assert "No questions." in read_picture(draw_histogram(CAPTION, Histogram([], "questions", "Difficulty"))).texts
    assert "No lessons." in read_picture(draw_bars(CAPTION, BarChart([], "lesson"))).texts
    assert "No activity." in read_picture(draw_series(CAPTION, SeriesChart([], START, []))).texts
    assert "Nothing happened yet." in read_picture(draw_lanes(CAPTION, [Lane("Fire safety")])).texts


def test_a_name_that_is_cut_is_whole_for_the_pointer() -> None:
    name = "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine the Third"

    picture = read_picture(draw_heat_map(CAPTION, HeatMap([name], [HeatColumn("Exits", 0, 1)], ["p"])))

    assert name in picture.wholes
    assert any(text.endswith("…") and name.startswith(text[:-1]) for text in picture.texts)


def test_a_name_from_right_to_left_begins_at_the_right() -> None:
    svg = draw_heat_map(CAPTION, HeatMap(["שלום"], [HeatColumn("Exits", 0, 1)], ["p"]))

    text = next(item for item in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text") if item.text == "שלום")
    assert (text.attrib["direction"], text.attrib.get("text-anchor", "start")) == ("rtl", "start")


def test_ten_thousand_points_stay_drawable() -> None:
    starts = [START + timedelta(days=day) for day in range(10_000)]
    values = [day % 97 for day in range(10_000)]
    series = draw_series(CAPTION, SeriesChart(starts, starts[-1], [Series("Statements", values, sum(values))]))
    lanes = draw_lanes(CAPTION, [Lane("Fire safety", START, None, starts)])
    bins = draw_histogram(CAPTION, Histogram([Bin(f"{at}", at % 7) for at in range(10_000)], "answers", "Value"))

    assert f"{sum(values):,} in all" in read_picture(series).description
    assert "10,000 statements" in read_picture(lanes).description
    read_picture(bins)
    assert max(len(series), len(bins)) < 1_000_000
    assert len(lanes) < 40_000


def test_all_zero_is_drawn() -> None:
    read_picture(draw_funnel(CAPTION, [FunnelBar("Expected", 0), FunnelBar("Started", 0)]))
    read_picture(draw_histogram(CAPTION, Histogram([Bin("0–10%", 0)], "questions", "Difficulty")))
    read_picture(draw_bars(CAPTION, BarChart([Bar("Exits", 0, "0%")], "lesson")))
    read_picture(draw_series(CAPTION, SeriesChart([START], START, [Series("Statements", [0], 0)])))


def test_what_a_colour_says_differs_in_grey_and_from_the_ground() -> None:
    assert contrast(drawing.STRONG, drawing.PAPER) >= 3  # WCAG 2.2, 1.4.11
    assert contrast(drawing.ACCENT, drawing.PAPER) >= 3
    assert contrast(drawing.STRONG, drawing.LIGHT) >= 3
    assert contrast(drawing.INK, drawing.PAPER) >= 7
    assert contrast(drawing.SOFT, drawing.PAPER) >= 4.5


def test_two_pictures_on_a_page_share_no_id() -> None:
    first = draw_funnel(Caption("A", key="first"), [FunnelBar("Expected", 1)])
    second = draw_funnel(Caption("B", key="second"), [FunnelBar("Expected", 1)])

    ids = [re.findall(r' id="([^"]+)"', svg) for svg in (first, second)]
    assert not set(ids[0]) & set(ids[1])


@pytest.mark.parametrize("states", ["c", "p", "-"])
def test_one_learner_and_one_lesson_are_a_heat_map(states: str) -> None:
    completed = int(states == "c")

    picture = read_picture(draw_heat_map(CAPTION, HeatMap(["Ada"], [HeatColumn("Exits", completed, 1)], [states])))

    assert f"{completed} of 1, {100 * completed}%" in picture.texts
    assert f"Exits: {completed} of 1 learner." in picture.description
