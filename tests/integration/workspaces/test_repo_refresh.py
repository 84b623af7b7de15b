"""Refreshing repos: the job asks the remote and keeps what it lists."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from dataforge.bootstrap import modules
from dataforge.contexts.workspaces.remotes.commands import REFRESHES
from dataforge.events.worker import do_job
from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.worker import Done
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.git_server import GitHost, GitRepository
from tests.builders.tls import Resolver, certificate_for, trust
from tests.builders.workspaces import Space, open_space, refusal, taken

NAME = "git.test"


@pytest.fixture
async def space(database: Database, clock: FixedClock, emulator: EmulatedAws) -> Any:
    """A workspace whose API and worker permit this machine."""
    async with ApiUnderTest(database, clock, jobs_queue_url=emulator.queue(), private_receivers=True) as api:
        yield await open_space(api)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHost]:
    certificate = certificate_for(NAME, tmp_path)
    trust(certificate, monkeypatch)
    Resolver(monkeypatch)
    with GitHost(tmp_path, certificate) as host:
        yield host


async def refreshed(space: Space, repo: str, *, by: str = "editor") -> tuple[Done, dict[str, Any]]:
    """How the job of a refresh ended."""
    asked = taken(await space[by].post(f"{space.path}/repos/{repo}/refresh"), 202)
    done = await do_job(UUID(asked["job_id"]), modules(), space.api.platform_of("worker"))
    return done, taken(await space[by].get(asked["href"]))


async def new_repo(space: Space, remote_url: str | None) -> str:
    return str((await space.post("/repos", name="site", remote_url=remote_url))["id"])


async def test_a_refresh_keeps_branches_and_tags(space: Space, host: GitHost) -> None:
    repository = GitRepository(host.root / "site.git")
    main, other = repository.commit(), repository.commit("other")
    repository.git("tag", "-a", "v1", "-m", "The first", main)
    repo = await new_repo(space, host.url("/site.git"))
    path = f"{space.path}/repos/{repo}"

    _, job = await refreshed(space, repo)
    listed = taken(await space["viewer"].get(f"{path}/refs"))["items"]
    shown = taken(await space["viewer"].get(path))

    assert (job["status"], job["output_summary"]) == (
        "completed",
        {"refs": 3, "default_branch": "main", "truncated": False},
    )
    assert [(item["kind"], item["short_name"], item["commit_hash"]) for item in listed] == [
        ("branch", "main", main),
        ("branch", "other", other),
        ("tag", "v1", main),
    ]
    assert listed[2]["hash"] == repository.git("rev-parse", "refs/tags/v1")
    assert (shown["default_branch"], shown["refs_truncated"]) == ("main", False)
    assert shown["last_synced"] is not None


async def test_what_the_remote_has_no_more_goes(space: Space, host: GitHost) -> None:
    repository = GitRepository(host.root / "site.git")
    repository.commit(), repository.commit("old")
    repo = await new_repo(space, host.url("/site.git"))
    await refreshed(space, repo)
    repository.git("update-ref", "-d", "refs/heads/old")

    await refreshed(space, repo)
    tags = taken(await space["viewer"].get(f"{space.path}/repos/{repo}/refs", params={"kind": "tag"}))
    branches = taken(await space["viewer"].get(f"{space.path}/repos/{repo}/refs", params={"kind": "branch"}))

    assert (tags["items"], [item["short_name"] for item in branches["items"]]) == ([], ["main"])


async def test_refs_come_in_pages(space: Space, host: GitHost) -> None:
    repository = GitRepository(host.root / "site.git")
    for number in range(5):
        repository.commit(f"b{number}")
    repo = await new_repo(space, host.url("/site.git"))
    await refreshed(space, repo)

    names, cursor = [], None
    while True:
        asked = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = taken(await space["viewer"].get(f"{space.path}/repos/{repo}/refs", params=asked))
        names += [item["short_name"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert names == [f"b{number}" for number in range(5)]


async def test_a_remote_that_is_not_there_ends_the_job_with_the_reason(space: Space, host: GitHost) -> None:
    repo = await new_repo(space, host.url("/nothing.git"))

    _, job = await refreshed(space, repo)

    assert job["status"] == "failed"
    assert (job["error"]["code"], "is not there" in job["error"]["detail"]) == ("remote_refused", True)


async def test_a_remote_in_trouble_is_asked_again(space: Space, host: GitHost) -> None:
    host.answers["/site.git/info/refs"] = (503, {}, b"")
    repo = await new_repo(space, host.url("/site.git"))

    done, job = await refreshed(space, repo)

    assert (done, job["status"]) == (Done.AGAIN, "pending")


async def test_a_workspace_that_was_archived_meanwhile_keeps_what_it_has(space: Space, host: GitHost) -> None:
    GitRepository(host.root / "site.git").commit()
    repo = await new_repo(space, host.url("/site.git"))
    path = f"{space.path}/repos/{repo}"
    asked = taken(await space["editor"].post(f"{path}/refresh"), 202)
    await space.post("/archive", 200)

    await do_job(UUID(asked["job_id"]), modules(), space.api.platform_of("worker"))
    job = taken(await space["editor"].get(asked["href"]))

    assert (job["status"], job["error"]["code"]) == ("failed", "workspace_archived")
    assert host.requests == []


@pytest.mark.parametrize("url", [None, "git@git.example.org:acme/site.git", "http://git.example.org/site.git"])
async def test_only_a_remote_by_https_is_asked(url: str | None, space: Space) -> None:
    repo = await new_repo(space, url)

    answer = await space["editor"].post(f"{space.path}/repos/{repo}/refresh")

    assert refusal(answer) == (409, "remote_not_listable")


async def test_viewers_do_not_refresh_and_nobody_without_end(space: Space, host: GitHost) -> None:
    repo = await new_repo(space, host.url("/site.git"))
    path = f"{space.path}/repos/{repo}/refresh"

    answers = [await space["editor"].post(path) for _ in range(REFRESHES + 1)]

    assert refusal(await space["viewer"].post(path)) == (403, "workspace_role_missing")
    assert [answer.status_code for answer in answers] == [202] * REFRESHES + [429]


async def test_a_host_that_is_not_named_is_refused_before_a_job_is_made(database: Database, clock: FixedClock) -> None:
    async with ApiUnderTest(database, clock, git_allowed_hosts="git.example.org") as api:
        space = await open_space(api)
        repo = await new_repo(space, "https://elsewhere.example/site.git")

        answer = await space["editor"].post(f"{space.path}/repos/{repo}/refresh")

    assert refusal(answer) == (400, "remote_refused")
