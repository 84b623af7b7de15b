"""Worlds of statements, lessons and people: made by the real commands and the real loader, and as a plain model."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import orjson
from pydantic import SecretStr
from sqlalchemy import text

from dataforge.bootstrap import build_platform
from dataforge.contexts.identity.contract import CredentialUses
from dataforge.contexts.learning.lessons.commands import (
    ChangeLesson,
    CreateLesson,
    DeleteLesson,
    ReplaceAliases,
    change_lesson,
    create_lesson,
    delete_lesson,
    replace_aliases,
)
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.lrs.identifiers.commands import (
    LinkIdentifier,
    UnlinkIdentifier,
    link_identifier,
    unlink_identifier,
)
from dataforge.contexts.lrs.identifiers.consumers import follow_links
from dataforge.contexts.lrs.imports.commands import LoadImported, load_imported
from dataforge.contexts.lrs.imports.domain import ImportedStatement, Line
from dataforge.contexts.lrs.load.consumers import StatementLoader
from dataforge.contexts.lrs.matching.commands import MatchBackfill, match_lessons, match_people
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.rebuild.consumers import rebuild
from dataforge.contexts.lrs.statements.domain import (
    VOIDED,
    StatementsBody,
    XapiVersion,
    parse_timestamp,
    prepare_batch,
)
from dataforge.contexts.lrs.statements.domain.messages import QueuedStatement, message_json
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.ids import uuid7
from dataforge.platform.aws.sqs import QueueRecord
from dataforge.platform.db.database import Database
from dataforge.platform.db.unit_of_work import run
from dataforge.settings import WorkerSettings
from tests.builders.roles import dispose_roles, in_role
from tests.builders.statements import AUTHORITY

Result = TypeVar("Result")
Pair = tuple[UUID, UUID]

START = datetime(2026, 1, 1, tzinfo=UTC)
_OTHER = "https://other.example"
_COMPLETED, _EXPERIENCED = ("http://adlnet.gov/expapi/verbs/" + verb for verb in ("completed", "experienced"))
_ANSWERED = "http://adlnet.gov/expapi/verbs/answered"
_QUESTION = "http://adlnet.gov/expapi/activities/cmi.interaction"
# Rows are few: deleting them is quicker than truncating the tables.
_CLEAN = (
    *("records.statements_raw", "records.statements_flat", "records.statement_voids", "records.statement_claims"),
    *("records.intake", "records.former_matches", "records.lesson_progress", "records.lessons", "records.task_status"),
    *("lrs.statement_bodies", "lrs.statement_keys", "lrs.statement_references", "lrs.agent_identifiers"),
    *("lrs.pending_statements", "lrs.activities", "identity.users", "platform.outbox", "platform.audit_log"),
)
# The world has a clock of its own, so that an hour of it takes no time: revisions are what it says.
_OWN_REVISIONS = (
    "CREATE OR REPLACE FUNCTION records.take_revision() RETURNS timestamptz LANGUAGE sql VOLATILE SECURITY DEFINER "
    "AS $$ SELECT at FROM records.world_clock $$"
)
_CLOCK = (
    "CREATE TABLE records.world_clock (at timestamptz NOT NULL)",
    "INSERT INTO records.world_clock VALUES ('2026-01-01Z')",
    _OWN_REVISIONS,
)
_PROGRESS = (
    "user_id, lesson_id, started_at, last_at, statements, completed_at, completed_by, score_scaled, "
    "completion_changed_at"
)


def address(lesson: int) -> str:
    """The normal form of the address of a lesson."""
    return f"https://lms.example.org/lesson/{lesson}"


def spelt(lesson: int, spelling: int) -> str:
    """One of the ways in which senders write it."""
    forms = (address(lesson), f"{address(lesson)}/", f"HTTPS://LMS.example.org:443/x/../lesson/%3{lesson}")
    return forms[spelling % len(forms)]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A statement as it is drawn: who (0–1 with an e-mail address, 2–3 with another identifier), of which lesson, which
    kind, in which minute; what it voids is a number of a statement.
    """

    who: int
    lesson: int
    kind: str
    minute: int
    spelling: int
    target: int


