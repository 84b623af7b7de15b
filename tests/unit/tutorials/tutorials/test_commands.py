"""Commands of tutorials without a database: what they load, decide, save and write along."""

from datetime import timedelta
from uuid import UUID

import pytest

from dataforge.contexts.learning.contract import PublishedLesson
from dataforge.contexts.tutorials.tutorials.commands import (
    ChangeTutorial,
    DeleteTutorial,
    MoveTutorial,
    OrderSteps,
    PublishLesson,
    ReplaceSteps,
    RevokeLink,
    ShareTutorial,
    change_tutorial,
    delete_tutorial,
    move_tutorial,
    order_steps,
    publish_lesson,
    replace_steps,
    revoke_link,
    share_tutorial,
    use_link,
)
from dataforge.contexts.tutorials.tutorials.domain.links import MAX_LINKS, ShareLinkLimitExceeded, ShareLinkNotFound
from dataforge.contexts.tutorials.tutorials.domain.tutorial import (
    StepEdit,
    Transition,
    Tutorial,
    TutorialNotFound,
    TutorialNotPublished,
    TutorialState,
)
from dataforge.kernel.errors import PreconditionFailed, ValidationFailed
from dataforge.kernel.ids import uuid7
from dataforge.kernel.unit_of_work import UnitOfWork
from tests.builders.tutorials import NOW, MemoryTutorials, MemoryWork, a_tutorial, some_segments

TRANSCRIPT, LESSON = UUID(int=21), UUID(int=31)


@pytest.fixture
def work() -> MemoryWork:
    """A transaction in which the transcript can be cited."""
    return MemoryWork(MemoryTutorials({TRANSCRIPT: some_segments()}))


async def kept(work: MemoryWork, **changes: object) -> Tutorial:
    tutorial = a_tutorial(**{"transcript_id": TRANSCRIPT, **changes})
    await work.tutorials.add(tutorial)
    return tutorial


class Lessons:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.published: list[PublishedLesson] = []

    async def publish(self, uow: UnitOfWork, lesson: PublishedLesson) -> UUID:
        self.published.append(lesson)
        return LESSON


async def test_a_change_is_saved_and_its_fields_are_audited_without_the_text(work: MemoryWork) -> None:
    tutorial = await kept(work)

    changed = await change_tutorial(ChangeTutorial(tutorial.id, "1", {"title": "Secret"}), work)

    assert (changed.title, changed.revision) == ("Secret", 2)
    assert work.tutorials.kept[tutorial.id] == changed
    assert [(entry.action, entry.after) for entry in work.audited] == [("changed", {"fields": ["title"]})]
    assert work.audited[0].workspace_id == tutorial.workspace_id


async def test_what_changes_nothing_is_neither_saved_nor_audited(work: MemoryWork) -> None:
    tutorial = await kept(work)
    steps = [StepEdit(step.text, step.id) for step in tutorial.steps]

    unchanged = [
        await change_tutorial(ChangeTutorial(tutorial.id, "*", {"title": tutorial.title}), work),
        await replace_steps(ReplaceSteps(tutorial.id, "*", steps), work),
        await order_steps(OrderSteps(tutorial.id, "*", [step.id for step in tutorial.steps]), work),
    ]

    assert unchanged == [tutorial] * 3
    assert work.audited == []


async def test_nobody_overwrites_what_they_have_not_read(work: MemoryWork) -> None:
    tutorial = await kept(work)

    for command, handler in (
        (ChangeTutorial(tutorial.id, "7", {"title": "x"}), change_tutorial),
        (ReplaceSteps(tutorial.id, "7", []), replace_steps),
        (OrderSteps(tutorial.id, "7", []), order_steps),
        (MoveTutorial(tutorial.id, Transition.PUBLISH, "7"), move_tutorial),
        (DeleteTutorial(tutorial.id, "7"), delete_tutorial),
    ):
        with pytest.raises(PreconditionFailed):
            await handler(command, work)  # type: ignore[operator]  # each with its own command

    assert work.tutorials.kept[tutorial.id] == tutorial


