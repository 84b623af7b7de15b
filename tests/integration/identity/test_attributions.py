"""What an address brings: nothing to who only claims it, all that comes after the proof, the rest by a plan."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from dataforge.contexts.identity.contract import EmailConfirmationRequested
from dataforge.contexts.identity.email_addresses.commands import open_confirmation
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.lrs.matching.commands import MatchBackfill, match_people
from dataforge.kernel.clock import SystemClock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from dataforge.platform.db.unit_of_work import SqlUnitOfWork, run
from tests.builders.api import ApiUnderTest
from tests.builders.browser import person, send
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest
from tests.builders.statements import statement

EMAIL = "ada@example.org"
PASSWORD = "a quiet lake at dawn"
LESSON = "https://lms.example.org/lessons/1"
LEARNERS = f"First Name,Last Name,Email,Group,Team\nAda,Byron,{EMAIL},Blue,East\n"


@pytest.fixture
async def api(database: Database) -> AsyncIterator[ApiUnderTest]:
    """The API at the time of the record store."""
    async with ApiUnderTest(database, SystemClock()) as api:
        yield api


@pytest.fixture
async def admin(api: ApiUnderTest) -> httpx.AsyncClient:
    """Somebody who may do all of it."""
    return await api.as_role(Role.ADMIN)


@pytest.fixture
async def records(emulator: EmulatedAws, database: Database) -> AsyncIterator[StoreUnderTest]:
    """The record store."""
    async with StoreUnderTest(emulator, database) as records:
        yield records


async def sign_up(api: ApiUnderTest, username: str, email: str = EMAIL) -> UUID:
    body = {"username": username, "email": email, "password": PASSWORD}
    answer = await (await api.client()).post("/api/signup", json=body)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def link(api: ApiUnderTest, user_id: UUID, email: str = EMAIL) -> str:
    """The token of the mail that asks for the confirmation."""
    uow = IdentityUnitOfWork(api.database, clock=api.platform.clock)
    async with uow:
        event = EmailConfirmationRequested(user_id, email)
        mail = await open_confirmation(event, uow, tokens=api.identity.link_tokens)
        await uow.commit()
    assert mail is not None
    return mail.token


async def follow(api: ApiUnderTest, token: str) -> httpx.Response:
    return await (await api.client()).post("/api/email-addresses/confirm", json={"token": token})


async def confirm(api: ApiUnderTest, user_id: UUID, email: str = EMAIL) -> None:
    answer = await follow(api, await link(api, user_id, email))
    assert answer.status_code == 204, answer.text


async def send_statement(records: StoreUnderTest, email: str = EMAIL, *, load: bool = True) -> str:
    body = statement(id=str(uuid7()), actor={"mbox": f"mailto:{email}"}, object={"id": LESSON})
    assert (await records.post(body)).status_code == 200
    if load:
        assert await records.deliver() > 0
    return str(body["id"])


async def learner_of(records: StoreUnderTest, statement_id: str) -> UUID | None:
    found: UUID | None = (await records.flat(statement_id)).user_id
    return found


async def backfill(api: ApiUnderTest, records: StoreUnderTest) -> None:
    """What maintenance does each minute."""
    command = MatchBackfill(api.platform.get(LessonDirectory), records.back.matching)
    await run(SqlUnitOfWork(api.database), match_people, command)


async def preview(admin: httpx.AsyncClient, *user_ids: UUID) -> dict[str, Any]:
    body = {"user_ids": [str(user_id) for user_id in user_ids]} if user_ids else {}
    answer = await admin.post("/api/attributions/preview", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def apply(admin: httpx.AsyncClient, plan: dict[str, Any]) -> httpx.Response:
    return await admin.post("/api/attributions/apply", json={"plan_hash": plan["plan_hash"]})


def gains(plan: dict[str, Any]) -> list[tuple[str, str, int, str | None]]:
    """Who would gain how many of what, and who has it."""
    return [
        (item["username"], gain["kind"], gain["count"], gain["held_by"] and gain["held_by"]["username"])
        for item in plan["people"]
        for gain in item["gains"]
    ]


async def import_learners(client: httpx.AsyncClient) -> str:
    """Import the learner list; returns the id of its cohort."""
    headers = {"Content-Type": "text/csv"}
    plan = (await client.post("/api/cohorts/import", content=LEARNERS, headers=headers)).json()
    applied = {"dry_run": "false", "plan_hash": plan["plan_hash"]}
    answer = await client.post("/api/cohorts/import", content=LEARNERS, headers=headers, params=applied)
    assert answer.status_code == 200, answer.text
    return str((await client.get("/api/cohorts")).json()["items"][0]["id"])


async def members(client: httpx.AsyncClient, cohort: str) -> list[str]:
    return [item["user_id"] for item in (await client.get(f"/api/cohorts/{cohort}/members")).json()["items"]]


async def student(admin: httpx.AsyncClient, number: str = "S1", **values: Any) -> dict[str, Any]:
    body = {"number": number, "first_name": "Ada", "last_name": "Byron", "email": EMAIL, **values}
    answer = await admin.post("/api/students", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_statements_are_not_of_whoever_signs_up_with_their_address(
    api: ApiUnderTest, records: StoreUnderTest
) -> None:
    before = await send_statement(records)
    thief = await sign_up(api, "thief")
    after = await send_statement(records)
    await backfill(api, records)

    assert await learner_of(records, before) is None
    assert await learner_of(records, after) is None

    await confirm(api, thief)
    then = await send_statement(records)
    await backfill(api, records)

    assert await learner_of(records, then) == thief
    assert [await learner_of(records, item) for item in (before, after)] == [None, None]


async def test_a_plan_gives_what_came_before_the_proof(
    api: ApiUnderTest, records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    before = await send_statement(records)
    ada = await sign_up(api, "ada")
    await confirm(api, ada)
    plan = await preview(admin)

    answer = await apply(admin, plan)

    assert gains(plan) == [("ada", "statements", 1, None)]
    assert (answer.status_code, answer.json()) == (200, {"people": 1, "records": {"statements": 1}})
    assert await learner_of(records, before) == ada
    assert gains(await preview(admin)) == []
    audit = await records.rows("SELECT actor_id, after FROM platform.audit_log WHERE entity = 'attribution'")
    assert [row.after["records"] for row in audit] == [{"statements": 1}]


async def test_a_plan_that_says_something_else_by_now_is_refused(
    api: ApiUnderTest, records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    # Accepted before the address was proved, and loaded after the plan was made.
    await send_statement(records)
    late = await send_statement(records, load=False)
    await confirm(api, await sign_up(api, "ada"))
    plan = await preview(admin)
    await records.deliver()

    stale = await apply(admin, plan)
    unknown = await admin.post("/api/attributions/apply", json={"plan_hash": "0" * 64})
    done = await apply(admin, await preview(admin))

    assert (stale.status_code, stale.json()["code"]) == (409, "plan_stale")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "plan_unknown")
    assert (done.status_code, done.json()["records"]) == (200, {"statements": 2})
    assert await learner_of(records, late) is not None


async def test_a_statement_that_arrives_while_a_plan_is_applied_goes_the_same_way(
    api: ApiUnderTest, records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    first = await send_statement(records)
    late = await send_statement(records, load=False)
    ada = await sign_up(api, "ada")
    await confirm(api, ada)
    plan = await preview(admin)

    answer, _ = await asyncio.gather(apply(admin, plan), records.deliver())
    if answer.status_code == 409:
        answer = await apply(admin, await preview(admin))
    await backfill(api, records)

    assert answer.status_code == 200
    assert [await learner_of(records, item) for item in (first, late)] == [ada, ada]


async def test_what_an_account_has_that_only_claims_the_address_goes_to_its_owner(
    api: ApiUnderTest, records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    thief = await sign_up(api, "thief")
    held = await send_statement(records)
    # As it was when the claim was believed.
    await records.change("UPDATE records.statements_flat SET user_id = :thief", thief=thief)
    cohort = (await admin.post("/api/cohorts", json={"name": "Blue"})).json()["id"]
    await admin.put(f"/api/cohorts/{cohort}/members/{thief}")
    kept = await student(admin, user_id=str(thief))
    ada = await sign_up(api, "ada")
    await confirm(api, ada)
    plan = await preview(admin)

    answer = await apply(admin, plan)

    assert gains(plan) == [
        ("ada", "cohorts", 1, "thief"),
        ("ada", "statements", 1, "thief"),
        ("ada", "student records", 1, "thief"),
    ]
    assert answer.json() == {"people": 1, "records": {"cohorts": 1, "statements": 1, "student records": 1}}
    assert await learner_of(records, held) == ada
    assert await members(admin, cohort) == [str(ada)]
    assert (await admin.get(f"/api/students/{kept['id']}")).json()["user_id"] == str(ada)


async def test_a_student_record_that_is_not_one_persons_stays(api: ApiUnderTest, admin: httpx.AsyncClient) -> None:
    await student(admin, "S1")
    await student(admin, "S2")
    ada = await sign_up(api, "ada")
    await confirm(api, ada)

    plan = await preview(admin)
    answer = await apply(admin, plan)

    [shown] = plan["people"]
    assert [gain["obstacle"] for gain in shown["gains"]] == ["Several records have this address."] * 2
    assert (plan["records"], answer.json()) == ({}, {"people": 0, "records": {}})
    assert [item["user_id"] for item in (await admin.get("/api/students")).json()["items"]] == [None, None]


async def test_a_plan_for_some_leaves_the_others(
    api: ApiUnderTest, records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    other = "grace@example.org"
    await send_statement(records)
    waiting = await send_statement(records, other)
    ada, grace = await sign_up(api, "ada"), await sign_up(api, "grace", other)
    await confirm(api, ada)
    await confirm(api, grace, other)

    everybody, some = await preview(admin), await preview(admin, ada)
    await apply(admin, some)

    assert {item["username"] for item in everybody["people"]} == {"ada", "grace"}
    assert [item["username"] for item in some["people"]] == ["ada"]
    assert await learner_of(records, waiting) is None


async def test_a_learner_list_makes_an_account_beside_a_claim(
    api: ApiUnderTest, records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    before = await send_statement(records)
    thief = await sign_up(api, "thief")

    cohort = await import_learners(admin)

    [member] = await members(admin, cohort)
    assert member != str(thief)
    assert str(await learner_of(records, before)) == member


async def test_of_two_who_prove_an_address_at_once_one_has_it(api: ApiUnderTest) -> None:
    people = [await sign_up(api, f"ada{number}") for number in range(4)]
    tokens = [await link(api, user_id) for user_id in people]

    answers = await asyncio.gather(*(follow(api, token) for token in tokens))

    assert sorted(answer.status_code for answer in answers) == [204, 400, 400, 400]
    assert {answer.json()["code"] for answer in answers if answer.content} == {"duplicate_email"}


async def test_who_signs_in_with_an_address_is_who_has_proved_it(api: ApiUnderTest) -> None:
    await sign_up(api, "thief")
    ada = await sign_up(api, "ada")
    client = await api.client()
    body = {"username": EMAIL, "password": PASSWORD}
    me = {"Authorization": ""}

    async def signed_in() -> str:
        answer = await client.post("/api/auth/login", json=body)
        me["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return str((await client.get("/api/users/me", headers=me)).json()["username"])

    before = await signed_in()
    await confirm(api, ada)

    assert (before, await signed_in()) == ("thief", "ada")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
async def test_only_administrators_plan_and_apply(api: ApiUnderTest, role: Role) -> None:
    client = await api.as_role(role)

    assert (await client.post("/api/attributions/preview", json={})).status_code == 403
    assert (await client.post("/api/attributions/apply", json={"plan_hash": "0" * 64})).status_code == 403


async def test_the_page_shows_a_plan_and_gives_what_it_shows(
    api: ApiUnderTest, records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    before = await send_statement(records)
    ada = await sign_up(api, "ada")
    await confirm(api, ada)
    browser = await person(api, await api.add_user(Role.ADMIN), Role.ADMIN)
    page = (await browser.get("/ui/admin/attributions")).text
    plan_hash = page.partition('name="plan_hash" value="')[2][:64]
    form = {"form_of": "/ui/admin/attributions"}

    stale = await send(browser, "/ui/admin/attributions", {"plan_hash": "0" * 64}, **form)
    done = await send(browser, "/ui/admin/attributions", {"plan_hash": plan_hash}, **form)

    assert (stale.status_code, "Preview again" in stale.text) == (404, True)
    assert done.status_code == 303
    assert await learner_of(records, before) == ada
    assert "Everything is with its owner" in (await browser.get("/ui/admin/attributions")).text
