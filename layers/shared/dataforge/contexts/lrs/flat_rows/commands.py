"""Flatten statements: as they are loaded, or by the incremental job beside or instead of that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from dataforge.contexts.lrs.contract import LessonDirectory, MatchedStatement
from dataforge.contexts.lrs.flat_rows.domain import FlatRow, HomePages, PendingStatement, Voider, flat_row
from dataforge.contexts.lrs.progress.repository import count_again
from dataforge.contexts.lrs.quarantine.domain import dead_entry
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork

MAX_ATTEMPTS = 5
_NONE: Mapping[UUID, datetime] = {}


async def write_flat(
    rows: Sequence[FlatRow],
    uow: LrsUnitOfWork,
    directory: LessonDirectory,
    *,
    known_from: Mapping[UUID, datetime] = _NONE,
    recount: bool = False,
) -> Sequence[MatchedStatement]:
    """Insert flat rows (in order of id) with their people and lessons, void, count progress and report completions.

    `known_from` has since when rows are known that were stored in a past that was reported on; with `recount` progress
    is worked out anew, because rows may have been counted before.
    """
    again = await uow.flat.void(voids_of(rows, known_from), uow.now)
    people = await uow.flat.people(
        {row.actor_email for row in rows if row.actor_email}, {row.actor_account for row in rows if row.actor_account}
    )
    linked = await uow.identifiers.people({row.flat.actor_key for row in rows})
    by_email = {person.email: person for person in people}
    by_avatar = {person.avatar: person.user_id for person in people}
    register = directory.within(uow.connection, uow.publish)
    lessons = await register.by_address(sorted({row.lesson_url for row in rows if row.lesson_url}))

    def person_of(row: FlatRow) -> UUID | None:
        person = by_email.get(row.actor_email) if row.actor_email else None
        found = linked.get(row.flat.actor_key)
        if found is None and person is not None and person.is_known_by_email(row.flat.stored_at):
            found = person.user_id
        return found or (by_avatar.get(row.actor_account) if row.actor_account else None)

    def lesson_of(row: FlatRow) -> UUID | None:
        return lessons.get(row.lesson_url) if row.lesson_url else None

    given = [(row, person_of(row), lesson_of(row)) for row in rows]
    matched, ended = await uow.flat.insert(given, uow.now, known_from=known_from, recount=recount)
    await count_again(uow.connection, again | ended)
    await register.record_completions(matched)
    return matched


def voids_of(rows: Sequence[FlatRow], known_from: Mapping[UUID, datetime]) -> dict[UUID, Voider]:
    """Which statements the rows void, each with the first of them that does; see `write_flat`."""
    voids: dict[UUID, Voider] = {}
    for row in rows:
        if row.voids is not None:
            flat = row.flat
            voider = Voider(max(known_from.get(flat.statement_id, flat.stored_at), flat.stored_at), flat.statement_id)
            voids[row.voids] = min(voids.get(row.voids, voider), voider)
    return voids


@dataclass(frozen=True, slots=True)
class FlattenPending:
    """One page: raw statements after an id, pending at any age or stored since an instant."""

    since: datetime
    home_pages: HomePages
    lessons: LessonDirectory
    after: UUID | None = None
    limit: int = 500


@dataclass(slots=True)
class FlattenedPage:
    """What a page came to; `last` is None when nothing was left."""

    last: UUID | None = None
    flattened: int = 0
    failed: list[UUID] = field(default_factory=list)


async def flatten_pending(command: FlattenPending, uow: LrsUnitOfWork) -> FlattenedPage:
    """Flatten one page of raw statements; one that cannot be is marked failed, and dead after five attempts."""
    page = FlattenedPage()
    # Exclusively, because a page may hold voiding statements; a page takes well under a second.
    await uow.index.lock_references(exclusive=True)
    pending = await uow.flat.pending(after=command.after, since=command.since, limit=command.limit)
    if not pending:
        return page
    rows: list[FlatRow] = []
    for item in pending:
        try:
            rows.append(flat_row(item.payload, command.home_pages))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one statement must not stop the others
            await _mark_failed(item, error, uow)
            page.failed.append(item.statement_id)
    revived = [item.statement_id for item in pending if item.revived]
    revision = await uow.take_revision() if revived else None
    known_from = dict.fromkeys(revived, revision) if revision is not None else {}
    lost = any(item.lost for item in pending)
    matched = await write_flat(rows, uow, command.lessons, known_from=known_from, recount=lost)
    await uow.flat.mark([row.flat.statement_id for row in rows], "done")
    page.last, page.flattened = pending[-1].statement_id, len(matched)
    return page


@dataclass(frozen=True, slots=True)
class FailPending:
    """The first raw statement after an id, which the database refused with this error."""

    since: datetime
    after: UUID | None
    error: Exception


async def fail_pending(command: FailPending, uow: LrsUnitOfWork) -> FlattenedPage:
    """Count the attempt of the statement and keep the error."""
    pending = await uow.flat.pending(after=command.after, since=command.since, limit=1)
    for item in pending:
        await _mark_failed(item, command.error, uow)
    ids = [item.statement_id for item in pending]
    return FlattenedPage(last=ids[-1] if ids else None, failed=ids)


async def _mark_failed(item: PendingStatement, error: Exception, uow: LrsUnitOfWork) -> None:
    state = "dead" if item.attempts + 1 >= MAX_ATTEMPTS else "failed"
    await uow.flat.mark([item.statement_id], state, f"{type(error).__name__}: {error}"[:2000])
    if state == "dead":
        await uow.quarantine.add(dead_entry(item.statement_id, item.authority, item.payload, error))
