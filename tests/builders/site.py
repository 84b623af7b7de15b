"""The console as a browser sees it: both apps on one port, with people, a catalog and a dataset in it."""

from dataclasses import dataclass
from datetime import date, time
from typing import Any
from uuid import UUID

from sqlalchemy import text

from dataforge.bootstrap import modules
from dataforge.contexts.academics.meetings.commands import ChangeMeeting, SetHolidays, change_meeting, set_holidays
from dataforge.contexts.academics.meetings.domain import Holiday, Slot
from dataforge.contexts.academics.sections.domain import Meeting
from dataforge.contexts.lrs.forwarding.deliverer import Deliverer
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.notifications.module import NotificationsServices
from dataforge.contexts.notifications.suppressions.domain import Scope, email_hash
from dataforge.contexts.notifications.webhooks.deliverer import EventDeliverer
from dataforge.contexts.tutorials.drafts.domain import DroppedStep
from dataforge.contexts.tutorials.drafts.engines import engine_of
from dataforge.contexts.tutorials.module import TutorialsServices
from dataforge.contexts.tutorials.tutorials.repository import SqlTutorials
from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.events.worker import do_job
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.aws.sqs import Queue
from dataforge.platform.db.database import Database
from dataforge.settings import DraftSettings
from tests.builders.browser import add_person
from tests.builders.datasets import commit_rows, csv, import_file, new_dataset, ok
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest
from tests.builders.notifications import Classroom
from tests.builders.report_samples import ReportSamples
from tests.builders.roles import dispose_roles
from tests.builders.rosters import plan as plan_of
from tests.builders.rosters import simple_csv
from tests.builders.schemas import SchemasUnderTest, column, table
from tests.builders.server import ServedApp
from tests.builders.statements import statement
from tests.builders.time import NOW
from tests.builders.tutorials import SPOKEN, a_tutorial
from tests.builders.whole_api import WholeApi
from tests.builders.workspaces import Person, Space, join, new_workspace

COURSES = [
    ("SAFE-101", "Fire safety", "What to do when the alarm rings: exits, extinguishers and assembly points."),
    ("SAFE-201", "Evacuation lead", "Lead a floor out of the building, count heads and report to the brigade."),
    ("DATA-110", "Reading data", "Tables, versions and honest charts, for people who decide by numbers."),
    ("SEC-120", "Phishing and passwords", "How attackers write, and how to notice before you click."),
]
GRADES = csv(
    [
        ("student", "mark", "passed", "note"),
        *((f"N{n:04}", 40 + n % 61, n % 61 >= 10, f"Group {n % 7}") for n in range(240)),
    ]
)


NOTES = {
    "projects/acme/kick-off": "# Kick-off\n\nSee [[plan]], [[missing]] and <https://example.org/agenda>.\n\n"
    "## Agenda\n\n1. People\n2. *Dates*\n\n| who | what |\n|---|---|\n| Ada | `deploy --all` |\n\n"
    "```\n" + "a line of code that is longer than a phone is wide, and must not make the page wider " * 2 + "\n```\n",
    "projects/acme/plan": "# Plan\n\nAfter the [[kick-off]].\n",
    "projects/a-name-without-any-space-that-is-too-long-for-a-telephone-held-upright": "",
    "reading/books": "- Domain-driven design\n- Working effectively with legacy code\n",
    "archive/old plan": "Of last year.\n",
    "readme": "# Read me first\n\nHow this vault is kept.\n",
}
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
TRAINING = [
    table(
        "people",
        column("name", "VARCHAR(255)", nullable=False),
        column("email", "VARCHAR(255)"),
        comment="Everybody who learns or teaches",
    ),
    table("courses", column("title", "TEXT", nullable=False), column("hours", "NUMERIC(5,2)", default={"value": 1})),
    table("rooms", column("name", "TEXT"), column("seats")),
]
STEPS = [
    ("attempted", "Fire safety", {}),
    ("experienced", "Exits", {}),
    ("experienced", "Extinguishers", {"duration": "PT4M"}),
    ("answered", "Which extinguisher for oil?", {"success": False}),
    ("answered", "Which extinguisher for oil?", {"success": True, "score": {"scaled": 0.8}}),
    ("completed", "Fire safety", {"completion": True, "success": True, "score": {"scaled": 0.92}}),
    ("experienced", "A page with a long address", {}),
]


