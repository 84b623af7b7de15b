"""Importing a file in the browser: form, plan, apply."""

import re
from uuid import UUID

import httpx
import pytest

from dataforge.kernel.principal import Role
from tests.builders.browser import csrf_of, person
from tests.builders.datasets import (
    PEOPLE,
    DatasetsUnderTest,
    commit_rows,
    head,
    import_file,
    new_dataset,
    ok,
    rows_of,
)

SAME = {"Sec-Fetch-Site": "same-origin"}
FIELDS = {"ref": "main", "mode": "replace", "key": "id", "table": "", "max_rejected": "0", "message": "By hand"}


class Desk:
    """One analyst with a client of the API and a browser, and a dataset of theirs."""

    def __init__(self, datasets: DatasetsUnderTest) -> None:
        self.datasets = datasets

    async def open(self) -> None:
        user_id = await self.datasets.add_user(Role.ANALYST)
        self.client = await self.datasets.as_user(user_id, Role.ANALYST)
        self.dataset_id = await new_dataset(self.client)
        self.browser = await person(self.datasets, user_id, Role.ANALYST, asgi=self.datasets.asgi)
        self.form = f"/ui/datasets/{self.dataset_id}/imports"

    async def send(self, data: bytes | None, name: str = "people.csv", **changed: str) -> httpx.Response:
        """Fill the form and send it."""
        page = await self.browser.get(self.form)
        assert page.status_code == 200
        fields = {**FIELDS, **changed, "csrf": csrf_of(page)}
        files = {"file": (name if data is not None else "", data or b"", "text/csv")}
        return await self.browser.post(self.form, data=fields, files=files, headers=SAME)

    async def apply(self, page: str) -> httpx.Response:
        """Press the button of a plan."""
        csrf = csrf_of(await self.browser.get(page))
        return await self.browser.post(page, data={"csrf": csrf}, headers=SAME)


@pytest.fixture
async def desk(datasets: DatasetsUnderTest) -> Desk:
    """An analyst at work."""
    desk = Desk(datasets)
    await desk.open()
    return desk


async def test_a_file_is_tried_and_its_plan_applied(desk: Desk) -> None:
    before = await head(desk.client, desk.dataset_id)

    sent = await desk.send(PEOPLE, 'an "odd" näme.csv')
    plan = await desk.browser.get(sent.headers["location"])
    unchanged = await head(desk.client, desk.dataset_id)
    applied = await desk.apply(sent.headers["location"])

    assert sent.status_code == 303
    assert re.fullmatch(rf"{desk.form}/[0-9a-f]{{64}}", sent.headers["location"])
    assert plan.status_code == 200
    assert "an &#34;odd&#34; näme.csv" in plan.text
    assert unchanged == before
    assert (applied.status_code, applied.headers["location"]) == (303, f"/ui/datasets/{desk.dataset_id}")
    assert [row["name"] for row in await rows_of(desk.client, desk.dataset_id)] == ["Ada", "Grace", "Linus"]
    commits = ok(await desk.client.get(f"/api/datasets/{desk.dataset_id}/refs/main/history"))["commits"]
    assert commits[0]["message"] == "By hand"


async def test_the_bytes_of_a_file_arrive_as_they_are(desk: Desk) -> None:
    data = b'id,note\r\n1,"a\r\n--b\nc"\r\n2,\xc3\xa4\r\n'

    sent = await desk.send(data)
    await desk.apply(sent.headers["location"])

    assert [row["note"] for row in await rows_of(desk.client, desk.dataset_id)] == ["a\r\n--b\nc", "ä"]


async def test_a_refused_file_shows_its_rows_beside_the_form(desk: Desk) -> None:
    refused = await desk.send(b"id,name\n1,Ada\n2\n")

    assert refused.status_code == 422
    assert "Rows that are wrong" in refused.text
    assert "1 field instead of 2" in refused.text
    assert 'value="By hand"' in refused.text


@pytest.mark.parametrize(
    ("data", "changed", "field"),
    [(None, {}, "file"), (PEOPLE, {"mode": "burn"}, "mode"), (PEOPLE, {"max_rejected": "many"}, "max_rejected")],
)
async def test_a_mistake_in_the_form_stands_beside_its_field(
    desk: Desk, data: bytes | None, changed: dict[str, str], field: str
) -> None:
    refused = await desk.send(data, **changed)

    assert refused.status_code == 400
    assert f'id="why-{field}"' in refused.text


async def test_a_stale_plan_is_shown_again_with_the_reason(desk: Desk) -> None:
    await import_file(desk.datasets, desk.client, desk.dataset_id, key=["id"])
    sent = await desk.send(b"id,name,age\n9,Zoe,1\n")
    ok(await commit_rows(desk.client, desk.dataset_id, [{"op": "delete", "key": {"id": 3}}]), 201)

    stale = await desk.apply(sent.headers["location"])

    assert stale.status_code == 409
    assert "nothing was changed. Plan again." in stale.text
    assert len(await rows_of(desk.client, desk.dataset_id)) == 2


async def test_those_who_may_only_read_get_neither_form_nor_link(desk: Desk) -> None:
    user_id = await desk.datasets.add_user(Role.VIEWER)
    path = f"/api/datasets/{desk.dataset_id}/permissions/user/{user_id}"
    ok(await desk.client.put(path, json={"level": "read"}))
    reader = await person(desk.datasets, UUID(str(user_id)), Role.VIEWER, asgi=desk.datasets.asgi)

    assert (await reader.get(desk.form)).status_code == 403
    assert f'href="{desk.form}"' not in (await reader.get(f"/ui/datasets/{desk.dataset_id}")).text
    assert f'href="{desk.form}"' in (await desk.browser.get(f"/ui/datasets/{desk.dataset_id}")).text


async def test_a_form_of_another_site_is_refused(desk: Desk) -> None:
    csrf = csrf_of(await desk.browser.get(desk.form))
    files = {"file": ("people.csv", PEOPLE, "text/csv")}

    foreign = {"Sec-Fetch-Site": "cross-site"}
    other = await desk.browser.post(desk.form, data={**FIELDS, "csrf": csrf}, files=files, headers=foreign)
    without = await desk.browser.post(desk.form, data={**FIELDS, "csrf": "x"}, files=files, headers=SAME)
    broken = await desk.browser.post(
        desk.form, content=b"--b\r\n", headers={**SAME, "Content-Type": "multipart/form-data; boundary=b"}
    )

    assert (other.status_code, without.status_code, broken.status_code) == (403, 403, 400)
