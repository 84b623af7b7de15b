"""Journey 3: an LMS's statements become a completions report, through gateway, queue and functions."""

from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from infra.local.demo import run_demo
from infra.local.stack import LocalStack

pytestmark = pytest.mark.build
COMPLETED = {"id": "http://adlnet.gov/expapi/verbs/completed"}


class School:
    """A cohort of two and a lesson of this test alone."""

    def __init__(self, admin: httpx.Client) -> None:
        self.admin, self.tag = admin, token_hex(5)
        self.url = f"https://lms.example.org/course/{self.tag}"
        csv = f"Email,Group\n{self.email(0)},{self.tag}\n{self.email(1)},{self.tag}\n".encode()
        headers = {"Content-Type": "text/csv"}
        plan = admin.post("/api/cohorts/import", content=csv, headers=headers).json()
        chosen = {"dry_run": "false", "plan_hash": plan["plan_hash"]}
        assert admin.post("/api/cohorts/import", content=csv, headers=headers, params=chosen).status_code == 200
        cohorts = admin.get("/api/cohorts", params={"limit": 500}).json()["items"]
        self.cohort = next(row["id"] for row in cohorts if row["name"] == f"{self.tag} X")
        body = {"lesson_url": self.url, "title": "Fire safety", "cohort_id": self.cohort}
        self.lesson = admin.post("/api/lessons", json=body).json()["id"]

    def email(self, number: int) -> str:
        return f"learner{number}@{self.tag}.example.org"

    def done(self, number: int, **changes: Any) -> dict[str, Any]:
        actor = {"mbox": f"mailto:{self.email(number)}"}
        return {"actor": actor, "verb": COMPLETED, "object": {"id": self.url}, **changes}

    def completions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.admin.get(f"/api/cohorts/{self.cohort}/completions").json()["items"]
        return found

    def missing(self) -> list[str]:
        answer = self.admin.get(f"/api/lessons/{self.lesson}/incomplete").json()
        return [row["email"] for row in answer["items"]]


@pytest.fixture
def school(admin: httpx.Client) -> School:
    """One per test."""
    return School(admin)


def scalar(stack: LocalStack, query: str, *values: Any) -> Any:
    """The first value of a query against the stack's database."""
    with psycopg.connect(stack.facts["database_url"]) as connection:
        row = connection.execute(query, values).fetchone()
    return row[0] if row else None


def flat_rows(stack: LocalStack, ids: Sequence[str]) -> int:
    """How many flat rows there are of these statements."""
    return int(
        scalar(stack, "SELECT count(*) FROM records.statements_flat WHERE statement_id = ANY(%s::uuid[])", list(ids))
    )


def test_a_completion_posted_by_an_lms_shows_in_the_report(
    school: School, lms: httpx.Client, eventually: Callable[..., None]
) -> None:
    answer = lms.post("/statements", json=[school.done(0, timestamp="2026-05-04T10:00:00Z")])

    assert answer.status_code == 200
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"
    assert answer.headers["X-Experience-API-Consistent-Through"]
    eventually(lambda: len(school.completions()) == 1, "the completion is in the report")
    assert [row["statement_id"] for row in school.completions()] == answer.json()
    assert school.missing() == [school.email(1)]


def test_a_repeated_request_counts_once(
    stack: LocalStack, school: School, lms: httpx.Client, eventually: Callable[..., None]
) -> None:
    body = [school.done(0, timestamp="2026-05-04T10:00:00Z"), school.done(1, timestamp="2026-05-04T10:00:00Z")]

    answers = [lms.post("/statements", json=body) for _ in range(3)]

    ids = answers[0].json()
    assert [answer.json() for answer in answers] == [ids] * 3
    eventually(lambda: len(school.completions()) == 2, "both completions are in the report")
    assert flat_rows(stack, ids) == 2


def test_another_content_for_an_id_is_refused_before_the_first_has_landed(school: School, lms: httpx.Client) -> None:
    given = str(uuid4())

    first = lms.put("/statements", params={"statementId": given}, json=school.done(0))
    second = lms.put("/statements", params={"statementId": given}, json=school.done(1))

    assert (first.status_code, second.status_code) == (204, 409)
    assert second.json()["ids"] == [given]


def test_a_request_of_megabytes_lands_whole(
    stack: LocalStack, school: School, lms: httpx.Client, eventually: Callable[..., None]
) -> None:
    text = "x" * 10_000
    body = [
        school.done(0, timestamp=f"2026-05-04T10:{n // 60:02}:{n % 60:02}Z", result={"response": text})
        for n in range(200)
    ]

    ids = lms.post("/statements", json=body).json()

    eventually(lambda: flat_rows(stack, ids) == 200, "two hundred flat rows")


def test_the_alias_queues_and_the_gateway_keeps_bytes(
    stack: LocalStack, school: School, eventually: Callable[..., None]
) -> None:
    credential = stack.facts["credentials"]["xapi"]
    name = "Zoë \U0001d11e \u202e '; DROP TABLE x; --"
    body = school.done(0)
    body["actor"]["name"] = name

    answer = httpx.post(
        f"{stack.facts['api_url']}/api/xapi/statements",
        json=body,
        auth=(credential["key"], credential["secret"]),
        timeout=60,
    )

    assert answer.json()["queued"] is True
    (given,) = answer.json()["ids"]
    eventually(lambda: flat_rows(stack, [given]) == 1, "the flat row")
    query = "SELECT actor_name FROM records.statements_flat WHERE statement_id = %s"
    assert scalar(stack, query, given) == name


def test_the_minutes_run_adds_what_is_missing_in_flat(
    stack: LocalStack, school: School, lms: httpx.Client, eventually: Callable[..., None]
) -> None:
    ids = lms.post("/statements", json=[school.done(0), school.done(1)]).json()
    eventually(lambda: flat_rows(stack, ids) == 2, "two flat rows")
    with psycopg.connect(stack.facts["database_url"]) as connection:
        connection.execute("DELETE FROM records.statements_flat WHERE statement_id = %s", (ids[0],))

    stack.invoke("maintenance", {"command": "tick"})

    assert flat_rows(stack, ids) == 2
    status = "SELECT status FROM records.task_status WHERE name = 'incremental_etl' ORDER BY started_at DESC LIMIT 1"
    assert scalar(stack, status) == "succeeded"


def test_the_demo_ends_in_a_report_and_a_second_run_adds_nothing(
    stack: LocalStack, capsys: pytest.CaptureFixture[str]
) -> None:
    run_demo(stack)
    first, before = capsys.readouterr().out, scalar(stack, "SELECT count(*) FROM records.statements_raw")

    run_demo(stack)
    second, after = capsys.readouterr().out, scalar(stack, "SELECT count(*) FROM records.statements_raw")

    rows = [line.split() for line in first.splitlines() if line.startswith(("  Blue East", "  Red X"))]
    assert [row[-3:-1] for row in rows] == [
        ["8", "12"], ["9", "12"], ["5", "12"], ["0", "12"],
        ["8", "12"], ["3", "12"], ["0", "12"], ["8", "12"],
    ]  # fmt: skip
    assert " statements sent" in first
    assert "here already" in second
    assert after == before
