"""xAPI credentials of a workspace: made by the organisation, looked after by who keeps the workspace."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from dataforge.bootstrap import modules
from dataforge.contexts.identity.sign_in.domain import InvalidCredentials
from dataforge.contexts.identity.xapi_credentials.published import CredentialDirectory
from dataforge.events.jobs import relay_outbox
from dataforge.events.wiring import subscribers
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.workspaces import Space, maintenance, open_space, refusal, taken

PATH = "/api/xapi-credentials"
ANY = {"If-Match": "*"}


@pytest.fixture
async def api(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[ApiUnderTest]:
    async with ApiUnderTest(database, clock, data_bucket=emulator.bucket()) as api:
        yield api


@pytest.fixture
async def space(api: ApiUnderTest) -> Space:
    return await open_space(api)


async def credential(space: Space, *, inside: bool = True, **body: object) -> dict[str, str]:
    admin = await space.api.as_role(Role.ADMIN)
    given = {"name": "Moodle", **({"workspace_id": space.id} if inside else {}), **body}
    return dict(taken(await admin.post(PATH, json=given), 201))


async def refused(space: Space, key: str, secret: str) -> bool:
    try:
        await CredentialDirectory(space.api.platform.settings.data_bucket).verify(key, secret)
    except InvalidCredentials:
        return True
    return False


async def test_who_keeps_the_workspace_sees_renames_renews_and_revokes_it(space: Space) -> None:
    made = await credential(space)
    path = f"{PATH}/{made['key']}"

    listed = [item["key"] for item in taken(await space["admin"].get(PATH))["items"]]
    renamed = taken(await space["admin"].patch(path, json={"name": "Our Moodle"}, headers=ANY))
    renewed = taken(await space["owner"].post(f"{path}/secret"))
    works = [await refused(space, made["key"], secret) for secret in (made["secret"], renewed["secret"])]
    revoked = await space["admin"].delete(path)

    assert (listed, renamed["name"], works) == ([made["key"]], "Our Moodle", [True, False])
    assert (revoked.status_code, await refused(space, made["key"], renewed["secret"])) == (204, True)
    assert refusal(await space["admin"].post(f"{path}/secret")) == (409, "credential_revoked")


async def test_nobody_else_finds_it(space: Space) -> None:
    key, outside = (await credential(space))["key"], (await credential(space, inside=False))["key"]

    async def answers(client: httpx.AsyncClient, of: str) -> list[str]:
        asked = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/secret")]
        texts = [
            (await client.request(method, f"{PATH}/{of}{path}", json={"name": "x"}, headers=ANY)).json()["detail"]
            for method, path in asked
        ]
        return [text.replace(of, "…") for text in texts]

    for name in ("stranger", "viewer", "editor"):
        missing = await answers(space[name], "lrs_unknown")
        assert await answers(space[name], key) == missing == await answers(space[name], outside)
        assert taken(await space[name].get(PATH, params={"workspace_id": space.id}))["items"] == []


async def test_only_the_organisation_makes_one_and_gives_it_more(space: Space) -> None:
    made = await credential(space, rate_limit=60)
    path = f"{PATH}/{made['key']}"
    wider, narrower = {"scopes": ["statements/write", "profile", "all"]}, {"scopes": ["statements/write"]}

    by_owner = await space["owner"].post(PATH, json={"name": "x", "workspace_id": space.id})
    too_wide = await space["owner"].patch(path, json=wider, headers=ANY)
    limit = await space["owner"].patch(path, json={"rate_limit": None}, headers=ANY)
    less = taken(await space["owner"].patch(path, json=narrower, headers=ANY))
    back = await space["owner"].patch(path, json={"scopes": ["statements/write", "profile"]}, headers=ANY)

    assert (refusal(by_owner), refusal(limit)) == ((403, "forbidden"), (403, "forbidden"))
    assert refusal(too_wide) == (400, "validation_failed")
    assert less["scopes"] == ["statements/write"]
    assert refusal(back) == (403, "scope_too_wide")


@pytest.mark.parametrize("scope", ["all", "all/read", "statements/read"])
async def test_it_reads_nothing_that_others_have_stored(space: Space, scope: str) -> None:
    admin = await space.api.as_role(Role.ADMIN)

    answer = await admin.post(PATH, json={"name": "x", "workspace_id": space.id, "scopes": [scope]})

    assert refusal(answer) == (400, "validation_failed")


async def test_in_an_archived_workspace_it_can_only_be_revoked(space: Space) -> None:
    path, admin = f"{PATH}/{(await credential(space))['key']}", await space.api.as_role(Role.ADMIN)
    taken(await space["owner"].post(f"{space.path}/archive"))

    answers = [
        await space["owner"].patch(path, json={"name": "x"}, headers=ANY),
        await space["owner"].post(f"{path}/secret"),
        await admin.patch(path, json={"name": "x"}, headers=ANY),
        await admin.post(PATH, json={"name": "x", "workspace_id": space.id}),
    ]
    unknown = await admin.post(PATH, json={"name": "x", "workspace_id": str(uuid4())})

    assert {refusal(answer) for answer in answers} == {(409, "workspace_archived")}
    assert refusal(unknown) == (404, "workspace_not_found")
    assert (await space["owner"].delete(path)).status_code == 204


async def test_those_of_a_deleted_workspace_wait_until_it_is_restored(space: Space) -> None:
    made, outside = await credential(space), await credential(space, inside=False)
    platform = maintenance(space.api, data_bucket=space.api.platform.settings.data_bucket)
    states = []

    async def look() -> None:
        for _ in range(2):
            await relay_outbox(platform, subscribers(modules(), platform))
        states.append([await refused(space, item["key"], item["secret"]) for item in (made, outside)])

    await look()
    taken(await space["owner"].post(f"{space.path}/archive"))
    taken(await space["owner"].delete(space.path, headers=ANY), 204)
    await look()
    taken(await space["owner"].post(f"{space.path}/restore"))
    await look()

    assert states == [[False, False], [True, False], [False, False]]
