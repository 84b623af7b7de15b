"""Drafts: one job for a transcript at a time, which leaves a tutorial or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from dataforge.bootstrap import modules
from dataforge.contexts.tutorials.drafts.domain import Draft, DraftSection, DraftStep, DroppedStep, GlossaryEntry
from dataforge.contexts.tutorials.module import TutorialsServices
from dataforge.contexts.tutorials.tables import tutorials
from dataforge.contexts.tutorials.transcripts.domain import Segment
from dataforge.events.worker import do_job
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.errors import Unavailable
from dataforge.kernel.jobs import LEASE, MAX_ATTEMPTS
from dataforge.platform.jobs.tables import jobs
from dataforge.platform.jobs.worker import Done
from dataforge.platform.services import Platform
from tests.builders.tutorials import TutorialSpace, store_transcript
from tests.builders.workspaces import refusal, taken

pytestmark = pytest.mark.usefixtures("emulator")  # where messages of jobs go
GENERATE = "/api/tutorials/generate"


@dataclass
class PlainEngine:
    """Takes every segment for a step; what is in `before` is done first, one of it in each draft."""

    name: str = "plain"
    version: str = "1"
    before: list[Any] = field(default_factory=list)

    async def draft(self, segments: Sequence[Segment], language: str | None) -> Draft:
        if self.before:
            await self.before.pop(0)()
        steps = tuple(DraftStep(s.text, s.start_ms, s.end_ms, s.index, s.index, 0.5) for s in segments)
        return Draft(
            title="Reset the router",
            summary="",
            prerequisites=(),
            glossary=(GlossaryEntry("Router", "A box.", 0),),
            sections=(DraftSection("All", 0, len(segments) - 1),),
            steps=steps,
            expert=None,
            dropped=(DroppedStep("Fly", "cites nothing"),),
            engine=self.name,
            engine_version=self.version,
        )


@pytest.fixture
def engine() -> PlainEngine:
    """The engine of the worker."""
    return PlainEngine()


@pytest.fixture
def worker(space: TutorialSpace, engine: PlainEngine) -> Platform:
    """What the function `worker` is built on."""
    platform = space.space.api.platform_of("worker")
    platform.get(TutorialsServices).engine = engine
    return platform


async def asked(space: TutorialSpace, role: str = "editor") -> UUID:
    """The job that a person is given for the transcript."""
    answer = await space[role].post(GENERATE, json={"transcript_id": str(space.transcript_id)})
    return UUID(taken(answer, 202)["job_id"])


async def progress(space: TutorialSpace, job_id: UUID, role: str = "viewer") -> dict[str, Any]:
    return dict(taken(await space[role].get(f"{GENERATE}/{job_id}")))


async def count_tutorials(space: TutorialSpace) -> int:
    async with space.database.read_only() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM tutorials.tutorials")) or 0) - 1


async def test_a_transcript_becomes_a_draft_of_whoever_asked(space: TutorialSpace, worker: Platform) -> None:
    job_id = await asked(space)
    waiting = await progress(space, job_id)

    done = await do_job(job_id, modules(), worker)

    assert done is Done.ENDED
    ended = await progress(space, job_id)
    assert (waiting["status"], waiting["tutorial_id"]) == ("pending", None)
    assert ended["status"] == "completed"
    draft = taken(await space["viewer"].get(f"/api/tutorials/{ended['tutorial_id']}"))
    assert (draft["title"], draft["state"], draft["language"]) == ("Reset the router", "draft", "en")
    assert draft["user_id"] == str(space.person("editor"))
    assert (draft["engine"], draft["engine_version"]) == ("plain", "1")
    assert draft["transcript_id"] == str(space.transcript_id)
    assert [(step["start_ms"], step["segment_from"]) for step in draft["steps"]] == [(n * 5000, n) for n in range(5)]
    assert draft["dropped"] == [{"text": "Fly", "reason": "cites nothing"}]


async def test_the_job_is_seen_where_all_jobs_are(space: TutorialSpace, worker: Platform) -> None:
    answer = await space["editor"].post(GENERATE, json={"transcript_id": str(space.transcript_id)})
    body = taken(answer, 202)
    await do_job(UUID(body["job_id"]), modules(), worker)

    job = taken(await space["editor"].get(body["href"]))

    assert answer.headers["Location"] == body["href"] == f"/api/jobs/{body['job_id']}"
    assert (job["kind"], job["status"]) == ("tutorial_draft", "completed")
    assert (job["output_summary"]["steps"], job["output_summary"]["dropped"]) == (5, 1)


async def test_asking_again_while_it_is_open_gives_the_same_job_to_everybody(
    space: TutorialSpace, worker: Platform
) -> None:
    first = await asked(space)

    assert await asked(space) == first
    assert await asked(space, "owner") == first
    assert (await progress(space, first, "owner"))["status"] == "pending"
    await do_job(first, modules(), worker)
    assert await asked(space) != first


async def test_it_is_the_same_job_while_it_runs_and_another_one_once_it_was_cancelled(
    space: TutorialSpace, worker: Platform, engine: PlainEngine
) -> None:
    given: list[UUID] = []

    async def ask_cancel_and_ask() -> None:
        given.append(await asked(space))
        taken(await space["editor"].post(f"/api/jobs/{job_id}/cancel"))
        given.append(await asked(space))

    engine.before = [ask_cancel_and_ask]
    job_id = await asked(space)

    await do_job(job_id, modules(), worker)

    assert given[0] == job_id != given[1]
    assert (await progress(space, job_id))["status"] == "cancelled"
    assert await count_tutorials(space) == 0


async def test_a_cancelled_draft_is_retried_on_request(space: TutorialSpace, worker: Platform) -> None:
    job_id = await asked(space)
    taken(await space["editor"].post(f"/api/jobs/{job_id}/cancel"))
    cancelled = await do_job(job_id, modules(), worker)

    taken(await space["editor"].post(f"/api/jobs/{job_id}/retry"), 202)
    await do_job(job_id, modules(), worker)

    assert cancelled is Done.ENDED
    assert (await progress(space, job_id))["status"] == "completed"
    assert await count_tutorials(space) == 1


async def test_a_worker_that_was_taken_for_dead_leaves_nothing(
    space: TutorialSpace, worker: Platform, engine: PlainEngine, clock: FixedClock
) -> None:
    async def be_overtaken() -> None:
        clock.advance(LEASE + timedelta(seconds=1))
        async with space.database.transaction() as connection:
            late = clock.now() - timedelta(seconds=1)
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(lease_until=late))
        assert await do_job(job_id, modules(), worker) is Done.ENDED

    engine.before = [be_overtaken]
    job_id = await asked(space)

    await do_job(job_id, modules(), worker)

    assert (await progress(space, job_id))["status"] == "completed"
    assert await count_tutorials(space) == 1


async def test_what_did_not_answer_is_asked_again(space: TutorialSpace, worker: Platform, engine: PlainEngine) -> None:
    async def fail() -> None:
        message = "The model did not answer."
        raise Unavailable(message)

    engine.before = [fail]
    job_id = await asked(space)

    first = await do_job(job_id, modules(), worker)
    second = await do_job(job_id, modules(), worker)

    assert (first, second) == (Done.AGAIN, Done.ENDED)
    assert await count_tutorials(space) == 1


async def test_it_is_given_up_after_some_attempts(space: TutorialSpace, worker: Platform, engine: PlainEngine) -> None:
    async def fail() -> None:
        message = "a defect"
        raise RuntimeError(message)

    engine.before = [fail] * MAX_ATTEMPTS
    job_id = await asked(space)

    for _ in range(MAX_ATTEMPTS):
        await do_job(job_id, modules(), worker)

    ended = await progress(space, job_id)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "job_gave_up")
    assert await count_tutorials(space) == 0


async def test_a_transcript_that_is_deleted_meanwhile_fails_the_draft(space: TutorialSpace, worker: Platform) -> None:
    job_id = await asked(space)
    async with space.database.transaction() as connection:
        await connection.execute(text("DELETE FROM tutorials.transcripts"))

    await do_job(job_id, modules(), worker)

    ended = await progress(space, job_id)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "transcript_not_found")


async def test_a_transcript_that_is_deleted_while_it_is_drafted_from_ends_the_job_at_once(
    space: TutorialSpace, worker: Platform, engine: PlainEngine
) -> None:
    async def delete() -> None:
        async with space.database.transaction() as connection:
            await connection.execute(text("DELETE FROM tutorials.transcripts"))

    engine.before = [delete]
    job_id = await asked(space)

    assert await do_job(job_id, modules(), worker) is Done.ENDED

    ended = await progress(space, job_id)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "transcript_not_found")


async def test_a_workspace_that_is_archived_meanwhile_gets_no_draft(
    space: TutorialSpace, worker: Platform, engine: PlainEngine
) -> None:
    async def archive() -> None:
        taken(await space["owner"].post(f"{space.space.path}/archive"))

    engine.before = [archive]
    job_id = await asked(space)

    await do_job(job_id, modules(), worker)

    ended = await progress(space, job_id)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "workspace_archived")
    assert await count_tutorials(space) == 0


async def test_who_has_left_the_workspace_meanwhile_drafts_nothing_there(
    space: TutorialSpace, worker: Platform, engine: PlainEngine
) -> None:
    async def remove() -> None:
        taken(await space["owner"].delete(f"{space.space.path}/members/{space.person('editor')}"), 204)

    engine.before = [remove]
    job_id = await asked(space)
    await do_job(job_id, modules(), worker)
    first = await progress(space, job_id)
    taken(await space["editor"].post(f"/api/jobs/{job_id}/retry"), 202)
    await do_job(job_id, modules(), worker)

    again = await progress(space, job_id)
    assert [ended["error"]["code"] for ended in (first, again)] == ["workspace_not_found"] * 2
    assert await count_tutorials(space) == 0


async def test_only_transcripts_that_were_read_are_drafted_from(space: TutorialSpace) -> None:
    async with space.database.transaction() as connection:
        failed = await store_transcript(connection, space.workspace_id, state="failed")

    answer = await space["editor"].post(GENERATE, json={"transcript_id": str(failed)})

    assert refusal(answer) == (409, "transcript_not_ready")


async def test_who_may_not_write_there_gets_no_draft(space: TutorialSpace) -> None:
    body = {"transcript_id": str(space.transcript_id)}
    job_id = await asked(space)

    assert refusal(await space["stranger"].post(GENERATE, json=body)) == (404, "transcript_not_found")
    assert refusal(await space["viewer"].post(GENERATE, json=body)) == (403, "workspace_role_missing")
    assert refusal(await space["stranger"].get(f"{GENERATE}/{job_id}")) == (404, "job_not_found")
    assert refusal(await space["viewer"].get(f"{GENERATE}/{UUID(int=4)}")) == (404, "job_not_found")
    taken(await space["owner"].post(f"{space.space.path}/archive"))
    assert refusal(await space["owner"].post(GENERATE, json=body)) == (409, "workspace_archived")


async def test_a_full_workspace_takes_no_more(space: TutorialSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataforge.contexts.tutorials.tutorials.domain.tutorial.MAX_TUTORIALS", 1)

    answer = await space["editor"].post(GENERATE, json={"transcript_id": str(space.transcript_id)})

    assert refusal(answer) == (409, "tutorial_limit_exceeded")


async def test_drafts_and_their_tutorials_are_audited_for_the_workspace(space: TutorialSpace, worker: Platform) -> None:
    await do_job(await asked(space), modules(), worker)

    facts = "action, entity, workspace_id, actor_id"
    query = text(f"SELECT {facts} FROM platform.audit_log WHERE entity LIKE 'tutorial%' ORDER BY id")
    async with space.database.read_only() as connection:
        rows = [tuple(row) for row in await connection.execute(query)]
        stored = (await connection.execute(select(tutorials.c.user_id))).scalars().all()
    editor = space.person("editor")
    assert rows == [
        ("requested", "tutorial_draft", space.workspace_id, editor),
        ("drafted", "tutorial", space.workspace_id, editor),
    ]
    assert set(stored) == {editor}
