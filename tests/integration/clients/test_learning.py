"""Rosters, reports and plain lists from Python."""

from typing import Any

import pytest

from dataforge.kernel.principal import Role
from dataforge_client import Client, Conflict, NotFound, PlanStale, PreconditionFailed
from tests.builders.report_samples import LearningCohort, ReportSamples
from tests.builders.served import ServedApi


@pytest.fixture
def registrar(served: ServedApi) -> Any:
    with Client(served.url, served.token(Role.REGISTRAR)) as client:
        yield client


@pytest.fixture
def instructor(served: ServedApi) -> Any:
    with Client(served.url, served.token(Role.ADMIN)) as client:
        yield client


def test_a_roster_is_planned_read_and_applied_once(served: ServedApi, registrar: Client) -> None:
    semester, data = served.run(served.whole.roster())

    plan = registrar.rosters.plan(str(semester), data)
    late = registrar.rosters.plan(str(semester), data)

    assert plan.counts["enrollment"] == {"create": 1}
    assert {(row.kind, row.action) for row in plan.rows()} >= {("enrollment", "create")}
    assert [row.line for row in plan.rows("create", "enrollment")] == [2]
    assert plan.drops == 0
    assert plan.apply().state == "applied"
    with pytest.raises(Conflict) as refused:
        late.apply()
    assert isinstance(refused.value, PlanStale)
    assert registrar.rosters.get(plan.id).state == "applied"


def test_a_roster_is_planned_from_a_version_of_a_dataset(served: ServedApi, registrar: Client) -> None:
    semester, data = served.run(served.whole.roster())
    with Client(served.url, served.token(Role.ADMIN)) as admin:
        dataset = admin.datasets.create("Roster")
        dataset.upload(data, name="roster.csv")

        plan = admin.rosters.plan_dataset(str(semester), dataset.info().id)

        assert plan.counts["enrollment"] == {"create": 1}
        assert plan.facts.source["dataset_id"] == dataset.info().id


def test_a_large_roster_goes_through_the_object_store(served: ServedApi, registrar: Client) -> None:
    semester, data = served.run(served.whole.roster())
    header, row = data.decode().splitlines()
    padding = "x" * 3000
    rows = [
        row.replace("Ada", f"Ada {number} {padding}").replace(row.split(",")[0], f"P{number}") for number in range(1500)
    ]

    plan = registrar.rosters.plan(str(semester), "\r\n".join([header, row, *rows]).encode())

    assert "/api/rosters/uploads" in {path for _, path, _ in served.requests}
    assert sum(sum(actions.values()) for actions in plan.counts.values()) > 1500


def test_reports_are_frames_with_the_moment_they_rest_on(served: ServedApi, instructor: Client) -> None:
    cohort: LearningCohort = served.run(ReportSamples(served.whole.api).fill())
    lesson = str(cohort.lessons[0])

    matrix = instructor.reports.cohort(str(cohort.cohort_id)).to_pandas()

    assert len(matrix) == len(cohort.learners) * len(cohort.lessons)
    assert set(matrix["state"]) == {"completed", "in_progress", "not_started"}
    watermark = matrix.attrs["dataforge"]["watermark"]
    again = instructor.reports.cohort(str(cohort.cohort_id), as_of=watermark)
    assert again.to_arrow().to_pylist() == instructor.reports.cohort(str(cohort.cohort_id)).to_arrow().to_pylist()
    assert again.to_polars().height == len(matrix)
    assert again.json()["cohort_name"] == "Night shift, hall 4"
    assert again.svg().startswith("<svg")
    for report in (
        instructor.reports.funnel(lesson, cohort_id=str(cohort.cohort_id)),
        instructor.reports.incomplete(lesson),
        instructor.reports.questions(lesson),
        instructor.reports.learner(str(cohort.learners[0])),
        instructor.reports.activity(interval="week"),
        instructor.reports.comparison(),
        instructor.reports.completions("2026-01-01T00:00:00Z"),
        instructor.reports.at_risk(idle_days=1, include_never_started=True),
    ):
        assert len(report.to_pandas()) > 0, report


def test_a_report_of_several_pages_is_one_frame(served: ServedApi, instructor: Client) -> None:
    cohort: LearningCohort = served.run(ReportSamples(served.whole.api).fill())
    report = instructor.reports.cohort(str(cohort.cohort_id))
    whole = report.to_arrow()
    report._params = {"limit": 2}

    pages = report.to_arrow()

    assert pages.equals(whole)
    assert report.csv() == instructor.reports.cohort(str(cohort.cohort_id)).csv()


def test_plain_lists_are_iterators_and_frames(registrar: Client) -> None:
    department = registrar.collection("departments").create(code="SAFE", name="Safety")
    for number in range(60):
        registrar.courses.create(
            code=f"SAFE-{number:03}", title=f"Course {number}", department_id=department["id"], capacity=20
        )

    courses = list(registrar.courses.list(q="SAFE"))
    frame = registrar.courses.to_pandas(q="SAFE")

    assert len({course["code"] for course in courses}) == len(frame) == 60
    changed = registrar.courses.update(courses[0]["id"], title="Fire safety")
    assert registrar.courses.get(courses[0]["id"])["title"] == changed["title"] == "Fire safety"
    registrar.courses.delete(courses[1]["id"])
    with pytest.raises(NotFound):
        registrar.courses.get(courses[1]["id"])
    with pytest.raises(PreconditionFailed):
        registrar.request("PATCH", f"/api/courses/{courses[0]['id']}", json={"title": "x"})
