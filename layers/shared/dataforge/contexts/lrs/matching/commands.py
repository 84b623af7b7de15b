"""Match statements to lessons and people that were not known when they came."""

from dataclasses import dataclass

from dataforge.contexts.lrs.contract import LessonDirectory, StatementMatching
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


@dataclass(frozen=True, slots=True)
class MatchBackfill:
    """All lessons and accounts that came after their statements."""

    lessons: LessonDirectory
    matching: StatementMatching


async def match_lessons(command: MatchBackfill, uow: SqlUnitOfWork) -> int:
    """Give unmatched statements their lesson; completions found this way are reported too."""
    register = command.lessons.within(uow.connection, uow.publish)
    matched = await command.matching.match_lessons(uow.connection, await register.addresses())
    await register.record_completions(matched)
    return len(matched)


async def match_people(command: MatchBackfill, uow: SqlUnitOfWork) -> int:
    """Give unmatched statements their person; completions found this way are reported too."""
    register = command.lessons.within(uow.connection, uow.publish)
    matched = await command.matching.match_people(uow.connection)
    await register.record_completions(matched)
    return len(matched)
