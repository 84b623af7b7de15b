"""The incremental ETL: what is in raw and not flat becomes flat, exactly that, beside or instead of streaming."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from dataforge.contexts.records.commands.land import completions, write_flat
from dataforge.contexts.records.domain.flat_rows import FlatRow, HomePages, Landed, flat_row
from dataforge.contexts.records.ports import Pending, RecordsUnitOfWork

MAX_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class FlattenPending:
    """One page: raw statements after an id, pending at any age or stored since an instant."""

    since: datetime
    home_pages: HomePages
    after: UUID | None = None
    limit: int = 500


@dataclass(slots=True)
class FlattenedPage:
    """What a page came to; `last` is None when nothing was left."""

    last: UUID | None = None
    flattened: int = 0
    failed: list[UUID] = field(default_factory=list)


async def flatten_pending(command: FlattenPending, uow: RecordsUnitOfWork) -> FlattenedPage:
    """Flatten one page of raw statements; one that cannot be is marked failed, and dead after five attempts."""
    tables, page = uow.statements, FlattenedPage()
    # Exclusively, because a page may hold voiding statements; a page takes well under a second.
    await tables.lock_voiding(exclusive=True)
    pending = await tables.pending(after=command.after, since=command.since, limit=command.limit)
    if not pending:
        return page
    rows: list[FlatRow] = []
    for item in pending:
        try:
            rows.append(flat_row(item.payload, command.home_pages))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one statement must not stop the others
            await mark_failed(item, error, uow)
            page.failed.append(item.statement_id)
    landed = await write_flat(rows, uow)
    await tables.mark([row.flat.statement_id for row in rows], "done")
    page.last, page.flattened = pending[-1].statement_id, len(landed)
    return page


async def mark_failed(item: Pending, error: Exception, uow: RecordsUnitOfWork) -> None:
    """Count the attempt and keep the error."""
    state = "dead" if item.attempts + 1 >= MAX_ATTEMPTS else "failed"
    await uow.statements.mark([item.statement_id], state, f"{type(error).__name__}: {error}"[:2000])


@dataclass(frozen=True, slots=True)
class MatchLatecomers:
    """Lessons and accounts that came after their statements."""


async def match_latecomers(_command: MatchLatecomers, uow: RecordsUnitOfWork) -> int:
    """Give unmatched statements their lesson and person; completions found this way are published too."""
    matched = [*await uow.catalog.match_lessons(), *await uow.catalog.match_people()]
    await publish_completions(matched, uow)
    return len(matched)


async def publish_completions(matched: Sequence[Landed], uow: RecordsUnitOfWork) -> None:
    """Publish the completions among statements that were matched to a lesson or a person just now.

    A statement matched to both in one transaction is there twice; its last form counts.
    """
    last = {row.statement_id: row for row in matched}
    lesson_ids = {row.lesson_id for row in last.values() if row.lesson_id is not None and row.completes}
    sections = dict(await uow.catalog.sections(lesson_ids)) if lesson_ids else {}
    uow.statements.completed(completions(last.values(), sections))
