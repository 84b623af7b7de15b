"""Reports as a client sees them: formats, pages, watermarks, and who may read them."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pyarrow as pa
import pytest
from pyarrow import parquet

from dataforge.bootstrap import rest_app
from dataforge.contexts.reports.activity.wire import ActivityOut
from dataforge.contexts.reports.at_risk.wire import AtRiskOut
from dataforge.contexts.reports.cohort.wire import MatrixOut
from dataforge.contexts.reports.comparison.wire import ComparisonOut
from dataforge.contexts.reports.completions.wire import CompletionsOut
from dataforge.contexts.reports.funnel.wire import FunnelOut
from dataforge.contexts.reports.incomplete.wire import IncompleteOut
from dataforge.contexts.reports.learner.wire import LearnerOut
from dataforge.contexts.reports.questions.wire import QuestionsOut
from dataforge.http import csv_lists
from dataforge.http.bounds import MAX_ANSWER_BYTES
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.reports import Cohort, Lesson, Records, day
from tests.builders.svg import read_picture

PARQUET, SVG = "application/vnd.apache.parquet", "image/svg+xml"
FACTS = ("X-Watermark", "X-Removed-Since")


class School:
    """Five learners of a cohort with two lessons: one has completed both, one has begun, one is idle."""

    cohort: Cohort
    lessons: list[Lesson]

    def __init__(self) -> None:
        self.records = Records()

    async def open(self, database: Database) -> None:
        records = self.records
        ana, bo, cy, di, ed = (records.learner(name) for name in ("Ana", "Bo", "Cy", "Di", "=Ed"))
        self.cohort = records.cohort("Blue", ana, bo, cy, di, ed)
        self.lessons = [records.lesson("Fire safety", self.cohort), records.lesson("First aid", self.cohort)]
        one, two = self.lessons
        records.did(ana, one, 0)
        records.did(ana, one, 1, completes=True, score=0.5)
        records.did(ana, two, 2, completes=True)
        records.did(bo, one, 50)
        records.did(cy, one, 3, known=20, completes=True)
        for place, learner in enumerate((ana, bo, cy)):
            for number in (1, 2):
                answer = {"response": "a[,]b", "success": place != number}
                records.did(learner, one, 4, question=f"https://example.org/q/{number}", **answer)
        records.removals.append((day(30), 4))
        await records.store(database)

    @property
    def paths(self) -> dict[str, type[Any]]:
        """The addresses of all reports with what they answer."""
        lesson = f"/api/reports/lessons/{self.lessons[0].lesson_id}"
        return {
            f"/api/reports/cohorts/{self.cohort.cohort_id}": MatrixOut,
            f"/api/reports/learners/{self.records.learners[0].user_id}": LearnerOut,
            f"{lesson}/incomplete": IncompleteOut,
            f"{lesson}/funnel": FunnelOut,
            f"{lesson}/questions": QuestionsOut,
            "/api/reports/at-risk?include_never_started=true": AtRiskOut,
            "/api/reports/activity?from=2026-03-01&to=2026-03-31&interval=week": ActivityOut,
            "/api/reports/comparison": ComparisonOut,
            "/api/reports/completions?since=2026-01-01T00:00:00Z": CompletionsOut,
        }


@pytest.fixture
async def reports(database: Database, clock: FixedClock) -> AsyncIterator[ApiUnderTest]:
    """The function that serves reports, with its own rights."""
    async with ApiUnderTest(database, clock, function="datasets-api") as api:
        api.app, api.asgi = rest_app("datasets_api", api.platform)
        yield api


@pytest.fixture
async def school(database: Database) -> School:
    """The school, open."""
    school = School()
    await school.open(database)
    return school


@pytest.fixture
async def analyst(reports: ApiUnderTest) -> httpx.AsyncClient:
    """Somebody who may read reports."""
    return await reports.as_role(Role.ANALYST)


async def get(client: httpx.AsyncClient, path: str, accept: str = "application/json", **params: Any) -> httpx.Response:
    address = httpx.URL(path)
    answer = await client.get(address.copy_merge_params(params), headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    return answer


async def test_every_report_is_what_its_model_says(school: School, analyst: httpx.AsyncClient) -> None:
    for path, model in school.paths.items():
        body = (await get(analyst, path)).json()

        assert set(body) == set(model.model_fields), path
        model.model_validate(body)


async def test_every_report_says_what_it_rests_on_in_every_format(school: School, analyst: httpx.AsyncClient) -> None:
    for path in school.paths:
        for accept in ("application/json", "text/csv", PARQUET):
            answer = await get(analyst, path, accept, as_of="2026-03-10T00:00:00Z")

            assert answer.headers["content-type"].partition(";")[0] == accept
            assert [answer.headers[name] for name in FACTS] == ["2026-03-10T00:00:00Z", "4"]
            if accept == "application/json":
                assert (answer.json()["watermark"], answer.json()["removed_since"]) == ("2026-03-10T00:00:00Z", 4)
            if accept == PARQUET:
                facts = parquet.read_schema(io.BytesIO(answer.content)).metadata
                assert (facts[b"watermark"], facts[b"removed_since"]) == (b"2026-03-10T00:00:00Z", b"4")


async def test_asked_again_with_its_watermark_a_report_is_the_same(
    school: School, analyst: httpx.AsyncClient, database: Database
) -> None:
    answers = {}
    for path in school.paths:
        first = await get(analyst, path)
        answers[path] = first.content, first.json()["watermark"]
    later = Records(school.records.learners, school.records.cohorts, school.records.lessons)
    assert (await get(analyst, "/api/reports/comparison")).json()["watermark"] > answers["/api/reports/comparison"][1]

    for path, (content, watermark) in answers.items():
        again = await get(analyst, path, as_of=watermark)
        assert again.content == content, path
    assert later.matches == []


async def test_every_report_has_a_picture_with_its_watermark(school: School, analyst: httpx.AsyncClient) -> None:
    for path in school.paths:
        answer = await get(analyst, path, SVG, as_of="2026-03-10T00:00:00Z")

        assert answer.headers["content-type"] == SVG
        assert answer.headers["content-disposition"].startswith("inline; filename=")
        assert [answer.headers[name] for name in FACTS] == ["2026-03-10T00:00:00Z", "4"]
        note = read_picture(answer.text).texts[1]
        assert note.startswith("As of 10 Mar 2026, 00:00 UTC; 4 statements have been erased or purged since")
        again = await analyst.get(answer.url, headers={"Accept": SVG, "If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


async def test_a_picture_of_a_cohort_has_up_to_500_learners(database: Database, analyst: httpx.AsyncClient) -> None:
    records = Records()
    cohort = records.cohort("Large", *[records.learner(f"Learner {number:03}") for number in range(520)])
    for number in range(50):
        records.lesson(f"Lesson {number}", cohort)
    await records.store(database)

    answer = await get(analyst, f"/api/reports/cohorts/{cohort.cohort_id}", SVG)

    assert "500 of 520 learners" in read_picture(answer.text).texts[1]
    assert len(answer.content) < 1_000_000


async def test_a_time_line_has_what_a_learner_did_as_it_was_known(school: School, analyst: httpx.AsyncClient) -> None:
    ana, _, cy = (f"/api/reports/learners/{learner.user_id}" for learner in school.records.learners[:3])

    body = (await get(analyst, ana)).json()
    before, after = [(await get(analyst, cy, as_of=f"2026-03-{day}T00:00:00Z")).json() for day in (20, 25)]

    assert [(item["title"], item["statements"], item["expected"]) for item in body["lessons"]] == [
        ("Fire safety", 4, True),
        ("First aid", 1, True),
    ]
    assert body["lessons"][0]["started_at"] == "2026-03-02T08:00:00Z"
    assert body["lessons"][0]["completed_at"] == "2026-03-03T08:00:00Z"
    assert body["lessons"][0]["score_scaled"] == 0.5
    times = [item["occurred_at"] for item in body["items"]]
    assert times == sorted(times, reverse=True)
    assert [item["completes"] for item in body["items"]] == [False, False, True, True, False]
    assert (len(before["items"]), before["lessons"][0]["completed_at"]) == (2, None)
    assert (len(after["items"]), after["lessons"][0]["completed_at"]) == (3, "2026-03-05T08:00:00Z")


async def test_a_time_line_is_paged_through(school: School, analyst: httpx.AsyncClient) -> None:
    path = f"/api/reports/learners/{school.records.learners[0].user_id}"
    whole = (await get(analyst, path)).json()

    found, body = [], (await get(analyst, path, limit=1)).json()
    while True:
        found += body["items"]
        assert body["lessons"] == whole["lessons"]
        if body["next"] is None:
            break
        body = (await get(analyst, body["next"])).json()

    assert found == whole["items"]


async def test_learners_read_their_own_time_line(school: School, reports: ApiUnderTest) -> None:
    ana, bo = school.records.learners[:2]
    client = await reports.client(await reports.token(ana.user_id, Role.LEARNER))

    assert (await get(client, f"/api/reports/learners/{ana.user_id}")).json()["display_name"] == "Ana"
    other = await client.get(f"/api/reports/learners/{bo.user_id}")
    assert (other.status_code, other.json()["code"]) == (403, "forbidden")


async def test_an_instant_to_come_is_lowered_to_what_is_known(school: School, analyst: httpx.AsyncClient) -> None:
    body = (await get(analyst, "/api/reports/comparison", as_of="2999-01-01T00:00:00Z")).json()

    assert datetime.fromisoformat(body["watermark"]) < datetime.now(UTC)


async def test_the_matrix_has_times_in_the_order_of_its_lessons(school: School, analyst: httpx.AsyncClient) -> None:
    body = (await get(analyst, f"/api/reports/cohorts/{school.cohort.cohort_id}")).json()

    assert [lesson["title"] for lesson in body["lessons"]] == ["Fire safety", "First aid"]
    assert [(lesson["started"], lesson["completed"]) for lesson in body["lessons"]] == [(3, 2), (1, 1)]
    assert (body["learners"], body["rate"]) == (5, 0.3)
    rows = {row["display_name"]: row for row in body["items"]}
    assert list(rows) == ["=Ed", "Ana", "Bo", "Cy", "Di"]
    assert rows["Ana"]["completed_at"] == ["2026-03-03T08:00:00Z", "2026-03-04T08:00:00Z"]
    assert rows["Ana"]["started_at"] == ["2026-03-02T08:00:00Z", "2026-03-04T08:00:00Z"]
    assert (rows["Bo"]["completed_at"], rows["Bo"]["completed"]) == ([None, None], 0)
    assert (rows["Di"]["started_at"], rows["Di"]["last_activity"], rows["Di"]["rate"]) == ([None, None], None, 0.0)


async def test_the_matrix_as_csv_has_a_row_for_each_cell(school: School, analyst: httpx.AsyncClient) -> None:
    answer = await get(analyst, f"/api/reports/cohorts/{school.cohort.cohort_id}", "text/csv")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 10
    states = {(row["display_name"], row["lesson_title"]): row["state"] for row in rows}
    assert states["Ana", "First aid"] == "completed"
    assert states["Bo", "Fire safety"] == "in_progress"
    assert states["=Ed", "Fire safety"] == "not_started"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="cohort.csv"'


async def test_the_matrix_has_a_column_for_each_lesson_if_it_is_asked_for(
    school: School, analyst: httpx.AsyncClient
) -> None:
    path = f"/api/reports/cohorts/{school.cohort.cohort_id}"
    states = await get(analyst, path, "text/csv", matrix="state")
    times = await analyst.get(path, params={"format": "csv", "matrix": "completed_at", "excel": "true"})
    table = parquet.read_table(io.BytesIO((await get(analyst, path, PARQUET, matrix="completed_at")).content))

    rows = {row["display_name"]: row for row in csv.DictReader(io.StringIO(states.text))}
    assert list(rows["Ana"]) == [
        "user_id",
        "display_name",
        "email",
        "completed",
        "rate",
        "last_activity",
        "Fire safety",
        "First aid",
    ]
    assert list(rows) == ["=Ed", "Ana", "Bo", "Cy", "Di"]
    assert (rows["Ana"]["completed"], rows["Ana"]["First aid"]) == ("2", "completed")
    assert (rows["Bo"]["Fire safety"], rows["Di"]["Fire safety"]) == ("in_progress", "not_started")
    first = next(csv.DictReader(io.StringIO(times.content.decode("utf-8-sig"))))
    assert (first["display_name"], first["Fire safety"]) == ("'=Ed", "")
    assert table.schema.field("First aid").type == pa.timestamp("us", tz="UTC")


async def test_lessons_of_one_title_have_columns_of_their_own(database: Database, analyst: httpx.AsyncClient) -> None:
    records = Records()
    cohort = records.cohort("Twins", records.learner("Ana"))
    lessons = [records.lesson(title, cohort) for title in ("Same", "Same", "email")]
    await records.store(database)

    answer = await get(analyst, f"/api/reports/cohorts/{cohort.cohort_id}", "text/csv", matrix="state")

    names = answer.text.splitlines()[0].split(",")[6:]
    assert len(set(names)) == 3
    assert f"email ({lessons[2].lesson_id})" in names


async def test_a_file_is_whole_however_many_pages_it_takes(
    database: Database, analyst: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records()
    cohort = records.cohort("Many", *(records.learner(f"Learner {number:03}") for number in range(25)))
    for title in ("First\naid", "Fire"):
        records.lesson(title, cohort)
    await records.store(database)
    monkeypatch.setattr(csv_lists, "_ROWS_OF_FILES", 10)

    for matrix, lines in ((None, 50), ("state", 25)):
        query = {} if matrix is None else {"matrix": matrix}
        answer = await get(analyst, f"/api/reports/cohorts/{cohort.cohort_id}", "text/csv", **query)
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(rows) == lines
        assert len({row["user_id"] for row in rows}) == 25
        assert answer.headers["X-Watermark"]


async def test_the_matrix_as_parquet_has_types(school: School, analyst: httpx.AsyncClient) -> None:
    answer = await get(analyst, f"/api/reports/cohorts/{school.cohort.cohort_id}", PARQUET)

    table = parquet.read_table(io.BytesIO(answer.content))
    assert table.num_rows == 10
    assert table.schema.field("completed_at").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("user_id").type == pa.string()
    assert set(table.column("display_name").to_pylist()) == {"Ana", "Bo", "Cy", "Di", "=Ed"}


async def test_pages_have_the_watermark_of_the_first(school: School, analyst: httpx.AsyncClient) -> None:
    first = await get(analyst, f"/api/reports/cohorts/{school.cohort.cohort_id}", limit=2)

    names, watermarks, body = [], set(), first.json()
    assert first.headers["Link"] == f'<{body["next"]}>; rel="next"'
    while True:
        names += [row["display_name"] for row in body["items"]]
        watermarks.add(body["watermark"])
        assert [lesson["completed"] for lesson in body["lessons"]] == [2, 1]
        if body["next"] is None:
            break
        body = (await get(analyst, body["next"])).json()
    assert names == ["=Ed", "Ana", "Bo", "Cy", "Di"]
    assert len(watermarks) == 1


async def test_a_file_is_whole_unless_it_is_limited(school: School, analyst: httpx.AsyncClient) -> None:
    path = f"/api/reports/lessons/{school.lessons[0].lesson_id}/incomplete"
    whole = await get(analyst, path, "text/csv")
    part = await get(analyst, path, "text/csv", limit=1)

    assert len(whole.text.splitlines()) == 4
    assert "Link" not in whole.headers
    assert len(part.text.splitlines()) == 2
    assert "cursor=" in part.headers["Link"]


async def test_a_cursor_is_of_its_report(school: School, analyst: httpx.AsyncClient) -> None:
    cursor = (await get(analyst, f"/api/reports/cohorts/{school.cohort.cohort_id}", limit=2)).json()["next_cursor"]

    answer = await analyst.get("/api/reports/comparison", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


async def test_what_a_client_has_is_not_sent_again(school: School, analyst: httpx.AsyncClient) -> None:
    path = "/api/reports/comparison?as_of=2026-03-10T00:00:00Z"
    first = await get(analyst, path)

    again = await analyst.get(path, headers={"If-None-Match": first.headers["ETag"]})
    other = await analyst.get(path, headers={"If-None-Match": first.headers["ETag"], "Accept": "text/csv"})

    assert (again.status_code, again.content, again.headers["X-Watermark"]) == (304, b"", "2026-03-10T00:00:00Z")
    assert other.status_code == 200


async def test_a_report_is_the_same_until_it_says_something_else(school: School, analyst: httpx.AsyncClient) -> None:
    for path in (*school.paths, f"/api/reports/cohorts/{school.cohort.cohort_id}?limit=2"):
        first = await get(analyst, path)
        later = await analyst.get(path, headers={"If-None-Match": first.headers["ETag"]})

        assert (later.status_code, later.content, later.headers["ETag"]) == (304, b"", first.headers["ETag"]), path
        assert later.headers["X-Watermark"] > first.headers["X-Watermark"]


async def test_a_format_that_there_is_not_is_refused_with_those_there_are(
    school: School, analyst: httpx.AsyncClient
) -> None:
    for path in school.paths:
        answer = await analyst.get(path, headers={"Accept": "application/pdf"})

        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
        assert PARQUET in answer.json()["detail"]


async def test_completions_that_were_withdrawn_are_told_once(school: School, analyst: httpx.AsyncClient) -> None:
    first = (await get(analyst, "/api/reports/completions", since="2026-01-01T00:00:00Z", limit=2)).json()
    second = (await get(analyst, first["next"])).json()
    later = (await get(analyst, "/api/reports/completions", since=second["next_since"])).json()

    assert (len(first["items"]), first["next_since"]) == (2, None)
    assert (len(second["items"]), second["next_since"]) == (1, first["watermark"])
    assert later["items"] == []
    assert later["next_since"] >= second["next_since"]


async def test_a_since_after_the_watermark_is_not_taken_back(school: School, analyst: httpx.AsyncClient) -> None:
    since, as_of = "2026-05-01T00:00:00Z", "2026-04-01T00:00:00Z"
    body = (await get(analyst, "/api/reports/completions", since=since, as_of=as_of)).json()

    assert (body["items"], body["next_since"]) == ([], since)


async def test_activity_names_the_zone_and_has_quiet_weeks_too(school: School, analyst: httpx.AsyncClient) -> None:
    period = {"from": "2026-03-23", "to": "2026-04-05", "interval": "week", "time_zone": "Europe/Berlin"}
    body = (await get(analyst, "/api/reports/activity", **period)).json()

    assert [(item["begins"], item["ends"]) for item in body["items"]] == [
        ("2026-03-23T00:00:00+01:00", "2026-03-30T00:00:00+02:00"),
        ("2026-03-30T00:00:00+02:00", "2026-04-06T00:00:00+02:00"),
    ]
    assert {item["statements"] for item in body["items"]} == {0}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("activity?time_zone=IST", 400, "validation_failed"),
        ("activity?from=2026-03-01&to=2026-02-01", 422, "period_refused"),
        ("activity?from=2000-01-01", 422, "period_refused"),
        ("activity?from=0001-01-01&to=0001-01-02&time_zone=Asia/Tokyo", 422, "period_refused"),
        ("activity?from=9999-12-30&to=9999-12-31&time_zone=America/New_York", 422, "period_refused"),
        ("activity?to=0001-01-02", 422, "period_refused"),
        ("activity?to=9999-12-31", 422, "period_refused"),
        ("activity?from=0", 400, "validation_failed"),
        ("activity?time_zone=localtime", 400, "validation_failed"),
        ("activity?time_zone=Factory", 400, "validation_failed"),
        ("comparison?as_of=0001-01-01T00:00:00%2B14:00", 400, "validation_failed"),
        ("comparison?as_of=9999-12-31T23:59:59-14:00", 400, "validation_failed"),
        ("comparison?as_of=0", 400, "validation_failed"),
        ("completions?since=0001-01-01T00:00:00%2B14:00", 400, "validation_failed"),
        ("comparison?by=teacher", 400, "validation_failed"),
        ("comparison?as_of=yesterday", 400, "validation_failed"),
        ("completions", 400, "validation_failed"),
        ("at-risk?idle_days=0", 400, "validation_failed"),
        ("comparison?limit=501", 400, "validation_failed"),
    ],
)
async def test_what_cannot_be_reported_is_refused(
    analyst: httpx.AsyncClient, query: str, status: int, code: str
) -> None:
    answer = await analyst.get(f"/api/reports/{query}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["errors"][0]["pointer"].startswith("query:")


async def test_as_of_the_first_day_that_there_is_nothing_was_known(school: School, analyst: httpx.AsyncClient) -> None:
    for path in school.paths:
        if "?from" not in path:
            for accept in ("application/json", "text/csv", PARQUET, SVG):
                answer = await get(analyst, path, accept, as_of="0001-01-01T00:00:00Z")
                assert answer.headers["X-Watermark"] == "0001-01-01T00:00:00Z"
    body = (await get(analyst, "/api/reports/activity", as_of="0001-01-01T00:00:00Z")).json()
    assert (body["statements"], len(body["items"])) == (0, 30)


async def test_what_is_not_there_has_no_report(analyst: httpx.AsyncClient) -> None:
    unknown = uuid4()
    for path in (
        f"cohorts/{unknown}",
        f"learners/{unknown}",
        *(f"lessons/{unknown}/{name}" for name in ("incomplete", "funnel", "questions")),
        *(f"{name}?cohort_id={unknown}" for name in ("at-risk", "comparison", "activity")),
        f"activity?lesson_id={unknown}",
    ):
        answer = await analyst.get(f"/api/reports/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path


async def test_learners_read_no_reports(school: School, reports: ApiUnderTest) -> None:
    for role in Role:
        client = await reports.as_role(role)
        statuses = {(await client.get(path)).status_code for path in school.paths}

        may = role in (Role.ADMIN, Role.ANALYST, Role.INSTRUCTOR, Role.REGISTRAR)
        assert statuses == ({200} if may else {403, 404}), role


async def test_a_page_of_a_file_that_does_not_fit_is_packed_or_refused_with_what_to_do(
    database: Database, analyst: httpx.AsyncClient
) -> None:
    records = Records()
    people = [records.learner(f"Learner {number} {'x' * 200}") for number in range(300)]
    cohort = records.cohort("Large", *people)
    for number in range(50):
        records.lesson(f"{number} {'y' * 200}", cohort)
    await records.store(database)
    path, accept = f"/api/reports/cohorts/{cohort.cohort_id}", {"Accept": "text/csv"}

    page = {"limit": 500}
    packed = await analyst.get(path, params=page, headers={**accept, "Accept-Encoding": "gzip"})
    plain = await analyst.get(path, params=page, headers={**accept, "Accept-Encoding": "identity"})

    assert (packed.status_code, packed.headers["Content-Encoding"]) == (200, "gzip")
    assert int(packed.headers["Content-Length"]) < MAX_ANSWER_BYTES < len(packed.content)
    assert len(list(csv.reader(io.StringIO(packed.text)))) == 15_001
    assert (plain.status_code, plain.json()["code"]) == (422, "answer_too_large")
    assert plain.json()["limit_bytes"] == MAX_ANSWER_BYTES
    assert "`limit`" in plain.json()["detail"]
