"""SQL over reports, alone and joined with datasets."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pyarrow as pa
import pytest
from pyarrow import parquet as pq
from sqlalchemy import text

from dataforge.contexts.datasets.statements import report_tables
from dataforge.contexts.reports.relations.views import VIEWS
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.datasets import DatasetsUnderTest, csv, import_file, new_dataset, ok, refused
from tests.builders.emulator import EmulatedAws
from tests.builders.reports import Cohort, Lesson, Records, day
from tests.builders.tokens import new_token

NOBODY = UUID(int=7)
# Columns that a relation has and its report's files have not.
ADDED = {"completions": ("display_name", "email", "lesson_title")}


def parquet(answer: httpx.Response) -> pa.Table:
    assert answer.status_code == 200, answer.text
    return pq.read_table(io.BytesIO(answer.content))


class Desk:
    """A cohort with two lessons, an analyst with marks of its learners, and their client for SQL."""

    def __init__(self, datasets: DatasetsUnderTest, client: httpx.AsyncClient, sql: httpx.AsyncClient) -> None:
        self.datasets, self.client, self.sql = datasets, client, sql
        self.records = Records()
        ana, bo, cy = (self.records.learner(name) for name in ("Ana", "Bo", "Cy"))
        self.cohort: Cohort = self.records.cohort("Blue", ana, bo, cy)
        self.lessons: list[Lesson] = [self.records.lesson(title, self.cohort) for title in ("Fire safety", "First aid")]
        self.records.did(ana, self.lessons[0], 1, completes=True, score=0.5)
        self.records.did(ana, self.lessons[1], 2, completes=True)
        self.records.did(bo, self.lessons[0], 50)
        self.records.did(cy, self.lessons[0], 3, known=20, completes=True)

    async def answer(self, sql: str, **more: Any) -> httpx.Response:
        return await self.sql.post("/api/sql", json={"sql": sql} | more)

    async def rows(self, sql: str, **more: Any) -> list[list[Any]]:
        rows: list[list[Any]] = ok(await self.answer(sql, **more))["rows"]
        return rows

    def relations(self) -> dict[str, tuple[str, str]]:
        """Every relation as a statement names it, with the address and the columns of its report."""
        cohort, lesson = self.cohort.cohort_id, self.lessons[0].lesson_id
        learner = self.records.learners[0].user_id
        return {
            "activity": (
                "reports.activity(\"from\" => '2026-03-01', to => DATE '2026-03-31')",
                "activity?from=2026-03-01&to=2026-03-31",
            ),
            "at_risk": ("reports.at_risk(include_never_started => true)", "at-risk?include_never_started=true"),
            "cohort": (f"reports.cohort('{cohort}')", f"cohorts/{cohort}"),
            "comparison": ("reports.comparison", "comparison"),
            "completions": ("reports.completions", "completions?since=1900-01-01T00:00:00Z"),
            "funnel": (f"reports.funnel(lesson_id => '{lesson}')", f"lessons/{lesson}/funnel"),
            "incomplete": (f"reports.incomplete(lesson_id := '{lesson}')", f"lessons/{lesson}/incomplete"),
            "learner": (f"reports.learner(user_id => '{learner}')", f"learners/{learner}"),
            "questions": (f"reports.questions('{lesson}')", f"lessons/{lesson}/questions"),
        }


@pytest.fixture
async def desk(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[Desk]:
    async with DatasetsUnderTest(database, clock, emulator) as datasets:
        client = await datasets.analyst()
        desk = Desk(datasets, client, await datasets.sql_client(client))
        await desk.records.store(database)
        yield desk


async def test_every_relation_has_the_rows_of_the_file_of_its_report(desk: Desk) -> None:
    assert set(desk.relations()) == set(VIEWS)
    for name, (relation, address) in desk.relations().items():
        file = await desk.client.get(f"/api/reports/{address}", headers={"Accept": "application/vnd.apache.parquet"})
        assert file.status_code == 200, file.text
        columns = ", ".join(f'"{column}"' for column in VIEWS[name].columns if column not in ADDED.get(name, ()))

        answer = await desk.answer(
            f"SELECT {columns} FROM {relation}", max_rows=10_000, as_of=file.headers["X-Watermark"]
        )
        as_file = await desk.sql.post(
            "/api/sql",
            json={"sql": f"SELECT {columns} FROM {relation}", "as_of": file.headers["X-Watermark"]},
            headers={"Accept": "application/vnd.apache.parquet"},
        )

        expected, found = parquet(file), parquet(as_file)
        assert found.to_pylist() == expected.to_pylist(), name
        # The engine names its time zone in another way.
        types = [str(field.type).replace("Etc/UTC", "UTC") for field in found.schema]
        assert types == [str(field.type) for field in expected.schema], name
        assert len(ok(answer)["rows"]) == expected.num_rows
        assert ok(answer)["watermark"] == file.headers["X-Watermark"] == as_file.headers["X-Watermark"]
        assert str(ok(answer)["removed_since"]) == as_file.headers["X-Removed-Since"]


async def test_a_report_is_joined_with_a_dataset(desk: Desk) -> None:
    dataset = await new_dataset(desk.client, "marks")
    marks = [(learner.email, 10 * number) for number, learner in enumerate(desk.records.learners)]
    await import_file(desk.datasets, desk.client, dataset, csv([("email", "mark"), *marks]), key=["email"])

    answer = ok(
        await desk.answer(
            "WITH completions AS (SELECT email, count(completed_at) AS lessons FROM reports.completions GROUP BY 1)\n"
            "SELECT display_name, mark, lessons\n"
            f"FROM marks@main JOIN reports.cohort('{desk.cohort.cohort_id}') AS c USING (email)\n"
            "  LEFT JOIN completions USING (email) WHERE c.lesson_title = 'First aid' ORDER BY display_name"
        )
    )

    assert answer["rows"] == [["Ana", 0, 2], ["Bo", 10, None], ["Cy", 20, 1]]
    assert [source["name"] for source in answer["sources"]] == ["marks@main"]
    assert answer["reports"] == [
        {"name": "completions", "report": "completions", "arguments": []},
        {
            "name": "cohort",
            "report": "cohort",
            "arguments": [{"name": None, "value": str(desk.cohort.cohort_id)}],
        },
    ]


async def test_asked_again_as_of_its_watermark_a_statement_has_the_same_numbers(desk: Desk, database: Database) -> None:
    of_march = "SELECT max(completions) FROM reports.activity('2026-03-01', '2026-03-31')"
    counted = f"SELECT count(*), ({of_march}) FROM reports.completions"

    early = ok(await desk.answer(counted, as_of=day(10).isoformat()))
    now = ok(await desk.answer(counted))
    again = ok(await desk.answer(counted, as_of=early["watermark"]))

    assert early["rows"] == again["rows"] == [[2, 1]]
    assert now["rows"] == [[3, 1]]
    assert early["watermark"] == "2026-03-12T08:00:00Z"


async def test_without_reports_there_is_no_watermark(desk: Desk) -> None:
    answer = ok(await desk.answer("SELECT 1"))

    assert (answer["reports"], answer["watermark"], answer["removed_since"]) == ([], None, None)
    assert refused(await desk.answer("SELECT 1", as_of="2026-03-12T08:00:00Z")) == (422, "sql_refused")


async def test_only_readers_of_a_report_read_it_in_a_statement(desk: Desk) -> None:
    cohort, lesson = desk.cohort.cohort_id, desk.lessons[0].lesson_id
    learner = desk.records.learners[0].user_id
    viewer = await desk.datasets.as_role(Role.VIEWER)
    theirs = await desk.datasets.sql_client(viewer)
    for relation, address in desk.relations().values():
        report = await viewer.get(f"/api/reports/{address}")
        answer = await theirs.post("/api/sql", json={"sql": f"SELECT 1 FROM {relation}"})
        assert refused(answer) == refused(report), relation
        assert answer.json()["detail"] == report.json()["detail"], relation
    own = await desk.datasets.as_user(learner, Role.LEARNER)
    time_line = await (await desk.datasets.sql_client(own)).post(
        "/api/sql", json={"sql": f"SELECT count(*) FROM reports.learner('{learner}')"}
    )
    assert ok(time_line)["rows"] == [[2]]
    for relation in (f"cohort('{NOBODY}')", f"funnel('{NOBODY}')", f"funnel('{lesson}', '{NOBODY}')"):
        missing = await desk.answer(f"SELECT 1\nFROM reports.{relation}")
        assert refused(missing) == (404, "not_found")
        assert (missing.json()["line"], missing.json()["column"]) == (2, 6)
    assert str(cohort) not in (await desk.answer(f"SELECT 1 FROM reports.cohort('{NOBODY}')")).text


async def test_reports_of_a_workspace_are_read_by_its_members_only(desk: Desk, database: Database) -> None:
    members, stranger = [await desk.datasets.add_user(Role.VIEWER) for _ in range(2)], desk.sql
    workspace = await desk.datasets.add_workspace(members[0], members[1])
    async with database.transaction() as connection:
        for table, column in (("cohorts", "id"), ("lessons", "cohort_id")):
            move = f"UPDATE records.{table} SET workspace_id = :workspace WHERE {column} = :cohort"
            await connection.execute(text(move), {"workspace": workspace, "cohort": desk.cohort.cohort_id})
    member = await desk.datasets.sql_client(await desk.datasets.as_user(members[1], Role.VIEWER))
    of_cohort = {"sql": f"SELECT count(*) FROM reports.cohort('{desk.cohort.cohort_id}')"}
    of_everybody = {"sql": "SELECT count(*) FROM reports.completions"}

    assert ok(await member.post("/api/sql", json=of_cohort))["rows"] == [[6]]
    assert refused(await member.post("/api/sql", json=of_everybody)) == (403, "forbidden")
    assert refused(await stranger.post("/api/sql", json=of_cohort)) == (404, "not_found")
    assert ok(await stranger.post("/api/sql", json=of_everybody))["rows"] == [[0]]


async def test_a_token_for_datasets_reads_no_reports(desk: Desk, database: Database, clock: FixedClock) -> None:
    person = await desk.datasets.add_user(Role.ANALYST)
    asked = {"sql": "SELECT count(*) FROM reports.completions"}
    for scopes, status in ((("datasets:read", "datasets:write"), 403), (("datasets:write", "reports:read"), 200)):
        async with ApiUnderTest(database, clock) as accounts:
            token = await new_token(accounts, person, scopes)
        client = await desk.datasets.sql_client(await desk.datasets.client(token.secret))

        answer = await client.post("/api/sql", json=asked)

        assert answer.status_code == status, answer.text
        if status == 403:
            assert refused(answer) == (403, "scope_missing")
            assert answer.json()["required_scope"] == "reports:read"


@pytest.mark.parametrize(
    ("sql", "status", "code", "detail"),
    [
        ("SELECT 1 FROM reports.completion", 404, "relation_not_found", 'did you mean "reports.completions"?'),
        ("SELECT 1 FROM reports.zzz", 404, "relation_not_found", "there are reports.activity, reports.at_risk"),
        ("SELECT 1 FROM reports.cohort", 422, "arguments_refused", "reports.cohort needs cohort_id"),
        ("SELECT 1 FROM reports.cohort(cohort => 'x')", 422, "arguments_refused", 'did you mean "cohort_id"?'),
        (
            "SELECT 1 FROM reports.cohort('blue')",
            422,
            "arguments_refused",
            "cohort_id of reports.cohort must be a UUID",
        ),
        ("SELECT 1 FROM reports.cohort(1 + 1)", 422, "sql_refused", "texts in single quotes"),
        ("SELECT 1 FROM reports.activity(interval => 'year')", 422, "arguments_refused", "day, week, month"),
        ("SELECT 1 FROM reports.activity('2026-03-02', '2026-03-01')", 422, "period_refused", ""),
        ("SELECT 1 FROM reports.activity(since => '2026')", 422, "arguments_refused", "it takes from, to"),
        ("SELECT 1 FROM reports.at_risk(idle_days => 0)", 422, "arguments_refused", "idle_days"),
        ("SELECT 1 FROM reports.comparison('lesson', null, 3)", 422, "arguments_refused", "takes by, cohort_id"),
        ("SELECT 1 FROM reports.completions@main", 422, "sql_refused", "`as_of`"),
        ("SELECT 1 FROM report.completions", 422, "sql_refused", "Did you mean reports.completions?"),
        ("SELECT 1 FROM completions", 422, "sql_refused", "Did you mean reports.completions?"),
        ("SELECT nope FROM reports.completions", 422, "sql_refused", '"nope" not found'),
    ],
)
async def test_near_misses_say_what_is_meant(desk: Desk, sql: str, status: int, code: str, detail: str) -> None:
    answer = await desk.answer(sql)

    assert refused(answer) == (status, code), answer.text
    assert detail in answer.json()["detail"]
    if "nope" not in sql:
        assert (answer.json()["line"], answer.json()["column"]) == (1, 15)


async def test_a_report_is_read_page_by_page_and_refused_beyond_its_bound(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await desk.rows("SELECT * FROM reports.completions ORDER BY ALL")
    monkeypatch.setitem(VIEWS, "completions", replace(VIEWS["completions"], page_rows=1))
    monkeypatch.setitem(VIEWS, "cohort", replace(VIEWS["cohort"], page_rows=1))

    paged = await desk.rows("SELECT * FROM reports.completions ORDER BY ALL")
    learners = await desk.rows(f"SELECT count(DISTINCT email), count(*) FROM reports.cohort('{desk.cohort.cohort_id}')")
    twice = await desk.rows(
        "SELECT count(*) FROM reports.completions a JOIN reports.completions b USING (user_id, lesson_id)"
    )
    first = await desk.rows("SELECT 1 FROM reports.completions LIMIT 1")
    monkeypatch.setattr(report_tables, "MOST_ROWS", 2)
    beyond = await desk.answer("SELECT * FROM reports.completions")

    assert (paged, learners, twice, first) == (whole, [[3, 6]], [[3]], [[1]])
    assert refused(beyond) == (422, "sql_refused")
    assert "reports.completions has more than 2 rows" in beyond.json()["detail"]


async def test_relations_are_listed_with_their_columns(desk: Desk) -> None:
    items = ok(await desk.client.get("/api/reports/relations"))["items"]

    assert [item["name"] for item in items] == [f"reports.{name}" for name in VIEWS]
    for item in items:
        relation, _ = desk.relations()[item["name"].removeprefix("reports.")]
        described = ok(await desk.answer(f"SELECT * FROM {relation} LIMIT 0"))["columns"]
        assert [column["name"] for column in described] == [column["name"] for column in item["columns"]]
