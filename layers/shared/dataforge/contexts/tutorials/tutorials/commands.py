"""Tutorials: edited, moved from state to state, made a lesson, shared, deleted.

Who may is asked where the workspace is entered (`calls.py`), before any of these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dataforge.contexts.learning.contract import LessonPublishing, PublishedLesson
from dataforge.contexts.tutorials.tutorials.domain.links import (
    ShareLink,
    ShareLinkNotFound,
    hash_of_share_token,
    missing_link,
    new_share_token,
    require_future,
    require_link_room,
)
from dataforge.contexts.tutorials.tutorials.domain.tutorial import StepEdit, Transition, Tutorial
from dataforge.contexts.tutorials.tutorials.domain.work import TutorialsWork
from dataforge.kernel.errors import TooManyRequests
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget, caller_of
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision

READS_A_MINUTE = 300
"""Of shared tutorials, from one address: a class behind one router reads together."""
_USE_NOTED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ChangeTutorial:
    """Other texts of a tutorial, as the caller read it."""

    tutorial_id: UUID
    expected: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReplaceSteps:
    """The steps of a tutorial, all of them in order."""

    tutorial_id: UUID
    expected: str
    steps: Sequence[StepEdit]


@dataclass(frozen=True, slots=True)
class OrderSteps:
    """Another order of the steps of a tutorial."""

    tutorial_id: UUID
    expected: str
    step_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class MoveTutorial:
    """A step in the life of a tutorial; `expected` is `*` for whoever does not mind what it says."""

    tutorial_id: UUID
    transition: Transition
    expected: str = "*"


@dataclass(frozen=True, slots=True)
class DeleteTutorial:
    """A tutorial out of its workspace."""

    tutorial_id: UUID
    expected: str


@dataclass(frozen=True, slots=True)
class PublishLesson:
    """A published tutorial as a lesson; `lesson_url` is the activity id that a new lesson gets."""

    tutorial_id: UUID
    lesson_url: str
    cohort_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ShareTutorial:
    """A link to a tutorial for people outside of the workspace."""

    tutorial_id: UUID
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RevokeLink:
    """The end of a link."""

    tutorial_id: UUID
    link_id: UUID


@dataclass(frozen=True, slots=True)
class NewShareLink:
    """A link with its token, which is known only now."""

    link: ShareLink
    token: str


async def change_tutorial(command: ChangeTutorial, uow: TutorialsWork) -> Tutorial:
    """Change texts; raises TutorialNotFound, PreconditionFailed, TutorialArchived."""
    tutorial = await _locked(command.tutorial_id, command.expected, uow)
    edited = tutorial.edit(command.changes)
    if edited == tutorial:
        return tutorial
    _audit(uow, "changed", tutorial, fields=sorted(command.changes))
    return await uow.tutorials.save(edited)


async def replace_steps(command: ReplaceSteps, uow: TutorialsWork) -> Tutorial:
    """Write the steps; raises TutorialNotFound, PreconditionFailed, TutorialArchived, ValidationFailed."""
    tutorial = await _locked(command.tutorial_id, command.expected, uow)
    cited = {end for edit in command.steps for end in (edit.segment_from, edit.segment_to) if end is not None}
    edited = tutorial.replace_steps(command.steps, await uow.tutorials.cited_segments(tutorial, cited))
    if edited == tutorial:
        return tutorial
    _audit(uow, "changed", tutorial, fields=["steps"], steps=len(edited.steps))
    return await uow.tutorials.save(edited)


async def order_steps(command: OrderSteps, uow: TutorialsWork) -> Tutorial:
    """Put the steps into another order; raises what `replace_steps` does."""
    tutorial = await _locked(command.tutorial_id, command.expected, uow)
    ordered = tutorial.order_steps(command.step_ids)
    if ordered == tutorial:
        return tutorial
    _audit(uow, "changed", tutorial, fields=["order"])
    return await uow.tutorials.save(ordered)


async def move_tutorial(command: MoveTutorial, uow: TutorialsWork) -> Tutorial:
    """Publish, archive or reopen it; raises TutorialNotFound, TutorialTransitionRefused, TutorialWithoutSteps."""
    tutorial = await _locked(command.tutorial_id, command.expected, uow)
    moved = tutorial.move(command.transition, uow.now)
    _audit(uow, command.transition.past, tutorial, state=moved.state.value)
    return await uow.tutorials.save(moved)


async def delete_tutorial(command: DeleteTutorial, uow: TutorialsWork) -> None:
    """Delete it; its lesson and what people have completed stay. Raises TutorialNotFound, PreconditionFailed."""
    tutorial = await _locked(command.tutorial_id, command.expected, uow)
    await uow.tutorials.remove(tutorial.id)
    _audit(uow, "deleted", tutorial, title=tutorial.title)


async def publish_lesson(command: PublishLesson, uow: TutorialsWork, *, lessons: LessonPublishing) -> Tutorial:
    """Make it a lesson, or bring its lesson up to date; the same again changes nothing.

    Raises TutorialNotFound, TutorialNotPublished, and what `LessonPublishing.publish` does.
    """
    tutorial = await uow.tutorials.lock(command.tutorial_id)
    tutorial.require_published()
    lesson = PublishedLesson(
        command.lesson_url, tutorial.title, tutorial.workspace_id, command.cohort_id, tutorial.lesson_id
    )
    lesson_id = await lessons.publish(uow, lesson)
    if lesson_id == tutorial.lesson_id:
        return tutorial
    _audit(uow, "made_lesson", tutorial, lesson_id=str(lesson_id))
    return await uow.tutorials.save(replace(tutorial, lesson_id=lesson_id))


async def share_tutorial(command: ShareTutorial, uow: TutorialsWork) -> NewShareLink:
    """Make a link, of whose token only the hash is kept; raises TutorialNotFound, ShareLinkLimitExceeded.

    The link leads somewhere while the tutorial is published.
    """
    tutorial = await uow.tutorials.lock(command.tutorial_id)
    require_future(command.expires_at, uow.now)
    require_link_room(sum(link.is_good(uow.now) for link in await uow.links.of_tutorial(tutorial.id, uow.now)))
    token = new_share_token()
    link = ShareLink(
        id=uuid7(),
        tutorial_id=tutorial.id,
        token_hash=hash_of_share_token(token),
        created_by=uow.person,
        created_at=uow.now,
        expires_at=command.expires_at,
    )
    await uow.links.add(link)
    _audit(uow, "shared", tutorial, link_id=str(link.id))
    return NewShareLink(link, token)


async def revoke_link(command: RevokeLink, uow: TutorialsWork) -> None:
    """End a link at once; raises TutorialNotFound, ShareLinkNotFound for one that has ended already."""
    tutorial = await uow.tutorials.lock(command.tutorial_id)
    if not await uow.links.revoke(tutorial.id, command.link_id, uow.now):
        message = Text("The tutorial has no link {link_id} that could be revoked.", link_id=command.link_id)
        raise ShareLinkNotFound(message)
    _audit(uow, "unshared", tutorial, link_id=str(command.link_id))


async def use_link(token: str, uow: TutorialsWork) -> UUID:
    """The tutorial that a link leads to, and note that it was used; raises ShareLinkNotFound."""
    link = await uow.links.by_hash(hash_of_share_token(token))
    if link is None or not link.is_good(uow.now):
        raise missing_link()
    if link.last_used_at is None or uow.now - link.last_used_at >= _USE_NOTED_AFTER:
        await uow.links.note_use(link.id, uow.now)
    return link.tutorial_id


def reading_budget(address: str) -> Budget:
    """How often one address may ask for shared tutorials."""
    return Budget("shared_tutorial", (caller_of(address),), READS_A_MINUTE)


def too_many_reads(wait: int) -> TooManyRequests:
    """The refusal of an address that asks too often; `wait` in seconds."""
    message = Text(
        "Too many shared tutorials were asked for from your address. Try again in {wait} seconds.", wait=wait
    )
    return TooManyRequests(message, headers={"Retry-After": str(wait)})


async def _locked(tutorial_id: UUID, expected: str, uow: TutorialsWork) -> Tutorial:
    tutorial = await uow.tutorials.lock(tutorial_id)
    require_revision(expected, tutorial.revision, Text("The tutorial"))
    return tutorial


def _audit(uow: TutorialsWork, action: str, tutorial: Tutorial, **after: object) -> None:
    entry = AuditEntry(action, "tutorial", str(tutorial.id), after=after or None, workspace_id=tutorial.workspace_id)
    uow.audit(entry)
