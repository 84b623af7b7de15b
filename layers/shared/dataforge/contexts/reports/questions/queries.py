"""Answers to the questions of a lesson, counted by the database."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.basis import Window
from dataforge.contexts.reports.questions.domain import (
    MOST_RESPONSES,
    JudgedResponses,
    QuestionReport,
    QuestionStatistics,
    ResponseCount,
)
from dataforge.contexts.reports.reading import basis_of, find_lesson

_ANSWERS = "answers AS (SELECT * FROM learning.answers_as_of(:watermark, :lesson_id))"
_LEARNERS = text(f"WITH {_ANSWERS} SELECT count(DISTINCT user_id) FROM answers")
_QUESTIONS = text(
    f"WITH {_ANSWERS}, first AS (SELECT DISTINCT ON (question_id, user_id) question_id, user_id, "
    "CAST(success AS int) AS success FROM answers WHERE success IS NOT NULL "
    "ORDER BY question_id, user_id, occurred_at, statement_id), "
    "other AS (SELECT question_id, success, sum(success) OVER (PARTITION BY user_id) - success AS others FROM first), "
    "judged AS (SELECT question_id, count(*) AS learners, sum(success) AS right_learners, sum(others) AS others, "
    "sum(others * others) AS squared_others, sum(success * others) AS others_of_right FROM other GROUP BY question_id) "
    "SELECT a.*, j.learners AS judged_learners, j.right_learners, j.others, j.squared_others, j.others_of_right "
    "FROM (SELECT question_id, max(question_name) AS name, count(*) AS responses, "
    "count(DISTINCT user_id) AS learners FROM answers GROUP BY question_id) a "
    "LEFT JOIN judged j ON j.question_id = a.question_id "
    "WHERE CAST(:after AS text) IS NULL OR a.question_id > :after ORDER BY a.question_id LIMIT :limit"
)
_COUNTED = (
    "SELECT question_id, response, count(*) AS responses, count(DISTINCT user_id) AS learners, "
    "count(*) FILTER (WHERE success) AS right_responses, "
    "row_number() OVER (PARTITION BY question_id ORDER BY count(*) DESC, response) AS place "
)
_OF_PAGE = "question_id = ANY (CAST(:questions AS text[])) AND response IS NOT NULL"
_RESPONSES = text(
    f"WITH {_ANSWERS} SELECT * FROM ({_COUNTED} FROM answers WHERE {_OF_PAGE} GROUP BY question_id, response) c "
    "WHERE place <= :most ORDER BY question_id, place"
)
_CHOICES = text(
    f"WITH {_ANSWERS}, several AS (SELECT DISTINCT question_id FROM answers "
    f"WHERE {_OF_PAGE} AND position('[,]' IN response) > 0), "
    "chosen AS (SELECT a.question_id, a.user_id, a.success, c.response FROM answers a JOIN several USING (question_id) "
    "CROSS JOIN LATERAL (SELECT DISTINCT response FROM unnest(string_to_array(a.response, '[,]')) r (response)) c) "
    f"SELECT * FROM ({_COUNTED} FROM chosen GROUP BY question_id, response) c "
    "WHERE place <= :most ORDER BY question_id, place"
)


async def read_questions(
    connection: AsyncConnection, statements: StatementMatching, lesson_id: UUID, window: Window
) -> QuestionReport:
    """The questions of a lesson by id; raises NotFound."""
    lesson = await find_lesson(connection, lesson_id)
    basis = await basis_of(connection, statements, window)
    given = {"watermark": basis.watermark, "lesson_id": lesson_id}
    learners = (await connection.execute(_LEARNERS, given)).scalar_one()
    (after,) = window.key or (None,)
    rows = (await connection.execute(_QUESTIONS, {**given, "after": after, "limit": window.limit + 1})).all()
    more, rows = len(rows) > window.limit, rows[: window.limit]
    of_page = {**given, "questions": [row.question_id for row in rows], "most": MOST_RESPONSES}
    responses = await _counts(connection, _RESPONSES, of_page)
    choices = await _counts(connection, _CHOICES, of_page)
    questions = [_statistics(row, responses[row.question_id], choices[row.question_id]) for row in rows]
    last = window.next_key(basis, rows[-1].question_id) if more else None
    return QuestionReport(basis, lesson.label, learners, questions, last)


async def _counts(
    connection: AsyncConnection, query: TextClause, given: Mapping[str, Any]
) -> Mapping[str, list[ResponseCount]]:
    found: dict[str, list[ResponseCount]] = defaultdict(list)
    for row in await connection.execute(query, given):
        count = ResponseCount(row.response, row.responses, row.learners, row.right_responses)
        found[row.question_id].append(count)
    return found


def _statistics(
    row: Any,  # noqa: ANN401 - a row of _QUESTIONS
    given: Sequence[ResponseCount],
    choices: Sequence[ResponseCount],
) -> QuestionStatistics:
    judged = JudgedResponses()
    if row.judged_learners is not None:
        sums = (row.judged_learners, row.right_learners, row.others, row.squared_others, row.others_of_right)
        judged = JudgedResponses(*map(int, sums))
    return QuestionStatistics(
        question_id=row.question_id,
        name=row.name,
        learners=row.learners,
        responses=row.responses,
        judged_learners=judged.learners,
        right_learners=judged.right,
        difficulty=judged.difficulty,
        discrimination=judged.discrimination,
        given=given,
        choices=choices,
    )
