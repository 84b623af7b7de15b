"""Nothing crosses: every route of every app that takes an id of what belongs to a workspace, asked by who owns another.

The answer is that there is no such thing, and the same as for an id that was never given. A new parameter has to be
listed here: as something of a workspace, with one of it in `Tenant.make`, or as something that belongs to none.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import text
from starlette.types import ASGIApp

from dataforge.bootstrap import rest_app
from dataforge.http.openapi import requirement_of
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.browser import ask_page, csrf_for, keep, outcome, visitor
from tests.builders.datasets import ok
from tests.builders.emulator import EmulatedAws
from tests.builders.schemas import SchemasUnderTest, table
from tests.builders.whole_api import WholeApi
from tests.builders.workspaces import Space, open_space

OF_A_WORKSPACE = frozenset(
    {"workspace_id", "dataset_id", "cohort_id", "lesson_id", "launch_id", "key_id", "deployment_id", "repo_id"}
    | {"vault_id", "note_id", "transcript_id", "tutorial_id", "publication_id"}
    # Of these there are others that belong to none.
    | {
        "/api/datasets/jobs/{job_id} job_id",
        "/api/jobs job_id",
        "/api/tutorials job_id",
        "/api/schema plan_id",
        "/ui/schemas plan_id",
        "webhook_id",
        "/api/workspaces invitation_id",
    }
)
# What is found by way of what stands before it in the address.
PARTS = frozenset(
    {"ref", "version", "commit_id", "expectation_id", "number", "upload_id", "revision", "kind", "subject_id"}
    | {"name", "link_id", "resource_id", "step_id", "segment", "job_id", "run_id", "item_id", "plan_hash", "query_id"}
)
OF_NONE = frozenset(
    {"code", "collection", "course_id", "delivery_id", "department_id", "enrollment_id", "entry_id", "function"}
    | {"change_id", "feed_id"}
    | {"path"}  # of a list that a page asks for as its reader: whose that is, the list's own address says
    | {"hold_id", "identifier_id", "identity_id", "override_id", "provider_id", "run_key", "section_id", "sourced_id"}
    | {"semester_id", "session_id", "student_id", "subscription_id", "token_id", "user_id", "invitation_id", "plan_id"}
    | {"queue", "message_id", "event_id"}
    | {"digest", "statement_id", "token", "page", "recovery_id"}
)
PHRASES = {
    "timestamp": "2026-06-01T09:00:00Z",
    "duration_in_ticks": 10_000_000,
    "phrases": [{"offset_milliseconds": 0, "duration_in_ticks": 10_000_000, "display": "Hello", "speaker": "A"}],
}
# Bodies that would be taken, but for what is another workspace's in them; `…` is where that stands.
BODIES: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("POST", "/api/cohorts"): [{"name": "x", "workspace_id": "…"}],
    ("POST", "/api/datasets"): [{"name": "x", "workspace_id": "…"}],
    ("PATCH", "/api/datasets/{dataset_id}"): [{"workspace_id": "…"}],
    ("POST", "/api/lessons"): [
        {"lesson_url": "https://e.org/x", "title": "x", "workspace_id": "…"},
        {"lesson_url": "https://e.org/x", "title": "x", "cohort_id": "…"},
    ],
    ("PATCH", "/api/lessons/{lesson_id}"): [{"cohort_id": "…"}],
    ("POST", "/api/schema/convert"): [{"sql": "CREATE TABLE x (y int)", "workspace_id": "…"}],
    ("POST", "/api/schema/preview"): [{"target": {"tables": [table("x")]}, "workspace_id": "…"}],
    ("POST", "/api/schema/validate"): [{"target": {"tables": [table("x")]}, "workspace_id": "…"}],
    ("POST", "/api/schema/drift/adopt"): [{"workspace_id": "…"}],
    ("POST", "/api/schema/drift/restore"): [{"workspace_id": "…"}],
    ("POST", "/api/schema/promotions"): [{"from_workspace_id": "own", "revision": 1, "workspace_id": "…"}],
    ("POST", "/api/schema/deploy"): [
        {"plan_id": str(uuid4()), "plan_hash": "0" * 64, "workspace_id": "…"},
        {"plan_id": "…", "plan_hash": "0" * 64, "workspace_id": "own"},
    ],
    ("POST", "/api/webhooks"): [{"name": "x", "url": "https://hooks.example.org/", "workspace_id": "…"}],
    ("POST", "/api/xapi-credentials"): [{"name": "x", "workspace_id": "…"}],
    ("POST", "/api/transcripts/uploads"): [{"workspace_id": "…", "size_bytes": 1, "sha256": "0" * 64}],
    ("POST", "/api/transcripts"): [
        {"workspace_id": "…", **PHRASES},
        {"workspace_id": "own", "lesson_id": "…", **PHRASES},
    ],
    ("PATCH", "/api/transcripts/{transcript_id}"): [{"lesson_id": "…"}],
    ("POST", "/api/tutorials/generate"): [{"transcript_id": "…"}],
    ("POST", "/api/tutorials/{tutorial_id}/lesson"): [{"cohort_id": "…"}],
}
REFRESH = "a-refresh-token"
ANY = {"If-Match": "*"}


class Tenant:
    """One workspace with one of everything, and the ids by the names that parameters have."""

    def __init__(self, world: WholeApi, space: Space, owner: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
        self.world, self.space, self.owner, self.admin = world, space, owner, admin
        self.ids: dict[str, str] = {"workspace_id": space.id}

    async def make(self, tag: str, owner_id: UUID) -> None:
        """One of everything that can belong to a workspace."""
        inside, ids = {"workspace_id": self.space.id}, self.ids
        ids["dataset_id"] = await self.post("/api/datasets", name=f"Rosters {tag}", **inside)
        ids["cohort_id"] = await self.post("/api/cohorts", name=f"Blue {tag}", **inside)
        lesson = {"lesson_url": f"https://e.org/{tag}", "title": f"Fire {tag}", "content_url": "https://e.org/unit"}
        ids["lesson_id"] = await self.post("/api/lessons", **lesson, cohort_id=ids["cohort_id"])
        credential = ok(await self.admin.post("/api/xapi-credentials", json={"name": f"LMS {tag}", **inside}), 201)
        ids["key_id"] = credential["key"]
        ids["webhook_id"] = await self.post(
            "/api/webhooks", name=f"Hook {tag}", url="https://hooks.example.org/", **inside
        )
        repo = await self.space.post("/repos", name=f"site {tag}")
        vault = await self.space.vault(f"Handbook {tag}")
        note = await self.space.post(f"{vault}/notes", path=f"note {tag}", body_md="secret")
        invited = await self.space.post("/invitations", email=f"new{tag}@example.org")
        ids |= {"repo_id": repo["id"], "vault_id": vault.rpartition("/")[2], "note_id": note["id"]}
        ids["/api/workspaces invitation_id"] = invited["id"]
        schemas = SchemasUnderTest(self.world.api, self.space.people["owner"], self.world.database, UUID(self.space.id))
        plan = await schemas.preview(table(f"people_{tag}"))
        ids |= dict.fromkeys(("/api/schema plan_id", "/ui/schemas plan_id"), plan["plan_id"])
        ids |= {"deployment_id": (await schemas.deploy(plan))["id"]}
        rows = {
            name: str(uuid4())
            for name in (
                "launch_id",
                "transcript_id",
                "tutorial_id",
                "publication_id",
                "dataset_job",
                "job",
                "draft_job",
            )
        }
        ids |= {name: rows[name] for name in ("launch_id", "transcript_id", "tutorial_id", "publication_id")}
        ids |= {"/api/datasets/jobs/{job_id} job_id": rows["dataset_job"], "/api/jobs job_id": rows["job"]}
        ids |= {"/api/tutorials job_id": rows["draft_job"]}
        async with self.world.database.transaction() as connection:
            for statement in ROWS.split(";\n"):
                values = {**rows, **{key: ids[key] for key in ("workspace_id", "dataset_id", "lesson_id")}}
                await connection.execute(text(statement), {**values, "owner": owner_id, "tag": tag})

    async def post(self, path: str, **body: Any) -> str:
        return str(ok(await self.owner.post(path, json=body), 201)["id"])

    def id_of(self, path: str, name: str) -> str | None:
        """The id for a parameter that is something of a workspace; None for others."""
        for key in self.ids:
            prefix, _, named = key.rpartition(" ")
            if named == name and path.startswith(prefix):
                return self.ids[key]
        return None


ROWS = """
INSERT INTO records.launches (id, lesson_id, user_id, registration, launch_mode, token_hash, created_at, expires_at)
VALUES (:launch_id, :lesson_id, :owner, gen_random_uuid(), 'Normal', :tag, now(), now());
INSERT INTO datasets.jobs (id, dataset_id, run_type, status, run_parameters, user_id, created_at)
VALUES (:dataset_job, :dataset_id, 'export', 'pending', '{}', :owner, now());
INSERT INTO datasets.publications (id, dataset_id, ref_name, follows, sheet, table_name, created_by, created_at)
VALUES (:publication_id, :dataset_id, 'main', true, 'data', :tag, :owner, now());
INSERT INTO platform.jobs (id, kind, status, run_parameters, user_id, created_at)
VALUES (:job, 'personal_export', 'pending', '{}', :owner, now());
INSERT INTO platform.jobs (id, kind, status, run_parameters, user_id, created_at)
VALUES (:draft_job, 'tutorial_draft', 'pending', jsonb_build_object('transcript_id', CAST(:transcript_id AS text),
    'workspace_id', CAST(:workspace_id AS text)), :owner, now());
