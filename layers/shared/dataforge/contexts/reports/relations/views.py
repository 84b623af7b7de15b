"""Every relation: a report with the columns of its files, read for what a statement gives it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.access import Reader, require_report
from dataforge.contexts.reports.activity.domain import Interval
from dataforge.contexts.reports.activity.queries import AskedActivity, read_activity
from dataforge.contexts.reports.activity.wire import ACTIVITY
from dataforge.contexts.reports.at_risk.queries import read_at_risk
from dataforge.contexts.reports.at_risk.wire import AT_RISK
from dataforge.contexts.reports.basis import Window
from dataforge.contexts.reports.cohort.queries import read_matrix
from dataforge.contexts.reports.cohort.wire import MATRIX
from dataforge.contexts.reports.comparison.domain import ComparedBy
from dataforge.contexts.reports.comparison.queries import read_comparison
from dataforge.contexts.reports.comparison.wire import COMPARISON
from dataforge.contexts.reports.completions.queries import read_completions
from dataforge.contexts.reports.completions.wire import COMPLETIONS
from dataforge.contexts.reports.funnel.queries import read_funnel
from dataforge.contexts.reports.funnel.wire import FUNNEL
from dataforge.contexts.reports.incomplete.queries import read_incomplete
from dataforge.contexts.reports.incomplete.wire import INCOMPLETE
from dataforge.contexts.reports.learner.access import sight_of
from dataforge.contexts.reports.learner.queries import read_learner
from dataforge.contexts.reports.learner.wire import LEARNER
from dataforge.contexts.reports.questions.queries import read_questions
from dataforge.contexts.reports.questions.wire import QUESTIONS
from dataforge.contexts.reports.relations.domain import ParameterType, RelationParameter, Values
from dataforge.contexts.reports.tabular import Kind, Tabular

# Behind everything: the first statement came later.
_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
_PEOPLE = text(
    "SELECT user_id, display_name, email FROM identity.directory WHERE user_id = ANY (CAST(:users AS uuid[]))"
)
_TITLES = text("SELECT lesson_id, title FROM learning.lessons WHERE lesson_id = ANY (CAST(:lessons AS uuid[]))")

# Reports name people and lessons on their pages; here they are what completions are joined with other tables by.
_COMPLETION_COLUMNS = {
    **COMPLETIONS.columns,
    "display_name": Kind.TEXT,
    "email": Kind.TEXT,
    "lesson_title": Kind.TEXT,
}
# A report with `basis`, and `next_key` where it has pages.
ReadView = Callable[[AsyncConnection, StatementMatching, Values, Window], Awaitable[tuple[Any, Tabular]]]
# What only the permission to read it decides: passed on to the query.
AdmitReader = Callable[[Reader, Values], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report as a relation: a page has the rows of `page_rows` items of its list."""

    name: str
    description: str
    columns: Mapping[str, Kind]
    admit: AdmitReader
    read: ReadView
    parameters: Sequence[RelationParameter] = ()
    page_rows: int = 2_000


async def _readers_of(reader: Reader, given: Values) -> Mapping[str, Any]:
    await require_report(reader, cohort_id=given.get("cohort_id"), lesson_id=given.get("lesson_id"))
    return {}


async def _readers_of_learner(reader: Reader, given: Values) -> Mapping[str, Any]:
    return {"reach": await sight_of(reader, given["user_id"])}


async def _completions(
    connection: AsyncConnection, statements: StatementMatching, given: Values, window: Window
) -> tuple[Any, Tabular]:
    report = await read_completions(connection, statements, given.get("since", _BEGINNING), window)
    users = list({change.user_id for change in report.changes})
    lessons = list({change.lesson_id for change in report.changes})
    people = {row.user_id: row for row in await connection.execute(_PEOPLE, {"users": users})}
    titles = {row.lesson_id: row.title for row in await connection.execute(_TITLES, {"lessons": lessons})}
    rows = []
    for change, row in zip(report.changes, COMPLETIONS.table(report).rows, strict=True):
        person = people.get(change.user_id)
        named = (None, None) if person is None else (person.display_name, person.email)
        rows.append((*row, *named, titles.get(change.lesson_id)))
    return report, Tabular(_COMPLETION_COLUMNS, rows)


async def _activity(
    connection: AsyncConnection, statements: StatementMatching, given: Values, window: Window
) -> tuple[Any, Tabular]:
    asked = AskedActivity(
        given.get("from"),
        given.get("to"),
        Interval(given.get("interval", Interval.DAY)),
        given.get("time_zone", "UTC"),
        given.get("cohort_id"),
        given.get("lesson_id"),
    )
    report = await read_activity(connection, statements, asked, window)
    return report, ACTIVITY.table(report)


async def _at_risk(
    connection: AsyncConnection, statements: StatementMatching, given: Values, window: Window
) -> tuple[Any, Tabular]:
    report = await read_at_risk(
        connection,
        statements,
        window,
        given.get("cohort_id"),
        idle_days=given.get("idle_days", 7),
        include_never_started=given.get("include_never_started", False),
    )
    return report, AT_RISK.table(report)


