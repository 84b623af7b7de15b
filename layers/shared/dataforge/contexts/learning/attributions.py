"""Cohorts of people who only claim an address that somebody else has proved (`platform.attributions`)."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.learning.cohorts.repository import Cohorts
from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.kernel.clock import SystemClock
from dataforge.kernel.gains import Gain
from dataforge.platform.attributions import Attribution
from dataforge.platform.db.unit_of_work import SqlUnitOfWork

if TYPE_CHECKING:
    from dataforge.contexts.learning.module import LearningServices

_NAMED = 20


async def _found(connection: AsyncConnection, people: Sequence[UUID] | None) -> Sequence[Gain]:
    rows = await Cohorts(connection, SystemClock().now()).claimed(people)
    gains = []
    for (person, loser), found in groupby(rows, key=lambda row: (row.person, row.loser)):
        cohorts = list(found)
        gains.append(
            Gain(
                person=person,
                loser=loser,
                kind="cohorts",
                count=len(cohorts),
                fingerprint=" ".join(sorted(str(row.cohort_id) for row in cohorts)),
                names=tuple(row.name for row in cohorts[:_NAMED]),
            )
        )
    return gains


async def _given(people: Sequence[UUID], uow: SqlUnitOfWork, services: "LearningServices") -> None:
    cohorts = Cohorts(uow.connection, uow.now)
    rows = await cohorts.claimed(people)
    if not rows:
        return
    revision = await services.platform.get(StatementMatching).take_revision(uow.connection)
    await cohorts.join([(row.cohort_id, row.person) for row in rows], revision)
    for row in rows:
        await cohorts.leave(row.cohort_id, row.loser, revision)


MEMBERSHIPS: "Attribution[LearningServices]" = Attribution(_found, _given)