INSERT INTO tutorials.transcripts (id, workspace_id, owner_id, title, format, duration_ms, sha256, object_key,
    byte_count, segment_count, state, created_at, updated_at)
VALUES (:transcript_id, :workspace_id, :owner, :tag, 'vtt', 1, :tag, :tag, 1, 0, 'ready', now(), now());
INSERT INTO tutorials.tutorials (id, transcript_id, workspace_id, user_id, title, state, engine, engine_version,
    created_at, updated_at)
VALUES (:tutorial_id, :transcript_id, :workspace_id, :owner, :tag, 'published', 'extractive', '1', now(), now())
"""


class Walk:
    """The routes of all apps, and somebody who owns a workspace and asks for what is in another one."""

    def __init__(self, world: WholeApi, theirs: Tenant, own: Tenant) -> None:
        self.world, self.theirs, self.own = world, theirs, own
        sql_app, sql_asgi = rest_app("datasets_sql", world.datasets.platform_of("datasets-sql"))
        self.apps = [(world.api.app, world.api.asgi), (world.datasets.app, world.datasets.asgi), (sql_app, sql_asgi)]

    def routes(self) -> Iterator[tuple[ASGIApp, str, APIRoute]]:
        for app, asgi in self.apps:
            app.contexts.load_all()
            for route in app.contexts.routes():
                # The gateway sends nothing else to the function that serves SQL.
                if asgi is self.apps[-1][1] and not route.path_format.endswith("/sql"):
                    continue
                for method in sorted(route.methods or ()):
                    yield asgi, method, route

    async def sign_in(self, user_id: UUID, role: Role) -> None:
        """A client and a browser of the person."""
        token = await self.world.api.token(user_id, role)
        self.clients, self.browsers = {}, {}
        for _, asgi in self.apps:
            self.clients[asgi] = await self.world.api.client(token, asgi)
            self.browsers[asgi] = await visitor(self.world.api, asgi)
            keep(self.browsers[asgi], f"{REFRESH}.{token}")

    async def ask(
        self, asgi: ASGIApp, method: str, path: str, *hidden: str, body: Any = None, **query: str
    ) -> tuple[int, str]:
        """Status and text of an answer, without the ids that were asked for."""
        if path.startswith("/ui"):
            return outcome(await ask_page(self.browsers[asgi], method, path, csrf_for(self.world.api, REFRESH)))
        given = {} if body is None else body
        answer = await self.clients[asgi].request(method, path, json=given, headers=ANY, params=query)
        shown = answer.text
        if "problem" in answer.headers.get("content-type", ""):
            problem = {key: value for key, value in answer.json().items() if key not in ("request_id", "instance")}
            shown = json.dumps(problem)
        for value in hidden:
            shown = shown.replace(value, "…")
        return answer.status_code, shown


@pytest.fixture
async def walk(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[Walk]:
    world = WholeApi(database, clock, emulator)
    await world.start()
    space = await open_space(world.api)
    tenants = []
    for name in ("owner", "stranger"):
        who = space.people[name]
        async with database.transaction() as connection:
            statement = text("UPDATE identity.users SET role = 'registrar' WHERE id = :id")
            await connection.execute(statement, {"id": who.id})
        token = await world.api.token(who.id, Role.REGISTRAR)
        who.client = await world.api.client(token, world.gateway)
        own = space if name == "owner" else await _own(world, space)
        tenant = Tenant(world, own, who.client, world.client)
        await tenant.make(name, who.id)
        tenants.append(tenant)
    yield Walk(world, *tenants)
    await world.close()


async def _own(world: WholeApi, space: Space) -> Space:
    stranger = space.people["stranger"]
    listed = ok(await stranger.client.get(f"/api/user-profiles/{stranger.id}/workspaces"))["items"]
    return Space(world.api, listed[0]["id"], {"owner": stranger})


async def walker(walk: Walk, role: Role) -> None:
    """Sign the owner of the other workspace in, in this role of the organisation."""
    stranger = walk.own.space.people["owner"]
    async with walk.world.database.transaction() as connection:
        statement = text("UPDATE identity.users SET role = :role WHERE id = :id")
        await connection.execute(statement, {"id": stranger.id, "role": role.value})
    await walk.sign_in(stranger.id, role)


async def test_every_parameter_is_known_to_be_of_a_workspace_or_of_none(walk: Walk) -> None:
    known = PARTS | OF_NONE | {name.rpartition(" ")[2] for name in OF_A_WORKSPACE}

    named = {name for _, _, route in walk.routes() for name in route.param_convertors}

    assert named - known == set(), "say above whose it is, and if it is a workspace's make one in Tenant.make"
    assert walk.theirs.ids.keys() == OF_A_WORKSPACE


@pytest.mark.parametrize("role", [Role.REGISTRAR, Role.LEARNER])
async def test_what_is_in_another_workspace_is_not_there(walk: Walk, role: Role) -> None:
    await walker(walk, role)
    walked, differs, found = 0, {}, {}
    for asgi, method, route in walk.routes():
        path = route.path_format
        ids = {name: walk.theirs.id_of(path, name) for name in route.param_convertors}
        # Below a workspace nothing is looked at before it; that has a walk of its own (workspaces/test_tenancy.py).
        needed = requirement_of(route)
        if needed is None or not any(ids.values()) or path.startswith("/api/workspaces/{workspace_id}"):
            continue
        walked += 1
        others = {name: _other(value) for name, value in ids.items()}
        given = {name: value or _part(name) for name, value in ids.items()}
        unknown = {**given, **{name: value for name, value in others.items() if value}}
        query = {"workspace_id": walk.own.space.id} if "workspace_id" in _query_names(route.dependant) else {}
        answer = await walk.ask(asgi, method, path.format(**given), *filter(None, ids.values()), **query)
        same = await walk.ask(asgi, method, path.format(**unknown), *filter(None, others.values()), **query)
        if answer != same:
            differs[method, path] = (answer, same)
        refused = 403 if needed.roles and role not in needed.roles else 404
        if answer[0] != refused and role is Role.REGISTRAR:
            found[method, path] = answer

    assert walked > 100
    assert "\n".join(map(str, differs.items())) == ""
    assert "\n".join(map(str, found.items())) == ""


@pytest.mark.parametrize("role", [Role.REGISTRAR, Role.LEARNER])
async def test_a_query_for_it_is_answered_as_if_it_were_not_there(walk: Walk, role: Role) -> None:
    await walker(walk, role)
    walked, differs = 0, {}
    for asgi, method, route in walk.routes():
        names = set(_query_names(route.dependant))
        for name in sorted(names):
            value = walk.theirs.id_of(route.path_format, name)
            if value is None or requirement_of(route) is None or route.path_format.startswith("/ui"):
                continue
            own = {part: walk.own.id_of(route.path_format, part) or _part(part) for part in route.param_convertors}
            path, other, walked = route.path_format.format(**own), _other(value) or "", walked + 1
            answer = await walk.ask(asgi, method, path, value, **{name: value})
            same = await walk.ask(asgi, method, path, other, **{name: other})
            if answer != same:
                differs[method, route.path_format, name] = (answer, same)

    assert walked > 10
    assert differs == {}


async def test_a_body_that_names_it_is_answered_as_if_it_were_not_there(walk: Walk) -> None:
    await walker(walk, Role.REGISTRAR)
    differs, naming = {}, set()
    for asgi, method, route in walk.routes():
        key, fields = (method, route.path_format), set(_body_fields(route))
        if not any(walk.theirs.id_of(route.path_format, name) for name in fields):
            continue
        if requirement_of(route) is None:
            continue
        naming.add(key)
        own = {part: walk.own.id_of(route.path_format, part) or _part(part) for part in route.param_convertors}
        for body in BODIES.get(key, ()):
            [name] = [name for name, value in body.items() if value == "…"]
            value = walk.theirs.id_of(route.path_format, name) or ""
            answers = []
            for item in (value, _other(value) or ""):
                filled = {
                    key: {"own": walk.own.space.id, "…": item}.get(str(given), given) for key, given in body.items()
                }
                answers.append(await walk.ask(asgi, method, route.path_format.format(**own), item, body=filled))
            # A reference that is refused names what there is not; any other 400 would be of the body.
            unknown = answers[0][0] in (403, 404) or (answers[0][0] == 400 and "unknown_reference" in answers[0][1])
            if answers[0] != answers[1] or not unknown:
                differs[key, name] = answers

    assert naming == BODIES.keys(), "say in BODIES what would be taken but for the id"
    assert "\n".join(map(str, differs.items())) == ""


@pytest.mark.parametrize("role", [Role.REGISTRAR, Role.LEARNER])
async def test_no_list_shows_it(walk: Walk, role: Role) -> None:
    await walker(walk, role)
    walked, shown = 0, {}
    ids = set(walk.theirs.ids.values())
    for asgi, method, route in walk.routes():
        if method != "GET" or route.param_convertors:
            continue
        clients = walk.browsers if route.path_format.startswith("/ui") else walk.clients
        answer = await clients[asgi].get(route.path_format, params={"limit": "100"})
        walked += answer.status_code == 200
        leaked = {value for value in ids if value in answer.text}
        if leaked:
            shown[route.path_format] = leaked

    assert walked > 10
    assert shown == {}


def _other(value: str | None) -> str | None:
    """An id of the same form that was never given."""
    if value is None:
        return None
    return str(uuid4()) if value.count("-") == 4 else f"{value[:-4]}0000"


def _part(name: str) -> str:
    """Something of the right form for what stands beside an id."""
    samples = {"ref": "main", "version": "main", "number": "1", "revision": "1", "kind": "user", "commit_id": "0" * 64}
    return samples.get(name, str(uuid4()))


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _query_names(inner)


def _body_fields(route: APIRoute) -> Iterator[str]:
    for field in route.dependant.body_params:
        yield from getattr(field.field_info.annotation, "model_fields", {})
