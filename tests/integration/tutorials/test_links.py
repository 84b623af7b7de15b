"""Links to tutorials: shown once, good until they end, and telling nothing of the workspace."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from dataforge.contexts.tutorials.tutorials.commands import READS_A_MINUTE
from dataforge.contexts.tutorials.tutorials.domain.links import MAX_LINKS, hash_of_share_token
from dataforge.kernel.clock import FixedClock
from tests.builders.tutorials import TutorialSpace
from tests.builders.workspaces import refusal, taken

SHARED = "/api/shared-tutorials"


@pytest.fixture
async def token(space: TutorialSpace) -> str:
    """The token of a link to the published tutorial."""
    await space.move("publish")
    return str((await space.share())["token"])


@pytest.fixture
async def anybody(space: TutorialSpace) -> httpx.AsyncClient:
    """Somebody who has not signed in."""
    return await space.space.api.client()


async def test_anybody_with_the_link_reads_what_is_published(
    space: TutorialSpace, anybody: httpx.AsyncClient, token: str
) -> None:
    answer = await anybody.get(f"{SHARED}/{token}")

    shared = taken(answer)
    assert shared["title"] == "How to reset the router"
    assert shared["steps"][0] == {"text": "Unplug the power cable.", "start_ms": 5_000, "end_ms": 9_500}
    assert shared["glossary"] == [{"term": "Router", "explanation": "The box with the antennas."}]
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_it_tells_no_names_and_no_ids(space: TutorialSpace, anybody: httpx.AsyncClient, token: str) -> None:
    text_of_it = (await anybody.get(f"{SHARED}/{token}")).text

    step = space.tutorial.steps[0]
    hidden = [space.workspace_id, space.tutorial.id, space.transcript_id, space.person("editor"), step.id]
    assert [value for value in (*hidden, "Sam Speaker", "cites nothing") if str(value) in text_of_it] == []


async def test_a_browser_asks_whether_it_may_show_it_again(
    space: TutorialSpace, anybody: httpx.AsyncClient, token: str
) -> None:
    first = await anybody.get(f"{SHARED}/{token}")

    again = await anybody.get(f"{SHARED}/{token}", headers={"If-None-Match": first.headers["ETag"]})
    taken(await space["editor"].patch(space.path, json={"title": "New"}, headers={"If-Match": "*"}))
    changed = await anybody.get(f"{SHARED}/{token}", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert taken(changed)["title"] == "New"


async def test_the_token_is_shown_once_and_only_its_hash_is_kept(space: TutorialSpace) -> None:
    made = await space.share()
    listed = await space["viewer"].get(f"{space.path}/links")
    async with space.database.read_only() as connection:
        kept = (await connection.execute(text("SELECT * FROM tutorials.tutorial_links"))).one()

    assert made["url"] == f"http://api.test/ui/shared-tutorials/{made['token']}"
    assert made["token"] not in listed.text
    assert [link["id"] for link in taken(listed)["items"]] == [made["id"]]
    assert kept.token_hash == hash_of_share_token(made["token"])
    assert made["token"] not in str(kept)


async def test_a_key_makes_no_second_copy_of_the_token(space: TutorialSpace) -> None:
    taken(await space["editor"].post(f"{space.path}/links", json={}, headers={"Idempotency-Key": "k"}), 201)

    async with space.database.read_only() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM platform.idempotency_keys WHERE key = 'k'")) == 0


async def test_a_revoked_link_leads_nowhere_at_once(
    space: TutorialSpace, anybody: httpx.AsyncClient, token: str
) -> None:
    link = taken(await space["viewer"].get(f"{space.path}/links"))["items"][0]

    ended = await space["editor"].delete(f"{space.path}/links/{link['id']}")
    again = await space["editor"].delete(f"{space.path}/links/{link['id']}")

    assert ended.status_code == 204
    assert refusal(again) == (404, "share_link_not_found")
    assert refusal(await anybody.get(f"{SHARED}/{token}")) == (404, "share_link_not_found")
    assert taken(await space["viewer"].get(f"{space.path}/links"))["items"][0]["revoked_at"] is not None


async def test_a_link_expires(space: TutorialSpace, anybody: httpx.AsyncClient, clock: FixedClock) -> None:
    await space.move("publish")
    made = await space.share(expires_at=(clock.now() + timedelta(minutes=10)).isoformat())
    taken(await anybody.get(f"{SHARED}/{made['token']}"))

    clock.advance(timedelta(minutes=10))

    assert refusal(await anybody.get(f"{SHARED}/{made['token']}")) == (404, "share_link_not_found")
    past = {"expires_at": clock.now().isoformat()}
    assert refusal(await space["editor"].post(f"{space.path}/links", json=past)) == (400, "validation_failed")


@pytest.mark.parametrize("transitions", [("archive",), ("reopen",)])
async def test_only_published_tutorials_are_shown(
    space: TutorialSpace, anybody: httpx.AsyncClient, token: str, transitions: tuple[str, ...]
) -> None:
    await space.move(*transitions)

    assert refusal(await anybody.get(f"{SHARED}/{token}")) == (404, "share_link_not_found")


async def test_an_archived_workspace_keeps_what_it_published_and_a_deleted_one_does_not(
    space: TutorialSpace, anybody: httpx.AsyncClient, token: str
) -> None:
    taken(await space["owner"].post(f"{space.space.path}/archive"))
    archived = await anybody.get(f"{SHARED}/{token}")

    answer = await space["owner"].delete(space.space.path, headers={"If-Match": "*"})

    assert archived.status_code == 200
    assert answer.status_code in (200, 202, 204), answer.text
    assert refusal(await anybody.get(f"{SHARED}/{token}")) == (404, "share_link_not_found")


async def test_a_tutorial_has_a_limited_number_of_good_links(space: TutorialSpace) -> None:
    made = [await space.share() for _ in range(MAX_LINKS)]

    full = await space["editor"].post(f"{space.path}/links", json={})
    taken(await space["editor"].delete(f"{space.path}/links/{made[0]['id']}"), 204)

    assert refusal(full) == (409, "share_link_limit_exceeded")
    await space.share()


async def test_it_is_noted_when_a_link_was_used_last(
    space: TutorialSpace, anybody: httpx.AsyncClient, token: str, clock: FixedClock
) -> None:
    seen = []
    for _ in range(3):
        taken(await anybody.get(f"{SHARED}/{token}"))
        seen.append(taken(await space["viewer"].get(f"{space.path}/links"))["items"][0]["last_used_at"])
        clock.advance(timedelta(seconds=40))

    assert seen[0] == seen[1] != seen[2]


async def test_guessing_and_reading_is_throttled(space: TutorialSpace, anybody: httpx.AsyncClient, token: str) -> None:
    async with space.database.transaction() as connection:
        await connection.execute(text("DELETE FROM platform.throttles"))
    first = refusal(await anybody.get(f"{SHARED}/{'x' * 43}"))
    async with space.database.transaction() as connection:
        await connection.execute(text("UPDATE platform.throttles SET failures = :spent"), {"spent": READS_A_MINUTE})

    answer = await anybody.get(f"{SHARED}/{token}")

    assert first == (404, "share_link_not_found")
    assert refusal(answer) == (429, "too_many_requests")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
