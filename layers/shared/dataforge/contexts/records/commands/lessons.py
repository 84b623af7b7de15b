"""Lessons: what learners do, named by the activity id that statements carry."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from dataforge.contexts.records.commands.incremental import publish_completions
from dataforge.contexts.records.commands.versions import expect
from dataforge.contexts.records.ports import RecordsUnitOfWork
from dataforge.kernel.errors import NotFound
from dataforge.kernel.ids import uuid7
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class CreateLesson:
    """A new lesson; statements that arrived before it are matched at once."""

    lesson_url: str
    title: str
    lesson_number: int | None = None
    lesson_date: date | None = None
    required: bool = True
    cohort_id: UUID | None = None
    section_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ChangeLesson:
    """Changes to a lesson as the caller read it."""

    lesson_id: UUID
    expected: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeleteLesson:
    """Remove a lesson as the caller read it."""

    lesson_id: UUID
    expected: str


async def create_lesson(command: CreateLesson, uow: RecordsUnitOfWork) -> Mapping[str, Any]:
    """Create; raises DuplicateLessonUrl, or NotFound for an unknown cohort."""
    lesson_id = uuid7()
    lesson = await uow.catalog.add_lesson(
        {
            "id": lesson_id,
            "lesson_url": command.lesson_url,
            "title": command.title,
            "lesson_number": command.lesson_number,
            "lesson_date": command.lesson_date,
            "required": command.required,
            "cohort_id": command.cohort_id,
            "section_id": command.section_id,
            "created_at": uow.now,
            "updated_at": uow.now,
        }
    )
    await publish_completions(await uow.catalog.match_lessons(lesson_id), uow)
    uow.audit(AuditEntry("created", "lesson", str(lesson_id), after={"lesson_url": command.lesson_url}))
    return lesson


async def change_lesson(command: ChangeLesson, uow: RecordsUnitOfWork) -> UUID:
    """Change; another URL takes the statements of the old one away and brings those of the new one."""
    lesson = await _locked(command.lesson_id, command.expected, uow)
    changes = {name: value for name, value in command.changes.items() if lesson[name] != value}
    if changes:
        await uow.catalog.update_lesson(command.lesson_id, {**changes, "updated_at": uow.now})
        if "lesson_url" in changes:
            await uow.catalog.release_lesson(command.lesson_id)
            await publish_completions(await uow.catalog.match_lessons(command.lesson_id), uow)
        before = {name: _plain(lesson[name]) for name in changes}
        after = {name: _plain(value) for name, value in changes.items()}
        uow.audit(AuditEntry("changed", "lesson", str(command.lesson_id), before=before, after=after))
    return command.lesson_id


async def delete_lesson(command: DeleteLesson, uow: RecordsUnitOfWork) -> None:
    """Delete; the statements stay."""
    lesson = await _locked(command.lesson_id, command.expected, uow)
    await uow.catalog.delete_lesson(command.lesson_id)
    uow.audit(AuditEntry("deleted", "lesson", str(command.lesson_id), before={"lesson_url": lesson["lesson_url"]}))


async def _locked(lesson_id: UUID, expected: str, uow: RecordsUnitOfWork) -> Mapping[str, Any]:
    lesson = await uow.catalog.lock_lesson(lesson_id)
    if lesson is None:
        message = f"There is no lesson {lesson_id}."
        raise NotFound(message)
    expect(expected, lesson["revision"], "The lesson")
    return lesson


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID | date) else value
