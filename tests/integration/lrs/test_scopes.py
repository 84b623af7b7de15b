"""What each scope lets a credential do, on every resource with every method (1.0.3 Communication 4.2)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson
import pytest

from dataforge.kernel.rules import XAPI_SCOPES
from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.statements import statement

AGENT = '{"mbox": "mailto:ana@example.org"}'
ACTIVITY = "https://example.org/activity"
STATE = {"activityId": ACTIVITY, "agent": AGENT, "stateId": "s"}
ACTIVITY_PROFILE = {"activityId": ACTIVITY, "profileId": "p"}
AGENT_PROFILE = {"agent": AGENT, "profileId": "p"}

ALL = frozenset({"all"})
READ_ALL = ALL | {"all/read"}
WRITE = ALL | {"statements/write"}
READ_ANY = READ_ALL | {"statements/read"}
READ = READ_ANY | {"statements/read/mine"}


@dataclass(frozen=True)
class Row:
    """Which scopes may do something; all others are refused."""

    method: str
    path: str
    allowed: frozenset[str]
    params: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path} {' '.join(self.params)}"


def rows() -> Iterator[Row]:
    """Every resource with every method."""
    for method in ("GET", "HEAD"):
        yield Row(method, "statements", READ)
        yield Row(method, "statements", READ, {"statementId": str(uuid4())})
        yield Row(method, "statements", READ, {"voidedStatementId": str(uuid4())})
        yield Row(method, "activities", READ_ANY | {"define"}, {"activityId": ACTIVITY})
        yield Row(method, "agents", READ_ANY | {"profile"}, {"agent": AGENT})
    yield Row("POST", "statements", WRITE, body=statement())
    yield Row("PUT", "statements", WRITE, {"statementId": str(uuid4())}, statement())
    for path, scope, one in (
        ("activities/state", "state", STATE),
        ("activities/profile", "profile", ACTIVITY_PROFILE),
        ("agents/profile", "profile", AGENT_PROFILE),
    ):
        several = {name: value for name, value in one.items() if name not in ("stateId", "profileId")}
        for method in ("GET", "HEAD"):
            yield Row(method, path, READ_ALL | {scope}, one)
            yield Row(method, path, READ_ALL | {scope}, several)
        yield Row("PUT", path, ALL | {scope}, one, {"a": 1})
        yield Row("POST", path, ALL | {scope}, one, {"a": 1})
        yield Row("DELETE", path, ALL | {scope}, one)
    yield Row("DELETE", "activities/state", ALL | {"state"}, {"activityId": ACTIVITY, "agent": AGENT})


ROWS = list(rows())


async def ask(records: StoreUnderTest, row: Row, auth: tuple[str, str]) -> tuple[int, str]:
    headers = VERSION if row.body is None else {**VERSION, "Content-Type": "application/json"}
    content = None if row.body is None else orjson.dumps(row.body)
    address = f"/xapi/{row.path}"
    answer = await records.lms.request(
        row.method, address, params=row.params, content=content, headers=headers, auth=auth
    )
    return answer.status_code, answer.json()["code"] if answer.status_code == 403 and answer.content else ""


@pytest.mark.parametrize("scope", sorted(XAPI_SCOPES))
async def test_a_scope_allows_what_the_standard_says_and_nothing_else(records: StoreUnderTest, scope: str) -> None:
    auth = await records.credential(scopes=(scope,))
    wrong = {}

    for row in ROWS:
        status, code = await ask(records, row, auth)
        # Allowed is whatever comes of it: a document that is not there, a precondition that is missing.
        expected = "" if scope in row.allowed or row.method == "HEAD" else "scope_missing"
        if (status == 403) == (scope in row.allowed) or code != expected:
            wrong[str(row)] = status

    assert wrong == {}


async def test_the_table_has_every_method_of_every_resource(records: StoreUnderTest) -> None:
    auth = await records.credential(scopes=("all",))
    for path in sorted({row.path for row in ROWS}):
        offered = (await records.lms.options(f"/xapi/{path}", auth=auth)).headers["Allow"].split(", ")

        assert {row.method for row in ROWS if row.path == path} == {*offered} - {"OPTIONS"}


async def test_reading_ones_own_leaves_the_statements_of_others_out(records: StoreUnderTest) -> None:
    mine = await records.credential(scopes=("statements/write", "statements/read/mine"))
    others = (await records.post(statement())).json()[0]
    own = (await records.post(statement(), auth=mine)).json()[0]
    await records.deliver()

    listed = (await records.lms.get("/xapi/statements", headers=VERSION, auth=mine)).json()["statements"]
    found = [
        (await records.lms.get("/xapi/statements", params={"statementId": one}, headers=VERSION, auth=mine)).status_code
        for one in (own, others)
    ]

    assert [item["id"] for item in listed] == [own]
    assert found == [200, 404]


async def test_without_define_statements_are_stored_and_activities_stay_as_they_are_known(
    records: StoreUnderTest,
) -> None:
    reader = await records.credential(scopes=("all/read",))
    writer = await records.credential(scopes=("statements/write",))
    definition = {"name": {"en": "Forged"}}

    sent = await records.post(statement(object={"id": ACTIVITY, "definition": definition}), auth=writer)

    await records.deliver()
    known = await records.lms.get("/xapi/activities", params={"activityId": ACTIVITY}, headers=VERSION, auth=reader)
    stored = await records.lms.get(
        "/xapi/statements", params={"statementId": sent.json()[0]}, headers=VERSION, auth=reader
    )
    assert "definition" not in known.json()
    assert stored.json()["object"]["definition"] == definition
