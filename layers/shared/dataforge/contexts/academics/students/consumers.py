"""Subscribers of events about students, each of which may get an event more than once."""

from decimal import Decimal
from typing import TYPE_CHECKING

from dataforge.contexts.academics.students import commands
from dataforge.contexts.academics.students.repository import merge_users
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.learning.contract import LessonCompleted
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.academics.module import AcademicsServices


async def record_xapi_completion(event: LessonCompleted, services: "AcademicsServices") -> None:
    """Take a statement as evidence, once per statement; a lesson counts for the courses that name it."""
    command = commands.RecordXapiCompletion(
        user_id=event.user_id,
        lesson_id=event.lesson_id,
        statement_id=str(event.statement_id),
        score=_percent(event.score),
        completed_on=event.occurred_at.date(),
    )
    await run(AcademicsUnitOfWork(services.database, clock=services.clock), commands.record_xapi_completion, command)


def _percent(scaled: Decimal | None) -> Decimal | None:
    return None if scaled is None else max(Decimal(0), min(Decimal(1), scaled)) * 100


async def follow_merge(event: AccountsMerged, services: "AcademicsServices") -> None:
    """Let students and sections follow accounts that became one; a second time nothing is left to do."""
    async with services.database.transaction() as connection:
        await merge_users(connection, merged=event.merged, kept=event.kept)
