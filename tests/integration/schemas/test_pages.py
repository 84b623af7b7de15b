"""Pages of schemas: who is shown what, and what forms are answered."""

import re
from typing import Any

import httpx
import pytest

from dataforge.contexts.schemas.plans import pages
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.browser import outcome, send
from tests.builders.browser import person as in_browser
from tests.builders.schemas import SchemasUnderTest, column, table
from tests.builders.workspaces import Space, join, new_workspace, person

REVISIONS = ("/history/1", "/history/1/files", "/history/1/compare", "/history/1/compare/files", "/compare?number=1")
OF_IDS = ("/plans/{plan}", "/plans/{plan}/files", "/plans/{plan}/files?format=svg", "/deployments/{deployment}")
SEEN = ("", "/files?format=sql", "/files?format=json", "/history", "/drift", "/trash", *REVISIONS, *OF_IDS)
FORMS = (
    "/editor",
    "/editor/preview",
    "/editor/source",
    "/plans/{plan}/again",
    "/history/1/rollback",
    "/drift/adopt",
    "/drift/restore",
)
DEPLOYING = ("/plans/{plan}/deploy", "/deployments/{deployment}/cancel", "/deployments/{deployment}/resume")
ROLES = ("owner", "admin", "editor", "viewer", "stranger")


@pytest.fixture
async def browsers(schemas: SchemasUnderTest, api: ApiUnderTest) -> dict[str, httpx.AsyncClient]:
    """Browsers of people of every role in the workspace; a stranger owns another one."""
    space = Space(api, str(schemas.workspace_id), {"owner": schemas.owner})
    for role in ROLES[1:]:
        space.people[role] = await person(api, f"the_{role}")
        if role == "stranger":
            await new_workspace(space.people[role])
        else:
            await join(space, space.people[role], role)
    return {role: await in_browser(api, space.people[role].id, Role.LEARNER) for role in ROLES}