def said(number: int) -> dict[str, Any]:
    """A step of a course, as an LMS tells it."""
    verb, name, result = STEPS[number]
    slug = name.lower().replace(" ", "-") + ("-and-more" * 12 if number == 6 else "")
    return statement(
        actor={"name": "Lena", "mbox": "mailto:lena@example.org"},
        verb={"id": f"http://adlnet.gov/expapi/verbs/{verb}", "display": {"en": verb}},
        object={"id": f"https://lms.example.org/{slug}", "definition": {"name": {"en": name if number < 6 else slug}}},
        result=result or None,
        timestamp=f"2026-05-0{4 + number // 4}T10:{10 + number * 3}:00Z",
    )


@dataclass
class Places:
    """Addresses of what there is."""

    course: str = ""
    section: str = ""
    semester: str = ""
    roster: str = ""
    full_section: str = ""
    dataset: str = ""
    table: str = ""
    unsubscribe: str = ""
    key: str = ""
    person: str = ""
    statement: str = ""
    entry: str = ""
    subscription: str = ""
    webhook: str = ""
    webhook_delivery: str = ""
    cohort: str = ""
    empty_cohort: str = ""
    lesson: str = ""
    learner: str = ""
    own_progress: str = ""
    invitation: str = ""
    account: str = ""
    workspace: str = ""
    archived: str = ""
    vault: str = ""
    locked_vault: str = ""
    repo: str = ""
    note: str = ""
    locked_note: str = ""
    transcript: str = ""
    tutorial: str = ""
    draft_tutorial: str = ""
    shared_tutorial: str = ""
    schema: str = ""
    plan: str = ""
    stale_plan: str = ""
    deployment: str = ""
    failed_deployment: str = ""
    drifted: str = ""


