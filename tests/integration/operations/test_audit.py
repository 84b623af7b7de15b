"""The audit log is searched by who, what, when and by request."""

import pytest

from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.browser import browser_of


async def test_a_change_is_found_by_each_of_its_members(api: ApiUnderTest) -> None:
    admin = await api.as_role(Role.ADMIN)
    made = await admin.post("/api/departments", json={"code": "LAW", "name": "Law"})
    other = await admin.post("/api/departments", json={"code": "ART", "name": "Art"})
    assert (made.status_code, other.status_code) == (201, 201)

    [entry] = (await admin.get(f"/api/audit?entity=department&entity_id={made.json()['id']}")).json()["items"]

    assert entry["action"] == "department.created"
    assert entry["actor"]
    assert entry["request_id"] == made.headers["x-request-id"]
    for query in (
        f"request_id={entry['request_id']}",
        f"actor_id={entry['actor_id']}&entity=department",
        f"since={entry['at']}&entity=department".replace("+", "%2B"),
    ):
        assert entry["id"] in [item["id"] for item in (await admin.get(f"/api/audit?{query}")).json()["items"]]
    for query in ("action=deleted", f"until={entry['at']}&entity=department".replace("+", "%2B")):
        assert entry["id"] not in [item["id"] for item in (await admin.get(f"/api/audit?{query}")).json()["items"]]


async def test_pages_follow_each_other(api: ApiUnderTest) -> None:
    admin = await api.as_role(Role.ADMIN)
    for number in range(5):
        assert (await admin.post("/api/departments", json={"code": f"D{number}", "name": "D"})).status_code == 201

    first = (await admin.get("/api/audit?entity=department&limit=3")).json()
    second = (await admin.get(first["next"])).json()

    ids = [item["id"] for item in [*first["items"], *second["items"]]]
    assert len(ids) == 5
    assert ids == sorted(ids, reverse=True)
    assert second["next"] is None


@pytest.mark.parametrize("query", ["actor_id=me", "since=yesterday", "who=x"])
async def test_a_wrong_question_is_refused(api: ApiUnderTest, query: str) -> None:
    assert (await (await api.as_role(Role.ADMIN)).get(f"/api/audit?{query}")).status_code == 400


async def test_the_page_shows_what_was_there_before_and_after(api: ApiUnderTest) -> None:
    admin = await api.as_role(Role.ADMIN)
    await admin.post("/api/departments", json={"code": "LAW", "name": "<i>Law</i>"})

    page = await (await browser_of(api, Role.ADMIN)).get("/ui/operations/audit?entity=department")

    assert page.status_code == 200
    assert "department.created" in page.text
    assert "<i>Law</i>" not in page.text
