"""Reads of calendar feeds; never of a secret."""

from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import sees_drafts
from dataforge.contexts.academics.feeds.domain import LOOKS_BACK, Feed, FeedKind, unknown_feed
from dataforge.contexts.academics.meetings.queries import calendar_entries
from dataforge.kernel.paging import Page
from dataforge.kernel.principal import Principal, Role
from dataforge.platform.db.keyset_lists import After, Row, keyset, where

_FEED = text("""
SELECT f.id, f.kind, f.section_id, f.name, f.token_hash, f.last_read_at, f.revoked_at, f.owner_id, d.username, d.role,
    d.suspended_at
FROM academics.calendar_feeds f LEFT JOIN identity.directory d ON d.user_id = f.owner_id WHERE f.id = :id
""")
_OF_LEARNER = text("""
SELECT e.section_id, min(e.status) FILTER (WHERE e.status <> 'COMPLETED') AS status
FROM academics.enrollments e
JOIN academics.students s ON s.id = e.student_id
JOIN academics.sections sec ON sec.id = e.section_id
JOIN academics.semesters sem ON sem.id = sec.semester_id
WHERE s.user_id = :owner AND e.status IN ('ENROLLED','WAITLISTED','COMPLETED') AND sem.ends_on >= :since
GROUP BY e.section_id
""")
_OF_INSTRUCTOR = text("""
SELECT sec.id FROM academics.sections sec JOIN academics.semesters sem ON sem.id = sec.semester_id
WHERE sec.instructor_id = :owner AND sem.ends_on >= :since
""")


async def find_feed(connection: AsyncConnection, feed_id: UUID) -> Feed:
    """A feed with its owner; raises FeedUnknown."""
    row = (await connection.execute(_FEED, {"id": feed_id})).one_or_none()
    if row is None:
        raise unknown_feed()
    return Feed(
        row.id,
        FeedKind(row.kind),
        row.section_id,
        row.name,
        row.token_hash,
        row.last_read_at,
        row.revoked_at,
        row.owner_id,
        row.username,
        None if row.role is None else Role(row.role),
        row.suspended_at is not None,
    )


async def entries_of(connection: AsyncConnection, feed: Feed, owner: Principal, today: date) -> list[Row]:
    """What a feed shows, as its owner may see it now: nothing about anybody else, no name of an instructor either."""
    given = {"owner": feed.owner_id, "since": today - LOOKS_BACK}
    if feed.kind is FeedKind.LEARNER:
        statuses = {row.section_id: row.status for row in await connection.execute(_OF_LEARNER, given)}
        entries = await calendar_entries(connection, list(statuses), drafts=True)
        return [{**entry, "status": statuses[entry["section_id"]]} for entry in entries]
    if feed.kind is FeedKind.INSTRUCTOR:
        taught = (await connection.scalars(_OF_INSTRUCTOR, given)).all()
        return await calendar_entries(connection, taught, drafts=True)
    sections = [] if feed.section_id is None else [feed.section_id]
    return await calendar_entries(connection, sections, drafts=sees_drafts(owner))


async def list_feeds(connection: AsyncConnection, owner_id: UUID, *, after: After, limit: int) -> Page[Row]:
    """One's own feeds that are good, the newest first."""
    conditions, parameters = ["f.owner_id = :owner", "f.revoked_at IS NULL"], {"owner": owner_id}
    if after is not None:
        conditions.append("(f.created_at, f.id) < (CAST(:at AS timestamptz), CAST(:after AS uuid))")
        parameters |= {"at": after[0], "after": after[1]}
    sql = f"""
    SELECT f.id, f.kind, f.name, f.section_id, f.hint, f.created_at, f.last_read_at, c.code AS course_code,
        sec.code AS section_code
    FROM academics.calendar_feeds f
    LEFT JOIN academics.sections sec ON sec.id = f.section_id LEFT JOIN academics.courses c ON c.id = sec.course_id
    {where(conditions)} ORDER BY f.created_at DESC, f.id DESC
    """
    return await keyset(connection, sql, parameters, key=("created_at", "id"), limit=limit)