async def test_new_steps_get_the_times_of_the_segments_they_cite(work: MemoryWork) -> None:
    tutorial = await kept(work)

    changed = await replace_steps(ReplaceSteps(tutorial.id, "1", [StepEdit("Look", None, 3, 4)]), work)

    assert [(step.start_ms, step.end_ms) for step in changed.steps] == [(15_000, 24_500)]
    with pytest.raises(ValidationFailed):
        await replace_steps(ReplaceSteps(tutorial.id, "*", [StepEdit("Look", None, 3, 99)]), work)


async def test_a_deleted_tutorial_is_gone(work: MemoryWork) -> None:
    tutorial = await kept(work)

    await delete_tutorial(DeleteTutorial(tutorial.id, "1"), work)

    with pytest.raises(TutorialNotFound):
        await move_tutorial(MoveTutorial(tutorial.id, Transition.PUBLISH), work)
    assert [entry.action for entry in work.audited] == ["deleted"]


async def test_a_published_tutorial_becomes_a_lesson_once(work: MemoryWork) -> None:
    tutorial, lessons = await kept(work, state=TutorialState.PUBLISHED, published_at=NOW), Lessons()
    command = PublishLesson(tutorial.id, "https://forge.example/ui/tutorials/1", UUID(int=5))

    first = await publish_lesson(command, work, lessons=lessons)
    second = await publish_lesson(command, work, lessons=lessons)

    assert first == second
    assert (first.lesson_id, first.revision) == (LESSON, 2)
    offered = PublishedLesson(command.lesson_url, tutorial.title, tutorial.workspace_id, UUID(int=5))
    assert lessons.published[0] == offered
    assert lessons.published[1].lesson_id == LESSON


async def test_a_draft_becomes_no_lesson(work: MemoryWork) -> None:
    tutorial, lessons = await kept(work), Lessons()

    with pytest.raises(TutorialNotPublished):
        await publish_lesson(PublishLesson(tutorial.id, "https://forge.example/1"), work, lessons=lessons)

    assert lessons.published == []


async def test_a_link_leads_to_its_tutorial_until_it_is_revoked(work: MemoryWork) -> None:
    tutorial = await kept(work)

    made = await share_tutorial(ShareTutorial(tutorial.id), work)

    assert await use_link(made.token, work) == tutorial.id
    assert work.links.kept[made.link.id].last_used_at == NOW
    assert made.token not in repr(work.links.kept)
    assert made.token not in repr(work.audited)
    await revoke_link(RevokeLink(tutorial.id, made.link.id), work)
    for token in (made.token, "x" * 43):
        with pytest.raises(ShareLinkNotFound):
            await use_link(token, work)
    with pytest.raises(ShareLinkNotFound):
        await revoke_link(RevokeLink(tutorial.id, made.link.id), work)


async def test_a_link_of_another_tutorial_is_not_revoked(work: MemoryWork) -> None:
    tutorial, other = await kept(work), await kept(work)
    made = await share_tutorial(ShareTutorial(tutorial.id), work)

    with pytest.raises(ShareLinkNotFound):
        await revoke_link(RevokeLink(other.id, made.link.id), work)

    assert await use_link(made.token, work) == tutorial.id


async def test_expired_links_make_room_for_new_ones(work: MemoryWork) -> None:
    tutorial = await kept(work)
    for _ in range(MAX_LINKS):
        await share_tutorial(ShareTutorial(tutorial.id, NOW + timedelta(hours=1)), work)
    with pytest.raises(ShareLinkLimitExceeded):
        await share_tutorial(ShareTutorial(tutorial.id), work)

    work.now = NOW + timedelta(hours=1)

    assert (await share_tutorial(ShareTutorial(tutorial.id), work)).link.expires_at is None


async def test_what_is_not_there_is_not_shared(work: MemoryWork) -> None:
    with pytest.raises(TutorialNotFound):
        await share_tutorial(ShareTutorial(uuid7()), work)
