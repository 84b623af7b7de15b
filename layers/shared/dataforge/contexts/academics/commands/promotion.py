"""Promotion from the waitlist: in order of number, every rule again; whoever does not qualify is skipped.

All students that may be promoted are locked in one ordered pass (see repository.enrollments), so only so many are
looked at in one transaction; when more wait and seats are left, PromotionDue continues after the last one looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.academics.commands.ledger import Ledger
from dataforge.contexts.academics.contract import PromotionDue
from dataforge.contexts.academics.domain.enrollment import Enrollment
from dataforge.contexts.academics.domain.rules import Application, SectionTerms, StudentFile
from dataforge.contexts.academics.domain.seats import Seats
from dataforge.contexts.academics.ports import AcademicsUnitOfWork

# How many more than there are seats are looked at in one transaction.
LOOKAHEAD = 50


@dataclass(frozen=True, slots=True)
class PromoteWaiting:
    """Give the free seats of a section to those who wait with a number above `after_wait_no`."""

    section_id: UUID
    after_wait_no: int = 0


async def promote_waiting(command: PromoteWaiting, uow: AcademicsUnitOfWork) -> Seats:
    """Promote whoever qualifies; returns the seats afterwards."""
    seats = await uow.enrollments.lock_section(command.section_id)
    return await fill_seats(uow, seats, after=command.after_wait_no)


async def fill_seats(
    uow: AcademicsUnitOfWork, seats: Seats, *, after: int = 0, ledger: Ledger | None = None, leaving: UUID | None = None
) -> Seats:
    """Promote in a section whose lock is held, and save; `ledger` holds what the caller decided before.

    `leaving` is a student the ledger is about: saving changes that row too, so it is locked in the same pass.
    """
    queue = await candidates(uow, seats, after)
    if queue:
        waiting = [item.student_id for item in queue]
        await uow.enrollments.lock_students(waiting if leaving is None else [leaving, *waiting])
        terms, files = await uow.enrollments.load(seats.section_id, waiting)
        ledger = ledger or Ledger(uow, terms, seats)
        promote_in_order(uow, ledger, terms, queue, files)
    if ledger is not None:
        await ledger.save()
        seats = ledger.seats
    return seats


async def candidates(uow: AcademicsUnitOfWork, seats: Seats, after: int = 0) -> list[Enrollment]:
    """Who is looked at for the free seats, in order of number."""
    if not seats.promotion_possible:
        return []
    return await uow.enrollments.waiting(seats.section_id, after, seats.free + LOOKAHEAD)


def promote_in_order(
    uow: AcademicsUnitOfWork,
    ledger: Ledger,
    terms: SectionTerms,
    queue: Sequence[Enrollment],
    files: Mapping[UUID, StudentFile],
) -> bool:
    """Promote until the seats or the queue are used up; returns whether everybody in the queue was looked at."""
    if not terms.takes_enrollments:
        return False
    for waiting in queue:
        if ledger.seats.free == 0:
            return False
        student = files[waiting.student_id]
        ledger.add(waiting.promote(Application(terms, student, uow.now), ledger.seats), student)
    if queue and ledger.seats.free > 0 and len(queue) > LOOKAHEAD:
        uow.publish(PromotionDue(terms.section_id, queue[-1].wait_no or 0))
        return False
    return True


def announce(uow: AcademicsUnitOfWork, section_ids: Sequence[UUID]) -> None:
    """Have the waitlists of sections looked at after this transaction."""
    for section_id in section_ids:
        uow.publish(PromotionDue(section_id, 0))
