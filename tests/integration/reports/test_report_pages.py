"""Reports as people see them: pages with pictures and tables, files by the session, and who may see what."""

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pyarrow.parquet as pq
import pytest

from dataforge.bootstrap import rest_app
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.browser import add_person, person, visitor
from tests.builders.report_samples import LearningCohort, ReportSamples
from tests.builders.svg import Picture, read_picture

READERS = (Role.INSTRUCTOR, Role.ANALYST, Role.REGISTRAR, Role.ADMIN)


@pytest.fixture
async def api(database: Database, clock: FixedClock) -> AsyncIterator[ApiUnderTest]:
    """The function that serves reports, with its own rights."""
    async with ApiUnderTest(database, clock, function="datasets-api") as api:
        api.app, api.asgi = rest_app("datasets_api", api.platform)
        yield api


@pytest.fixture
async def cohort(api: ApiUnderTest) -> LearningCohort:
    """A cohort that has learned for a while."""
    return await ReportSamples(api).fill()


@pytest.fixture
async def analyst(api: ApiUnderTest) -> httpx.AsyncClient:
    """A browser of somebody who reads reports."""
    user_id, _ = await add_person(api, Role.ANALYST)
    return await person(api, user_id, Role.ANALYST)


def pages_of(cohort: LearningCohort) -> dict[str, str]:
    lesson = f"/ui/reports/lessons/{cohort.lessons[0]}"
    return {
        "cohort": f"/ui/reports/cohorts/{cohort.cohort_id}",
        "funnel": f"{lesson}/funnel",
        "questions": f"{lesson}/questions",
        "incomplete": f"{lesson}/incomplete",
        "at-risk": "/ui/reports/at-risk",
        "activity": "/ui/reports/activity?from=2026-09-01&to=2026-09-30",
        "comparison": "/ui/reports/comparison",
        "completions": "/ui/reports/completions?since=2026-01-01T00:00:00Z",
        "learner": f"/ui/reports/learners/{cohort.learners[0]}",
    }


KINDS = tuple(pages_of(LearningCohort(uuid7(), [uuid7()], [uuid7()])))


async def shown(client: httpx.AsyncClient, path: str) -> str:
    page = await client.get(path)
    assert page.status_code == 200, page.text
    return page.text


def pictures(page: str) -> list[Picture]:
    return [read_picture(svg) for svg in re.findall(r"<svg xmlns.*?</svg>", page, re.DOTALL)]


def link(page: str, text: str) -> str:
    found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>{re.escape(text)}</a>', page)
    assert found, page
    return unescape(found[1])


def cells(page: str) -> list[str]:
    """The texts of all cells of all tables."""
    found = re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", page, re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in found]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_page_has_a_picture_a_table_and_says_as_of_when(
    analyst: httpx.AsyncClient, cohort: LearningCohort, kind: str
) -> None:
    page = await shown(analyst, pages_of(cohort)[kind])

    assert pictures(page)
    assert "<table" in page
    assert "As of <time" in page
    assert 'style="' not in page


@pytest.mark.parametrize("kind", KINDS)
async def test_the_numbers_of_a_page_can_be_linked_to_and_saved(
    analyst: httpx.AsyncClient, cohort: LearningCohort, kind: str
) -> None:
    page = await shown(analyst, pages_of(cohort)[kind])

    again = await shown(analyst, link(page, "Link to exactly these numbers"))
    table, file, picture = [await analyst.get(link(page, name)) for name in ("CSV", "PARQUET", "SVG")]

    assert pictures(again) == pictures(page)
    assert cells(again) == cells(page)
    assert table.headers["content-type"].startswith("text/csv")
    assert table.headers["content-disposition"].startswith("attachment")
    assert len(list(csv.reader(io.StringIO(table.text)))) > 1
    assert pq.read_table(io.BytesIO(file.content)).num_rows > 0
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert read_picture(picture.text) == pictures(page)[0]
    assert len({answer.headers["x-watermark"] for answer in (table, file, picture)}) == 1


