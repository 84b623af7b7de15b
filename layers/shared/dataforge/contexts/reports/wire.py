"""What the wire models of reports have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Generic, Protocol, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from dataforge.contexts.reports.basis import Basis, LessonLabel
from dataforge.contexts.reports.tabular import Kind, Tabular
from dataforge.http.wire import Instant

AsOf = Annotated[
    Instant | None,
    Query(description="the `watermark` of an earlier answer, to have the same numbers again; later ones are lowered"),
]
InCohort = Annotated[UUID | None, Query(description="learners of this cohort only")]


class BasisOut(BaseModel):
    """What a report rests on.

    It counts every statement stored up to `watermark`, and nothing that became known later; `removed_since` statements
    that it may have counted were erased or purged after that.
    """

    watermark: datetime
    removed_since: int


class ReportPageOut(BasisOut):
    """What every report in pages has; all pages have the watermark of the first."""

    limit: int
    next_cursor: str | None
    next: str | None


class LessonLabelOut(BaseModel):
    """A lesson."""

    lesson_id: UUID
    title: str
    lesson_number: int | None
    lesson_date: date | None
    required: bool


class Report(Protocol):
    """What every report knows of itself."""

    @property
    def basis(self) -> Basis:
        """What it rests on."""
        ...


Read = TypeVar("Read", bound=Report)


@dataclass(frozen=True, slots=True)
class Representations(Generic[Read]):
    """The formats of a kind of report: JSON, rows and columns for CSV and Parquet, and a picture.

    `paged` reports may have more than one answer. `picture` draws it as SVG. `columns` are those of every such report;
    none where they depend on what is reported.
    """

    name: str
    body: Callable[[Read], Mapping[str, Any]]
    table: Callable[[Read], Tabular]
    picture: Callable[[Read], str]
    paged: bool = True
    columns: Mapping[str, Kind] = field(default_factory=dict)


def basis_body(basis: Basis) -> dict[str, Any]:
    """The members of BasisOut."""
    return {"watermark": basis.watermark, "removed_since": basis.removed_since}


def lesson_body(lesson: LessonLabel) -> dict[str, Any]:
    """The members of LessonLabelOut."""
    return {
        "lesson_id": lesson.lesson_id,
        "title": lesson.title,
        "lesson_number": lesson.lesson_number,
        "lesson_date": lesson.lesson_date,
        "required": lesson.required,
    }
