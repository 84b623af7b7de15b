"""Lessons: what learners do, named by the activity id that statements carry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from dataforge.contexts.learning.cohorts.queries import workspace_of_cohort
from dataforge.contexts.learning.lessons.domain import LessonAddress, check_hours, check_section, check_tenancy
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.kernel.ids import uuid7
from dataforge.kernel.iri import normal_iri
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision


@dataclass(frozen=True, slots=True)
class CreateLesson:
    """A new lesson; statements that arrived before it are matched at once."""

    lesson_url: str
    title: str
    lesson_number: int | None = None
    lesson_date: date | None = None
    start_time: time | None = None
    duration_minutes: int | None = None
    time_zone: str | None = None
    required: bool = True
    workspace_id: UUID | None = None
    cohort_id: UUID | None = None
    section_id: UUID | None = None
    content_url: str | None = None
    publisher_id: str | None = None
    move_on: str = "CompletedOrPassed"
    mastery_score: Decimal | None = None
    launch_parameters: str | None = None


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


async def create_lesson(
    statements: StatementMatching, command: CreateLesson, uow: LearningUnitOfWork
) -> Mapping[str, Any]:
    """Create; raises DuplicateLessonUrl, NotFound for an unknown cohort, ValidationFailed for hours without a day."""
    values = {field.name: getattr(command, field.name) for field in fields(command)}
    check_hours(values)
    values["workspace_id"] = await _workspace_for(values, uow)
    lesson_id, revision = uuid7(), await statements.take_revision(uow.connection)
    lesson = await uow.lessons.add({"id": lesson_id, "created_at": revision, **values})
    await _add_address(lesson_id, command.lesson_url, statements, uow)
    uow.audit(AuditEntry("created", "lesson", str(lesson_id), after={"lesson_url": command.lesson_url}))
    return lesson


async def change_lesson(statements: StatementMatching, command: ChangeLesson, uow: LearningUnitOfWork) -> UUID:
    """Change; another URL takes the statements of the old one away and brings those of the new one.

    Raises ValidationFailed for hours that would be left without a day.
    """
    lesson = await _locked(command.lesson_id, command.expected, uow)
    changes = {name: value for name, value in command.changes.items() if lesson[name] != value}
    if changes:
        check_hours({**lesson, **changes})
        await _workspace_for({**lesson, **changes}, uow)
        await uow.lessons.change(lesson, changes)
        if "lesson_url" in changes:
            await _move_address(lesson, changes["lesson_url"], statements, uow)
        before = {name: _plain(lesson[name]) for name in changes}
        after = {name: _plain(value) for name, value in changes.items()}
        uow.audit(AuditEntry("changed", "lesson", str(command.lesson_id), before=before, after=after))
    return command.lesson_id


@dataclass(frozen=True, slots=True)
class ReplaceAliases:
    """The other activity ids that mean a lesson, all of them, for the lesson as the caller read it."""

    lesson_id: UUID
    expected: str
    aliases: Sequence[str]


async def replace_aliases(statements: StatementMatching, command: ReplaceAliases, uow: LearningUnitOfWork) -> UUID:
    """Give the lesson the statements of new aliases and take those of old ones; the same aliases change nothing.

    Raises DuplicateLessonUrl for one that means another lesson.
    """
    lesson = await _locked(command.lesson_id, command.expected, uow)
    own = normal_iri(lesson["lesson_url"])
    wanted = {address: url for url in command.aliases if (address := normal_iri(url)) != own}
    known = {item.address for item in await uow.lessons.addresses(command.lesson_id) if item.alias}
    gone, new = sorted(known - wanted.keys()), sorted(wanted.keys() - known)
    if not gone and not new:
        return command.lesson_id
    for address in gone:
        await uow.lessons.remove_address(command.lesson_id, address)
    for address in new:
        await uow.lessons.add_address(command.lesson_id, LessonAddress(address, alias=True), wanted[address])
    if gone:
        await statements.release_lesson(uow.connection, command.lesson_id, gone)
    matched = await statements.match_lessons(uow.connection, dict.fromkeys(new, command.lesson_id))
    await uow.completions.record_completions(matched)
    await uow.lessons.change(lesson, {})
    before, after = {"aliases": sorted(known)}, {"aliases": sorted(wanted)}
    uow.audit(AuditEntry("changed", "lesson", str(command.lesson_id), before=before, after=after))
    return command.lesson_id


async def normalise_addresses(_command: None, uow: LearningUnitOfWork) -> int:
    """Write the addresses of lessons in their normal form that a release before has written; how many.

    Where two lessons would have the same the older one gets it, and the other one keeps what it has.
    """
    changed = 0
    for lesson in await uow.lessons.with_other_address():
        changed += await uow.lessons.replace_address(lesson.lesson_id, lesson.address, normal_iri(lesson.lesson_url))
    return changed


async def delete_lesson(statements: StatementMatching, command: DeleteLesson, uow: LearningUnitOfWork) -> None:
    """Delete; the statements stay."""
    lesson = await _locked(command.lesson_id, command.expected, uow)
    await statements.release_lesson(uow.connection, command.lesson_id)
    await uow.lessons.remove(lesson)
    uow.audit(AuditEntry("deleted", "lesson", str(command.lesson_id), before={"lesson_url": lesson["lesson_url"]}))


async def delete_lessons_of(statements: StatementMatching, workspace_id: UUID, uow: LearningUnitOfWork) -> None:
    """Delete the lessons of a workspace that is no more; the statements stay."""
    for lesson in await uow.lessons.lock_of_workspace(workspace_id):
        await statements.release_lesson(uow.connection, lesson["id"])
        await uow.lessons.remove(lesson)
        before = {"lesson_url": lesson["lesson_url"]}
        uow.audit(AuditEntry("deleted", "lesson", str(lesson["id"]), before=before))


async def _add_address(lesson_id: UUID, url: str, statements: StatementMatching, uow: LearningUnitOfWork) -> None:
    address = LessonAddress(normal_iri(url))
    await uow.lessons.add_address(lesson_id, address, url)
    matched = await statements.match_lessons(uow.connection, {address.address: lesson_id})
    await uow.completions.record_completions(matched)


async def _move_address(
    lesson: Mapping[str, Any], url: str, statements: StatementMatching, uow: LearningUnitOfWork
) -> None:
    """Give the lesson another address of its own; one that was an alias until now keeps its statements."""
    lesson_id, old, new = lesson["id"], normal_iri(lesson["lesson_url"]), normal_iri(url)
    if old == new:
        return
    await uow.lessons.remove_address(lesson_id, old)
    await statements.release_lesson(uow.connection, lesson_id, [old])
    if any(known.address == new for known in await uow.lessons.addresses(lesson_id)):
        await uow.lessons.mark_address(lesson_id, LessonAddress(new))
    else:
        await _add_address(lesson_id, url, statements, uow)


async def _locked(lesson_id: UUID, expected: str, uow: LearningUnitOfWork) -> Mapping[str, Any]:
    lesson = await uow.lessons.lock(lesson_id)
    require_revision(expected, lesson["revision"], Text("The lesson"))
    return lesson


async def _workspace_for(lesson: Mapping[str, Any], uow: LearningUnitOfWork) -> UUID | None:
    """The workspace that a lesson with these values belongs to; raises ValidationFailed for one of two of them."""
    workspace_id: UUID | None = lesson["workspace_id"]
    if lesson["cohort_id"] is not None:
        of_cohort = await workspace_of_cohort(uow.connection, lesson["cohort_id"])
        if "id" not in lesson and workspace_id is None:
            workspace_id = of_cohort
        check_tenancy(workspace_id, of_cohort)
    check_section(workspace_id, lesson["section_id"])
    return workspace_id


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID | date | time | Decimal) else value
