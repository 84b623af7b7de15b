"""One person, many identifiers: linked by an administrator, followed by stored statements, and shown by GET /agents."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from dataforge.contexts.lrs.identifiers import commands, consumers
from dataforge.contexts.lrs.maintenance.consumers import run_incremental_etl
from dataforge.contexts.lrs.module import LrsServices
from dataforge.kernel.clock import SystemClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.statements import statement
from tests.integration.lrs.test_loading import events, lesson

ACCOUNT = {"account": {"homePage": "https://lms.example.org", "name": "17"}}
AGENTS: dict[str, dict[str, Any]] = {
    "mbox": {"mbox": "mailto:ana@private.example"},
    "mbox_sha1sum": {"mbox_sha1sum": "a9993e364706816aba3e25717850c26c9cd0d89d"},
    "openid": {"openid": "https://ana.example.org/"},
    "account": ACCOUNT,
}
PATH = "/api/agent-identifiers"


@dataclass
class Desk:
    """An administrator, the record store, and somebody whose identifiers it is about."""

    records: StoreUnderTest
    api: ApiUnderTest
    admin: httpx.AsyncClient
    ana: UUID

    @property
    def maintenance(self) -> LrsServices:
        """The record store with the rights of maintenance."""
        return self.api.platform_of("maintenance").get(LrsServices)

    async def link(self, agent: dict[str, Any], user_id: UUID | None = None) -> httpx.Response:
        return await self.admin.post(PATH, json={"user_id": str(user_id or self.ana), "agent": agent})

    async def send(self, agent: dict[str, Any], **changes: Any) -> str:
        """Send a statement of an agent, and load it."""
        answer = await self.records.post(statement(actor=agent, id=str(uuid4()), **changes))
        await self.records.deliver()
        return str(answer.json()[0])

    async def person(self, statement_id: str) -> UUID | None:
        found: UUID | None = (await self.records.flat(statement_id)).user_id
        return found

    async def follow(self) -> int:
        """How many statements the job moves."""
        return (await consumers.follow_links(self.maintenance))["moved"]


@pytest.fixture
async def desk(emulator: EmulatedAws, database: Database) -> AsyncIterator[Desk]:
    async with (
        StoreUnderTest(emulator, database) as records,
        ApiUnderTest(database, SystemClock(), data_bucket=records.bucket) as api,
    ):
        ana = await api.add_user(Role.LEARNER, email="ana@example.org", display_name="Ana Roux")
        yield Desk(records, api, await api.as_role(Role.ADMIN), ana)


@pytest.mark.parametrize("kind", AGENTS)
async def test_statements_follow_a_link_those_of_before_and_those_that_come(desk: Desk, kind: str) -> None:
    agent = AGENTS[kind]
    before = await desk.send(agent)
    unknown = await desk.person(before)

    linked = await desk.link({**agent, "name": "Ana at work", "objectType": "Agent"})
    moved = await desk.follow()
    after = await desk.send(agent)

    assert (linked.status_code, linked.json()["agent"]) == (201, {"objectType": "Agent", **agent})
    assert (unknown, moved) == (None, 1)
    assert [await desk.person(item) for item in (before, after)] == [desk.ana, desk.ana]


async def test_completions_follow_once(desk: Desk) -> None:
    lesson_id = await lesson(desk.records)
    sent = await desk.send(ACCOUNT)
    await desk.link(ACCOUNT)

    moved = [await desk.follow() for _ in range(3)]

    assert moved == [1, 0, 0]
    completed = await events(desk.records)
    assert [(item["user_id"], item["lesson_id"], item["statement_id"]) for item in completed] == [
        (str(desk.ana), str(lesson_id), sent)
    ]


async def test_statements_lose_the_person_with_the_link_and_a_rule_may_give_them_another(desk: Desk) -> None:
    agent = AGENTS["mbox"]
    sent = await desk.send(agent)
    link = (await desk.link(agent)).json()["id"]
    await desk.follow()

    ended = await desk.admin.delete(f"{PATH}/{link}")
    later = await desk.send(agent)
    await desk.follow()
    released = [await desk.person(item) for item in (sent, later)]
    other = await desk.api.add_user(Role.LEARNER, email="ana@private.example")
    await run_incremental_etl(desk.maintenance)

    assert (ended.status_code, released) == (204, [None, None])
    assert [await desk.person(item) for item in (sent, later)] == [other, other]
    assert (await desk.admin.delete(f"{PATH}/{link}")).status_code == 404


async def test_an_identifier_moves_to_another_person_after_it_was_unlinked(desk: Desk) -> None:
    other = await desk.api.add_user(Role.LEARNER)
    sent = await desk.send(ACCOUNT)
    link = (await desk.link(ACCOUNT)).json()["id"]
    await desk.follow()
    await desk.admin.delete(f"{PATH}/{link}")

    again = await desk.link(ACCOUNT, other)
    await desk.follow()

    assert again.status_code == 201
    assert await desk.person(sent) == other


async def test_what_belongs_to_somebody_else_is_refused_and_the_same_again_is_fine(desk: Desk) -> None:
    other = await desk.api.add_user(Role.LEARNER, email="bob@example.org", avatar="bob-the-builder")
    first = await desk.link(ACCOUNT)

    again = await desk.link(ACCOUNT)
    taken = await desk.link(ACCOUNT, other)
    address = await desk.link({"mbox": "mailto:Bob@Example.org"})
    pseudonym = await desk.link({"account": {"homePage": "https://any.example.org", "name": "bob-the-builder"}})

    assert (again.status_code, again.json()) == (201, first.json())
    assert (taken.status_code, taken.json()["code"], taken.json()["user_id"]) == (
        409,
        "identifier_linked",
        str(desk.ana),
    )
    for refused in (address, pseudonym):
        assert (refused.status_code, refused.json()["code"]) == (409, "identifier_of_account")
        assert refused.json()["user_id"] == str(other)


async def test_of_two_who_link_one_identifier_at_once_one_wins(desk: Desk) -> None:
    other = await desk.api.add_user(Role.LEARNER)

    answers = await asyncio.gather(*(desk.link(ACCOUNT, person) for person in (desk.ana, other) * 3))

    winners = {answer.json()["user_id"] for answer in answers if answer.status_code == 201}
    assert len(winners) == 1
    assert {answer.status_code for answer in answers} == {201, 409}


@pytest.mark.parametrize(
    ("agent", "pointer"),
    [
        ({"name": "Ana"}, "/agent"),
        ({}, "/agent"),
        ({"mbox": "ana@example.org"}, "/agent/mbox"),
        ({"objectType": "Group", "mbox": "mailto:all@example.org"}, "/agent/objectType"),
        ({**ACCOUNT, "mbox": "mailto:ana@private.example"}, "/agent"),
    ],
)
async def test_what_identifies_nobody_is_refused_with_its_place(
    desk: Desk, agent: dict[str, Any], pointer: str
) -> None:
    answer = await desk.link(agent)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_nobody_and_who_is_suspended_get_no_identifier(desk: Desk) -> None:
    gone = await desk.api.add_user(Role.LEARNER, suspended_at=SystemClock().now())

    answers = [await desk.link(ACCOUNT, person) for person in (uuid4(), gone)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (404, "unknown_person"),
        (409, "person_suspended"),
    ]


async def test_identifiers_are_listed_by_person_and_only_for_administrators(desk: Desk) -> None:
    other = await desk.api.add_user(Role.LEARNER)
    for kind, agent in AGENTS.items():
        await desk.link(agent, other if kind == "openid" else desk.ana)
    await desk.follow()

    mine = (await desk.admin.get(PATH, params={"user_id": str(desk.ana), "limit": 2})).json()
    rest = (await desk.admin.get(mine["next"])).json()
    refused = await (await desk.api.as_role(Role.ANALYST)).get(PATH)

    found = [item["agent"] for item in (*mine["items"], *rest["items"])]
    assert len(found) == 3
    assert {"objectType": "Agent", **AGENTS["openid"]} not in found
    assert all(item["matched_at"] for item in mine["items"])
    assert refused.status_code == 403


async def test_the_audit_log_knows_whose_links_were_changed_and_names_no_identifier(desk: Desk) -> None:
    link = (await desk.link(ACCOUNT)).json()["id"]
    await desk.link(ACCOUNT)
    await desk.admin.delete(f"{PATH}/{link}")

    query = "SELECT action, before, after FROM platform.audit_log WHERE entity = 'agent_identifier' ORDER BY id"
    rows = await desk.records.rows(query)
    value = {"user_id": str(desk.ana), "identified_by": "account"}
    assert [(row.action, row.before, row.after) for row in rows] == [("linked", None, value), ("unlinked", value, None)]


async def test_many_statements_follow_page_by_page_and_a_killed_run_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.records.post([statement(actor=ACCOUNT) for _ in range(30)])
    await desk.records.deliver()
    await desk.link(ACCOUNT)
    pages = 0

    async def killed(*args: Any) -> int:
        nonlocal pages
        pages += 1
        if pages == 3:
            raise KeyboardInterrupt
        return await commands.follow_link(*args)

    monkeypatch.setattr(consumers, "follow_link", killed)
    with pytest.raises(KeyboardInterrupt):
        await consumers.follow_links(desk.maintenance, page=7)
    monkeypatch.setattr(consumers, "follow_link", commands.follow_link)
    rest = (await consumers.follow_links(desk.maintenance, page=7))["moved"]

    query = "SELECT count(*) AS n FROM records.statements_flat WHERE user_id = :ana"
    assert rest == 30 - 14
    assert (await desk.records.rows(query, ana=desk.ana))[0].n == 30


async def test_a_loader_that_knew_less_is_made_up_for(desk: Desk) -> None:
    await desk.link(ACCOUNT)
    await desk.follow()
    sent = await desk.send(ACCOUNT)
    # As if it had been written by a transaction that began before the link.
    await desk.records.change("UPDATE records.statements_flat SET user_id = NULL")

    moved = await desk.follow()

    assert moved == 1
    assert await desk.person(sent) == desk.ana


async def test_a_link_that_ended_is_forgotten_once_nothing_can_follow_it(desk: Desk) -> None:
    link = (await desk.link(ACCOUNT)).json()["id"]
    await desk.admin.delete(f"{PATH}/{link}")
    await desk.follow()
    kept = await desk.records.rows("SELECT id FROM lrs.agent_identifiers")
    await desk.records.change("UPDATE lrs.agent_identifiers SET changed_at = changed_at - interval '11 minutes'")

    done = await consumers.follow_links(desk.maintenance)

    assert [str(row.id) for row in kept] == [link]
    assert done["forgotten"] == 1


async def test_an_identifier_that_is_erased_is_nobodys(desk: Desk) -> None:
    await desk.link(ACCOUNT)
    preview = await desk.admin.post("/api/xapi/erasures/preview", json={"agents": [ACCOUNT]})

    applied = await desk.admin.post("/api/xapi/erasures", json={"plan_hash": preview.json()["plan_hash"]})

    assert applied.status_code == 202, applied.text
    assert await desk.records.rows("SELECT id FROM lrs.agent_identifiers") == []


class TestAgentsResource:
    async def ask(self, desk: Desk, agent: dict[str, Any], *scopes: str) -> Any:
        auth = await desk.records.credential(scopes=scopes)
        params = {"agent": orjson.dumps(agent).decode()}
        answer = await desk.records.lms.get("/xapi/agents", params=params, headers=VERSION, auth=auth)
        return answer.json()

    @pytest.mark.parametrize("asked", [*AGENTS, "own"])
    async def test_a_person_has_all_identifiers_whichever_is_asked_for(self, desk: Desk, asked: str) -> None:
        for agent in AGENTS.values():
            await desk.link(agent)
        own = {"mbox": "mailto:ana@example.org"}
        agent = AGENTS.get(asked, own)

        found = await self.ask(desk, {**agent, "name": "Ana"}, "all/read")

        assert found["objectType"] == "Person"
        assert found["name"] == ["Ana", "Ana Roux"]
        assert sorted(found["mbox"]) == ["mailto:ana@example.org", "mailto:ana@private.example"]
        assert found["mbox_sha1sum"] == [AGENTS["mbox_sha1sum"]["mbox_sha1sum"]]
        assert found["openid"] == ["https://ana.example.org/"]
        assert found["account"] == [ACCOUNT["account"]]
        assert found[asked if asked in AGENTS else "mbox"][0] == next(iter(agent.values()))

    async def test_who_may_not_read_everything_is_told_what_was_asked(self, desk: Desk) -> None:
        for agent in AGENTS.values():
            await desk.link(agent)

        found = await self.ask(desk, ACCOUNT, "profile")

        assert found == {"objectType": "Person", "account": [ACCOUNT["account"]]}

    async def test_an_agent_that_was_unlinked_is_alone_again(self, desk: Desk) -> None:
        link = (await desk.link(ACCOUNT)).json()["id"]
        await desk.admin.delete(f"{PATH}/{link}")

        found = await self.ask(desk, ACCOUNT, "all")

        assert found == {"objectType": "Person", "account": [ACCOUNT["account"]]}