def text_of(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def known(schemas: SchemasUnderTest) -> dict[str, str]:
    """Ids of a plan and of a deployment that has ended."""
    plan = await schemas.preview(table("people"))
    return {"plan": plan["plan_id"], "hash": plan["plan_hash"], "deployment": (await schemas.deploy(plan))["id"]}


async def test_everybody_sees_and_does_what_their_role_allows(
    schemas: SchemasUnderTest, browsers: dict[str, httpx.AsyncClient]
) -> None:
    ids, place = await known(schemas), f"/ui/schemas/{schemas.workspace_id}"
    fields = {"target": '{"tables": []}', "plan_hash": ids["hash"], "source": "CREATE TABLE x (id int);"}

    seen = {
        (role, path): outcome(await browsers[role].get(place + path.format(**ids)))
        for role in ROLES
        for path in (*SEEN, "/editor", "/editor/source")
    }
    done = {
        (role, path): outcome(await send(browsers[role], place + path.format(**ids), fields))
        for role in ROLES
        for path in (*FORMS, *DEPLOYING)
    }

    for (role, path), (status, code) in (seen | done).items():
        if role == "stranger":
            assert (status, code) == (404, "workspace_not_found"), (role, path)
        elif (role == "viewer" and path not in SEEN) or (role == "editor" and path in DEPLOYING):
            assert (status, code) == (403, "workspace_role_missing"), (role, path)
        else:
            assert status in (200, 303, 409), (role, path, status, code)


async def test_pages_show_only_the_forms_that_a_role_may_send(
    schemas: SchemasUnderTest, browsers: dict[str, httpx.AsyncClient]
) -> None:
    await known(schemas)
    plan = await schemas.preview(table("people", column("age")))
    place = f"/ui/schemas/{schemas.workspace_id}"

    forms = {
        role: set(
            re.findall(
                rf'action="{place}/([^"]+)"', (await browsers[role].get(f"{place}/plans/{plan['plan_id']}")).text
            )
        )
        for role in ROLES[:4]
    }

    deploys = {f"plans/{plan['plan_id']}/deploy"}
    assert forms == {"owner": deploys, "admin": deploys, "editor": set(), "viewer": set()}


async def test_what_belongs_to_another_workspace_is_not_found(
    schemas: SchemasUnderTest, browsers: dict[str, httpx.AsyncClient]
) -> None:
    ids = await known(schemas)
    client = browsers["stranger"]
    home = await client.get("/ui/workspaces")
    own = re.search(r'href="/ui/workspaces/([0-9a-f-]{36})"', home.text)
    assert own is not None
    place = f"/ui/schemas/{own[1]}"

    codes = {path: outcome(await client.get(place + path.format(**ids)))[1] for path in OF_IDS}
    codes |= {path: outcome(await send(client, place + path.format(**ids), {}))[1] for path in DEPLOYING}

    assert set(codes.values()) == {"plan_not_found", "deployment_not_found"}


async def test_a_plan_with_many_losses_is_confirmed_by_names_that_are_typed(
    schemas: SchemasUnderTest, browsers: dict[str, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_BOXES", 1)
    await schemas.deploy(await schemas.preview(table("people", column("age"), column("shoe"))))
    plan = await schemas.preview(table("people"))
    place = f"/ui/schemas/{schemas.workspace_id}/plans/{plan['plan_id']}"

    page = await browsers["owner"].get(place)
    fields = {"plan_hash": plan["plan_hash"], "confirmations": "column people.age\r\n"}
    refused = await send(browsers["owner"], f"{place}/deploy", fields)
    fields["confirmations"] += " column people.shoe \r\n"
    taken = await send(browsers["owner"], f"{place}/deploy", fields)

    assert "2 objects would be lost." in text_of(page)
    assert 'type="checkbox"' not in page.text
    assert (refused.status_code, "column people.shoe" in text_of(refused)) == (409, True)
    assert taken.status_code == 303


async def test_what_is_in_the_trash_is_listed_and_deleted_by_those_who_may(
    schemas: SchemasUnderTest, browsers: dict[str, httpx.AsyncClient]
) -> None:
    await schemas.deploy(await schemas.preview(table("people", column("age"))))
    losing = await schemas.preview(table("people"))
    await schemas.deploy(losing, *(item["object"] for item in losing["changes"] if item["needs_confirmation"]))
    place = f"/ui/schemas/{schemas.workspace_id}/trash"

    seen = await browsers["viewer"].get(place)
    offered = await browsers["admin"].get(place)
    [path] = re.findall(rf'action="({place}/[0-9a-f-]+/delete)"', offered.text)
    refused = outcome(await send(browsers["editor"], path, {}))
    taken = await send(browsers["admin"], path, {})
    after = await browsers["owner"].get(place)

    assert "column people.age" in text_of(seen)
    assert f'action="{place}' not in seen.text
    assert refused == (403, "workspace_role_missing")
    assert taken.status_code == 303
    assert "is deleted soon" in text_of(after)
    assert outcome(await send(browsers["stranger"], path, {})) == (404, "workspace_not_found")
    gone = await send(browsers["owner"], f"{place}/{schemas.workspace_id}/delete", {})
    assert (gone.status_code, "in the trash of this workspace" in text_of(gone)) == (404, True)


async def test_a_hash_that_is_not_the_plans_deploys_nothing(
    schemas: SchemasUnderTest, browsers: dict[str, httpx.AsyncClient]
) -> None:
    plan = await schemas.preview(table("people"))
    place = f"/ui/schemas/{schemas.workspace_id}/plans/{plan['plan_id']}"

    answer = await send(browsers["owner"], f"{place}/deploy", {"plan_hash": "0" * 64})

    assert (answer.status_code, "another hash" in text_of(answer)) == (409, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "Line 1"),
        ("[]", "A target is a JSON object"),
        ('{"tables": [\n  {"name": "x", "columns": [\n    {"name": "id", "dataType": "varchr(3)"}]}]}', "Line 3"),
        ('{"tables": "\\u0000"}', "NUL"),
        ('{"tables": [{"name": "<b>&", "columns": [{"name": "<i>", "dataType": "<u>"}]}]}', "Line 1"),
        ('{"views": [{"name": "v",\n "query": "SELECT pg_sleep(60)"}]}', "/views/0"),
        ("[" * 100_000, "is not valid JSON"),
    ],
)
async def test_what_is_wrong_with_a_target_is_said_beside_its_line(
    schemas: SchemasUnderTest, browsers: dict[str, httpx.AsyncClient], text: str, expected: str
) -> None:
    place = f"/ui/schemas/{schemas.workspace_id}/editor"

    checked = await send(browsers["editor"], place, {"target": text})
    planned = await send(browsers["editor"], f"{place}/preview", {"target": text})

    assert (checked.status_code, planned.status_code) == (200, 400)
    assert expected.lower() in text_of(checked).lower()
    assert expected.lower() in text_of(planned).lower()
    assert "<u>" not in checked.text
    assert "<b>&" not in checked.text


async def test_an_archived_workspace_is_looked_at_and_not_changed(
    schemas: SchemasUnderTest, browsers: dict[str, httpx.AsyncClient]
) -> None:
    ids = await known(schemas)
    place = f"/ui/schemas/{schemas.workspace_id}"
    archived: Any = await schemas.client.post(f"/api/workspaces/{schemas.workspace_id}/archive")
    assert archived.status_code == 200, archived.text

    seen = [(await browsers["owner"].get(place + path.format(**ids))).status_code for path in SEEN]
    done = [outcome(await send(browsers["owner"], place + path.format(**ids), {})) for path in (*FORMS, *DEPLOYING)]

    assert seen == [200 if path != "/compare?number=1" else 303 for path in SEEN]
    assert {code for _, code in done} == {"workspace_archived"}


async def test_a_revision_is_promoted_only_to_a_workspace_that_the_person_plans_in(
    schemas: SchemasUnderTest, api: ApiUnderTest, browsers: dict[str, httpx.AsyncClient]
) -> None:
    await known(schemas)
    stranger, own = await person(api, "somebody_else"), await new_workspace(schemas.owner, "Production")
    foreign = await new_workspace(stranger, "Foreign")
    place = f"/ui/schemas/{schemas.workspace_id}/history/1"

    page = await browsers["owner"].get(place)
    answers = {
        to: (await send(browsers["owner"], f"{place}/promote", {"to_workspace_id": to})).headers["location"]
        for to in (own, foreign, str(schemas.workspace_id), "", "x")
    }

    assert f'value="{own}"' in page.text
    assert foreign not in page.text
    assert answers.pop(own).startswith(f"/ui/schemas/{own}/plans/")
    assert set(answers.values()) == {place}
