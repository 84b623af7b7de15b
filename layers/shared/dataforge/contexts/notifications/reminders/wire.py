"""Wire models of reminders."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, model_validator

from dataforge.contexts.notifications.reminders.domain import Cadence, ReminderPlan
from dataforge.http.list_columns import CsvRows
from dataforge.http.wire import RequestModel
from dataforge.kernel.texts import Text

# Far from the ends of the calendar, where a day before or after has no date.
_FIRST_YEAR, _LAST_YEAR = 2000, 2199


def _plannable(value: datetime) -> datetime:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        message = Text(
            "must be an instant from {first_year} to {last_year}", first_year=_FIRST_YEAR, last_year=_LAST_YEAR
        )
        raise ValueError(message)
    return value


Instant = Annotated[AwareDatetime, AfterValidator(_plannable)]


class LessonOut(BaseModel):
    """A lesson in a reminder."""

    lesson_id: UUID
    title: str
    url: str
    date: date


class ReminderOut(BaseModel):
    """One digest; `withheld` says why it is not sent, if it is not."""

    user_id: UUID
    name: str
    local_date: date
    lessons: list[LessonOut]
    withheld: str | None


class ReminderPreviewOut(BaseModel):
    """What a run at this instant would send, exactly; apply it with its `plan_hash`."""

    at: datetime
    plan_hash: str
    count: int
    withheld: int
    reminders: Annotated[list[ReminderOut], CsvRows()]


class SendRemindersIn(RequestModel):
    """Apply a preview: its instant and its hash."""

    at: Instant
    plan_hash: Annotated[str, Field(min_length=64, max_length=64, pattern=r"^[0-9a-f]+$")]


class RunOut(BaseModel):
    """What a run put on its way."""

    run_key: str
    plan_hash: str
    counts: dict[str, int]


class TaskStatusOut(BaseModel):
    """What became of a run; `error` is that of its last attempt."""

    name: str
    run_key: str
    status: str
    attempt: int
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, int]
    error: str | None


class RunRow(BaseModel):
    """A run in the list."""

    name: str
    run_key: str
    status: str
    attempt: int
    error: str | None
    at: datetime
    started_at: datetime
    finished_at: datetime | None
    plan_hash: str | None
    counts: dict[str, int]


class RunPage(BaseModel):
    """A page of runs."""

    items: list[RunRow]
    limit: int
    next_cursor: str | None
    next: str | None


class CadenceIn(RequestModel):
    """How often a cohort is reminded; `weekday` (Monday 1 to Sunday 7) with `weekly`, and only then."""

    cadence: Cadence
    weekday: Annotated[int, Field(ge=1, le=7)] | None = None

    @model_validator(mode="after")
    def _weekday_with_weekly(self) -> Self:
        if (self.cadence is Cadence.WEEKLY) != (self.weekday is not None):
            message = Text("weekday is given with the cadence weekly, and only then")
            raise ValueError(message)
        return self


class CadenceOut(BaseModel):
    """How often a cohort is reminded."""

    cohort_id: UUID
    cadence: Cadence
    weekday: int | None


def preview_body(plan: ReminderPlan) -> dict[str, Any]:
    """A plan as it is shown: without addresses, which nobody needs to judge it."""
    return {
        "at": plan.at,
        "plan_hash": plan.hash,
        "count": len(plan.sent),
        "withheld": len(plan.reminders) - len(plan.sent),
        "reminders": [
            {
                "user_id": item.learner.user_id,
                "name": item.learner.name,
                "local_date": item.local_date,
                "lessons": [
                    {
                        "lesson_id": lesson.lesson_id,
                        "title": lesson.title,
                        "url": lesson.url,
                        "date": lesson.lesson_date,
                    }
                    for lesson in item.lessons
                ],
                "withheld": item.withheld,
            }
            for item in plan.reminders
        ],
    }
