"""Student records with an address that somebody has proved, and that are not theirs (`platform.attributions`)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.students.repository import Students
from dataforge.kernel.clock import SystemClock
from dataforge.kernel.gains import Gain
from dataforge.kernel.texts import Text
from dataforge.platform.attributions import Attribution
from dataforge.platform.db.unit_of_work import SqlUnitOfWork
from dataforge.platform.db.versioned_rows import audit_change

if TYPE_CHECKING:
    from dataforge.contexts.academics.module import AcademicsServices


async def _found(connection: AsyncConnection, people: Sequence[UUID] | None) -> Sequence[Gain]:
    return [
        Gain(
            person=row.person,
            loser=row.loser,
            kind=Text("student records"),
            count=1,
            fingerprint=f"{row.id} {row.revision}",
            names=(f"{row.number} {row.first_name} {row.last_name}",),
            obstacle=_obstacle(row),
        )
        for row in await Students(connection, SystemClock().now()).addressed(people)
    ]


def _obstacle(row: Any) -> str | None:  # noqa: ANN401 - a row
    if row.other is not None:
        return Text("The person is student {other} already.", other=row.other)
    return Text("Several records have this address.") if row.records > 1 else None


async def _given(people: Sequence[UUID], uow: SqlUnitOfWork, _services: "AcademicsServices") -> None:
    students = Students(uow.connection, uow.now)
    for row in await students.addressed(people):
        if _obstacle(row) is None:
            before = await students.lock(row.id)
            after = await students.change(before, {"user_id": row.person})
            audit_change(uow, "student", "changed", after, before)


STUDENT_RECORDS: "Attribution[AcademicsServices]" = Attribution(_found, _given)