async def test_the_table_of_a_cohort_says_what_its_heat_map_shows(
    analyst: httpx.AsyncClient, cohort: LearningCohort
) -> None:
    page = await shown(analyst, pages_of(cohort)["cohort"])

    (picture,) = pictures(page)
    found = cells(page)
    for state, words in (("completed", "completed"), ("in progress", "in progress"), ("not started", "not started")):
        assert f"{found.count(state)} {words}" in picture.description
    assert f"8 learners and {len(cohort.lessons)} lessons." in picture.description
    totals = [cell for cell in found if re.fullmatch(r"\d of 8", cell)]
    assert len(totals) == len(cohort.lessons)
    assert [text for text in picture.texts if re.fullmatch(r"\d of 8", text)] == totals


async def test_names_are_shown_as_they_are_and_not_as_markup(
    analyst: httpx.AsyncClient, cohort: LearningCohort
) -> None:
    for path in pages_of(cohort).values():
        page = await shown(analyst, path)

        assert "<b>Hopper" not in page
        assert "<advanced>" not in page
        assert "<outside>" not in page


async def test_a_cohort_is_paged_and_its_files_are_whole(api: ApiUnderTest, analyst: httpx.AsyncClient) -> None:
    samples = ReportSamples(api)
    others = [await samples.learner(display_name=f"Learner {n:03}") for n in range(60)]
    cohort = await samples.fill(others=others)

    first = await shown(analyst, pages_of(cohort)["cohort"])
    second = await shown(analyst, link(first, "Next page"))
    table = await analyst.get(link(first, "CSV"))

    names = [re.findall(r"/ui/reports/learners/([0-9a-f-]{36})", page) for page in (first, second)]
    assert (len(names[0]), len(names[1])) == (50, 18)
    assert len(set(names[0] + names[1])) == 68
    assert any("50 of 68 learners" in text for text in pictures(first)[0].texts)
    assert len(list(csv.reader(io.StringIO(table.text)))) == 1 + 68 * len(cohort.lessons)
    assert link(second, "First page").partition("?")[0] == pages_of(cohort)["cohort"]


async def test_the_matrix_of_a_cohort_is_saved_with_a_column_for_each_lesson(
    analyst: httpx.AsyncClient, cohort: LearningCohort
) -> None:
    page = await shown(analyst, pages_of(cohort)["cohort"])
    links = [unescape(address) for address in re.findall(r'href="([^"]*matrix=state[^"]*)"', page)]

    plain, excel = [await analyst.get(address) for address in links]

    header = next(csv.reader(io.StringIO(plain.text)))
    assert len(header) == 6 + len(cohort.lessons)
    assert excel.content == b"\xef\xbb\xbf" + excel.content[3:]
    assert next(csv.reader(io.StringIO(excel.content.decode("utf-8-sig"))))[:3] == header[:3]


async def test_cohorts_and_lessons_are_found_by_words(analyst: httpx.AsyncClient, cohort: LearningCohort) -> None:
    everything = await shown(analyst, "/ui/reports")
    nothing = await shown(analyst, "/ui/reports?q=100%25_")
    lessons = await shown(analyst, "/ui/reports?q=EXTINGUISH")

    assert f"/ui/reports/cohorts/{cohort.cohort_id}" in everything
    assert "No cohort fits" in nothing
    assert "No lesson fits" in nothing
    assert "No cohort fits" in lessons
    assert f"/ui/reports/lessons/{cohort.lessons[1]}/funnel" in lessons


@pytest.mark.parametrize("role", [Role.LEARNER, Role.VIEWER])
async def test_only_readers_see_reports_and_learners_their_own_time_line(
    api: ApiUnderTest, cohort: LearningCohort, role: Role
) -> None:
    other, _ = await add_person(api, role)
    stranger = await person(api, other, role)
    self = await person(api, cohort.learners[0], Role.LEARNER)
    paths = pages_of(cohort)

    for kind, path in {**paths, "overview": "/ui/reports"}.items():
        # Of a cohort or lesson that is none of theirs they are not told that there is one.
        refused = 404 if "/cohorts/" in path or "/lessons/" in path or "cohort_id=" in path else 403
        assert (await stranger.get(path)).status_code == refused, kind
        assert (await stranger.get(f"{path}{'&' if '?' in path else '?'}format=csv")).status_code == refused, kind
    own = await shown(self, paths["learner"])

    assert "Ada Lovelace" in own
    assert (await self.get(f"{paths['learner']}?format=csv")).status_code == 200
    assert (await self.get(f"/ui/reports/learners/{cohort.learners[1]}")).status_code == 403


