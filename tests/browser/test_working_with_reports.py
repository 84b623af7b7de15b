"""What people do with reports: choose, filter, save, print, and come back to the same numbers."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dataforge.kernel.principal import Role
from tests.browser.conftest import Desk
from tests.builders.svg import read_picture

# Texts that stand outside their picture, and pairs of texts that stand on each other.
_ROOM = """() => {
  const outside = [], overlapping = [];
  for (const svg of document.querySelectorAll("main svg")) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
    for (const [words, box] of texts)
      if (box.left < frame.left - 1 || box.right > frame.right + 1) outside.push(words);
      else if (box.top < frame.top - 1 || box.bottom > frame.bottom + 1) outside.push(words);
    texts.forEach(([words, a], place) => {
      for (const [others, b] of texts.slice(place + 1)) {
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        // Boxes of lines touch: they have room for what letters rarely use.
        const much = 0.45 * Math.min(a.height, b.height, a.width, b.width);
        if (across > 1 && down > much) overlapping.push([words, others]);
      }
    });
  }
  return [outside, overlapping];
}"""


def saved(page: Page, name: str) -> bytes:
    """The file behind one of the buttons."""
    with page.expect_download() as download:
        page.locator(".basis").get_by_role("link", name=name, exact=True).click()
    return Path(download.value.path()).read_bytes()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_cohort_is_found_and_its_next_learners_are_shown(desk: Desk, scripts: bool) -> None:
    page = desk.open("/ui/reports", role=Role.ANALYST, scripts=scripts)

    page.get_by_label("Cohort or lesson").fill("night")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Night shift, hall 4").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Night shift, hall 4")
    expect(page.get_by_role("img", name="Lessons completed in Night shift, hall 4")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(52)  # with head and foot
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("row")).to_have_count(5)
    page.get_by_role("link", name="First page").click()
    expect(page.get_by_role("row")).to_have_count(52)


def test_a_picture_is_named_and_described(desk: Desk) -> None:
    page = desk.open(f"{desk.site.places.lesson}/funnel", role=Role.ANALYST)

    funnel = page.get_by_role("img", name="From expected to completed: 1. Alarm plans")

    expect(funnel).to_have_accessible_description(re.compile(r"Expected: 53 learners\. Started: 8 learners, 15% of"))
    for stage, learners in (("Expected", "53"), ("Started", "8")):
        expect(page.get_by_role("row", name=stage).get_by_role("cell").first).to_have_text(learners)


@pytest.mark.parametrize("report", ["cohort", "funnel", "questions", "at-risk", "comparison", "learner"])
def test_texts_of_pictures_have_room_in_the_fonts_of_a_browser(desk: Desk, report: str) -> None:
    places = desk.site.places
    paths = {"cohort": places.cohort, "learner": places.learner, "at-risk": "/ui/reports/at-risk"}
    paths |= {"comparison": "/ui/reports/comparison"} | {n: f"{places.lesson}/{n}" for n in ("funnel", "questions")}
    page = desk.open(paths[report], role=Role.ANALYST)

    outside, overlapping = page.evaluate(_ROOM)

    assert outside == []
    assert overlapping == []


def test_a_picture_keeps_its_colours_where_the_system_forces_others(desk: Desk) -> None:
    page = desk.open(desk.site.places.cohort, role=Role.ANALYST)

    page.emulate_media(forced_colors="active", color_scheme="dark")

    fills = page.evaluate("[...document.querySelectorAll('svg text')].map((text) => getComputedStyle(text).fill)")
    assert set(fills) == {"rgb(26, 32, 48)", "rgb(74, 82, 102)"}


def test_a_report_is_saved_with_the_session_alone(desk: Desk) -> None:
    page = desk.open(desk.site.places.cohort, role=Role.ANALYST)

    table, file = saved(page, "CSV"), saved(page, "PARQUET")
    page.get_by_role("link", name="SVG", exact=True).click()
    page.wait_for_url(re.compile("format=svg"))
    picture = read_picture(page.context.request.get(page.url).text())

    assert table.decode().count("\n") == 1 + 53 * 7
    assert file[:4] == b"PAR1"
    assert picture.title == "Lessons completed in Night shift, hall 4"
    assert page.locator("svg").get_attribute("role") == "img"


def test_filters_stay_and_the_same_numbers_have_an_address(desk: Desk) -> None:
    page = desk.open("/ui/reports/at-risk", role=Role.REGISTRAR)

    page.get_by_label("Cohort").select_option("Night shift, hall 4")
    page.get_by_role("spinbutton", name="Days without activity").fill("80")
    page.get_by_label("Also those who never started").check()
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("idle_days=80"))
    rows = page.get_by_role("row").all_inner_texts()
    page.get_by_role("link", name="Link to exactly these numbers").click()

    page.wait_for_url(re.compile(r"as_of=\d"))  # the form has a field of this name, too
    assert page.get_by_role("row").all_inner_texts() == rows
    expect(page.get_by_role("spinbutton", name="Days without activity")).to_have_value("80")
    expect(page.get_by_label("Also those who never started")).to_be_checked()
    expect(page.get_by_label("Cohort")).to_have_value(desk.site.places.cohort.rpartition("/")[2])
    assert "never started" in rows[1]


def test_a_learner_follows_their_own_progress(desk: Desk) -> None:
    page = desk.open("/ui", role=Role.LEARNER)

    page.get_by_role("navigation", name="Main").get_by_role("link", name="My progress").click()

    expect(page.get_by_role("main")).to_contain_text("lessons completed")
    expect(page.get_by_role("img", name=re.compile("Time line of"))).to_be_visible()
    page.goto(desk.site.places.learner)
    expect(page.get_by_role("main")).to_contain_text("You can see your own time line only.")
    desk.expect_complaint("403")


@pytest.mark.parametrize("place", ["cohort", "lesson"])
def test_a_report_is_printed_whole_and_without_what_paper_cannot_do(desk: Desk, place: str) -> None:
    path = desk.site.places.cohort if place == "cohort" else f"{desk.site.places.lesson}/questions"
    page = desk.open(path, role=Role.ANALYST)

    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 between its margins

    for hidden in (page.locator("header"), page.locator("main form"), page.get_by_role("link", name="CSV")):
        expect(hidden).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    widths = page.evaluate("[...document.querySelectorAll('.picture')].map((e) => [e.scrollWidth, e.clientWidth])")
    assert all(scroll <= client for scroll, client in widths)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"print-{place}.png", full_page=True)
