"""Statements that bear the address which somebody has proved, and are not theirs (`platform.attributions`)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.lrs.matching.repository import SqlStatementMatching
from dataforge.kernel.gains import Gain
from dataforge.platform.attributions import Attribution
from dataforge.platform.db.unit_of_work import SqlUnitOfWork

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices


async def _found(connection: AsyncConnection, people: Sequence[UUID] | None) -> Sequence[Gain]:
    return [
        Gain(
            person=row.person,
            loser=row.loser,
            kind="statements",
            count=row.count,
            fingerprint=row.fingerprint,
            names=tuple(sorted({f"{row.first:%Y-%m-%d}", f"{row.last:%Y-%m-%d}"})),
        )
        for row in await SqlStatementMatching().gains(connection, people)
    ]


async def _given(people: Sequence[UUID], uow: SqlUnitOfWork, services: "LrsServices") -> None:
    matched = await services.matching.attribute(uow.connection, people)
    register = services.platform.get(LessonDirectory).within(uow.connection, uow.publish)
    await register.record_completions(matched)


STATEMENTS: "Attribution[LrsServices]" = Attribution(_found, _given)