class Site:
    """Serves until `close`; `run` executes a coroutine where the apps run."""

    def __init__(self, database_url: str, emulator: EmulatedAws) -> None:
        self.clock, self.emulator = FixedClock(NOW), emulator
        self.database = Database(database_url, pool_size=6)
        self.whole = WholeApi(self.database, self.clock, emulator)
        self.places = Places()
        self.people: dict[Role, str] = {}
        self.ids: dict[Role, UUID] = {}
        self.server = ServedApp(self.whole.gateway)

    @property
    def url(self) -> str:
        """Where the console is."""
        return self.server.url

    def start(self) -> None:
        """Serve, and put everything in."""
        self.server.__enter__()
        self.server.run(self._fill())

    def close(self) -> None:
        """Stop serving."""
        self.server.run(self._empty())
        self.server.__exit__()

    def run(self, coroutine: Any) -> Any:
        """The coroutine's result, computed where the apps run."""
        return self.server.run(coroutine)

    async def learner(self, username: str) -> UUID:
        """Somebody who can sign in and is a student."""
        user_id, _ = await add_person(self.whole.api, Role.LEARNER, username)
        await self.whole.campus.student(user_id=user_id, number=f"U-{username}", first_name=username.capitalize())
        return user_id

    async def section(self, **values: Any) -> str:
        """The address of a new section of a new course."""
        return f"/ui/sections/{await self.whole.campus.section(**values)}"

    async def _fill(self) -> None:
        await self.whole.start()
        campus = self.whole.campus
        for role in Role:
            if role is not Role.LEARNER:
                self.ids[role], self.people[role] = await add_person(self.whole.api, role, f"{role.value}_olga")
        lena = self.ids[Role.LEARNER] = await self.learner("lena")
        self.people[Role.LEARNER] = "lena"
        address = "grace.hopper@example.org"
        teacher = await self.whole.api.add_user(Role.INSTRUCTOR, display_name="Grace Hopper", email=address)
        # She studies, too; nobody has said yet that it is her.
        await campus.student(number="G-1906", first_name="Grace", last_name="Hopper", email=address)
        courses = [await campus.course(code, title=title, description=text) for code, title, text in COURSES]
        times = (Meeting(1, time(9), time(10, 30), "Room 12"), Meeting(3, time(9), time(10, 30), "Room 12"))
        section = await campus.section(course=courses[0], code="A", instructor_id=teacher, meetings=times, capacity=20)
        full = await campus.section(course=courses[1], code="A", instructor_id=teacher, capacity=3, waitlist_capacity=9)
        for student in await campus.many_students(8):
            await campus.enroll(student, section)
            await campus.enroll(student, full)
        self.places.course = f"/ui/courses/{courses[0]}"
        self.places.section, self.places.full_section = f"/ui/sections/{section}", f"/ui/sections/{full}"
        await self._fill_semester(courses[0], section)
        await self._fill_reminders()
        await self._fill_people()
        await self._fill_lessons()
        await self._fill_dataset()
        await self._fill_records()
        await self._fill_subscriptions()
        await self._fill_webhooks()
        await self._fill_reports(lena)
        await self._fill_workspaces()

    async def _fill_semester(self, course_id: UUID, section: UUID) -> None:
        campus = self.whole.campus
        semester = await campus.semester()
        holidays = [Holiday(date(2026, 10, 5), date(2026, 10, 9), "Autumn break")]
        await campus.run(set_holidays, SetHolidays(semester, "*", holidays))
        await campus.run(change_meeting, ChangeMeeting(section, date(2026, 9, 14), note="The hall is closed."))
        slot = Slot(date(2026, 9, 22), time(22), time(0, 30), "Observatory on the hill")
        await campus.run(change_meeting, ChangeMeeting(section, date(2026, 9, 21), moved_to=slot))
        [course] = await campus.rows("SELECT code FROM academics.courses WHERE id = :id", id=course_id)
        line = {"course_code": course["code"], "section_code": "A"}
        content = simple_csv(
            {"student_number": "G-1906", "last_name": "Murray-Hopper", **line},
            {"student_number": "G-1907", "first_name": "Ada", "last_name": "Lovelace", **line},
            {"student_number": "G-1908", **line},
        )
        roster = await plan_of(campus, content, mode="full")
        self.places.semester, self.places.roster = f"/ui/semesters/{semester}", f"/ui/rosters/{roster['id']}"

    async def _fill_reminders(self) -> None:
        classroom = Classroom(self.whole.api)
        learners = [await classroom.learner(display_name=name, reminder_time=time(0)) for name in ("Ada", "Grace")]
        await classroom.lesson(await classroom.cohort(*learners), NOW.date(), "Ladders and scaffolds")
        links = self.whole.api.platform.get(NotificationsServices).unsubscribe_links
        self.places.unsubscribe = links.link(email_hash("ada@example.org"), Scope.REMINDER).page

    async def _fill_people(self) -> None:
        api = self.whole.api
        name = {"display_name": "Katherine Johnson", "email": "katherine@example.org"}
        imported = await api.add_user(Role.LEARNER, email_vouched=True, **name)
        made = await self.whole.post("/api/invitations", 201, email="dorothy@example.org", role="analyst")
        token = api.identity.link_tokens.of_invitation(UUID(made["id"]), 1)
        self.places.account, self.places.invitation = f"/ui/admin/people/{imported}", f"/ui/invitation?token={token}"

    async def _fill_lessons(self) -> None:
        for number, title in enumerate(
            ("First aid in the workshop", "Lifting and carrying without hurting yourself"), 1
        ):
            content = {
                "lesson_url": f"https://e.org/unit/{number}",
                "content_url": f"https://content.example.org/{number}",
            }
            await self.whole.post("/api/lessons", 201, title=title, lesson_number=number, **content)

    async def _fill_dataset(self) -> None:
        client = self.whole.client
        dataset = await new_dataset(client, "Grades", description="Marks of the autumn exams", tags=["exams", "2026"])
        await import_file(self.whole.datasets, client, dataset, GRADES, name="grades.csv", key=["student"])
        change = [{"op": "update", "key": {"student": "N0001"}, "values": {"mark": 99, "note": None}}]
        ok(await commit_rows(client, dataset, change, message="A mark was corrected"), 201)
        self.places.dataset = f"/ui/datasets/{dataset}"
        self.places.table = f"/ui/datasets/{dataset}/table"

    async def _fill_records(self) -> None:
        """A course that somebody has gone through, what was refused, and what could not be loaded."""
        async with self.records() as store:
            self.places.key = f"/ui/admin/keys/{store.key}"
            ids = ok(await store.post([said(number) for number in range(7)]))
            voiding = {"verb": {"id": VOIDED}, "object": {"objectType": "StatementRef", "id": ids[1]}}
            ok(await store.post(statement(**voiding)))
            ok(await store.post([said(0), {**said(1), "actor": {"mbox": "lena@example.org"}, "verb": {}}]), 400)
            await Queue(store.queue_url).send("not one of ours")
            await store.deliver()
            entries = await store.rows("SELECT id FROM records.quarantine WHERE reason = 'refused'")
        self.places.statement, self.places.entry = (
            f"/ui/admin/statements/{ids[0]}",
            f"/ui/admin/quarantine/{entries[0].id}",
        )
        self.places.person = "/ui/admin/statements?person=lena@example.org"

    async def _fill_subscriptions(self) -> None:
        """A webhook that nobody answers at."""
        verb = "http://adlnet.gov/expapi/verbs/completed"
        webhook = {"kind": "webhook", "name": "Human resources", "url": "http://127.0.0.1:9/learning/statements"}
        made = await self.whole.post(
            "/api/xapi/subscriptions", 201, **webhook, filter={"verb": verb}, since="2020-01-01T00:00:00Z"
        )
        await self.deliver(made["id"])
        await self.whole.post(f"/api/xapi/subscriptions/{made['id']}/test", 202)
        await self.deliver(made["id"])
        self.places.subscription = f"/ui/admin/subscriptions/{made['id']}"

    async def _fill_webhooks(self) -> None:
        """A webhook that nobody answers at, with a test that did not arrive."""
        types = ["academics.enrollment_changed", "records.lesson_completed"]
        address = "http://127.0.0.1:9/learning/what-happens-at-the-university"
        made = await self.whole.post("/api/webhooks", 201, name="Human resources", url=address, event_types=types)
        sent = await self.whole.post(f"/api/webhooks/{made['id']}/test", 202)
        await self.deliver_events(made["id"])
        self.places.webhook = f"/ui/webhooks/{made['id']}"
        self.places.webhook_delivery = f"{self.places.webhook}/deliveries/{sent['delivery_id']}"

    async def _fill_reports(self, lena: UUID) -> None:
        """A cohort with 53 learners, of whom nine have learned, and one that is still empty."""
        samples = ReportSamples(self.whole.api)
        others = [await samples.learner(display_name=f"Newcomer {number}") for number in range(44)]
        cohort = await samples.fill(lena, others=others)
        empty = await samples.cohort(name="Day shift")
        self.places.cohort = f"/ui/reports/cohorts/{cohort.cohort_id}"
        self.places.empty_cohort = f"/ui/reports/cohorts/{empty}"
        self.places.lesson = f"/ui/reports/lessons/{cohort.lessons[0]}"
        self.places.learner = f"/ui/reports/learners/{cohort.learners[1]}"
        self.places.own_progress = f"/ui/reports/learners/{lena}"

    async def _fill_workspaces(self) -> None:
        """A workspace of the instructor, who has an admin, an editor and a viewer in it, and one that is archived."""
        space = Space(self.whole.api)
        roles = {"owner": Role.INSTRUCTOR, "admin": Role.ANALYST, "editor": Role.REGISTRAR, "viewer": Role.LEARNER}
        for name, role in roles.items():
            client = await self.whole.api.as_user(self.ids[role], role)
            space.people[name] = Person(self.ids[role], f"{self.people[role]}@example.org", client)
        text = "Everything that a new client needs to begin: notes, templates and the repos of the project."
        space.id = await new_workspace(space.people["owner"], "Acme onboarding", description=text)
        for name in ("admin", "editor", "viewer"):
            await join(space, space.people[name], name)
        await space.post("/invitations", email="grace@example.org", role="viewer")
        remote = "https://git.example.org/acme/a-site-with-a-long-name.git"
        repo = await space.post("/repos", name="site", remote_url=remote)
        vault, locked = await space.vault("Handbook"), await space.vault("Contracts")
        notes = {path: await space.post(f"{vault}/notes", path=path, body_md=body) for path, body in NOTES.items()}
        note = notes["projects/acme/kick-off"]
        change = {"body_md": NOTES["projects/acme/kick-off"] + "\nBring the contract along.\n"}
        ok(
            await space["editor"].patch(
                f"{space.path}{vault}/notes/{note['id']}", json=change, headers={"If-Match": "*"}
            )
        )
        ok(await space["owner"].delete(f"{space.path}{vault}/notes/{notes['archive/old plan']['id']}"), 204)
        contract = await space.post(f"{locked}/notes", path="acme", body_md="# Contract\n")
        await space.post(f"{locked}/lock", 200)
        owner, body = space.people["owner"], {"resource_type": "contact", "name": "Grace Hopper"}
        made = ok(await owner.client.post(f"/api/user-profiles/{owner.id}/resources", json=body), 201)
        ok(await owner.client.put(f"{space.path}/resources/{made['id']}", json={"access_level": "copy"}))
        old = await new_workspace(owner, "Last year")
        ok(await owner.client.post(f"/api/workspaces/{old}/archive"))
        self.places.workspace, self.places.archived = f"/ui/workspaces/{space.id}", f"/ui/workspaces/{old}"
        self.places.vault, self.places.locked_vault = self.places.workspace + vault, self.places.workspace + locked
        self.places.note = f"{self.places.vault}/notes/{note['id']}"
        self.places.locked_note = f"{self.places.locked_vault}/notes/{contract['id']}"
        self.places.repo = f"{self.places.workspace}/repos/{repo['id']}"
        instructor = await self.whole.api.as_user(self.ids[Role.INSTRUCTOR], Role.INSTRUCTOR)
        ok(await instructor.post("/api/cohorts", json={"name": "Support", "workspace_id": space.id}), 201)
        await self._fill_tutorials(space)
        await self._fill_schemas(space)
        await self._fill_drifted(owner)

    async def _fill_tutorials(self, space: Space) -> None:
        """A transcript in the workspace, a tutorial of it that is published and shared, and one that is a draft."""
        client, phrases = (
            space["editor"],
            [
                {"offset_milliseconds": n * 4000, "duration_in_ticks": 35_000_000, "display": line, "locale": "en-GB"}
                | {
                    "speaker": "Grace Hopper"
                    if n % 5
                    else "A colleague with quite a long name (Operations, night shift)"
                }
                for n, line in enumerate(SPOKEN * 8)
            ],
        )
        body = {"workspace_id": space.id, "title": "Resetting the router", "phrases": phrases}
        transcript = ok(await client.post("/api/transcripts", json=body), 201)
        published, draft = (
            a_tutorial(
                workspace_id=UUID(space.id),
                transcript_id=UUID(transcript["id"]),
                title=title,
                content_md="## If it stays red\n\n- Call us.\n\n| Light | Means |\n|---|---|\n| red | no line |\n",
                expert="Grace Hopper",
                dropped=(DroppedStep("Call the provider.", "no segment says so"),),
            )
            for title in ("How to reset the router", "How to reset the other router")
        )
        async with self.database.transaction() as connection:
            for tutorial in (published, draft):
                await SqlTutorials(connection, self.clock.now()).add(tutorial)
        ok(await client.post(f"/api/tutorials/{published.id}/publish"))
        link = ok(await client.post(f"/api/tutorials/{published.id}/links", json={}), 201)
        self.places.transcript = f"/ui/transcripts/{transcript['id']}"
        self.places.tutorial, self.places.draft_tutorial = (f"/ui/tutorials/{item.id}" for item in (published, draft))
        self.places.shared_tutorial = f"/ui/shared-tutorials/{link['token']}"

    async def _fill_schemas(self, space: Space) -> None:
        """A schema with two revisions, a deployment that failed, a plan that loses something, and one that is stale."""
        schemas = SchemasUnderTest(self.whole.api, space.people["owner"], self.database, UUID(space.id))
        place = f"/ui/schemas/{space.id}"
        await schemas.deploy(await schemas.preview(*TRAINING))
        people, *others = TRAINING
        more = [column(f"a_name_of_a_column_that_is_quite_long_{n}", "VARCHAR(40)") for n in range(3)]
        longer = {**people, "columns": [*people["columns"], *more]}
        stale = await schemas.preview(longer)
        done = await schemas.deploy(await schemas.preview(longer, *others))
        await schemas.sql("INSERT INTO people (name, email) VALUES ('Ada', 'ada'), ('Eda', 'ada'), ('Ida', NULL)")
        unique = {**longer, "indexes": [{"name": "people_email_key", "columns": ["email"], "unique": True}]}
        await schemas.sql("DELETE FROM people WHERE name = 'Eda'")
        hopeless = await schemas.preview(unique, *others, onlineChanges=False)
        await schemas.sql("INSERT INTO people (name, email) VALUES ('Eda', 'ada')")
        failed = await schemas.deploy(hopeless)
        plan = await schemas.preview({**longer, "columns": longer["columns"][:2]}, others[0])
        self.places.schema = place
        self.places.plan, self.places.stale_plan = (f"{place}/plans/{item['plan_id']}" for item in (plan, stale))
        self.places.deployment, self.places.failed_deployment = (
            f"{place}/deployments/{item['id']}" for item in (done, failed)
        )

    async def _fill_drifted(self, owner: Person) -> None:
        """A schema that somebody has changed by hand."""
        workspace_id = UUID(await new_workspace(owner, "Changed by hand"))
        schemas = SchemasUnderTest(self.whole.api, owner, self.database, workspace_id)
        await schemas.deploy(await schemas.preview(*TRAINING))
        losing = await schemas.preview(*TRAINING[:2])
        await schemas.deploy(losing, *(item["object"] for item in losing["changes"] if item["needs_confirmation"]))
        await schemas.sql("ALTER TABLE people ADD COLUMN shoe_size integer")
        self.places.drifted = f"/ui/schemas/{workspace_id}"

    async def deploy(self, workspace_id: str) -> None:
        """Carry out what waits, as `schema_deployer` does."""
        owner = Person(self.ids[Role.INSTRUCTOR], "", self.whole.client)
        deployer = SchemasUnderTest(self.whole.api, owner, self.database, UUID(workspace_id)).deployer
        query = text("SELECT id FROM schemas.deployments WHERE workspace_id = :id AND status = 'queued'")
        async with self.database.read_only() as connection:
            ids = list(await connection.scalars(query, {"id": workspace_id}))
        for deployment_id in ids:
            await deployer.run(deployment_id)

    async def mailed_invitation(self, email: str) -> str:
        """Where the link leads that was mailed last to an address, into a workspace."""
        query = text("SELECT id, sendings FROM workspaces.invitations WHERE email = :email ORDER BY id DESC LIMIT 1")
        async with self.database.read_only() as connection:
            row = (await connection.execute(query, {"email": email})).one()
        token = self.whole.api.platform.get(WorkspacesServices).invitation_token(row.id, row.sendings)
        return f"/ui/workspaces/accept?token={token}"

    async def work(self) -> None:
        """Do the jobs that wait, as `worker` does."""
        query = text("SELECT id FROM platform.jobs WHERE status = 'pending' ORDER BY id")
        async with self.database.read_only() as connection:
            ids = list(await connection.scalars(query))
        worker = self.whole.api.platform_of("worker")
        worker.get(TutorialsServices).engine = engine_of(DraftSettings())
        for job_id in ids:
            await do_job(job_id, modules(), worker)

    async def deliver_events(self, webhook_id: str) -> None:
        """What `worker` does for a webhook."""
        worker = self.whole.api.platform_of("worker").get(NotificationsServices)
        await EventDeliverer(worker).deliver(UUID(webhook_id))

    async def deliver(self, subscription_id: str) -> None:
        """What `worker` does for a subscription."""
        await Deliverer(self.whole.api.platform_of("worker").get(LrsServices)).deliver(UUID(subscription_id))

    def records(self) -> StoreUnderTest:
        """The record store behind the console."""
        return StoreUnderTest(
            self.emulator, self.database, queue_url=self.whole.statements_queue, bucket=self.whole.bucket
        )

    async def _empty(self) -> None:
        await self.whole.close()
        await dispose_roles(self.database)
        await self.database.dispose()