@pytest.mark.parametrize("role", READERS)
async def test_everybody_who_teaches_or_counts_reads_reports(
    api: ApiUnderTest, cohort: LearningCohort, role: Role
) -> None:
    user_id, _ = await add_person(api, role)
    client = await person(api, user_id, role)

    for path in pages_of(cohort).values():
        assert (await client.get(path)).status_code == 200


async def test_whoever_has_not_signed_in_is_sent_there_and_comes_back(
    api: ApiUnderTest, cohort: LearningCohort
) -> None:
    client = await visitor(api)

    answer = await client.get(pages_of(cohort)["cohort"])

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/ui/sign-in?next=%2Fui%2Freports%2Fcohorts")


async def test_a_session_cookie_opens_no_report_of_the_api(analyst: httpx.AsyncClient, cohort: LearningCohort) -> None:
    assert (await analyst.get(f"/api/reports/cohorts/{cohort.cohort_id}")).status_code == 401


@pytest.mark.parametrize(
    ("kind", "query", "status", "place"),
    [
        ("activity", "from=2026-09-30&to=2026-09-01", 422, 'role="alert"'),
        ("activity", "time_zone=Mars/Olympus", 400, "time_zone"),
        ("at-risk", "idle_days=0", 400, "idle_days"),
        ("cohort", "as_of=yesterday", 400, "as_of"),
        ("cohort", "format=pdf", 400, "format"),
        ("completions", "since=once", 400, "since"),
        ("funnel", "cohort_id=x", 400, "cohort_id"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_place(
    analyst: httpx.AsyncClient, cohort: LearningCohort, kind: str, query: str, status: int, place: str
) -> None:
    page = await analyst.get(f"{pages_of(cohort)[kind].partition('?')[0]}?{query}")

    assert page.status_code == status, page.text
    assert place in page.text


@pytest.mark.parametrize("kind", ["cohort", "funnel", "questions", "incomplete", "learner"])
async def test_what_there_is_not_is_not_found(analyst: httpx.AsyncClient, kind: str) -> None:
    nothing = LearningCohort(uuid7(), [uuid7()], [uuid7()])

    assert (await analyst.get(pages_of(nothing)[kind])).status_code == 404


async def test_forms_that_were_left_open_ask_for_everything(analyst: httpx.AsyncClient, cohort: LearningCohort) -> None:
    path = "/ui/reports/activity?from=&to=&interval=week&time_zone=Europe/Berlin&cohort_id=&lesson_id=&as_of="

    assert "Week from" in await shown(analyst, path)


async def test_new_completions_are_those_of_a_week_at_an_address_that_says_so(
    analyst: httpx.AsyncClient, cohort: LearningCohort, clock: FixedClock
) -> None:
    answer = await analyst.get("/ui/reports/completions?as_of=2026-09-20T00:00:00%2B02:00&format=csv")

    assert answer.status_code == 303
    week_ago = (clock.now() - timedelta(days=7)).isoformat().replace("+00:00", "Z")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query == {"since": [week_ago], "as_of": ["2026-09-19T22:00:00Z"], "format": ["csv"]}
    assert (await analyst.get(answer.headers["location"])).headers["x-watermark"] == "2026-09-19T22:00:00Z"


async def test_without_anything_pages_say_so(api: ApiUnderTest, analyst: httpx.AsyncClient) -> None:
    samples = ReportSamples(api)
    empty = await samples.cohort(name="Nobody yet")
    lesson = await samples.lesson(empty, None, "Nothing")
    alone: UUID = await samples.learner(display_name="Alone")
    pages = pages_of(LearningCohort(empty, [alone], [lesson]))
    said = {kind: await shown(analyst, path) for kind, path in pages.items()}

    assert "Nobody was a member" in said["cohort"]
    assert "Nobody is expected" in said["funnel"]
    assert "Nobody is expected" in said["incomplete"]
    assert "No answers" in said["questions"]
    assert "Nobody is at risk" in said["at-risk"]
    assert "Nothing new" in said["completions"]
    assert "Nothing yet" in said["learner"]


async def test_people_come_to_reports_by_the_navigation(api: ApiUnderTest, cohort: LearningCohort) -> None:
    learner = await person(api, cohort.learners[0], Role.LEARNER)

    page = await shown(learner, pages_of(cohort)["learner"])

    assert link(page, "My progress") == pages_of(cohort)["learner"]
    assert ">Reports</a>" not in page
