"""Pictures of reports: the numbers in them are those of the report."""

import re
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.reports.activity.domain import ActivityInterval, ActivityReport, Interval
from dataforge.contexts.reports.activity.picture import picture_of_activity
from dataforge.contexts.reports.at_risk.domain import AtRiskLearner, AtRiskReport
from dataforge.contexts.reports.at_risk.picture import picture_of_at_risk
from dataforge.contexts.reports.basis import Basis, LessonLabel
from dataforge.contexts.reports.captions import lesson_name
from dataforge.contexts.reports.cohort.domain import LearnerRow, LessonColumn, MatrixReport
from dataforge.contexts.reports.cohort.picture import picture_of_matrix
from dataforge.contexts.reports.comparison.domain import ComparedBy, ComparisonReport, ComparisonRow
from dataforge.contexts.reports.comparison.picture import picture_of_comparison
from dataforge.contexts.reports.completions.domain import CompletionChange, CompletionChanges
from dataforge.contexts.reports.completions.picture import picture_of_completions
from dataforge.contexts.reports.funnel.domain import (
    BIN_EDGES,
    FunnelReport,
    duration_histogram,
    durations_of,
    funnel_stages,
)
from dataforge.contexts.reports.funnel.picture import duration_class, picture_of_durations, picture_of_funnel
from dataforge.contexts.reports.questions.domain import QuestionReport, QuestionStatistics, ResponseCount
from dataforge.contexts.reports.questions.picture import picture_of_questions, picture_of_responses
from tests.builders.svg import read_picture

WATERMARK = datetime(2026, 11, 29, 23, 40, tzinfo=UTC)
ID = UUID(int=7)
NAMES = st.text(st.characters(codec=None), max_size=20)
TIMES = st.integers(0, 10**7).map(lambda minutes: WATERMARK - timedelta(minutes=minutes))
BASES = st.builds(Basis, st.just(WATERMARK), st.integers(0, 3))
BASIS = Basis(WATERMARK, 0)
LESSON = LessonLabel(ID, "Fire safety", 3, None, required=True)


def numbers(text: str) -> list[int]:
    return [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", text)]


@st.composite
def matrices(draw: st.DrawFn) -> MatrixReport:
    columns = draw(st.integers(0, 6))
    states = draw(st.lists(st.text("cp-", min_size=columns, max_size=columns), max_size=12))
    others = draw(st.integers(0, 5))
    rows = [LearnerRow(ID, draw(NAMES), "", None, item, "[]", "[]") for item in states]
    heads = []
    for column in range(columns):
        completed = sum(item[column] == "c" for item in states) + draw(st.integers(0, others))
        lesson = LessonLabel(ID, f"L{column}", None, None, required=True)
        heads.append(LessonColumn(lesson, len(rows) + others, completed, completed))
    return MatrixReport(draw(BASES), ID, draw(NAMES), len(rows) + others, heads, rows)


@given(matrices())
def test_a_heat_map_has_the_numbers_of_the_matrix(report: MatrixReport) -> None:
    picture = read_picture(picture_of_matrix(report))

    for row in report.rows if report.columns else ():
        assert any(text.startswith(f"{row.completed} of {len(report.columns)}, ") for text in picture.texts)
    for column in report.columns if report.rows else ():
        words = "learner" if report.learners == 1 else "learners"
        assert f"{column.lesson.title}: {column.completed} of {report.learners} {words}" in picture.description
        assert f"{column.completed} of {report.learners}" in picture.texts
    note = picture.texts[1]
    assert note.startswith("As of 29 Nov 2026, 23:40 UTC")
    assert (f"{report.basis.removed_since} statement" in note) is (report.basis.removed_since > 0)
    assert (f"{len(report.rows)} of {report.learners} learner" in note) is (len(report.rows) < report.learners)


@st.composite
def funnels(draw: st.DrawFn) -> FunnelReport:
    expected = draw(st.integers(0, 2000))
    started = draw(st.integers(0, expected))
    completed = draw(st.integers(0, started))
    seconds = draw(st.lists(st.floats(0, 10**8), max_size=min(completed, 20)))
    stages = funnel_stages(expected, started, completed)
    return FunnelReport(draw(BASES), LESSON, None, stages, durations_of(seconds), duration_histogram(seconds))


@given(funnels())
def test_a_funnel_has_the_numbers_of_the_report(report: FunnelReport) -> None:
    funnel, durations = read_picture(picture_of_funnel(report)), read_picture(picture_of_durations(report))

    for stage in report.stages:
        words = "learner" if stage.learners == 1 else "learners"
        assert f"{stage.stage.capitalize()}: {stage.learners:,} {words}" in funnel.description
    assert ("median" in funnel.description) is (report.durations.median is not None)
    assert numbers(durations.description)[0] == report.durations.n
    for item in report.histogram:
        assert f"{duration_class(item)}: {item.learners}" in durations.description


def test_classes_of_times_have_short_names() -> None:
    names = [duration_class(item) for item in duration_histogram([])]

    assert len(names) == len(BIN_EDGES)
    assert names == [
        "under 5 min",
        "5–15 min",
        "15 min – 1 h",
        "1–4 h",
        "4 h – 1 d",
        "1–3 d",
        "3–7 d",
        "7–30 d",
        "30–90 d",
        "over 90 d",
    ]


def question(difficulty: float | None, **values: object) -> QuestionStatistics:
    fields = {
        "question_id": "https://e.org/q1",
        "name": "Which?",
        "learners": 9,
        "responses": 12,
        "judged_learners": 9,
        "right_learners": 3,
        "difficulty": difficulty,
        "discrimination": None,
        "given": (),
        "choices": (),
    }
    return QuestionStatistics(**{**fields, **values})  # type: ignore[arg-type]


@given(st.lists(st.floats(0, 1) | st.none() | st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0])))
def test_a_histogram_of_difficulty_counts_every_judged_question(difficulties: list[float | None]) -> None:
    report = QuestionReport(BASIS, LESSON, 9, [question(item) for item in difficulties])

    picture = read_picture(picture_of_questions(report))

    judged = [item for item in difficulties if item is not None]
    classes = re.search(r"right: (.*)\.$", picture.description)
    assert classes
    assert numbers(picture.description)[0] == len(judged)
    sizes = [int(part.rpartition(": ")[2]) for part in classes[1].split("; ")]
    assert sum(sizes) == len(judged)
    assert sizes[9] == sum(item >= 0.9 for item in judged)
    left_out = len(difficulties) - len(judged)
    assert any(f"{left_out} question" in text for text in picture.texts) is (left_out > 0)