def statement_id(number: int) -> UUID:
    """Of the statement with this number; ids are in another order than numbers."""
    return UUID(f"{(number * 7919 + 13) % 65536:08x}-0000-4000-8000-{number:012x}")


def _agent(who: int) -> dict[str, Any]:
    if who < 2:
        return {"mbox": f"mailto:person{who}@example.org"}
    return {"account": {"homePage": _OTHER, "name": str(who)}}


def sent(number: int, drawn: Drawn) -> dict[str, Any]:
    """The statement as its sender writes it."""
    made: dict[str, Any] = {
        "id": str(statement_id(number)),
        "actor": _agent(drawn.who),
        "verb": {"id": {"completes": _COMPLETED, "answers": _ANSWERED, "voids": VOIDED}.get(drawn.kind, _EXPERIENCED)},
        "object": {"id": spelt(drawn.lesson, drawn.spelling)},
        "timestamp": f"2025-12-01T10:{drawn.minute:02}:00Z",
    }
    if drawn.kind == "completes":
        made["result"] = {"score": {"scaled": drawn.minute / 10}}
    if drawn.kind == "answers":
        made["object"] = {"id": f"https://lms.example.org/q/{drawn.target}", "definition": {"type": _QUESTION}}
        made["context"] = {"contextActivities": {"parent": [{"id": spelt(drawn.lesson, drawn.spelling)}]}}
        made["result"] = {"response": str(drawn.minute), "success": drawn.minute > 4}
    if drawn.kind == "voids":
        made["object"] = {"objectType": "StatementRef", "id": str(statement_id(drawn.target))}
    return made


@dataclass(frozen=True, slots=True)
class Fact:
    """What the model knows of a statement that is in the store."""

    id: UUID
    drawn: Drawn
    known_from: datetime

    @property
    def completes(self) -> bool:
        """Whether it completes its lesson."""
        return self.drawn.kind == "completes"

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""
        return datetime(2025, 12, 1, 10, self.drawn.minute, tzinfo=UTC)

    @property
    def score(self) -> Decimal | None:
        """What was reached."""
        return Decimal(str(self.drawn.minute / 10)) if self.completes else None

    @property
    def address(self) -> str | None:
        """Which lesson it is about."""
        return None if self.drawn.kind == "voids" else address(self.drawn.lesson)


@dataclass
class Match:
    """Whom and which lesson a statement counted for, from when on."""

    known_from: datetime
    user: UUID | None
    lesson: UUID | None


