"""Profiles, roles and suspension through the API."""

import asyncio

import pytest
from sqlalchemy import text

from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.time import NOW


def nested(depth: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


async def test_a_profile_change_needs_the_version_that_was_read(api: ApiUnderTest) -> None:
    client = await api.as_role(Role.LEARNER)
    etag = (await client.get("/api/users/me")).headers["etag"]

    missing = await client.patch("/api/users/me", json={"display_name": "Ada L."})
    changed = await client.patch("/api/users/me", json={"display_name": "Ada L."}, headers={"If-Match": etag})
    stale = await client.patch("/api/users/me", json={"display_name": "Eve"}, headers={"If-Match": etag})

    assert (missing.status_code, missing.json()["code"]) == (428, "precondition_required")
    assert (changed.status_code, changed.json()["display_name"]) == (200, "Ada L.")
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")


async def test_nobody_gives_themselves_a_role(api: ApiUnderTest) -> None:
    client = await api.as_role(Role.LEARNER)

    response = await client.patch("/api/users/me", json={"role": "admin"}, headers={"If-Match": "*"})

    assert (response.status_code, response.json()["code"]) == (400, "validation_failed")


async def test_an_e_mail_address_that_somebody_has_proved_is_refused(api: ApiUnderTest) -> None:
    await api.add_user(Role.LEARNER, email="taken@example.org", email_confirmed_at=NOW)
    client = await api.as_role(Role.LEARNER)

    response = await client.patch("/api/users/me", json={"email": "Taken@example.org"}, headers={"If-Match": "*"})

    assert (response.status_code, response.json()["code"]) == (400, "duplicate_email")


async def test_an_administrator_changes_a_role_and_the_audit_log_says_who(
    api: ApiUnderTest, database: Database
) -> None:
    admin = await api.as_role(Role.ADMIN)
    user = await api.add_user(Role.LEARNER)

    response = await admin.patch(f"/api/users/{user}", json={"role": "instructor"}, headers={"If-Match": '"1"'})

    assert (response.status_code, response.json()["role"]) == (200, "instructor")
    async with database.read_only() as connection:
        entry = (await connection.execute(text("SELECT * FROM platform.audit_log WHERE action = 'changed'"))).one()
    assert (entry.before, entry.after) == ({"role": "learner"}, {"role": "instructor"})
    assert entry.actor_id is not None
    assert entry.request_id == response.headers["x-request-id"]


async def test_the_last_administrator_stays(api: ApiUnderTest) -> None:
    only = await api.add_user(Role.ADMIN)
    client = await api.as_user(only, Role.ADMIN)

    demoted = await client.patch(f"/api/users/{only}", json={"role": "learner"}, headers={"If-Match": "*"})
    suspended = await client.patch(f"/api/users/{only}", json={"suspended": True}, headers={"If-Match": "*"})

    assert demoted.json()["code"] == suspended.json()["code"] == "last_admin"


async def test_two_administrators_demoting_each_other_leave_one(api: ApiUnderTest) -> None:
    first, second = await api.add_user(Role.ADMIN), await api.add_user(Role.ADMIN)
    clients = [await api.as_user(first, Role.ADMIN), await api.as_user(second, Role.ADMIN)]

    answers = await asyncio.gather(
        *(
            client.patch(f"/api/users/{other}", json={"role": "viewer"}, headers={"If-Match": "*"})
            for client, other in zip(clients, (second, first), strict=True)
        )
    )

    # The second is refused as the last administrator, or, when the first was quicker, as nobody who may demote anybody.
    refused = [answer for answer in answers if answer.status_code != 200]
    assert [answer.json()["code"] for answer in refused] in (["last_admin"], ["forbidden"])


async def test_six_administrators_demoting_each_other_in_a_ring_do_not_block_each_other(api: ApiUnderTest) -> None:
    people = [await api.add_user(Role.ADMIN) for _ in range(6)]
    clients = [await api.as_user(person, Role.ADMIN) for person in people]

    answers = await asyncio.gather(
        *(
            client.patch(f"/api/users/{other}", json={"role": "viewer"}, headers={"If-Match": "*"})
            for client, other in zip(clients, [*people[1:], people[0]], strict=True)
        )
    )

    # Who was demoted before their own request was read may demote nobody any more; somebody is refused in any order.
    codes = [answer.json()["code"] for answer in answers if answer.status_code != 200]
    assert codes
    assert set(codes) <= {"last_admin", "forbidden"}


async def test_a_suspended_administrator_can_be_demoted_beside_the_last_active_one(api: ApiUnderTest) -> None:
    suspended = await api.add_user(Role.ADMIN, suspended_at=NOW)
    admin = await api.as_role(Role.ADMIN)

    answer = await admin.patch(f"/api/users/{suspended}", json={"role": "viewer"}, headers={"If-Match": "*"})

    assert answer.status_code == 200


async def test_people_are_listed_page_by_page_in_order(api: ApiUnderTest) -> None:
    for number in range(5):
        await api.add_user(Role.VIEWER, username=f"viewer_{number}")
    admin = await api.as_role(Role.ADMIN)

    names, url = [], "/api/users?role=viewer&limit=2"
    while url:
        page = (await admin.get(url)).json()
        names += [item["username"] for item in page["items"]]
        url = page["next"]

    assert names == [f"viewer_{number}" for number in range(5)]
    assert "password" not in str(page)


async def test_a_search_takes_wildcards_literally(api: ApiUnderTest) -> None:
    await api.add_user(Role.VIEWER, username="percent", display_name="100% Ada")
    admin = await api.as_role(Role.ADMIN)

    found = (await admin.get("/api/users", params={"search": "100%"})).json()["items"]
    none = (await admin.get("/api/users", params={"search": "'; DROP TABLE identity.users; --"})).json()["items"]

    assert [item["username"] for item in found] == ["percent"]
    assert none == []


async def test_an_unknown_user_is_404(api: ApiUnderTest) -> None:
    admin = await api.as_role(Role.ADMIN)
    missing = "/api/users/00000000-0000-7000-8000-000000000000"

    assert (await admin.get(missing)).status_code == 404
    assert (await admin.patch(missing, json={"role": "viewer"}, headers={"If-Match": "*"})).status_code == 404
    assert (await admin.get("/api/users/not-an-id")).status_code == 400


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"reminder_time": "09:00+02:00"}, "/reminder_time"),
        ({"preferences": {"text": "x" * 16_384}}, "/preferences"),
        ({"preferences": nested(400)}, "/preferences"),
        ({"email": "ada@a.org,eve@example.org"}, "/email"),
        ({"email": "ada,eve@example.org"}, "/email"),
        ({"email": "<eve@example.org"}, "/email"),
        ({"email": "eve@example.org\r\nBcc: all@example.org"}, "/email"),
    ],
)
async def test_a_profile_member_that_means_something_else_elsewhere_is_refused(
    api: ApiUnderTest, change: dict[str, object], pointer: str
) -> None:
    client = await api.as_role(Role.LEARNER)

    response = await client.patch("/api/users/me", json=change, headers={"If-Match": "*"})

    assert response.status_code == 400
    assert [item["pointer"] for item in response.json()["errors"]] == [pointer]


async def test_null_clears_quiet_hours_and_nothing_that_must_be_there(api: ApiUnderTest) -> None:
    client = await api.as_role(Role.LEARNER)
    await client.patch("/api/users/me", json={"quiet_from": "22:00"}, headers={"If-Match": "*"})

    cleared = await client.patch("/api/users/me", json={"quiet_from": None}, headers={"If-Match": "*"})
    refused = await client.patch("/api/users/me", json={"preferences": None}, headers={"If-Match": "*"})

    assert (cleared.status_code, cleared.json()["quiet_from"]) == (200, None)
    assert (refused.status_code, refused.json()["code"]) == (400, "validation_failed")