def test_responses_are_shown_by_how_often_they_were_given() -> None:
    given = [ResponseCount("powder", 2, 2, 0), ResponseCount("foam <b>", 9, 8, 9), ResponseCount("", 1, 1, 0)]

    picture = read_picture(
        picture_of_responses(QuestionReport(BASIS, LESSON, 9, []), question(0.3, given=given), key="q")
    )

    assert picture.description == "3 responses. foam <b>: 9, 75%; powder: 2, 17%; (empty): 1, 8%."
    assert {"Taken as right", "Not taken as right"} <= set(picture.texts)


@given(st.integers(1, 400), st.lists(st.integers(0, 1000) | st.none()), st.booleans())
def test_every_learner_at_risk_is_in_one_class(least: int, idle: list[int | None], never: bool) -> None:
    idle = [days if days is None else max(days, least) for days in idle if never or days is not None]
    people = [AtRiskLearner(ID, "A", "", (), 1, 0, 0, None, days) for days in idle]

    picture = read_picture(picture_of_at_risk(AtRiskReport(BASIS, None, least, never, len(people) + 5, people)))

    classes = picture.description.partition("activity: ")[2].rstrip(".").split("; ")
    assert sum(int(part.rpartition(": ")[2]) for part in classes) == len(people)
    assert any("never" in part for part in classes) is never
    assert any(f"{len(people)} of {len(people) + 5:,} learners" in text for text in picture.texts)


@given(st.lists(st.tuples(*(st.integers(0, 999),) * 3), max_size=40), st.integers(-12, 14))
def test_activity_has_the_totals_of_the_report(counts: list[tuple[int, int, int]], offset: int) -> None:
    zone = timezone(timedelta(hours=offset))
    begins = [datetime(2026, 3, 1, tzinfo=zone) + timedelta(days=day) for day in range(len(counts) + 1)]
    intervals = [
        ActivityInterval(first, last, *numbers) for (first, last), numbers in zip(pairwise(begins), counts, strict=True)
    ]
    totals = [sum(item[at] for item in counts) for at in (0, 2)]
    report = ActivityReport(BASIS, Interval.DAY, "Asia/Tokyo", None, None, totals[0], 3, totals[1], intervals)

    picture = read_picture(picture_of_activity(report))

    if counts:
        assert f"Statements: {totals[0]:,} in all" in picture.description
        assert "Learners: 3 in all" in picture.description
        assert f"Completions: {totals[1]:,} in all" in picture.description
        assert "from 1 Mar 2026 to" in picture.description
    if 0 < len(counts) <= 31:
        for item in intervals:
            assert f"{item.begins.day} {item.begins:%b %Y}: {item.statements}" in picture.description


@given(st.lists(st.tuples(NAMES, st.integers(0, 10**6), st.integers(0, 10**6)), max_size=30))
def test_a_comparison_has_completed_of_expected(given_rows: list[tuple[str, int, int]]) -> None:
    rows = [
        ComparisonRow(ID, title, max(some, other), other, min(some, other), None, None, 0)
        for title, some, other in given_rows
    ]

    picture = read_picture(picture_of_comparison(ComparisonReport(BASIS, ComparedBy.COURSE, None, rows)))

    for row in rows:
        assert f"{row.completed:,} of {row.expected:,}" in picture.description
    assert picture.title == "Completed by course"


@given(st.lists(st.tuples(TIMES, st.booleans()), max_size=60))
def test_completions_are_counted_where_they_became_known(changes: list[tuple[datetime, bool]]) -> None:
    items = [CompletionChange(ID, ID, at if made else None, None, None, at) for at, made in sorted(changes)]

    picture = read_picture(picture_of_completions(CompletionChanges(BASIS, datetime(2000, 1, 1, tzinfo=UTC), items)))

    if items:
        completed = sum(made for _, made in changes)
        assert f"Completions: {completed} in all" in picture.description
        assert f"Withdrawn: {len(changes) - completed} in all" in picture.description


def test_a_lesson_is_named_by_its_number_too() -> None:
    assert lesson_name(LESSON) == "3. Fire safety"
    assert lesson_name(LessonLabel(ID, "Fire safety", None, None, required=True)) == "Fire safety"