@dataclass
class Model:
    """The same world in plain Python: everything is worked out from a list of what happened."""

    accounts: dict[int, UUID] = field(default_factory=dict)
    links: dict[int, tuple[UUID, bool]] = field(default_factory=dict)
    addresses: dict[str, UUID] = field(default_factory=dict)
    facts: dict[UUID, Fact] = field(default_factory=dict)
    matches: dict[UUID, list[Match]] = field(default_factory=dict)
    voided: dict[UUID, datetime] = field(default_factory=dict)

    def load(self, facts: Sequence[Fact]) -> None:
        """Statements are in the store; those that are there already change nothing."""
        for fact in facts:
            if fact.id in self.facts:
                continue
            self.facts[fact.id] = fact
            lesson = self.addresses.get(fact.address) if fact.address else None
            self.matches[fact.id] = [Match(fact.known_from, self._person(fact.drawn.who), lesson)]
            if fact.drawn.kind == "voids":
                target = statement_id(fact.drawn.target)
                self.voided[target] = min(fact.known_from, self.voided.get(target, fact.known_from))

    def match_lessons(self, at: datetime) -> None:
        """Statements without a lesson get the one that their address means now."""
        for fact, last in self._newest():
            if last.lesson is None and fact.address in self.addresses:
                self._match(fact, at, last.user, self.addresses[fact.address])

    def match_people(self, at: datetime) -> None:
        """Statements without a person get the account with their address."""
        for fact, last in self._newest():
            if last.user is None and fact.drawn.who in self.accounts:
                self._match(fact, at, self.accounts[fact.drawn.who], last.lesson)

    def release(self, at: datetime, lesson: UUID, addresses: set[str]) -> None:
        """Statements with these addresses lose the lesson."""
        for fact, last in self._newest():
            if last.lesson == lesson and fact.address in addresses:
                self._match(fact, at, last.user, None)

    def follow(self, at: datetime) -> None:
        """Statements follow what was linked and unlinked."""
        for fact, last in self._newest():
            user, linked = self.links.get(fact.drawn.who, (None, False))
            if linked and last.user != user:
                self._match(fact, at, user, last.lesson)
            elif not linked and user is not None and last.user == user:
                self._match(fact, at, None, last.lesson)

    def progress(self, as_of: datetime) -> dict[Pair, tuple[Any, ...]]:
        """What `progress_as_of` answers, and of completions that are gone, too (no statements)."""
        pairs = {(m.user, m.lesson) for listed in self.matches.values() for m in listed if m.user and m.lesson}
        return {pair: self._progress(pair, as_of) for pair in pairs}  # type: ignore[misc,arg-type]  # neither is None

    def answers(self, as_of: datetime) -> set[tuple[UUID, UUID, UUID]]:
        """Statements that are answers, with their person and lesson."""
        return {
            (fact.id, user, lesson)
            for fact, user, lesson, known_from, until in self._intervals()
            if fact.drawn.kind == "answers" and known_from <= as_of and (until is None or until > as_of)
        }

    def _progress(self, pair: Pair, as_of: datetime) -> tuple[Any, ...]:
        of_pair = [(fact, start, end) for fact, user, lesson, start, end in self._intervals() if (user, lesson) == pair]

        def live(at: datetime) -> list[Fact]:
            return [fact for fact, start, end in of_pair if start <= at and (end is None or end > at)]

        def first(at: datetime) -> Fact | None:
            return min((fact for fact in live(at) if fact.completes), key=lambda f: (f.occurred_at, f.id), default=None)

        changed, before = None, None
        for instant in sorted({time for _, start, end in of_pair for time in (start, end) if time and time <= as_of}):
            if (now := first(instant)) != before:
                changed, before = instant, now
        times = [fact.occurred_at for fact in live(as_of)]
        done = first(as_of)
        return (
            min(times, default=None),
            max(times, default=None),
            len(times),
            done and done.occurred_at,
            done and done.id,
            done and done.score,
            changed,
        )

    def _person(self, who: int) -> UUID | None:
        user, linked = self.links.get(who, (None, False))
        return user if linked else self.accounts.get(who)

    def _newest(self) -> Iterator[tuple[Fact, Match]]:
        return ((self.facts[found], listed[-1]) for found, listed in self.matches.items())

    def _match(self, fact: Fact, at: datetime, user: UUID | None, lesson: UUID | None) -> None:
        self.matches[fact.id].append(Match(max(at, self.matches[fact.id][-1].known_from), user, lesson))

    def _intervals(self) -> Iterator[tuple[Fact, UUID, UUID, datetime, datetime | None]]:
        for found, listed in self.matches.items():
            fact = self.facts[found]
            voided = None if fact.drawn.kind == "voids" else self.voided.get(found)
            for match, following in zip(listed, [*listed[1:], None], strict=True):
                ends = [end for end in (following and following.known_from, voided) if end is not None]
                end = min(ends, default=None)
                if match.user and match.lesson and (end is None or end > match.known_from):
                    yield fact, match.user, match.lesson, match.known_from, end


