"""Each documented query parameter of each route, sent once with each kind of value it takes: none is refused."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from dataforge.contexts.tutorials.tutorials.repository import SqlTutorials
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.paging import CursorSigner
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from infra.openapi.generate import HERE
from tests.builders.api import TEST_KEY
from tests.builders.datasets import head, ok
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest
from tests.builders.rosters import oneroster_zip
from tests.builders.schemas import SchemasUnderTest, column, table
from tests.builders.statements import statement
from tests.builders.tutorials import NOW, a_tutorial
from tests.builders.whole_api import WholeApi
from tests.builders.workspaces import Person, Space, join, new_workspace, person

DOCUMENT = json.loads((HERE / "openapi.json").read_text())
# Values that cannot be made up from the schema alone, by parameter, or by route and parameter.
VALUES: dict[str, str] = {
    "/api/launches/fetch token": "what no launch has given out",
    "event_type": "webhooks.test",
    "q": "a",
    "search": "a",
    "tag": "grades",
    "/api/jobs kind": "export_statements",
    "/api/audit actor_id": "01234567-89ab-7def-8123-456789abcdef",
    "/api/audit workspace_id": "01234567-89ab-7def-8123-456789abcdef",
    "/api/audit action": "created",
    "/api/audit entity": "course",
    "/api/audit entity_id": "x",
    "/api/audit request_id": "x",
    "/api/outbox name": "academics.course_changed",
    "/api/audit since": "2020-01-01T00:00:00Z",
    "/api/audit until": "2126-01-01T00:00:00Z",
    "sheet": "data",
    "columns": "name",
    "column": "name",
    "filter": '{"column": "name", "op": "eq", "value": "Ada"}',
    "key": "[1]",
    "as_of": "2026-06-01T00:00:00Z",
    "waive": "prerequisites",
    "/api/oneroster/v1p2/{collection} filter": "familyName='Hopper'",
    "/api/oneroster/v1p2/{collection} sort": "familyName",
    "fields": "sourcedId,familyName",
    "waive_reason": "agreed",
    "at": "2026-06-01T09:00:00Z",
    "/api/xapi/quarantine since": "2026-06-01T09:00:00Z",
    "/api/xapi/quarantine until": "2126-06-01T09:00:00Z",
    "credential": "lrs_0",
    "/api/reports/completions since": "2020-01-01T00:00:00Z",
    "starts_on": "2026-09-14",
    "ends_on": "2026-09-30",
    "from": "2026-05-01",
    "to": "2026-05-31",
    "/api/schema/revisions/{number}/compare to": "2",
    "time_zone": "Europe/Berlin",
    "/api/unsubscribe token": CursorSigner(TEST_KEY).seal("unsubscribe", ["0" * 64, "reminder"]),
}
# Routes that take a file, which a value may not fit: that is another refusal.
FILES = tuple(f"/api/datasets/{{dataset_id}}/refs/{{ref}}/file{tried}" for tried in ("", "/plan"))
VALUES |= {
    f"{path} {name}": value
    for path in FILES
    for name, value in {
        "table": "people",
        "encoding": "utf-8",
        "delimiter": ",",
        "quote": "'",
        "comment": "#",
        "key": "Email",
        "declared_types": '{"Email": "string"}',
        "null_values": "-",
        "sheets": "Sheet1",
        "message": "Term 1",
        "file_name": "people.csv",
    }.items()
}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]


def operations() -> Iterator[Operation]:
    for path, methods in DOCUMENT["paths"].items():
        if path.startswith("/xapi/"):
            continue  # with credentials, rules and tests of their own
        for method, operation in methods.items():
            found = tuple(item for item in operation.get("parameters", []) if item["in"] == "query")
            if found:
                yield Operation(method, path, found)


OPERATIONS = list(operations())


class World:
    """Two of everything that is listed, and the ids of one of each."""

    def __init__(self, api: WholeApi, emulator: EmulatedAws) -> None:
        self.api, self.emulator = api, emulator
        self.ids: dict[str, str] = {}

    async def fill(self) -> None:
        """Through the API where it can be done there."""
        api, campus = self.api, self.api.campus
        await self._academics()
        await self._workspaces()
        await self._schemas()
        await self._tutorials()
        cohorts = [await api.post("/api/cohorts", 201, name=f"Cohort {number}") for number in range(2)]
        people = [await api.api.add_user(Role.LEARNER, email=f"learner{number}@example.org") for number in range(4)]
        for user_id in people:
            ok(await api.client.put(f"/api/cohorts/{cohorts[0]['id']}/members/{user_id}"), 204)
        lessons = [
            await api.post("/api/lessons", 201, lesson_url=f"https://e.org/{n}", title="L", cohort_id=cohorts[0]["id"])
            for n in range(2)
        ]
        await self._launches()
        await self._completions()
        await self._subscriptions()
        await self._webhooks()
        for number in range(2):
            agent = {"openid": f"https://ana.example.org/{number}"}
            await api.post("/api/agent-identifiers", 201, user_id=str(people[0]), agent=agent)
        await self._reminders()
        await campus.department()
        datasets = [await api.dataset(), await api.dataset()]
        for _ in range(2):
            await api.review(datasets[0])
            await api.job(datasets[0])
            await api.shared_job()
        ok(await api.client.post(f"/api/datasets/{datasets[0]}/refs/main/uploads", json=UPLOAD), 201)
        changed = await api.branch(datasets[0])
        await api.commit(datasets[0], changed)
        token = await api.post("/api/tokens", 201, name="Calendar", scopes=["calendar"])
        self.ids["/api/calendar.ics token"] = token["token"]
        self.ids |= {
            "cohort_id": cohorts[0]["id"],
            "lesson_id": lessons[0]["id"],
            "dataset_id": datasets[0],
            "ref": "main",
            "version": await head(api.client, datasets[0]),
            "base": "main",
            "head": changed,
            "collection": "users",
            "queue": "statements",
            "/api/reports/learners/{user_id} user_id": str(people[0]),
        }
        for version in ("main", changed):
            await api.post(f"/api/datasets/{datasets[0]}/refs/{version}/publications", 202)
        ok(await api.client.get(f"/api/datasets/{datasets[0]}/refs"))

    async def _reminders(self) -> None:
        """Two runs."""
        for at in ("2026-06-01T09:00:00Z", "2026-06-02T09:00:00Z"):
            preview = ok(await self.api.client.get("/api/debug/reminder-preview", params={"at": at}))
            await self.api.post("/api/reminders", 202, at=at, plan_hash=preview["plan_hash"])

    async def _launches(self) -> None:
        """Two of one lesson."""
        content = {"title": "Unit", "content_url": "https://content.example.org/unit"}
        lesson = await self.api.post("/api/lessons", 201, lesson_url="https://e.org/unit", **content)
        for _ in range(2):
            await self.api.post(f"/api/lessons/{lesson['id']}/launches", 201)
        self.ids["/api/lessons/{lesson_id}/launches lesson_id"] = lesson["id"]

    async def _completions(self) -> None:
        """Two of the four learners answer two questions of a lesson and complete it, long ago, as an LMS tells it."""
        async with StoreUnderTest(self.emulator, self.api.database) as records:
            sent = []
            for number in range(2):
                said = {"actor": {"mbox": f"mailto:learner{number}@example.org"}, "timestamp": "2026-05-01T09:00:00Z"}
                sent.append(statement(**said, object={"id": "https://e.org/0"}))
                sent += [
                    statement(
                        **said,
                        verb={"id": "http://adlnet.gov/expapi/verbs/answered"},
                        object={"id": f"https://e.org/question/{place}", "definition": QUESTION},
                        result={"response": "a", "success": True},
                        context={"contextActivities": {"parent": [{"id": "https://e.org/0"}]}},
                    )
                    for place in range(2)
                ]
            ok(await records.post(sent))
            await records.deliver()
            for number in range(2):
                ok(await records.post(statement(actor={"mbox": f"nobody {number}"})), 400)
            await records.reported()

    async def _subscriptions(self) -> None:
        """Two webhooks, one of them with two tests that wait."""
        webhook = {"kind": "webhook", "name": "Elsewhere", "url": "https://example.org/"}
        for _ in range(2):
            made = await self.api.post("/api/xapi/subscriptions", 201, **webhook)
            await self.api.post(f"/api/xapi/subscriptions/{made['id']}/test", 202)
        await self.api.post(f"/api/xapi/subscriptions/{made['id']}/test", 202)
        self.ids["subscription_id"] = made["id"]

    async def _webhooks(self) -> None:
        """Two webhooks, one of them with two tests that wait."""
        for _ in range(2):
            made = await self.api.post("/api/webhooks", 201, name="Elsewhere", url="https://example.org/")
            await self.api.post(f"/api/webhooks/{made['id']}/test", 202)
        await self.api.post(f"/api/webhooks/{made['id']}/test", 202)
        self.ids["webhook_id"] = made["id"]

    async def _workspaces(self) -> None:
        """A workspace of the administrator, with two of everything."""
        api, own = self.api, f"/api/user-profiles/{self.api.user_id}"
        me = Person(api.user_id, "", api.client)
        spaces = [await new_workspace(me, f"Space {number}") for number in range(2)]
        space = Space(api.api, spaces[0], {"owner": me})
        joiner = await person(api.api, "joiner")
        await join(space, joiner, "viewer")
        ok(await joiner.client.post("/api/user-profiles", json={}), 201)
        for number in range(2):
            body = {"resource_type": "snippet", "name": f"Snippet {number}"}
            resource = ok(await api.client.post(f"{own}/resources", json=body), 201)
            ok(await api.client.put(f"{space.path}/resources/{resource['id']}", json={"access_level": "read"}))
            await space.post("/invitations", email=f"new{number}@example.org")
            ok(await api.client.post("/api/invitations", json={"email": f"new{number}@example.org"}), 201)
            repo = await space.post("/repos", name=f"repo {number}")
            vault = await space.vault(f"vault {number}")
        for number in range(3):
            note = await space.post(f"{vault}/notes", path=f"folder/note {number}", body_md="a note: [[note 2]]")
        await self._transcripts(space)
        address = f"{space.path}{vault}/notes/{note['id']}"
        ok(await api.client.patch(address, json={"body_md": "a better note"}, headers={"If-Match": "*"}))
        self.ids |= {
            "note_id": note["id"],
            "folder": "folder",
            "against": "1",
            f"{NOTE}/revisions/{{revision}}/diff revision": "2",
        }
        await self._refs(repo["id"])
        self.ids |= {"user_id": str(api.user_id), "workspace_id": space.id, "repo_id": repo["id"]}
        self.ids |= {"vault_id": vault.rpartition("/")[2]}

    async def _transcripts(self, space: Space) -> None:
        """Two transcripts of two phrases."""
        for number in range(2):
            phrases = [
                {"offset_milliseconds": place, "duration_in_ticks": 10_000, "display": f"Phrase {place} of {number}."}
                for place in range(2)
            ]
            body = {"workspace_id": space.id, "phrases": phrases}
            transcript = await self.api.post("/api/transcripts", 201, **body)
        self.ids["transcript_id"] = transcript["id"]

    async def _tutorials(self) -> None:
        """Two tutorials of the workspace, drafted from a transcript of it."""
        workspace_id = UUID(self.ids["workspace_id"])
        async with self.api.database.transaction() as connection:
            for _ in range(2):
                tutorial = a_tutorial(workspace_id=workspace_id, transcript_id=UUID(self.ids["transcript_id"]))
                await SqlTutorials(connection, NOW).add(tutorial)
        self.ids["tutorial_id"] = str(tutorial.id)

    async def _refs(self, repo_id: str) -> None:
        """Two branches and two tags of a repo, as a refresh keeps them."""
        statement = (
            "INSERT INTO workspaces.repo_refs (repo_id, name, hash, moved_at) "
            "SELECT :repo_id, 'refs/' || kind || '/' || number, repeat('a', 40), now() "
            "FROM generate_series(1, 2) number, unnest(ARRAY['heads', 'tags']) kind"
        )
        async with self.api.database.transaction() as connection:
            await connection.execute(text(statement), {"repo_id": repo_id})

    async def _schemas(self) -> None:
        """Revisions of the schema of the workspace, and two columns in its trash."""
        owner = Person(self.api.user_id, "", self.api.client)
        schemas = SchemasUnderTest(self.api.api, owner, self.api.database, UUID(self.ids["workspace_id"]))
        for columns in ([], [column("age"), column("size")], []):
            plan = await schemas.preview(table("people", *columns))
            await schemas.deploy(plan, "column people.age", "column people.size")
        params = {"workspace_id": self.ids["workspace_id"]}
        kept = ok(await self.api.client.get("/api/schema/trash", params=params))["items"]
        self.ids |= {
            "/api/schema/trash/{item_id} item_id": kept[0]["id"],
            "/api/schema/plans/{plan_id} plan_id": plan["plan_id"],
            "/api/schema/revisions/{number} number": "1",
            "/api/schema/revisions/{number}/compare number": "1",
            "/api/schema/revisions/{number}/rollback number": "1",
        }

    async def _academics(self) -> None:
        api, campus = self.api, self.api.campus
        for number in range(2):
            ok(await api.client.post("/api/departments", json={"code": f"D{number}", "name": "D"}), 201)
        teachers = [await api.api.add_user(Role.INSTRUCTOR) for _ in range(2)]
        semester, course = await campus.semester(), await campus.course()
        await campus.semester(code="OTHER")
        sections = [await campus.section(course=course, instructor_id=teacher) for teacher in teachers]
        meetings = [{"weekday": day, "starts": "22:00", "ends": "02:00"} for day in (1, 2)]
        section = f"/api/sections/{sections[0]}"
        ok(await api.client.patch(section, json={"meetings": meetings}, headers={"If-Match": "*"}))
        for day in ("2026-09-14", "2026-09-15"):
            ok(await api.client.post(f"{section}/meeting-changes", json={"on": day}), 201)
        students = [await campus.student() for _ in range(3)]
        made = [await campus.enroll(student, sections[0]) for student in students]
        await campus.drop(made[0].enrollment.id)
        other, data = await api.roster()
        data += data.splitlines()[-1].replace(b"N", b"M", 1) + b"\r\n"
        path = f"/api/rosters/{other}/plans"
        plan = [ok(await api.client.post(path, content=data, headers=CSV), 201) for _ in range(2)][-1]
        course_row = (await campus.rows("SELECT department_id FROM academics.courses WHERE id = :id", id=course))[0]
        self.ids |= {
            "semester_id": str(semester),
            "course_id": str(course),
            "department_id": str(course_row["department_id"]),
            "section_id": str(sections[0]),
            "instructor_id": str(teachers[0]),
            "student_id": str(students[0]),
            "sourced_id": str(students[0]),
            "enrollment_id": str(made[0].enrollment.id),
            "plan_id": plan["id"],
        }
        given = {"kind": "section", "name": "My phone", "section_id": str(sections[0])}
        feeds = [ok(await api.client.post("/api/calendar-feeds", json=given), 201) for _ in range(2)]
        path = "/api/calendar-feeds/{feed_id}/calendar.ics"
        self.ids |= {"feed_id": feeds[0]["id"], f"{path} token": feeds[0]["address"].rpartition("=")[2]}


NOTE = "/api/workspaces/{workspace_id}/vaults/{vault_id}/notes/{note_id}"
QUESTION = {
    "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
    "interactionType": "choice",
    "choices": [{"id": "a"}, {"id": "b"}],
}
LEARNERS, CSV = b"Email,Group\na@example.org,Blue\n", {"Content-Type": "text/csv"}
SESSION = {"sourcedId": "s", "status": "active", "title": "S1", "type": "semester"} | {
    "startDate": "2026-09-07",
    "endDate": "2026-12-18",
}
UPLOAD = {"file_name": "a.csv", "size_bytes": 10}


@pytest.fixture
async def world(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[World]:
    """A world that is full."""
    api = WholeApi(database, clock, emulator)
    await api.start()
    world = World(api, emulator)
    await world.fill()
    yield world
    await api.close()


def values(world: World, operation: Operation, parameter: dict[str, Any]) -> list[str]:
    """Every value of an enumeration, both of a boolean, the least and the greatest number, or one that fits."""
    name = parameter["name"]
    own = f"{operation.path} {name}"
    for known in (VALUES.get(own), VALUES.get(name), world.ids.get(own), world.ids.get(name)):
        if known is not None:
            return [known]
    if name == "plan_hash":
        return ["0" * 64]  # planning looks at no hash
    return list(_from_schema(parameter["schema"]))


def _from_schema(schema: dict[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in schema or "allOf" in schema:
        for option in schema.get("anyOf") or schema["allOf"]:
            if option.get("type") != "null":
                yield from _from_schema(option)
    elif "enum" in schema or "const" in schema:
        yield from map(str, schema.get("enum") or [schema["const"]])
    elif schema.get("type") == "array":
        yield from _from_schema(schema["items"])
    elif schema.get("type") == "boolean":
        yield from ("true", "false")
    elif schema.get("type") == "integer":
        yield from {str(schema.get("minimum", 0)), str(schema.get("maximum", 10))}
    else:
        pytest.fail(f"no value is known for {schema}")


async def cursor(world: World, operation: Operation, path: str, needed: dict[str, str]) -> list[str]:
    """The cursor of the second page."""
    answer = ok(await world.api.client.get(path, params={**needed, "limit": "1"}))
    assert answer["next_cursor"], f"{operation.path} has one page only"
    return [answer["next_cursor"]]


@pytest.mark.parametrize("method", ["get", "post", "put"])
async def test_each_documented_parameter_is_taken(world: World, method: str) -> None:
    refused, sent = [], 0
    for operation in (item for item in OPERATIONS if item.method == method):
        names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
        path = operation.path.format(
            **{name: world.ids.get(f"{operation.path} {name}") or world.ids[name] for name in names}
        )
        needed = {
            item["name"]: values(world, operation, item)[0] for item in operation.parameters if item.get("required")
        }
        for parameter in operation.parameters:
            name = parameter["name"]
            given = (
                await cursor(world, operation, path, needed)
                if name == "cursor"
                else values(world, operation, parameter)
            )
            for value in given:
                query = {**needed, **(await beside(world, path, name, value)), name: value}
                sent_as = body_for(operation, query)
                if name == "excel":
                    sent_as = sent_as | {"headers": {"Accept": "text/csv"}}
                answer = await world.api.client.request(method, path, params=query, **sent_as)
                sent += 1
                unfit = answer.status_code == 422 and operation.path in FILES
                if answer.status_code not in (200, 201, 202, 303) and not unfit:
                    refused.append((operation.path, name, value, answer.status_code, answer.text[:300]))
    assert refused == [], json.dumps(refused, indent=1)
    assert sent > 10


async def beside(world: World, path: str, name: str, value: str) -> dict[str, str]:
    """What a parameter means nothing without."""
    if name == "waive":
        return {"waive_reason": "agreed"}
    if (name, value) == ("dry_run", "false"):
        return {"plan_hash": await plan_hash(world, path)}
    return {}


async def plan_hash(world: World, path: str) -> str:
    """The hash of a plan of the file that is sent."""
    return str(ok(await world.api.client.post(path, content=LEARNERS, headers=CSV))["plan_hash"])


def body_for(operation: Operation, query: dict[str, str]) -> dict[str, Any]:
    """What a POST with these parameters has for a body."""
    if operation.method == "get":
        return {}
    if operation.path.endswith("/sql"):
        return {"json": {"sql": "SELECT 1 AS one"}}
    if query.get("format") == "oneroster":
        return {"content": oneroster_zip(academicSessions=[SESSION]), "headers": {"Content-Type": "application/zip"}}
    if "rosters" in operation.path:
        header = b"student_number,first_name,last_name,email,course_code,section_code,status\n"
        return {"content": header, "headers": CSV}
    return {"content": LEARNERS, "headers": CSV}
