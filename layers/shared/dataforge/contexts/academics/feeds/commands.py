"""Make and revoke calendar feeds."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.academics.access import missing, sees_drafts
from dataforge.contexts.academics.feeds.domain import (
    MOST_FEEDS,
    FeedKind,
    NewFeed,
    TooManyFeeds,
    check_feed,
    make_feed_secret,
)
from dataforge.contexts.academics.sections.queries import get_section
from dataforge.contexts.academics.students.queries import get_own_student
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.errors import invalid
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class CreateFeed:
    """A feed of a person; `name` says where it is for."""

    owner_id: UUID
    kind: FeedKind
    name: str
    section_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RevokeFeed:
    """End a feed of a person."""

    owner_id: UUID
    feed_id: UUID


async def create_feed(command: CreateFeed, uow: AcademicsUnitOfWork) -> NewFeed:
    """Make a feed of what the person may see now; only a hash of its secret is kept.

    Raises ValidationFailed, TooManyFeeds, and NotFound for somebody who is no student or may not see the section.
    """
    check_feed(command.kind, command.section_id)
    if command.kind is FeedKind.LEARNER:
        await get_own_student(uow.connection, command.owner_id)
    elif command.kind is FeedKind.INSTRUCTOR and not await uow.sections.is_instructor(command.owner_id):
        raise invalid("/kind", Text("You do not teach; a feed of what somebody teaches is made by themselves."))
    elif command.section_id is not None:
        await get_section(uow.connection, command.section_id, drafts=sees_drafts(uow.principal))
    if await uow.calendar_feeds.count_good(command.owner_id) >= MOST_FEEDS:
        message = Text("You have {most} feeds; revoke one that is no longer used.", most=MOST_FEEDS)
        raise TooManyFeeds(message)
    feed = NewFeed(uuid7(), command.kind, command.section_id, command.name, uow.now, make_feed_secret())
    await uow.calendar_feeds.add(feed, command.owner_id)
    after = {"name": feed.name, "kind": feed.kind.value, "section_id": feed.section_id and str(feed.section_id)}
    uow.audit(AuditEntry("calendar_feed.created", "calendar_feed", str(feed.id), after=after))
    return feed


async def revoke_feed(command: RevokeFeed, uow: AcademicsUnitOfWork) -> None:
    """End a feed at once; raises NotFound when it has ended already or is not the person's."""
    name = await uow.calendar_feeds.revoke(command.owner_id, command.feed_id)
    if name is None:
        raise missing(Text("calendar feed"), command.feed_id)
    entry = AuditEntry("calendar_feed.revoked", "calendar_feed", str(command.feed_id), before={"name": name})
    uow.audit(entry)


async def note_read(feed_id: UUID, uow: AcademicsUnitOfWork) -> None:
    """Write down that a feed was read."""
    await uow.calendar_feeds.note_read(feed_id)