async def _comparison(
    connection: AsyncConnection, statements: StatementMatching, given: Values, window: Window
) -> tuple[Any, Tabular]:
    by = ComparedBy(given.get("by", ComparedBy.LESSON))
    report = await read_comparison(connection, statements, by, window, given.get("cohort_id"))
    return report, COMPARISON.table(report)


async def _cohort(
    connection: AsyncConnection, statements: StatementMatching, given: Values, window: Window
) -> tuple[Any, Tabular]:
    report = await read_matrix(connection, statements, given["cohort_id"], window, counted=False)
    return report, MATRIX.table(report)


async def _incomplete(
    connection: AsyncConnection, statements: StatementMatching, given: Values, window: Window
) -> tuple[Any, Tabular]:
    report = await read_incomplete(connection, statements, given["lesson_id"], window, given.get("cohort_id"))
    return report, INCOMPLETE.table(report)


async def _funnel(
    connection: AsyncConnection, statements: StatementMatching, given: Values, window: Window
) -> tuple[Any, Tabular]:
    report = await read_funnel(connection, statements, given["lesson_id"], window, given.get("cohort_id"))
    return report, FUNNEL.table(report)


async def _questions(
    connection: AsyncConnection, statements: StatementMatching, given: Values, window: Window
) -> tuple[Any, Tabular]:
    report = await read_questions(connection, statements, given["lesson_id"], window)
    return report, QUESTIONS.table(report)


async def _learner(
    connection: AsyncConnection, statements: StatementMatching, given: Values, window: Window
) -> tuple[Any, Tabular]:
    report = await read_learner(connection, statements, given["user_id"], given["reach"], window)
    return report, LEARNER.table(report)


_COHORT = RelationParameter("cohort_id", ParameterType.UUID, "learners of this cohort only")
_THE_COHORT = RelationParameter("cohort_id", ParameterType.UUID, "the cohort", required=True)
_THE_LESSON = RelationParameter("lesson_id", ParameterType.UUID, "the lesson", required=True)

VIEWS: Mapping[str, ReportView] = {
    view.name: view
    for view in (
        ReportView(
            "activity",
            "Statements of lessons, learners and completions per day, week or month; thirty days unless more are asked "
            "for.",
            ACTIVITY.columns,
            _readers_of,
            _activity,
            (
                RelationParameter("from", ParameterType.DATE, "first day; thirty days up to the last when left out"),
                RelationParameter("to", ParameterType.DATE, "last day; the watermark's when left out"),
                RelationParameter("interval", ParameterType.CHOICE, "how long an interval is", choices=tuple(Interval)),
                RelationParameter("time_zone", ParameterType.TIME_ZONE, "IANA time zone whose days these are"),
                _COHORT,
                RelationParameter("lesson_id", ParameterType.UUID, "statements of this lesson only"),
            ),
        ),
        ReportView(
            "at_risk",
            "Members of active cohorts who have begun, have not completed what is required, and have been idle.",
            AT_RISK.columns,
            _readers_of,
            _at_risk,
            (
                _COHORT,
                RelationParameter("idle_days", ParameterType.DAYS, "at least so many days without a statement; 7"),
                RelationParameter(
                    "include_never_started", ParameterType.FLAG, "also those who have not begun at all; false"
                ),
            ),
        ),
        ReportView(
            "cohort",
            "Who of a cohort has completed which lesson: a row for each learner and lesson.",
            MATRIX.columns,
            _readers_of,
            _cohort,
            (_THE_COHORT,),
            page_rows=200,
        ),
        ReportView(
            "comparison",
            "Lessons beside each other, or courses with the lessons of their sections.",
            COMPARISON.columns,
            _readers_of,
            _comparison,
            (
                RelationParameter("by", ParameterType.CHOICE, "what is compared; lesson", choices=tuple(ComparedBy)),
                _COHORT,
            ),
        ),
        ReportView(
            "completions",
            "First completions of all learners, and those that were withdrawn, which have no completed_at.",
            _COMPLETION_COLUMNS,
            _readers_of,
            _completions,
            (RelationParameter("since", ParameterType.INSTANT, "what became known after this instant; everything"),),
            page_rows=5_000,
        ),
        ReportView(
            "funnel",
            "How many of those of whom a lesson is expected have started and completed it.",
            FUNNEL.columns,
            _readers_of,
            _funnel,
            (_THE_LESSON, _COHORT),
        ),
        ReportView(
            "incomplete",
            "Who has not completed a lesson, of those of whom it is expected.",
            INCOMPLETE.columns,
            _readers_of,
            _incomplete,
            (_THE_LESSON, _COHORT),
        ),
        ReportView(
            "learner",
            "Statements of a learner, newest first; learners read their own.",
            LEARNER.columns,
            _readers_of_learner,
            _learner,
            (RelationParameter("user_id", ParameterType.UUID, "the learner", required=True),),
        ),
        ReportView(
            "questions",
            "What was answered to the questions of a lesson: a row for each response.",
            QUESTIONS.columns,
            _readers_of,
            _questions,
            (_THE_LESSON,),
            page_rows=200,
        ),
    )
}
"""By name, in their order."""
