"""What commands need of the places where tutorials are kept: the same in PostgreSQL as in memory (ADR 53)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest

from dataforge.contexts.tutorials.drafts.domain import DraftSection, DroppedStep
from dataforge.contexts.tutorials.tutorials.domain.links import ShareLink
from dataforge.contexts.tutorials.tutorials.domain.repositories import (
    MOST_LISTED,
    ShareLinkRepository,
    TutorialRepository,
)
from dataforge.contexts.tutorials.tutorials.domain.selection import TutorialSelection, search_words
from dataforge.contexts.tutorials.tutorials.domain.tutorial import Tutorial, TutorialNotFound, TutorialState
from dataforge.contexts.tutorials.tutorials.repository import SqlShareLinks, SqlTutorials
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.database import Database
from tests.builders.tutorials import (
    NOW,
    MemoryLinks,
    MemoryTutorials,
    a_step,
    a_tutorial,
    some_segments,
    store_transcript,
    summary_of,
)

OURS, THEIRS, TRANSCRIPT = UUID(int=1), UUID(int=11), UUID(int=21)
LATER = NOW + timedelta(hours=1)


@dataclass
class Kept:
    """The repositories under test, with one transcript in them."""

    tutorials: TutorialRepository
    links: ShareLinkRepository


@pytest.fixture(params=["memory", "postgres"])
async def kept(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Kept]:
    """Both ways to keep tutorials."""
    if request.param == "memory":
        yield Kept(MemoryTutorials({TRANSCRIPT: some_segments()}, now=LATER), MemoryLinks())
        return
    async with database.transaction() as connection:
        await store_transcript(connection, OURS, transcript_id=TRANSCRIPT)
        yield Kept(SqlTutorials(connection, LATER), SqlShareLinks(connection))


def a_link(tutorial: Tutorial, **changes: object) -> ShareLink:
    values = {"id": uuid7(), "tutorial_id": tutorial.id, "created_by": UUID(int=2), "created_at": NOW}
    return ShareLink(**{**values, "token_hash": uuid7().hex * 2, **changes})  # type: ignore[arg-type]


async def test_a_tutorial_is_read_as_it_was_added(kept: Kept) -> None:
    tutorial = a_tutorial(
        transcript_id=TRANSCRIPT,
        sections=(DraftSection("Power", 0, 2), DraftSection("Light", 3, 4)),
        dropped=(DroppedStep("Fly", "cites nothing"),),
        expert="Sam",
        lesson_id=UUID(int=31),
        state=TutorialState.PUBLISHED,
        published_at=NOW,
        content_md="# Ä\n\n'; DROP TABLE x; --",
    )

    await kept.tutorials.add(tutorial)

    assert await kept.tutorials.lock(tutorial.id) == tutorial


async def test_what_is_saved_has_a_new_revision_and_the_steps_in_their_order(kept: Kept) -> None:
    tutorial = a_tutorial()
    await kept.tutorials.add(tutorial)
    first, second, third = tutorial.steps
    changed = replace(tutorial, title="Another", steps=(third, a_step("New"), replace(first, text="Pull")))

    saved = await kept.tutorials.save(changed)

    assert saved == replace(changed, revision=2, updated_at=LATER)
    assert await kept.tutorials.lock(tutorial.id) == saved
    assert second not in saved.steps


async def test_what_is_not_there_is_missing(kept: Kept) -> None:
    tutorial = a_tutorial()
    await kept.tutorials.add(tutorial)

    await kept.tutorials.remove(tutorial.id)

    with pytest.raises(TutorialNotFound):
        await kept.tutorials.lock(tutorial.id)


async def test_tutorials_are_counted_by_workspace(kept: Kept) -> None:
    for workspace in (OURS, OURS, THEIRS):
        await kept.tutorials.add(a_tutorial(workspace_id=workspace))

    assert [await kept.tutorials.count(workspace) for workspace in (OURS, THEIRS, UUID(int=5))] == [2, 1, 0]


async def test_tutorials_of_a_workspace_go_with_it(kept: Kept) -> None:
    for workspace in (OURS, OURS, THEIRS):
        await kept.tutorials.add(a_tutorial(workspace_id=workspace))

    await kept.tutorials.remove_all(OURS)

    assert [await kept.tutorials.count(workspace) for workspace in (OURS, THEIRS)] == [0, 1]


async def test_segments_are_those_of_the_tutorials_transcript(kept: Kept) -> None:
    ours, gone = a_tutorial(transcript_id=TRANSCRIPT), a_tutorial()

    cited = await kept.tutorials.cited_segments(ours, {4, 1, 99})

    assert cited == {index: some_segments()[index] for index in (1, 4)}
    assert await kept.tutorials.cited_segments(gone, {1}) == {}
    assert await kept.tutorials.cited_segments(ours, set()) == {}


async def test_pages_follow_each_other_and_know_the_total(kept: Kept) -> None:
    # Three times two at one instant: the id decides between them.
    added = [a_tutorial(created_at=NOW + timedelta(days=day)) for day, _ in product(range(3), range(2))]
    for tutorial in added:
        await kept.tutorials.add(tutorial)
    selection, seen, after = TutorialSelection(workspaces=frozenset({OURS})), [], None

    while True:
        page = await kept.tutorials.find_page(selection, after=after, limit=4)
        seen += list(page.tutorials)
        assert page.total == 6
        if not page.more:
            break
        after = seen[-1].created_at, seen[-1].id

    assert seen == [summary_of(item) for item in sorted(added, key=lambda it: (it.created_at, it.id), reverse=True)]


async def test_an_empty_page_knows_the_total(kept: Kept) -> None:
    await kept.tutorials.add(a_tutorial())
    nobody, ours = TutorialSelection(workspaces=frozenset()), TutorialSelection(workspaces=frozenset({OURS}))

    empty = await kept.tutorials.find_page(nobody, after=None, limit=4)
    past_the_end = await kept.tutorials.find_page(ours, after=(NOW - timedelta(days=1), UUID(int=0)), limit=4)

    assert (empty.tutorials, empty.total, empty.more) == ([], 0, False)
    assert (past_the_end.tutorials, past_the_end.total, past_the_end.more) == ([], 1, False)


@pytest.mark.parametrize(
    ("search", "hits"),
    [
        ("", "abc"),
        ("ROUTER", "a"),
        ("reset router", "a"),  # in any order, in any of the texts
        ("router printer", ""),
        ("https://example.org/a?b=1&c=%20", "b"),
        ("c++ 1.2.3-rc1", "b"),
        ("-5", "b"),
        ("/var/log", "b"),
        ("straße", "c"),
        ("STRASSE", "c"),
        ("Ａ１", "c"),
        ("100% _", "c"),
        ("%", "bc"),
        ("glossar", "c"),
        ("unplug", "a"),
    ],
)
async def test_words_are_found_as_they_are_pasted(kept: Kept, search: str, hits: str) -> None:
    texts = {
        "a": a_tutorial(title="Router", summary="How to reset it", glossary=()),
        "b": a_tutorial(
            title="Build",
            summary="C++ 1.2.3-rc1 at -5 degrees",
            content_md="See https://example.org/a?b=1&c=%20 and /var/log",
            steps=(a_step("Compile"),),
            glossary=(),
        ),
        "c": a_tutorial(
            title="Straße A1", summary="100% of x_y _", steps=(a_step("Walk"),), prerequisites=("Glossar",)
        ),
    }
    texts["c"] = replace(texts["c"], glossary=())
    for tutorial in texts.values():
        await kept.tutorials.add(tutorial)
    names = {tutorial.id: name for name, tutorial in texts.items()}
    selection = TutorialSelection(workspaces=frozenset({OURS}), words=search_words(search))

    page = await kept.tutorials.find_page(selection, after=None, limit=10)

    assert "".join(sorted(names[item.id] for item in page.tutorials)) == hits
    assert page.total == len(hits)


async def test_changed_texts_are_found_and_old_ones_are_not(kept: Kept) -> None:
    tutorial = a_tutorial()
    await kept.tutorials.add(tutorial)
    await kept.tutorials.save(replace(tutorial, title="Modem", summary="", steps=(), prerequisites=(), glossary=()))

    pages = [
        await kept.tutorials.find_page(
            TutorialSelection(workspaces=frozenset({OURS}), words=(word,)), after=None, limit=1
        )
        for word in ("modem", "router")
    ]

    assert [page.total for page in pages] == [1, 0]


async def test_filters_are_exact_and_all_count(kept: Kept) -> None:
    me, other = UUID(int=2), UUID(int=3)
    tutorials = {
        "mine": a_tutorial(user_id=me),
        "old": a_tutorial(user_id=me, created_at=NOW - timedelta(days=1)),
        "published": a_tutorial(user_id=other, state=TutorialState.PUBLISHED, published_at=NOW),
        "spoken": a_tutorial(user_id=other, transcript_id=TRANSCRIPT),
        "elsewhere": a_tutorial(workspace_id=THEIRS, user_id=me),
    }
    for tutorial in tutorials.values():
        await kept.tutorials.add(tutorial)
    names = {tutorial.id: name for name, tutorial in tutorials.items()}

    async def names_of(*workspaces: UUID, **filters: object) -> set[str]:
        selection = TutorialSelection(workspaces=frozenset(workspaces), **filters)  # type: ignore[arg-type]
        page = await kept.tutorials.find_page(selection, after=None, limit=10)
        assert page.total == len(page.tutorials)
        return {names[item.id] for item in page.tutorials}

    assert await names_of(OURS, author=me) == {"mine", "old"}
    assert await names_of(OURS, THEIRS, author=me) == {"mine", "old", "elsewhere"}
    assert await names_of(OURS, not_author=me) == {"published", "spoken"}
    assert await names_of(OURS, state=TutorialState.PUBLISHED) == {"published"}
    assert await names_of(OURS, transcript_id=TRANSCRIPT) == {"spoken"}
    assert await names_of(OURS, created_from=NOW) == {"mine", "published", "spoken"}
    assert await names_of(OURS, created_before=NOW) == {"old"}
    assert await names_of(OURS, created_from=NOW, author=me) == {"mine"}
    assert await names_of() == set()


async def test_links_are_found_by_their_hash_until_somebody_looks_again(kept: Kept) -> None:
    tutorial, other = a_tutorial(), a_tutorial()
    await kept.tutorials.add(tutorial)
    await kept.tutorials.add(other)
    link = a_link(tutorial)
    await kept.links.add(link)

    assert await kept.links.by_hash(link.token_hash) == link
    assert await kept.links.by_hash("x" * 64) is None
    assert not await kept.links.revoke(other.id, link.id, NOW)
    assert await kept.links.revoke(tutorial.id, link.id, NOW)
    assert not await kept.links.revoke(tutorial.id, link.id, LATER)
    await kept.links.note_use(link.id, LATER)
    assert await kept.links.by_hash(link.token_hash) == replace(link, revoked_at=NOW, last_used_at=LATER)


async def test_good_links_are_listed_before_those_that_ended(kept: Kept) -> None:
    tutorial = a_tutorial()
    await kept.tutorials.add(tutorial)
    old = a_link(tutorial)
    expired, revoked = a_link(tutorial, expires_at=NOW), a_link(tutorial, revoked_at=NOW)
    good = a_link(tutorial, expires_at=LATER)
    for link in (old, expired, revoked, good):
        await kept.links.add(link)

    assert await kept.links.of_tutorial(tutorial.id, NOW) == [good, old, revoked, expired]


async def test_a_limited_number_of_links_is_listed(kept: Kept) -> None:
    tutorial = a_tutorial()
    await kept.tutorials.add(tutorial)
    for _ in range(MOST_LISTED + 1):
        await kept.links.add(a_link(tutorial, revoked_at=NOW))

    assert len(await kept.links.of_tutorial(tutorial.id, NOW)) == MOST_LISTED
