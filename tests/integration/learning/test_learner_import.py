"""The learner list: plan, apply, and what is wrong with a line."""

from typing import Any

import httpx
import pytest

from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest

CSV = """First Name,Last Name,Email,Group,Team
Ana,Roux,ana.roux@example.org,Blue,East
Bo,Lind,bo@example.org,,East
Cy,,cy@example.org,Blue,
"""


@pytest.fixture
async def registrar(api: ApiUnderTest) -> httpx.AsyncClient:
    """Somebody who may write."""
    return await api.as_role(Role.REGISTRAR)


async def sent(client: httpx.AsyncClient, text: str | bytes, **params: Any) -> httpx.Response:
    body = text.encode() if isinstance(text, str) else text
    return await client.post("/api/cohorts/import", content=body, params=params, headers={"Content-Type": "text/csv"})


async def applied(client: httpx.AsyncClient, text: str | bytes) -> dict[str, Any]:
    plan = (await sent(client, text)).json()
    answer = await sent(client, text, dry_run="false", plan_hash=plan["plan_hash"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_plan_writes_nothing(registrar: httpx.AsyncClient) -> None:
    plan = (await sent(registrar, CSV)).json()

    assert plan["applied"] is False
    assert plan["new_cohorts"] == ["Blue East", "Blue X", "X East"]
    assert plan["counts"] == {"join": 3, "member": 0, "new_accounts": 3, "new_cohorts": 3, "problems": 0}
    assert (await registrar.get("/api/cohorts")).json()["items"] == []


async def test_a_plan_is_applied_by_its_hash(registrar: httpx.AsyncClient) -> None:
    done = await applied(registrar, CSV)

    cohorts = (await registrar.get("/api/cohorts")).json()["items"]
    members = (await registrar.get(f"/api/cohorts/{cohorts[0]['id']}/members")).json()["items"]
    assert done["applied"] is True
    assert [cohort["name"] for cohort in cohorts] == ["Blue East", "Blue X", "X East"]
    assert [(member["display_name"], member["email"]) for member in members] == [("Ana Roux", "ana.roux@example.org")]


async def test_a_second_import_of_the_same_file_changes_nothing(registrar: httpx.AsyncClient) -> None:
    await applied(registrar, CSV)

    again = await applied(registrar, CSV)

    assert again["counts"] == {"join": 0, "member": 3, "new_accounts": 0, "new_cohorts": 0, "problems": 0}
    assert {row["account"] for row in again["rows"]} == {"existing"}


async def test_a_plan_is_stale_once_what_it_saw_has_moved(registrar: httpx.AsyncClient) -> None:
    plan = (await sent(registrar, CSV)).json()
    await registrar.post("/api/cohorts", json={"name": "blue east"})

    answer = await sent(registrar, CSV, dry_run="false", plan_hash=plan["plan_hash"])

    assert (answer.status_code, answer.json()["code"]) == (409, "plan_stale")
    assert len((await registrar.get("/api/cohorts")).json()["items"]) == 1


async def test_another_file_is_not_applied_under_the_hash(registrar: httpx.AsyncClient) -> None:
    plan = (await sent(registrar, CSV)).json()

    answer = await sent(registrar, CSV + "Di,,di@example.org,,\n", dry_run="false", plan_hash=plan["plan_hash"])

    assert answer.status_code == 409


async def test_without_a_hash_nothing_is_applied(registrar: httpx.AsyncClient) -> None:
    answer = await sent(registrar, CSV, dry_run="false")

    assert answer.status_code == 400


async def test_an_account_that_exists_is_used_in_any_case(api: ApiUnderTest, registrar: httpx.AsyncClient) -> None:
    user_id = await api.add_user(Role.LEARNER, email="Ana.Roux@example.org")

    await applied(registrar, CSV)

    cohort = (await registrar.get("/api/cohorts")).json()["items"][0]
    members = (await registrar.get(f"/api/cohorts/{cohort['id']}/members")).json()["items"]
    assert [member["user_id"] for member in members] == [str(user_id)]


async def test_good_lines_are_planned_beside_bad_ones(registrar: httpx.AsyncClient) -> None:
    done = await applied(registrar, CSV + "Di,,nonsense,,\n,,,,\nAna,Roux,ANA.ROUX@example.org,Blue,East\n")

    assert [(item["line"], item["code"]) for item in done["problems"]] == [(5, "bad_email"), (7, "duplicate")]
    assert done["counts"]["join"] == 3


async def test_a_file_of_another_kind_is_refused(registrar: httpx.AsyncClient) -> None:
    answer = await registrar.post("/api/cohorts/import", json={})

    assert answer.status_code == 415


async def test_a_suspended_person_joins_nothing(api: ApiUnderTest, registrar: httpx.AsyncClient) -> None:
    await api.add_user(Role.LEARNER, email="bo@example.org", suspended_at=api.platform.clock.now())

    done = await applied(registrar, CSV)

    assert done["counts"] == {"join": 2, "member": 0, "new_accounts": 2, "new_cohorts": 2, "problems": 1}
    assert [(problem["line"], problem["code"]) for problem in done["problems"]] == [(3, "person_suspended")]
