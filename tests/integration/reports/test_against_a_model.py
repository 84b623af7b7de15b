"""Each report against a plain model, over random statements: late, voided, and found to be somebody else's."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.matching.repository import SqlStatementMatching
from dataforge.contexts.reports.activity.domain import Interval
from dataforge.contexts.reports.activity.queries import AskedActivity, read_activity
from dataforge.contexts.reports.at_risk.queries import read_at_risk
from dataforge.contexts.reports.basis import Window
from dataforge.contexts.reports.cohort.queries import read_matrix
from dataforge.contexts.reports.comparison.domain import ComparedBy
from dataforge.contexts.reports.comparison.queries import read_comparison
from dataforge.contexts.reports.completions.queries import read_completions
from dataforge.contexts.reports.funnel.queries import read_funnel
from dataforge.contexts.reports.incomplete.queries import read_incomplete
from dataforge.contexts.reports.questions.queries import read_questions
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.database import Database
from tests.builders.academics import Campus
from tests.builders.report_model import Model
from tests.builders.reports import BEGIN, Records, day
from tests.builders.roles import in_role

STATEMENTS = SqlStatementMatching()
_SECTION = text(
    "INSERT INTO academics.sections (id, course_id, semester_id, code, capacity, created_at, updated_at) "
    "VALUES (:id, :course, :semester, 'S' || :n, 10, now(), now())"
)
SEEDS = range(5)


def random_records(seed: int) -> Records:
    """Three cohorts, one of them inactive; some two hundred statements of two months."""
    dice = random.Random(seed)
    records = Records()
    people = [records.learner(dice.choice(["Ana", "Bo", "Cy"])) for _ in range(11)]
    people.append(records.learner("Di", suspended_at=day(dice.uniform(0, 60))))
    blue, red = records.cohort("Blue"), records.cohort("Red")
    old = records.cohort("Old", active=False)
    for learner in people:
        for cohort in dice.sample([blue, red, old], dice.randint(0, 2)):
            joined = dice.uniform(-20, 20)
            left = joined + dice.uniform(1, 40) if dice.random() < 0.3 else None
            records.member(cohort, learner, joined, left)
            if left is not None and dice.random() < 0.5:
                records.member(cohort, learner, left + dice.uniform(1, 10))
    sections = [uuid7(), uuid7()]
    for number, cohort in enumerate([blue, blue, red, old, None, None]):
        values = {"required": number != 1, "section_id": dice.choice([*sections, None])}
        records.lesson(dice.choice("LMN") + str(number), cohort, created_at=day(dice.uniform(-30, 20)), **values)
    for _ in range(200):
        at = dice.uniform(0, 55)
        known = at + (dice.uniform(0, 25) if dice.random() < 0.3 else 0.001)
        values = {"completes": dice.random() < 0.4, "score": dice.choice([None, -0.5, 0.25, 1.0])}
        if dice.random() < 0.4:
            response = dice.choice([None, "a", "b", "a[,]b", "b[,]c", "=1+1"])
            answer = {"response": response, "success": dice.choice([None, True, False])}
            values = {"question": f"https://example.org/q/{dice.randint(1, 4)}", **answer}
        learner, lesson = dice.choice(people), dice.choice(records.lessons)
        match = records.did(learner, lesson, at, known=known, **values)
        if dice.random() < 0.2:
            later = known + dice.uniform(0.1, 10)
            records.moved(match, dice.choice([one for one in people if one is not learner]), later)
            match, known = records.matches[-1], later
        if dice.random() < 0.15:
            place = records.matches.index(match)
            records.matches[place] = replace(match, known_until=day(known + dice.uniform(0.1, 15)))
    return records


@pytest.fixture(params=SEEDS)
async def records(request: pytest.FixtureRequest, database: Database) -> Records:
    """Random records in the database."""
    records = random_records(request.param)
    await records.store(database)
    return records


@pytest.fixture
async def connection(database: Database, records: Records) -> Any:
    """As the function sees it."""
    async with in_role(database, "datasets-api").read_only() as connection:
        yield connection


@pytest.fixture
def watermarks() -> list[datetime]:
    """Before, between and after everything."""
    return [day(number) for number in (-25, 3.3, 14.9, 27.5, 41.2, 58, 120)]


async def pages(read: Callable[[Window], Awaitable[Any]], as_of: datetime, *, limit: int = 3) -> list[Any]:
    """Every page of a report."""
    found = [await read(Window(as_of, None, limit))]
    while found[-1].next_key is not None:
        after = tuple(str(value) for value in found[-1].next_key)
        found.append(await read(Window(as_of, after, limit)))
    assert {page.basis.watermark for page in found} == {as_of}
    return found


async def test_the_matrix(connection: AsyncConnection, records: Records, watermarks: list[datetime]) -> None:
    for as_of in watermarks:
        for cohort in records.cohorts:
            model = Model(records, as_of).matrix(cohort)
            lessons = Model(records, as_of).lessons_of(cohort)

            async def read(window: Window, cohort_id: UUID = cohort.cohort_id) -> Any:
                return await read_matrix(connection, STATEMENTS, cohort_id, window)

            whole = await read(Window(as_of, None, 500))
            parts = await pages(read, as_of)

            rows = [row for part in parts for row in part.rows]
            assert rows == list(whole.rows)
            assert [row.display_name for row in rows] == sorted(row.display_name for row in rows)
            assert all(part.columns == whole.columns and part.rate == whole.rate for part in parts)
            cells = {row.user_id: list(zip(row.started_at(), row.completed_at(), strict=True)) for row in rows}
            assert cells == model
            assert [column.lesson.lesson_id for column in whole.columns] == [lesson.lesson_id for lesson in lessons]
            assert whole.learners == len(model)
            for place, column in enumerate(whole.columns):
                started = [cell[place][0] for cell in model.values()]
                completed = [cell[place][1] for cell in model.values()]
                assert column.started == len(started) - started.count(None)
                assert column.completed == len(completed) - completed.count(None)


async def test_who_is_missing_and_the_funnel(
    connection: AsyncConnection, records: Records, watermarks: list[datetime]
) -> None:
    for as_of in watermarks:
        for lesson in records.lessons:
            for cohort in (None, *records.cohorts):
                model, cohort_id = Model(records, as_of), cohort and cohort.cohort_id

                async def read(window: Window, lesson_id: UUID = lesson.lesson_id, of: UUID | None = cohort_id) -> Any:
                    return await read_incomplete(connection, STATEMENTS, lesson_id, window, of)

                parts = await pages(read, as_of)
                funnel = await read_funnel(connection, STATEMENTS, lesson.lesson_id, Window(as_of), cohort_id)

                missing = [learner.user_id for part in parts for learner in part.learners]
                assert len(missing) == len(set(missing)) == parts[0].missing
                assert set(missing) == model.incomplete(lesson, cohort)
                counts, quartiles = model.funnel(lesson, cohort)
                assert [stage.learners for stage in funnel.stages] == counts
                assert parts[0].expected == counts[0]
                times = funnel.durations
                assert times.n == counts[2] == sum(item.learners for item in funnel.histogram)
                if quartiles:
                    assert [times.lower_quartile, times.median, times.upper_quartile] == pytest.approx(quartiles)


async def test_questions(connection: AsyncConnection, records: Records, watermarks: list[datetime]) -> None:
    for as_of in watermarks:
        for lesson in records.lessons:

            async def read(window: Window, lesson_id: UUID = lesson.lesson_id) -> Any:
                return await read_questions(connection, STATEMENTS, lesson_id, window)

            parts = await pages(read, as_of, limit=2)

            found = {question.question_id: question for part in parts for question in part.questions}
            model = Model(records, as_of).questions(lesson)
            assert list(found) == sorted(model)
            for question_id, expected in model.items():
                question = found[question_id]
                assert (question.learners, question.responses) == (expected["learners"], expected["responses"])
                assert question.difficulty == pytest.approx(expected["difficulty"])
                assert question.discrimination == pytest.approx(expected["discrimination"])
                for counts, name in ((question.given, "given"), (question.choices, "choices")):
                    assert {one.response: (one.responses, one.learners, one.right) for one in counts} == expected[name]
                    assert [one.responses for one in counts] == sorted((one.responses for one in counts), reverse=True)


async def test_who_is_at_risk(connection: AsyncConnection, records: Records, watermarks: list[datetime]) -> None:
    for as_of in watermarks:
        for cohort in (None, *records.cohorts):
            for idle_days, never_started in ((2, False), (7, True)):

                async def read(
                    window: Window,
                    of: UUID | None = cohort and cohort.cohort_id,
                    idle: int = idle_days,
                    never: bool = never_started,
                ) -> Any:
                    options = {"idle_days": idle, "include_never_started": never}
                    return await read_at_risk(connection, STATEMENTS, window, of, **options)

                parts = await pages(read, as_of, limit=2)

                found = [learner for part in parts for learner in part.learners]
                model = Model(records, as_of).at_risk(cohort, idle_days, never_started=never_started)
                assert {one.user_id: (one.required, one.started, one.completed) for one in found} == model
                assert len(found) == len(model) == parts[0].total
                idle = [one.idle_days for one in found if one.idle_days is not None]
                assert idle == sorted(idle, reverse=True)
                assert all(days >= idle_days for days in idle)


async def test_activity(connection: AsyncConnection, records: Records, watermarks: list[datetime]) -> None:
    for as_of in watermarks:
        for cohort in (None, records.cohorts[0]):
            for lesson in (None, records.lessons[4]):
                for interval in Interval:
                    asked = AskedActivity(
                        first=BEGIN.date(),
                        last=date(2026, 4, 30),
                        interval=interval,
                        time_zone="Europe/Berlin",
                        cohort_id=cohort and cohort.cohort_id,
                        lesson_id=lesson and lesson.lesson_id,
                    )

                    report = await read_activity(connection, STATEMENTS, asked, Window(as_of))

                    borders = [item.begins for item in report.intervals] + [report.intervals[-1].ends]
                    model = Model(records, as_of)
                    found = [(item.statements, item.learners, item.completions) for item in report.intervals]
                    assert found == model.activity(borders, cohort, lesson)
                    totals = [(report.statements, report.learners, report.completions)]
                    assert totals == model.activity([borders[0], borders[-1]], cohort, lesson)


async def test_comparison(
    connection: AsyncConnection, records: Records, watermarks: list[datetime], database: Database, clock: FixedClock
) -> None:
    sections = sorted({lesson.section_id for lesson in records.lessons if lesson.section_id is not None})
    course = await course_of(database, clock, sections)
    for as_of in watermarks:
        for cohort in (None, *records.cohorts):
            lessons = [
                lesson
                for lesson in records.lessons
                if lesson.created_at <= as_of and (cohort is None or lesson.cohort in (None, cohort))
            ]
            for by in ComparedBy:

                async def read(
                    window: Window, by: ComparedBy = by, of: UUID | None = cohort and cohort.cohort_id
                ) -> Any:
                    return await read_comparison(connection, STATEMENTS, by, window, of)

                pairs = [(lesson.lesson_id, lesson) for lesson in lessons]
                if by is ComparedBy.COURSE:
                    pairs = [(course, lesson) for lesson in lessons if lesson.section_id is not None]
                model = Model(records, as_of).comparison(pairs, cohort)
                rows = [row for part in await pages(read, as_of, limit=2) for row in part.rows]
                assert len(rows) == len(model)
                assert [row.title for row in rows] == sorted(row.title for row in rows)
                for row in rows:
                    counts = (row.expected, row.started, row.completed)
                    assert counts == model[row.id][:3]
                    assert (row.median_seconds, row.mean_score) == pytest.approx(model[row.id][3:])


async def course_of(database: Database, clock: FixedClock, sections: list[UUID]) -> UUID:
    """One course that these are sections of."""
    campus = Campus(database, clock)
    semester, course = await campus.semester(), await campus.course()
    async with database.transaction() as connection:
        for number, section in enumerate(sections):
            await connection.execute(_SECTION, [{"id": section, "course": course, "semester": semester, "n": number}])
    return course


async def test_polling_completions_misses_nothing_and_repeats_nothing(
    connection: AsyncConnection, records: Records, watermarks: list[datetime]
) -> None:
    known: dict[tuple[UUID, UUID], tuple[datetime | None, UUID | None]] = {}
    seen = []
    since = datetime(2000, 1, 1, tzinfo=UTC)
    for as_of in [*watermarks, watermarks[-1] + timedelta(days=1)]:

        async def read(window: Window, since: datetime = since) -> Any:
            return await read_completions(connection, STATEMENTS, since, window)

        parts = await pages(read, as_of, limit=4)

        for change in (change for part in parts for change in part.changes):
            assert since < change.changed_at <= as_of
            known[change.user_id, change.lesson_id] = (change.completed_at, change.statement_id)
            seen.append((change.user_id, change.lesson_id, change.changed_at))
        completed = {pair: found for pair, found in known.items() if found[0] is not None}
        assert completed == Model(records, as_of).completions()
        assert all(part.next_since is None for part in parts[:-1])
        since = parts[-1].next_since
    assert len(seen) == len(set(seen))
    assert parts[0].changes == []
