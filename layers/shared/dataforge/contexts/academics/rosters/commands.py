"""Announce an upload, plan a roster, apply the plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.catalog.domain import Semester
from dataforge.contexts.academics.contract import RosterApplied
from dataforge.contexts.academics.enrollment.commands import announce
from dataforge.contexts.academics.enrollment.domain.statuses import Rule
from dataforge.contexts.academics.rosters.domain.absence import Shields, judge_absent
from dataforge.contexts.academics.rosters.domain.catalog import CatalogPlan
from dataforge.contexts.academics.rosters.domain.enrollments import (
    NOT_ENROLLED,
    OTHER_CLASS,
    judge_teachers,
    judge_unresolved,
    settle_pairs,
    standings,
)
from dataforge.contexts.academics.rosters.domain.files import RosterUnreadable, staged_rows
from dataforge.contexts.academics.rosters.domain.people import NOT_A_STUDENT, PeoplePlan
from dataforge.contexts.academics.rosters.domain.plain_students import PlainStudents
from dataforge.contexts.academics.rosters.domain.plans import DropsUnconfirmed, PlanHashMismatch, RosterOptions
from dataforge.contexts.academics.rosters.domain.rows import PlannedRow, RowAction, RowKind, StagedRow, settle_doubled
from dataforge.contexts.academics.rosters.domain.seats import SeatMap
from dataforge.contexts.academics.rosters.domain.uploads import EXPIRES_AFTER, SUBJECT, AnnouncedUpload, upload_key
from dataforge.contexts.academics.rosters.repository.drafts import RosterDraft
from dataforge.contexts.academics.rosters.sources import FileSource
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.canonical import plan_hash
from dataforge.kernel.errors import PlanStale
from dataforge.kernel.ids import uuid7
from dataforge.kernel.quotas import UploadClaim, UploadLimits
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import Row

_REFUSED_ELSEWHERE = {
    "rule": "refused_elsewhere",
    "message": Text("not in the file, but another row of theirs is refused"),
}


class RosterPlanner:
    """Decides every row of a draft that is staged; what the rules of enrolment say is collected beside it."""

    def __init__(self, draft: RosterDraft, now: datetime, semester: Semester, options: RosterOptions) -> None:
        self._draft = draft
        self._now = now
        self._semester = semester
        self._options = options
        self._late = semester.today(now) > semester.drop_by and Rule.DROP_DEADLINE not in options.waive

    async def plan(self, *, simple: bool) -> None:
        """Take all steps; raises RosterUnreadable when no session of a OneRoster file is the semester."""
        if simple:
            await self._draft.derive_users()
        else:
            await self._plan_catalog()
        await self._plan_users(simple=simple)
        await self._plan_enrollments(simple=simple)
        if self._options.mode == "full":
            await self._plan_absent()
        await self._judge()

    async def _plan_catalog(self) -> None:
        rows = await self._draft.catalog_rows()
        known = await self._draft.catalog(self._semester)
        plan = CatalogPlan(rows, known, self._options.default_capacity)
        if not plan.has_session:
            code = self._semester.code
            message = Text(
                "No academic session of the file is the semester {code} (by its sourcedId or title).", code=code
            )
            raise RosterUnreadable(message, facts={"semester": code})
        await self._draft.decide(list(plan.decided.values()))
        by_id: dict[tuple[RowKind, str | None], list[StagedRow]] = {}
        for row in await self._draft.doubled_rows():
            by_id.setdefault((row.kind, row.sourced_id), []).append(row)
        await self._draft.decide([item for same in by_id.values() for item in settle_doubled(same)])
        await self._draft.skip({"message": OTHER_CLASS}, {"message": NOT_A_STUDENT})

    async def _plan_users(self, *, simple: bool) -> None:
        people = PeoplePlan()
        async for rows in self._draft.users(simple=simple):
            await self._draft.collect(people.decide(rows))
        await self._draft.decide(people.rest())

    async def _plan_enrollments(self, *, simple: bool) -> None:
        draft = self._draft
        await draft.link_enrollments(self._semester.id, simple=simple)
        if not simple:
            await draft.decide(judge_teachers(await draft.teachers()))
        async for unresolved in draft.unresolved(self._semester.id):
            await draft.collect(map(judge_unresolved, unresolved))
        await draft.merge()
        pairs = [row async for rows in draft.doubled_pairs() for row in rows]
        await draft.decide(settle_pairs(pairs))
        table = standings(self._semester, late=self._late)
        await draft.set_standings(table, {"message": NOT_ENROLLED})

    async def _plan_absent(self) -> None:
        shields = Shields()
        async for unusable in self._draft.unusable(self._semester.id):
            for row in unusable:
                shields.add(row)
        number = await self._draft.last_row()
        async for absent in self._draft.absent(self._semester.id):
            own = self._options.drop_self_enrolled
            decided = [
                judge_absent(row, shields, self._semester, late=self._late, drop_self_enrolled=own) for row in absent
            ]
            await self._draft.add_absent(number, decided)
            number += len(decided)

    async def _judge(self) -> None:
        """Ask the rules of enrolment, student by student in order of appearance, with the seats as they fill up.

        What they say is only collected: the rows are as open as before until the plan is kept.
        """
        sections = await self._draft.section_seats(self._semester)
        plain = PlainStudents({section: terms for section, (terms, _) in sections.items()}, self._now)
        refusals: dict[int, PlannedRow] = {}
        while True:
            seats = SeatMap(sections, await self._draft.freed(), refusals, plain)
            async for groups in self._draft.students(self._semester.id):
                decided = [row for group in groups for row in seats.decide(group, self._now, self._options.waive)]
                await self._draft.collect(decided)
            if seats.kept:
                kept = [item.row_no for item in seats.kept]
                await self._draft.keep_absent(kept, _REFUSED_ELSEWHERE)
            if not seats.again:
                return
            await self._draft.discard()
            refusals = seats.refusals


@dataclass(frozen=True, slots=True)
class PlanRoster:
    """Work out what a roster would do to a semester."""

    semester_id: UUID
    format: str
    source: FileSource
    options: RosterOptions = field(default_factory=RosterOptions)


async def plan_roster(command: PlanRoster, uow: AcademicsUnitOfWork) -> Row:
    """Stage the roster, decide on every row, and keep the plan with a hash over inputs, state and decisions.

    Changes nothing else. Raises RosterUnreadable for a file that is not a roster, or not one of this semester.
    """
    semester = _semester(await uow.catalog.semesters.lock(command.semester_id))
    plan_id, options, rosters = uuid7(), command.options, uow.rosters
    draft = rosters.draft()
    await draft.stage(staged_rows(command.format, command.source.tables()))
    await RosterPlanner(draft, uow.now, semester, options).plan(simple=command.format == "simple")
    await draft.keep(plan_id)
    counts, implied, decisions = await rosters.summary(plan_id)
    state = await rosters.fingerprint(semester, uow.now)
    inputs = {"semester_id": semester.id, "format": command.format, "sha256": command.source.sha256()}
    inputs |= {"options": options.as_json()}
    return await rosters.add_plan(
        {
            "id": plan_id,
            "semester_id": semester.id,
            "format": command.format,
            "source": dict(command.source.describe()),
            "options": options.as_json(),
            "inputs_sha256": command.source.sha256(),
            "state_fingerprint": state,
            "plan_hash": plan_hash("roster", inputs=inputs, state=state, operations=decisions),
            "counts": counts,
            "implied_drops": implied,
            "state": "planned",
            "created_by": uow.principal.user_id,
            "created_at": uow.now,
        }
    )


@dataclass(frozen=True, slots=True)
class ApplyRoster:
    """Carry a plan out, named by its hash; `confirm_drops` is the number of drops, where they must be confirmed."""

    plan_id: UUID
    plan_hash: str
    confirm_drops: int | None = None


async def apply_roster(command: ApplyRoster, uow: AcademicsUnitOfWork) -> Row:
    """Do exactly what the plan says, or nothing: raises PlanStale when what it saw has moved.

    A plan that was applied before is returned as it is.
    """
    plan = await uow.rosters.lock_plan(command.plan_id)
    if command.plan_hash != plan["plan_hash"]:
        message = Text("The hash is not the one of this plan; read the plan again and apply what you have read.")
        raise PlanHashMismatch(message)
    if plan["state"] == "applied":
        return plan
    _require_confirmed(plan, command.confirm_drops)
    semester = _semester(await uow.catalog.semesters.lock(plan["semester_id"]))
    await uow.rosters.lock_semester(plan["id"], semester.id)
    if await uow.rosters.fingerprint(semester, uow.now) != plan["state_fingerprint"]:
        message = Text(
            "Sections, students or enrolments have changed since the plan was made; nothing was applied. Plan again."
        )
        raise PlanStale(message, facts={"plan_id": str(plan["id"])})
    announce(uow, await uow.rosters.apply(plan, uow.principal.user_id, uow.now))
    after: dict[str, object] = {"plan_hash": plan["plan_hash"], "counts": plan["counts"]}
    after |= {"waived": plan["options"]["waive"], "waive_reason": plan["options"]["waive_reason"]}
    uow.audit(AuditEntry("roster.applied", "roster_plan", str(plan["id"]), after=after))
    uow.publish(RosterApplied(plan["id"], semester.code, changes_of(plan), uow.principal.user_id))
    return await uow.rosters.mark_applied(plan["id"], uow.principal.user_id, uow.now)


def changes_of(plan: Row) -> int:
    """How many rows of a plan change something."""
    counts: Mapping[str, Mapping[str, int]] = plan["counts"]
    changing = (RowAction.CREATE.value, RowAction.CHANGE.value, RowAction.DROP.value)
    return sum(found.get(action, 0) for found in counts.values() for action in changing)


def drops_of(plan: Row) -> int:
    """How many enrolments a plan ends."""
    counts: Mapping[str, Mapping[str, int]] = plan["counts"]
    return counts.get("enrollment", {}).get(RowAction.DROP.value, 0)


def _require_confirmed(plan: Row, confirmed: int | None) -> None:
    """Whoever the file only leaves out is dropped when the caller names the number; so are many that it names."""
    drops, implied, threshold = drops_of(plan), plan["implied_drops"], plan["options"]["drop_threshold"]
    if confirmed == drops or (not implied and drops <= threshold):
        return
    why = (
        Text("{implied} of them only because the file leaves them out", implied=implied)
        if implied
        else Text("more than {threshold}", threshold=threshold)
    )
    message = Text(
        "The plan drops {drops} enrolments, {why}; send confirm_drops: {drops} if that is right.", drops=drops, why=why
    )
    raise DropsUnconfirmed(message, facts={"drops": drops, "implied_drops": implied, "drop_threshold": threshold})


def _semester(row: Mapping[str, Any]) -> Semester:
    return Semester(
        row["id"], row["code"], row["starts_on"], row["ends_on"], row["add_by"], row["drop_by"], row["withdraw_by"],
        row["max_credits"], row["time_zone"],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnnounceUpload:
    """A file of `size_bytes` with this SHA-256 in hex; its name is a label."""

    file_name: str
    size_bytes: int
    sha256: str


async def announce_upload(
    command: AnnounceUpload, uow: AcademicsUnitOfWork, *, limits: UploadLimits
) -> AnnouncedUpload:
    """Note what will come; raises UploadQuotaExceeded."""
    upload_id, person = uuid7(), uow.principal.user_id
    claim = UploadClaim(upload_id, person, SUBJECT, command.size_bytes, uow.now + EXPIRES_AFTER)
    await uow.upload_quota.claim(claim, limits)
    upload = AnnouncedUpload(
        upload_id, upload_key(person, upload_id, command.file_name), command.size_bytes, command.sha256
    )
    await uow.roster_uploads.add(
        {
            "id": upload.id,
            "s3_key": upload.key,
            "file_name": command.file_name,
            "size_bytes": upload.size_bytes,
            "sha256": upload.sha256,
            "created_by": person,
            "created_at": uow.now,
        }
    )
    return upload


async def find_upload(key: str, uow: AcademicsUnitOfWork) -> AnnouncedUpload:
    """The upload with this key; raises RosterUnreadable."""
    upload = await uow.roster_uploads.find(key)
    if upload is None:
        message = Text("There is no upload {key!r}; POST /api/rosters/uploads gives a key.", key=key[:100])
        raise RosterUnreadable(message)
    return upload