class World:
    """A database with a loader, commands and jobs, each with the rights of its function."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self.database = Database(url, pool_size=4)
        self.do(self._begin())

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run it to the end."""
        return self._runner.run(work)

    def close(self) -> None:
        """Close the database."""
        self.do(self._end())
        self._runner.close()

    async def _begin(self) -> None:
        for statement in _CLOCK:
            await self._change(statement)
        values: dict[str, Any] = {"data_bucket": "unused", "statements_queue_url": "unused"}
        platform = build_platform(WorkerSettings(database_url=SecretStr("unused: the database is given"), **values))
        platform.database = in_role(self.database, "maintenance")
        self.services = platform.get(LrsServices)
        self._directory = platform.get(LessonDirectory)
        self.loader = StatementLoader(
            in_role(self.database, "xapi-etl"),
            platform.objects,
            platform.clock,
            flatten=True,
            home_pages=self.services.home_pages,
            lessons=self._directory,
            uses=platform.get(CredentialUses),
        )

    async def _end(self) -> None:
        await dispose_roles(self.database)
        await self.database.dispose()

    async def _change(self, statement: str, **values: Any) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(text(statement), values)

    async def rows(self, query: str, **values: Any) -> Sequence[Any]:
        """Rows of a query, as `api` sees them."""
        async with in_role(self.database, "api").read_only() as connection:
            return (await connection.execute(text(query), values)).all()

    async def clean(self) -> None:
        """An empty world at its beginning."""
        for table in _CLEAN:
            await self._change(f"DELETE FROM {table}")
        await self.set_clock(START)

    async def set_clock(self, at: datetime) -> None:
        """It is this time now."""
        self.now = at
        await self._change("UPDATE records.world_clock SET at = :at", at=at)

    async def add_person(self, who: int) -> UUID:
        """An account; its earlier statements come with the backfill."""
        user_id = uuid7()
        await self._change(
            "INSERT INTO identity.users (id, username, email, email_vouched, avatar, display_name, role, created_at, "
            "updated_at) VALUES (:id, :name, :email, true, :name, 'Somebody', 'learner', now(), now())",
            id=user_id,
            name=f"u{user_id.hex[-12:]}",
            email=f"person{who}@example.org",
        )
        return user_id

    async def accept(self, statements: Sequence[tuple[int, Drawn]]) -> tuple[QueueRecord, list[Fact]]:
        """Register a request as the endpoint does; its message waits."""
        request_id, queued = uuid7(), self._prepared(statements, self.now)
        await self._change(
            "INSERT INTO records.intake (request_id, stored_at) VALUES (:id, :at)", id=request_id, at=self.now
        )
        items = [{"sha": item.sha.hex(), "statement": item.payload} for item in queued]
        body = message_json(
            request_id=request_id,
            authority="key",
            stored_at=self.now,
            registered=True,
            statements=orjson.dumps(items),
        )
        facts = [
            Fact(item.id, drawn, parse_timestamp(str(item.payload["stored"])) or self.now)
            for item, (_, drawn) in zip(queued, statements, strict=True)
        ]
        return QueueRecord(str(request_id), body.decode()), facts

    def _prepared(self, statements: Sequence[tuple[int, Drawn]], at: datetime) -> list[QueuedStatement]:
        body = StatementsBody([sent(*item) for item in statements], is_array=True)
        batch = prepare_batch(body, authority=AUTHORITY, version=XapiVersion.V1_0, now=at)
        return [QueuedStatement(item.id, bytes.fromhex(item.content_sha256), item.payload) for item in batch.statements]

    async def load(self, records: Sequence[QueueRecord]) -> None:
        """Load the messages in one batch."""
        assert await self.loader.load(records) == []

    async def bring_in(self, statements: Sequence[tuple[int, Drawn]]) -> list[Fact]:
        """Import statements that another store had stored a month ago."""
        before = START - timedelta(days=30)
        queued = self._prepared(statements, before)
        imported = [ImportedStatement(Line(number, b""), item, before) for number, item in enumerate(queued, 1)]
        command = LoadImported(imported, self.services.home_pages, self._directory)
        result = await run(LrsUnitOfWork(in_role(self.database, "worker")), load_imported, command)
        assert not result.rejected
        return [Fact(item.id, drawn, self.now) for item, (_, drawn) in zip(queued, statements, strict=True)]

    async def learning(self, handler: Any, command: Any) -> Any:
        """A command of learning."""
        unit_of_work = LearningUnitOfWork(in_role(self.database, "api"))
        return await run(unit_of_work, partial(handler, self.services.matching), command)

    async def create_lesson(self, url: str) -> UUID:
        """Create a lesson."""
        made: Mapping[str, Any] = await self.learning(create_lesson, CreateLesson(url, "A lesson"))
        return UUID(str(made["id"]))

    async def change_lesson(self, lesson: UUID, url: str) -> None:
        """Give it another address of its own."""
        await self.learning(change_lesson, ChangeLesson(lesson, "*", {"lesson_url": url}))

    async def replace_aliases(self, lesson: UUID, urls: Sequence[str]) -> None:
        """Give it other aliases."""
        await self.learning(replace_aliases, ReplaceAliases(lesson, "*", urls))

    async def delete_lesson(self, lesson: UUID) -> None:
        """Delete it."""
        await self.learning(delete_lesson, DeleteLesson(lesson, "*"))

    async def link(self, who: int, user: UUID) -> UUID:
        """Link an identifier; the id of the link."""
        command = LinkIdentifier(user, _agent(who), self.services.home_pages)
        made = await run(LrsUnitOfWork(in_role(self.database, "api")), link_identifier, command)
        return UUID(str(made["id"]))

    async def unlink(self, link: UUID) -> None:
        """End a link."""
        await run(LrsUnitOfWork(in_role(self.database, "api")), unlink_identifier, UnlinkIdentifier(link))

    async def follow(self) -> None:
        """The minute's job of links, in pages of two."""
        await follow_links(self.services, page=2)

    async def backfill(self) -> None:
        """The minute's job of matching."""
        backfill = MatchBackfill(self._directory, self.services.matching)
        for match in (match_lessons, match_people):
            await run(self.services.unit_of_work(LrsUnitOfWork), match, backfill)

    async def rebuild(self) -> None:
        """Rebuild, killed after every page."""
        while not (await rebuild({}, self.services, seconds=0))["done"]:
            pass

    async def watermark(self) -> datetime:
        """The bound, in a world that no watermark was reported of yet beyond its present."""
        async with in_role(self.database, "api").read_only() as connection:
            return min(await self.services.matching.reported_through(connection), self.now)

    async def answers(self, since: datetime, as_of: datetime) -> dict[str, Any]:
        """What is answered as of an instant."""
        progress = await self.rows(f"SELECT {_PROGRESS} FROM learning.progress_as_of(:at, NULL, NULL)", at=as_of)
        done = await self.rows(
            "SELECT user_id, lesson_id, completed_at, completed_by, score_scaled, completion_changed_at "
            "FROM learning.completions_between(:since, :at) ORDER BY completion_changed_at, user_id, lesson_id",
            since=since,
            at=as_of,
        )
        assert await self._pages(since, as_of) == done
        answers = await self.rows(
            "SELECT a.statement_id, a.user_id, l.lesson_id FROM (SELECT DISTINCT lesson_id FROM learning.matches) l, "
            "learning.answers_as_of(:at, l.lesson_id) a",
            at=as_of,
        )
        activity = await self.rows("SELECT * FROM learning.activity_as_of(:at, NULL, NULL, NULL, NULL)", at=as_of)
        return {
            "progress": {(row[0], row[1]): tuple(row[2:]) for row in progress},
            "completions": {(row[0], row[1]): tuple(row[2:]) for row in done},
            "answers": {tuple(row) for row in answers},
            "activity": {tuple(row) for row in activity},
        }

    async def _pages(self, since: datetime, as_of: datetime) -> list[Any]:
        found: list[Any] = []
        after = (since, UUID(int=2**128 - 1), UUID(int=2**128 - 1))
        while page := await self.rows(
            "SELECT user_id, lesson_id, completed_at, completed_by, score_scaled, completion_changed_at "
            "FROM learning.completions_page(:at, :after, :user, :lesson, 2)",
            at=as_of,
            after=after[0],
            user=after[1],
            lesson=after[2],
        ):
            found += page
            after = (page[-1].completion_changed_at, page[-1].user_id, page[-1].lesson_id)
        return found

    async def tables(self) -> dict[str, list[Any]]:
        """All rows of the tables, but for when they were written."""
        columns = "statement_id, user_id, lesson_id, lesson_url, completes, voided, known_from, voided_from, form"
        queries = {
            "flat": f"SELECT {columns} FROM records.statements_flat ORDER BY 1",
            "former": "SELECT * FROM records.former_matches ORDER BY statement_id, known_from",
            "progress": "SELECT * FROM records.lesson_progress ORDER BY user_id, lesson_id",
        }
        return {name: [tuple(row) for row in await self.rows(query)] for name, query in queries.items()}
