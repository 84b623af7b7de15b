"""The steps of planning a roster: what the file describes, whom it means, who is where, who is absent, who gets in."""

from uuid import UUID

from dataforge.contexts.academics.commands.roster_options import RosterOptions
from dataforge.contexts.academics.domain.catalogue import Semester
from dataforge.contexts.academics.domain.roster import PlannedRow, RowKind, StagedRow, settle_doubled
from dataforge.contexts.academics.domain.roster_absence import Shields, judge_absent
from dataforge.contexts.academics.domain.roster_catalog import CatalogPlan
from dataforge.contexts.academics.domain.roster_enrollments import (
    NOT_ENROLLED,
    OTHER_CLASS,
    judge_teachers,
    judge_unresolved,
    settle_pairs,
    standings,
)
from dataforge.contexts.academics.domain.roster_files import RosterUnreadable
from dataforge.contexts.academics.domain.roster_people import NOT_A_STUDENT, PeoplePlan
from dataforge.contexts.academics.domain.roster_seats import SeatMap
from dataforge.contexts.academics.domain.status import Rule
from dataforge.contexts.academics.ports import AcademicsUnitOfWork, RosterRepository

# Students whose rows are judged at once: what is in memory at any time.
BATCH = 2_000
_REFUSED_ELSEWHERE = {"rule": "refused_elsewhere", "message": "not in the file, but another row of theirs is refused"}


class RosterPlanner:
    """Decides every row of one staged roster."""

    def __init__(self, uow: AcademicsUnitOfWork, plan_id: UUID, semester: Semester, options: RosterOptions) -> None:
        self._rosters: RosterRepository = uow.rosters
        self._now = uow.now
        self._plan_id = plan_id
        self._semester = semester
        self._options = options
        self._late = semester.today(uow.now) > semester.drop_by and Rule.DROP_DEADLINE not in options.waive

    async def plan(self, *, simple: bool) -> None:
        """Take all steps; raises RosterUnreadable when no session of a OneRoster file is the semester."""
        if simple:
            await self._rosters.derive_users(self._plan_id)
        else:
            await self._plan_catalog()
        await self._plan_users(simple=simple)
        await self._plan_enrollments(simple=simple)
        if self._options.mode == "full":
            await self._plan_absent()
        await self._judge()

    async def _plan_catalog(self) -> None:
        rows = await self._rosters.catalog_rows(self._plan_id)
        known = await self._rosters.catalog(self._plan_id, self._semester)
        plan = CatalogPlan(rows, known, self._options.default_capacity)
        if not plan.has_session:
            code = self._semester.code
            message = f"No academic session of the file is the semester {code} (by its sourcedId or title)."
            raise RosterUnreadable(message, facts={"semester": code})
        await self._rosters.decide(self._plan_id, list(plan.decided.values()))
        by_id: dict[tuple[RowKind, str | None], list[StagedRow]] = {}
        for row in await self._rosters.doubled_rows(self._plan_id):
            by_id.setdefault((row.kind, row.sourced_id), []).append(row)
        await self._rosters.decide(self._plan_id, [item for same in by_id.values() for item in settle_doubled(same)])
        await self._rosters.skip(self._plan_id, {"message": OTHER_CLASS}, {"message": NOT_A_STUDENT})

    async def _plan_users(self, *, simple: bool) -> None:
        people = PeoplePlan()
        async for rows in self._rosters.users(self._plan_id, simple=simple):
            await self._rosters.decide(self._plan_id, people.decide(rows))
        await self._rosters.decide(self._plan_id, people.rest())

    async def _plan_enrollments(self, *, simple: bool) -> None:
        plan_id, rosters = self._plan_id, self._rosters
        await rosters.link_enrollments(plan_id, self._semester.id, simple=simple)
        if not simple:
            await rosters.decide(plan_id, judge_teachers(await rosters.teachers(plan_id)))
        async for unresolved in rosters.unresolved(plan_id, self._semester.id):
            await rosters.decide(plan_id, [judge_unresolved(row) for row in unresolved])
        pairs = [row async for rows in rosters.doubled_pairs(plan_id) for row in rows]
        await rosters.decide(plan_id, settle_pairs(pairs))
        table = standings(self._semester, late=self._late)
        await rosters.set_standings(plan_id, table, {"message": NOT_ENROLLED})

    async def _plan_absent(self) -> None:
        shields = Shields()
        async for unusable in self._rosters.unusable(self._plan_id, self._semester.id):
            for row in unusable:
                shields.add(row)
        number = await self._rosters.last_row(self._plan_id)
        async for absent in self._rosters.absent(self._plan_id, self._semester.id):
            own = self._options.drop_self_enrolled
            decided = [
                judge_absent(row, shields, self._semester, late=self._late, drop_self_enrolled=own) for row in absent
            ]
            await self._rosters.add_absent(self._plan_id, number, decided)
            number += len(decided)

    async def _judge(self) -> None:
        """Ask the rules of enrolment, student by student in order of appearance, with the seats as they fill up."""
        sections = await self._rosters.section_seats(self._plan_id, self._semester)
        refusals: dict[int, PlannedRow] = {}
        while True:
            seats = SeatMap(sections, await self._rosters.freed(self._plan_id), refusals)
            judged = await self._judge_with(seats)
            if seats.kept:
                kept = [item.row_no for item in seats.kept]
                await self._rosters.keep_absent(self._plan_id, kept, _REFUSED_ELSEWHERE)
            if not seats.again:
                return
            await self._rosters.reopen(self._plan_id, judged)
            refusals = seats.refusals

    async def _judge_with(self, seats: SeatMap) -> list[int]:
        rosters, semester_id = self._rosters, self._semester.id
        judged: list[int] = []
        groups, after = await rosters.students(self._plan_id, semester_id, after=0, size=BATCH)
        while groups:
            decided = [row for group in groups for row in seats.decide(group, self._now, self._options.waive)]
            await rosters.decide(self._plan_id, decided)
            judged += [row.row_no for row in decided]
            groups, after = await rosters.students(self._plan_id, semester_id, after=after, size=BATCH)
        return judged
