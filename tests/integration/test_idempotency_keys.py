"""Every request that advertises Idempotency-Key, with a good request of its own: the key is honoured."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from dataforge.contexts.academics.sections.domain import Meeting
from dataforge.contexts.tutorials.tutorials.domain.tutorial import Tutorial, TutorialState
from dataforge.contexts.tutorials.tutorials.repository import SqlTutorials
from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.zips.commands import KeepImportPlan, PlanImport, keep_import_plan
from dataforge.contexts.workspaces.zips.domain import ImportMode, ImportPlan
from dataforge.contexts.workspaces.zips.queries import digest_of
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Principal, Role
from dataforge.platform.db.database import Database
from dataforge.platform.db.unit_of_work import run
from infra.openapi.generate import HERE
from tests.builders.datasets import head, ok, open_upload, send_parts
from tests.builders.emulator import EmulatedAws
from tests.builders.events import give_up
from tests.builders.schemas import SchemasUnderTest, table
from tests.builders.tutorials import NOW, a_tutorial, store_transcript
from tests.builders.whole_api import TABLE, WholeApi
from tests.builders.workspaces import Person, Space, join, new_workspace, person

DATASET = "/api/datasets/{dataset_id}"
VERB = "https://example.org/verb"
STUDENT = "/api/students/{student_id}"


@dataclass
class Sample:
    """A request that succeeds once: what stands in the path, the body, headers."""

    path: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def advertised() -> list[str]:
    """The paths of the committed document with a method that takes the key."""
    return list(methods_with_key())


def methods_with_key() -> dict[str, str]:
    """The method that takes the key, by path."""
    paths = json.loads((HERE / "openapi.json").read_text())["paths"]
    return {
        path: method
        for path, methods in paths.items()
        for method, operation in methods.items()
        if any(item.get("name") == "Idempotency-Key" for item in operation.get("parameters", []))
    }


Prepare = Callable[[WholeApi], Awaitable[Sample]]
SAMPLES: dict[str, Prepare] = {}


def sample(*paths: str) -> Callable[[Prepare], Prepare]:
    def register(prepare: Prepare) -> Prepare:
        SAMPLES.update(dict.fromkeys(paths, prepare))
        return prepare

    return register


@sample("/api/cohorts", "/api/datasets")
async def named(_: WholeApi) -> Sample:
    return Sample(body={"name": "Blue"})


@sample("/api/reminders")
async def reminders(api: WholeApi) -> Sample:
    preview = (await api.client.get("/api/debug/reminder-preview")).json()
    return Sample(body={"at": preview["at"], "plan_hash": preview["plan_hash"]})


@sample("/api/cohorts/import")
async def learner_list(_: WholeApi) -> Sample:
    content = b"First Name,Last Name,Email,Group,Team\nAda,L,ada@example.org,Blue,East\n"
    return Sample(body=content, headers={"Content-Type": "text/csv"}, query={"dry_run": "true"})


@sample("/api/passwords/of/{user_id}/reset", "/api/email-addresses/confirmations")
async def somebody(api: WholeApi) -> Sample:
    return Sample({"user_id": await api.api.add_user(Role.LEARNER)})


@sample("/api/sign-in-providers")
async def sign_in_provider(_: WholeApi) -> Sample:
    body = {"name": "Campus", "issuer": "https://login.example.org", "client_id": "us", "client_secret": "s3cret"}
    return Sample(body=body)


@sample("/api/attributions/apply")
async def attribution(api: WholeApi) -> Sample:
    me = ok(await api.client.get("/api/users/me"))
    await api.post("/api/students", 201, number="S1", first_name="A", last_name="B", email=me["email"])
    return Sample(body={"plan_hash": (await api.post("/api/attributions/preview", 200))["plan_hash"]})


@sample("/api/invitations")
async def invited_address(_: WholeApi) -> Sample:
    return Sample(body={"email": "zoe@example.org", "role": "analyst"})


@sample("/api/claims")
async def unclaimed(api: WholeApi) -> Sample:
    return Sample(body={"user_ids": [str(await api.api.add_user(Role.LEARNER))]})


@sample("/api/invitations/{invitation_id}/resend")
async def invited_before(api: WholeApi) -> Sample:
    made = await api.post("/api/invitations", 201, email="zoe@example.org")
    api.api.platform.clock.advance(timedelta(minutes=2))
    return Sample({"invitation_id": made["id"]})


@sample("/api/invitations/accept")
async def invitation_of_mine(api: WholeApi) -> Sample:
    me = ok(await api.client.get("/api/users/me"))
    made = await api.post("/api/invitations", 201, email=me["email"])
    return Sample(body={"token": api.api.identity.link_tokens.of_invitation(UUID(made["id"]), 1)})


@sample("/api/lessons")
async def lesson(_: WholeApi) -> Sample:
    return Sample(body={"lesson_url": "https://lms.example/fire", "title": "Fire"})


@sample("/api/lessons/{lesson_id}/launches")
async def launch(api: WholeApi) -> Sample:
    content = {"lesson_url": "https://lms.example/unit", "title": "Unit", "content_url": "https://content.example/unit"}
    return Sample({"lesson_id": (await api.post("/api/lessons", 201, **content))["id"]}, {})


@sample("/api/launches/{launch_id}/end")
async def end_of_launch(api: WholeApi) -> Sample:
    content = {"lesson_url": "https://lms.example/end", "title": "Unit", "content_url": "https://content.example/unit"}
    lesson = await api.post("/api/lessons", 201, **content)
    return Sample({"launch_id": (await api.post(f"/api/lessons/{lesson['id']}/launches", 201))["id"]})


@sample("/api/departments")
async def department(_: WholeApi) -> Sample:
    return Sample(body={"code": "ART", "name": "Art"})


@sample("/api/courses")
async def course(api: WholeApi) -> Sample:
    return Sample(body={"code": "ART1", "title": "Art", "department_id": str(await api.campus.department())})


@sample("/api/semesters")
async def semester(_: WholeApi) -> Sample:
    days = dict.fromkeys(("ends_on", "add_by", "drop_by", "withdraw_by"), "2027-01-31")
    return Sample(body={"code": "W26", "starts_on": "2026-09-01", "max_credits": 30, **days})


@sample("/api/semesters/{semester_id}/copies")
async def semester_copy(api: WholeApi) -> Sample:
    semester_id = await api.campus.semester()
    await api.campus.section(semester_id=semester_id)
    body = {"code": "NEXT", "starts_on": "2027-03-01"}
    plan = ok(await api.client.post(f"/api/semesters/{semester_id}/copies/preview", json=body))
    return Sample({"semester_id": semester_id}, {"plan_hash": plan["plan_hash"]})


@sample("/api/sections")
async def section(api: WholeApi) -> Sample:
    course_id, semester_id = await api.campus.course(), await api.campus.semester()
    return Sample(body={"course_id": str(course_id), "semester_id": str(semester_id), "code": "A"})


@sample("/api/sections/{section_id}/meeting-changes")
async def meeting_change(api: WholeApi) -> Sample:
    section_id = await api.campus.section(meetings=(Meeting(1, time(9), time(10)),))
    return Sample({"section_id": section_id}, {"on": "2026-09-14"})


@sample("/api/students")
async def student(_: WholeApi) -> Sample:
    return Sample(body={"first_name": "Ada", "last_name": "L", "number": "A1"})


@sample(STUDENT + "/completions")
async def completion(api: WholeApi) -> Sample:
    body = {"course_id": str(await api.campus.course()), "completed_on": "2026-06-01", "reference": "transfer"}
    return Sample({"student_id": await api.campus.student()}, body)


@sample(STUDENT + "/holds")
async def hold(api: WholeApi) -> Sample:
    return Sample({"student_id": await api.campus.student()}, {"code": "fees", "reason": "unpaid"})


@sample(STUDENT + "/holds/{hold_id}/release")
async def release(api: WholeApi) -> Sample:
    student_id = await api.campus.student()
    return Sample({"student_id": student_id, "hold_id": (await api.campus.hold(student_id))["id"]})


@sample(STUDENT + "/overrides")
async def override(api: WholeApi) -> Sample:
    body = {"section_id": str(await api.campus.section()), "rules": ["credit_limit"], "reason": "agreed"}
    return Sample({"student_id": await api.campus.student()}, body)


@sample(STUDENT + "/overrides/{override_id}/revoke")
async def revoke(api: WholeApi) -> Sample:
    student_id = await api.campus.student()
    granted = await api.campus.override(student_id, await api.campus.section(), "credit_limit")
    return Sample({"student_id": student_id, "override_id": granted["id"]})


@sample("/api/enrollments")
async def enrollment(api: WholeApi) -> Sample:
    student_id, section_id = await api.campus.student(), await api.campus.section()
    return Sample(body={"student_id": str(student_id), "section_id": str(section_id)})


@sample(*(f"/api/enrollments/{{enrollment_id}}/{verb}" for verb in ("complete", "drop", "withdraw")))
async def enrolled(api: WholeApi) -> Sample:
    made = await api.campus.enroll(await api.campus.student(), await api.campus.section())
    return Sample({"enrollment_id": made.enrollment.id}, {"reason": "asked for"})


@sample("/api/rosters/plans")
async def plan_of_upload(api: WholeApi) -> Sample:
    semester_id, data = await api.roster()
    return Sample(body={"semester_id": str(semester_id), "upload_key": await api.uploaded_roster(data)})


@sample("/api/rosters/{semester_id}/plans")
async def plan_of_body(api: WholeApi) -> Sample:
    semester_id, data = await api.roster()
    return Sample({"semester_id": semester_id}, data, {"Content-Type": "text/csv"})


@sample("/api/rosters/plans/{plan_id}/apply")
async def planned(api: WholeApi) -> Sample:
    semester_id, data = await api.roster()
    path, headers = f"/api/rosters/{semester_id}/plans", {"Content-Type": "text/csv"}
    plan = ok(await api.client.post(path, content=data, headers=headers), 201)
    return Sample({"plan_id": plan["id"]}, {"plan_hash": plan["plan_hash"], "confirm_drops": plan["drops"]})


@sample(*(f"{DATASET}/{kind}/{{version}}/exports" for kind in ("refs", "commits")))
async def export(api: WholeApi) -> Sample:
    dataset_id = await api.dataset()
    return Sample({"dataset_id": dataset_id, "version": await head(api.client, dataset_id)}, {"format": "csv"})


@sample(*(f"{DATASET}/{kind}/{{version}}/publications" for kind in ("refs", "commits")))
async def publication(api: WholeApi) -> Sample:
    dataset_id = await api.dataset()
    return Sample({"dataset_id": dataset_id, "version": await head(api.client, dataset_id)}, {"sheet": "data"})


@sample(DATASET + "/refs/{ref}/imports")
async def snapshot(api: WholeApi) -> Sample:
    source = {"iceberg": {"table": "result"}}
    return Sample({"dataset_id": await api.dataset(), "ref": "main"}, {"source": source, "sheet": "data"})


@sample(DATASET + "/expectations")
async def expectation(api: WholeApi) -> Sample:
    return Sample({"dataset_id": await api.dataset()}, {"name": "named", "rule": "not_null", "columns": ["name"]})


@sample("/api/jobs/{job_id}/cancel")
async def shared_job(api: WholeApi) -> Sample:
    return Sample({"job_id": await api.shared_job()})


@sample("/api/jobs/{job_id}/retry")
async def cancelled_shared_job(api: WholeApi) -> Sample:
    waiting = await shared_job(api)
    ok(await api.client.post(f"/api/jobs/{waiting.path['job_id']}/cancel"))
    return waiting


@sample("/api/queues/{queue}/redrive")
async def dead_letters(_api: WholeApi) -> Sample:
    return Sample({"queue": "statements"}, {"most": 10})


@sample("/api/outbox/{event_id}/retry")
async def dead_event(api: WholeApi) -> Sample:
    return Sample({"event_id": str(await give_up(api.database))})


@sample("/api/agent-identifiers")
async def linked_identifier(api: WholeApi) -> Sample:
    learner = await api.api.add_user(Role.LEARNER)
    return Sample(body={"user_id": str(learner), "agent": {"openid": f"https://e.org/{api.number()}"}})


@sample("/api/xapi/purges")
async def applied_purge(api: WholeApi) -> Sample:
    return Sample(body={"plan_hash": (await api.post("/api/xapi/purges/preview", 200, verb=VERB))["plan_hash"]})


@sample("/api/xapi/imports")
async def statement_import(api: WholeApi) -> Sample:
    announced = await api.post("/api/xapi/imports/uploads", 201, size_bytes=3, sha256="0" * 64)
    return Sample(body={"upload_key": announced["upload_key"]})


@sample("/api/xapi/imports/stores")
async def other_store(_api: WholeApi) -> Sample:
    return Sample(body={"endpoint": "https://lrs.example.org/xapi", "username": "key", "password": "secret"})


@sample("/api/xapi/exports")
async def statement_export(_api: WholeApi) -> Sample:
    return Sample(body={"format": "csv"})


@sample("/api/xapi/erasures")
async def applied_erasure(api: WholeApi) -> Sample:
    person = {"agents": [{"mbox": "mailto:somebody@example.org"}]}
    return Sample(body={"plan_hash": (await api.post("/api/xapi/erasures/preview", 200, **person))["plan_hash"]})


@sample("/api/personal-exports")
async def personal_export(_api: WholeApi) -> Sample:
    return Sample(body={})


@sample("/api/erasures")
async def applied_account_erasure(api: WholeApi) -> Sample:
    person = str(await api.api.add_user(Role.LEARNER))
    return Sample(body={"plan_hash": (await api.post("/api/erasures/preview", 200, user_id=person))["plan_hash"]})


@sample(DATASET + "/jobs/{job_id}/cancel")
async def waiting_job(api: WholeApi) -> Sample:
    dataset_id = await api.dataset()
    return Sample({"dataset_id": dataset_id, "job_id": await api.job(dataset_id)})


@sample(DATASET + "/jobs/{job_id}/retry")
async def cancelled_job(api: WholeApi) -> Sample:
    waiting = await waiting_job(api)
    ok(await api.client.post(DATASET.format(**waiting.path) + f"/jobs/{waiting.path['job_id']}/cancel"))
    return Sample(waiting.path, {"onto_current": False})


@sample(DATASET + "/refs")
async def ref(api: WholeApi) -> Sample:
    return Sample({"dataset_id": await api.dataset()}, {"name": "next"})


@sample(DATASET + "/refs/{ref}/cherry-pick", DATASET + "/refs/{ref}/merge")
async def other_branch(api: WholeApi) -> Sample:
    dataset_id = await api.dataset()
    source = await api.branch(dataset_id)
    await api.commit(dataset_id)
    picked = await head(api.client, dataset_id, source)
    return Sample({"dataset_id": dataset_id, "ref": "main"}, {"commit_id": picked, "source": source})


@sample(DATASET + "/refs/{ref}/revert")
async def revert(api: WholeApi) -> Sample:
    dataset_id = await api.dataset()
    return Sample({"dataset_id": dataset_id, "ref": "main"}, {"commit_id": await api.commit(dataset_id)})


@sample(DATASET + "/refs/{ref}/commits")
async def commit(api: WholeApi) -> Sample:
    dataset_id = await api.dataset()
    operations = [{"op": "insert", "values": {"id": 3, "name": "Linus"}}]
    headers = {"If-Match": f'"{await head(api.client, dataset_id)}"'}
    return Sample({"dataset_id": dataset_id, "ref": "main"}, {"message": "one more", "operations": operations}, headers)


@sample(DATASET + "/refs/{ref}/file", DATASET + "/refs/{ref}/file/plan")
async def small_file(api: WholeApi) -> Sample:
    return Sample({"dataset_id": await api.dataset(), "ref": "main"}, b"id,name\n9,Ada\n")


@sample(DATASET + "/refs/{ref}/uploads")
async def upload(api: WholeApi) -> Sample:
    return Sample({"dataset_id": await api.dataset(), "ref": "main"}, {"file_name": "a.csv", "size_bytes": 10})


@sample(DATASET + "/import-plans/{plan_hash}/apply")
async def tried_import(api: WholeApi) -> Sample:
    dataset_id = await api.dataset()
    plan = ok(await api.client.post(f"/api/datasets/{dataset_id}/refs/main/file/plan", content=b"id\n9\n"), 201)
    return Sample({"dataset_id": dataset_id, "plan_hash": plan["plan_hash"]})


@sample(DATASET + "/uploads/{upload_id}/complete", DATASET + "/uploads/{upload_id}/plan")
async def whole_upload(api: WholeApi) -> Sample:
    dataset_id = await api.dataset()
    opened = await open_upload(api.client, dataset_id, TABLE)
    await send_parts(api.client, opened, TABLE)
    return Sample({"dataset_id": dataset_id, "upload_id": opened["id"]})


@sample(DATASET + "/restore")
async def deleted_dataset(api: WholeApi) -> Sample:
    dataset_id = await api.dataset()
    ok(await api.client.delete(DATASET.format(dataset_id=dataset_id), headers={"If-Match": "*"}), 204)
    return Sample({"dataset_id": dataset_id})


@sample(DATASET + "/reviews")
async def proposal(api: WholeApi) -> Sample:
    dataset_id = await api.dataset()
    return Sample({"dataset_id": dataset_id}, {"title": "Two more", "source_ref": await api.branch(dataset_id)})


@sample(*(f"{DATASET}/reviews/{{number}}/{verb}" for verb in ("checks", "close", "comments", "merge")))
async def review(api: WholeApi) -> Sample:
    dataset_id = await api.dataset()
    return Sample({"dataset_id": dataset_id, "number": await api.review(dataset_id)}, {"body": "Why?"})


SPACE = "/api/workspaces/{workspace_id}"


async def space(api: WholeApi) -> dict[str, Any]:
    made = await api.post(f"/api/user-profiles/{api.user_id}/workspaces", 201, name=f"Space {api.number()}")
    return {"workspace_id": made["id"]}


@sample("/api/user-profiles")
async def profile(_: WholeApi) -> Sample:
    return Sample(body={"about": "I run things."})


@sample("/api/user-profiles/{user_id}/workspaces")
async def own_workspace(api: WholeApi) -> Sample:
    return Sample({"user_id": api.user_id}, {"name": "Acme"})


@sample("/api/user-profiles/{user_id}/resources")
async def resource(api: WholeApi) -> Sample:
    return Sample({"user_id": api.user_id}, {"resource_type": "snippet", "name": "Greeting"})


@sample(*(f"{SPACE}/{verb}" for verb in ("archive", "export", "unarchive")))
async def workspace(api: WholeApi) -> Sample:
    return Sample(await space(api))


@sample(SPACE + "/transfer")
async def transfer(api: WholeApi) -> Sample:
    return Sample(await space(api), {"user_id": str(api.user_id)})


@sample(SPACE + "/repos", SPACE + "/vaults")
async def in_workspace(api: WholeApi) -> Sample:
    return Sample(await space(api), {"name": "site"})


@sample(SPACE + "/repos/{repo_id}/refresh")
async def repo(api: WholeApi) -> Sample:
    path = await space(api)
    remote = "https://git.example.org/acme/site.git"
    made = await api.post(f"{SPACE.format(**path)}/repos", 201, name="site", remote_url=remote)
    return Sample({**path, "repo_id": made["id"]})


@sample(*(f"{SPACE}/vaults/{{vault_id}}/{verb}" for verb in ("lock", "unlock")))
async def vault(api: WholeApi) -> Sample:
    path = await space(api)
    made = await api.post(f"{SPACE.format(**path)}/vaults", 201, name="Handbook")
    return Sample({**path, "vault_id": made["id"]})


@sample("/api/transcripts")
async def transcript(api: WholeApi) -> Sample:
    phrase = {"offset_milliseconds": 0, "duration_in_ticks": 10_000_000, "display": "Open the lid."}
    return Sample(body={**await space(api), "phrases": [phrase]})


NOTES = SPACE + "/vaults/{vault_id}/notes"


async def note_path(api: WholeApi) -> dict[str, Any]:
    path = (await vault(api)).path
    made = await api.post(NOTES.format(**path), 201, path="old/note", body_md="one")
    return {**path, "note_id": made["id"], "revision": 1}


@sample(NOTES)
async def new_note(api: WholeApi) -> Sample:
    return Sample((await vault(api)).path, {"path": "note"})


@sample(SPACE + "/vaults/{vault_id}/move-folder")
async def folder(api: WholeApi) -> Sample:
    return Sample(await note_path(api), {"folder": "old", "target": "new"})


@sample(NOTES + "/{note_id}/restore")
async def trashed_note(api: WholeApi) -> Sample:
    path = await note_path(api)
    ok(await api.client.delete(f"{NOTES.format(**path)}/{path['note_id']}"), 204)
    return Sample(path, {"path": "new/note"})


@sample(NOTES + "/{note_id}/revisions/{revision}/restore")
async def older_text(api: WholeApi) -> Sample:
    path = await note_path(api)
    note = f"{NOTES.format(**path)}/{path['note_id']}"
    ok(await api.client.patch(note, json={"body_md": "two"}, headers={"If-Match": "*"}))
    return Sample(path, headers={"If-Match": "*"})


@sample(SPACE + "/vaults/{vault_id}/exports")
async def exported_vault(api: WholeApi) -> Sample:
    return Sample((await vault(api)).path, {"folder": ""})


@sample(SPACE + "/vaults/{vault_id}/imports/preview")
async def uploaded_zip(api: WholeApi) -> Sample:
    path = (await vault(api)).path
    key = f"uploads/vaults/{path['vault_id']}/{api.user_id}/{path['vault_id']}"
    return Sample(path, {"upload_key": key})


@sample(SPACE + "/vaults/{vault_id}/imports")
async def import_plan(api: WholeApi) -> Sample:
    path = (await vault(api)).path
    asked = PlanImport(UUID(path["workspace_id"]), UUID(path["vault_id"]), "uploads/x", ImportMode.MERGE, "")
    kept = KeepImportPlan(asked, "0" * 64, digest_of({}), ImportPlan((), 0))
    who = Principal(api.user_id, Role.ADMIN)
    uow = WorkspacesUnitOfWork(api.database, principal=who, clock=api.api.platform.clock)
    return Sample(path, {"plan_hash": (await run(uow, keep_import_plan, kept)).plan_hash})


async def tutorial(api: WholeApi, **changes: Any) -> tuple[Tutorial, UUID]:
    """A draft in a new workspace, and its transcript."""
    workspace_id = UUID((await space(api))["workspace_id"])
    async with api.database.transaction() as connection:
        transcript_id = await store_transcript(connection, workspace_id)
        made = a_tutorial(workspace_id=workspace_id, transcript_id=transcript_id, **changes)
        await SqlTutorials(connection, NOW).add(made)
    return made, transcript_id


@sample("/api/tutorials/generate")
async def transcript_to_draft(api: WholeApi) -> Sample:
    return Sample(body={"transcript_id": str((await tutorial(api))[1])})


@sample("/api/tutorials/{tutorial_id}/publish")
async def draft(api: WholeApi) -> Sample:
    return Sample({"tutorial_id": (await tutorial(api))[0].id})


@sample(*(f"/api/tutorials/{{tutorial_id}}/{verb}" for verb in ("archive", "reopen", "lesson")))
async def published_tutorial(api: WholeApi) -> Sample:
    made, _ = await tutorial(api, state=TutorialState.PUBLISHED, published_at=NOW)
    return Sample({"tutorial_id": made.id}, {})


@sample(SPACE + "/invitations")
async def invitation(api: WholeApi) -> Sample:
    return Sample(await space(api), {"email": "zoe@example.org"})


@sample(SPACE + "/invitations/{invitation_id}/resend")
async def invited(api: WholeApi) -> Sample:
    path = await space(api)
    made = await api.post(f"{SPACE.format(**path)}/invitations", 201, email="zoe@example.org")
    api.api.platform.clock.advance(timedelta(minutes=2))
    return Sample({**path, "invitation_id": made["id"]})


@sample("/api/workspace-invitations/accept")
async def mailed_invitation(api: WholeApi) -> Sample:
    owner = await person(api.api, "owner")
    workspace_id = await new_workspace(owner)
    me = ok(await api.client.get("/api/users/me"))
    made = await owner.client.post(f"/api/workspaces/{workspace_id}/invitations", json={"email": me["email"]})
    token = api.api.platform.get(WorkspacesServices).invitation_token(UUID(ok(made, 201)["id"]), 1)
    return Sample(body={"token": token})


@sample(SPACE + "/resources/{resource_id}/copy")
async def shared_resource(api: WholeApi) -> Sample:
    owner = await person(api.api, "owner")
    kept = Space(api.api, await new_workspace(owner), {"owner": owner})
    await join(kept, Person(api.user_id, ok(await api.client.get("/api/users/me"))["email"], api.client), "viewer")
    body = {"resource_type": "snippet", "name": "Greeting"}
    made = ok(await owner.client.post(f"/api/user-profiles/{owner.id}/resources", json=body), 201)
    ok(await owner.client.put(f"{kept.path}/resources/{made['id']}", json={"access_level": "copy"}))
    return Sample({"workspace_id": kept.id, "resource_id": made["id"]})


async def schemas(api: WholeApi) -> SchemasUnderTest:
    workspace_id = UUID((await space(api))["workspace_id"])
    return SchemasUnderTest(api.api, Person(api.user_id, "", api.client), api.database, workspace_id)


@sample("/api/schema/preview")
async def target(api: WholeApi) -> Sample:
    return Sample(body={"workspace_id": (await space(api))["workspace_id"], "target": {"tables": [table("people")]}})


@sample("/api/schema/deploy")
async def plan(api: WholeApi) -> Sample:
    made = await (await schemas(api)).preview(table("people"))
    return Sample(body={name: made[name] for name in ("workspace_id", "plan_id", "plan_hash")})


@sample("/api/schema/deployments/{deployment_id}/cancel")
async def deployment(api: WholeApi) -> Sample:
    space = await schemas(api)
    return Sample({"deployment_id": ok(await space.ask_deploy(await space.preview(table("people"))), 202)["id"]})


@sample("/api/schema/deployments/{deployment_id}/resume")
async def cancelled(api: WholeApi) -> Sample:
    asked = await deployment(api)
    ok(await api.client.post(f"/api/schema/deployments/{asked.path['deployment_id']}/cancel"), 202)
    return asked


@sample("/api/schema/revisions/{number}/rollback")
async def revision(api: WholeApi) -> Sample:
    space = await schemas(api)
    await space.deploy(await space.preview(table("people")))
    return Sample({"number": 1}, query={"workspace_id": str(space.workspace_id)})


@sample("/api/schema/promotions")
async def promoted(api: WholeApi) -> Sample:
    source = await schemas(api)
    await source.deploy(await source.preview(table("people")))
    destination = await new_workspace(source.owner, "Destination")
    body = {"from_workspace_id": str(source.workspace_id), "revision": 1, "workspace_id": destination}
    return Sample(body=body)


@sample("/api/schema/drift/adopt", "/api/schema/drift/restore")
async def drifted(api: WholeApi) -> Sample:
    space = await schemas(api)
    await space.deploy(await space.preview(table("people")))
    await space.sql("ALTER TABLE people ADD COLUMN strange int")
    return Sample(body={"workspace_id": str(space.workspace_id)})


# Members that belong to one of the routes that share a sample.
MEMBERS = {"cherry-pick": ["commit_id"], "merge": ["source"], "close": [], "checks": [], "comments": ["body"]}


@pytest.fixture
async def api(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[WholeApi]:
    """Everything, and an administrator."""
    api = WholeApi(database, clock, emulator)
    await api.start()
    yield api
    await api.close()


def sent_to(path: str, prepared: Sample) -> bytes:
    last = path.rsplit("/", 1)[-1]
    if not isinstance(prepared.body, dict) or last not in MEMBERS:
        return b"" if prepared.body is None else prepared.content
    return json.dumps({key: value for key, value in prepared.body.items() if key in MEMBERS[last]}).encode()


def test_every_advertised_route_has_a_sample() -> None:
    assert set(SAMPLES) == set(advertised())


@pytest.mark.parametrize("path", advertised())
async def test_the_key_is_honoured(path: str, api: WholeApi) -> None:
    prepared = await SAMPLES[path](api)
    content, key = sent_to(path, prepared), f"key of {path}"
    headers = {"Content-Type": "application/json", **prepared.headers, "Idempotency-Key": key}
    address = path.format(**prepared.path)

    async def send(body: bytes) -> httpx.Response:
        method = methods_with_key()[path].upper()
        return await api.client.request(method, address, content=body, headers=headers, params=prepared.query)

    async with api.database.transaction() as other:
        # As a first request with this key does while it is at work.
        name = f"{api.user_id}\x1f{key}"
        await other.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 20))"), {"name": name})
        meanwhile = await send(content)
    first = await send(content)
    again = await send(content)
    different = await send(content + b" ")

    assert (meanwhile.status_code, meanwhile.json()["code"]) == (409, "idempotency_in_progress")
    assert first.status_code in (200, 201, 202), first.text
    assert "idempotency-replayed" not in first.headers
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert {name: again.headers.get(name) for name in ("etag", "location", "content-type")} == {
        name: first.headers.get(name) for name in ("etag", "location", "content-type")
    }
    assert (different.status_code, different.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(("level", "status"), [("none", 404), ("read", 403), ("admin", 201)])
async def test_an_answer_is_repeated_only_to_those_who_may_still_do_it(api: WholeApi, level: str, status: int) -> None:
    dataset_id, person = await api.dataset(), await api.api.add_user(Role.VIEWER)
    grant = f"/api/datasets/{dataset_id}/permissions/user/{person}"
    ok(await api.client.put(grant, json={"level": "write"}))
    member = await api.api.client(await api.api.token(person, Role.VIEWER), api.gateway)
    sent = {"json": {"name": "next"}, "headers": {"Idempotency-Key": "k"}}
    first = await member.post(f"/api/datasets/{dataset_id}/refs", **sent)

    if level == "none":
        ok(await api.client.delete(grant), 204)
    else:
        ok(await api.client.put(grant, json={"level": level}))
    again = await member.post(f"/api/datasets/{dataset_id}/refs", **sent)

    assert (first.status_code, again.status_code) == (201, status)
    assert ("idempotency-replayed" in again.headers) == (status == 201)


async def test_a_preview_keeps_its_answer_too(api: WholeApi) -> None:
    prepared = await other_branch(api)
    address = f"/api/datasets/{prepared.path['dataset_id']}/refs/main/merge"
    body, headers = {"source": prepared.body["source"], "preview": True}, {"Idempotency-Key": "k"}

    first = await api.client.post(address, json=body, headers=headers)
    await api.commit(prepared.path["dataset_id"])
    again = await api.client.post(address, json=body, headers=headers)
    real = await api.client.post(address, json={**body, "preview": False}, headers=headers)

    assert (first.status_code, again.content) == (200, first.content)
    assert real.json()["code"] == "idempotency_key_reused"


async def test_a_command_and_its_answer_are_kept_together_or_not_at_all(api: WholeApi) -> None:
    async with api.database.transaction() as connection:
        await connection.execute(
            text("ALTER TABLE platform.idempotency_keys ADD CONSTRAINT no CHECK (key <> 'doomed')")
        )

    failed = await api.client.post("/api/cohorts", json={"name": "Blue"}, headers={"Idempotency-Key": "doomed"})

    assert failed.status_code == 500
    assert ok(await api.client.get("/api/cohorts"))["items"] == []
