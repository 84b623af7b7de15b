"""Wire models of the matrix of a cohort."""

from collections.abc import Container
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Query
from pydantic import BaseModel

from dataforge.contexts.reports.basis import LessonLabel
from dataforge.contexts.reports.cohort.domain import MatrixReport
from dataforge.contexts.reports.cohort.picture import picture_of_matrix
from dataforge.contexts.reports.tabular import Cell, Kind, Tabular
from dataforge.contexts.reports.wire import LessonLabelOut, ReportPageOut, Representations, lesson_body


class LessonColumnOut(LessonLabelOut):
    """A lesson and how many learners of the whole cohort have started and completed it; `rate` is 0 to 1."""

    started: int
    completed: int
    rate: float | None


class LearnerRowOut(BaseModel):
    """A learner's way through the lessons: the lists have an element for each of `lessons`, in that order.

    A lesson with a time in `completed_at` is completed, one with a time in `started_at` only is in progress, and one
    without either is not started. `last_activity` is the last statement of any of these lessons.
    """

    user_id: UUID
    display_name: str
    email: str
    last_activity: datetime | None
    completed: int
    rate: float | None
    completed_at: list[datetime | None]
    started_at: list[datetime | None]


class MatrixOut(ReportPageOut):
    """The matrix of a cohort: its lessons, and a page of its learners by name."""

    cohort_id: UUID
    cohort_name: str
    learners: int
    rate: float | None
    lessons: list[LessonColumnOut]
    items: list[LearnerRowOut]


def _body(report: MatrixReport) -> dict[str, Any]:
    return {
        "cohort_id": report.cohort_id,
        "cohort_name": report.cohort_name,
        "learners": report.learners,
        "rate": report.rate,
        "lessons": [
            {
                **lesson_body(column.lesson),
                "started": column.started,
                "completed": column.completed,
                "rate": column.rate,
            }
            for column in report.columns
        ],
        "items": [
            {
                "user_id": row.user_id,
                "display_name": row.display_name,
                "email": row.email,
                "last_activity": row.last_activity,
                "completed": row.completed,
                "rate": row.rate,
                "completed_at": orjson.Fragment(row.completed_at_json),
                "started_at": orjson.Fragment(row.started_at_json),
            }
            for row in report.rows
        ],
    }


_COLUMNS = {
    "user_id": Kind.TEXT,
    "display_name": Kind.TEXT,
    "email": Kind.TEXT,
    "lesson_id": Kind.TEXT,
    "lesson_number": Kind.COUNT,
    "lesson_title": Kind.TEXT,
    "required": Kind.FLAG,
    "state": Kind.TEXT,
    "started_at": Kind.TIME,
    "completed_at": Kind.TIME,
    "last_activity": Kind.TIME,
}


def _table(report: MatrixReport) -> Tabular:
    rows = []
    for row in report.rows:
        times = zip(report.columns, row.started_at(), row.completed_at(), strict=True)
        for place, (column, started_at, completed_at) in enumerate(times):
            lesson = column.lesson
            rows.append(
                (
                    str(row.user_id),
                    row.display_name,
                    row.email,
                    str(lesson.lesson_id),
                    lesson.lesson_number,
                    lesson.title,
                    lesson.required,
                    row.state(place).value,
                    started_at,
                    completed_at,
                    row.last_activity,
                )
            )
    return Tabular(_COLUMNS, rows)


class Cells(StrEnum):
    """What the cells of a matrix with a column for each lesson hold."""

    STATE = "state"
    COMPLETED_AT = "completed_at"


Matrix = Annotated[Cells | None, Query(description="what each lesson's column of a file has in its cells")]

_LEARNER = {"user_id": Kind.TEXT, "display_name": Kind.TEXT, "email": Kind.TEXT}
_SUMMARY = {"completed": Kind.COUNT, "rate": Kind.NUMBER, "last_activity": Kind.TIME}


def _wide_table(cells: Cells, report: MatrixReport) -> Tabular:
    kind = Kind.TIME if cells is Cells.COMPLETED_AT else Kind.TEXT
    columns = {**_LEARNER, **_SUMMARY}
    for column in report.columns:
        columns[_heading(column.lesson, columns)] = kind
    rows: list[list[Cell]] = []
    for row in report.rows:
        states = [row.state(place).value for place in range(len(report.columns))]
        values = row.completed_at() if cells is Cells.COMPLETED_AT else states
        summary = (row.completed, row.rate, row.last_activity)
        rows.append([str(row.user_id), row.display_name, row.email, *summary, *values])
    return Tabular(columns, rows)


def _heading(lesson: LessonLabel, taken: Container[str]) -> str:
    """The lesson's title in one line; with its id where another column has that name."""
    title = " ".join(lesson.title.split())
    return f"{title} ({lesson.lesson_id})" if title in taken else title


MATRIX = Representations("cohort", _body, _table, picture_of_matrix, columns=_COLUMNS)
# The same with a row for each learner and a column for each lesson in its files.
WIDE = {cells: replace(MATRIX, table=partial(_wide_table, cells), columns={}) for cells in Cells}
