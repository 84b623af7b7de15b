"""Decisions about one section that everybody wants, beside a bare psycopg loop over the same tables.

    python -m infra.bench.hot_section [--rounds 5] [--decisions 600] [--profile]

16 connections in two processes ask for one section at a time: bare (lock the section row, insert the enrolment, count
up, commit), through the command handler, and through the ASGI app with its sign-in. The three take turns in each round
against the same PostgreSQL, whose commits are durable; medians of the rounds are printed, with the ratio to the bare
loop that each must keep. A third of the callers of ours get a seat, the others a place on the waitlist; everybody of
the bare loop gets a seat.
"""

import argparse
import asyncio
import cProfile
import json
import pstats
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from dataforge.contexts.academics.catalog.commands import create_course
from dataforge.contexts.academics.enrollment.commands import EnrollStudent, enroll_student
from dataforge.contexts.academics.sections.commands import CreateSection, create_section
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.database import Database
from dataforge.platform.db.versioned_rows import Create
from infra.bench.academics import add_students, furnish, percentile
from infra.bench.figure import Figure, show

CONNECTIONS, PROCESSES = 16, 2
SHARE = CONNECTIONS // PROCESSES
KINDS = ("bare", "handler", "app")
Decide = Callable[[UUID], Awaitable[None]]

_LOCK = "SELECT capacity, enrolled_count FROM academics.sections WHERE id = %s FOR NO KEY UPDATE"
_INSERT = (
    "INSERT INTO academics.enrollments (id, student_id, section_id, status, requested_at, decided_at)"
    " VALUES (%s, %s, %s, 'ENROLLED', now(), now())"
)
_COUNT = "UPDATE academics.sections SET enrolled_count = enrolled_count + 1 WHERE id = %s"


@dataclass(frozen=True)
class Job:
    """What one process is to do: ask for a section for its share of the callers."""

    kind: str
    url: str
    section: UUID
    callers: list[UUID]
    token: str = ""
    profiled: bool = False


@dataclass(frozen=True)
class Share:
    """When a process began and ended (one clock for all), the seconds each decision took, and CPU seconds."""

    began: float
    ended: float
    waits: list[float]
    cpu: float
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """Decisions a second, milliseconds at the 95th percentile, and CPU-ms of the callers per decision."""

    rate: float
    p95_ms: float
    cpu_ms: float

    @classmethod
    def of(cls, shares: Sequence[Share]) -> "Round":
        """What the processes did together."""
        waits = [wait for share in shares for wait in share.waits]
        seconds = max(share.ended for share in shares) - min(share.began for share in shares)
        cpu = sum(share.cpu for share in shares) / len(waits)
        return cls(len(waits) / seconds, percentile(waits, 0.95) * 1000, cpu * 1000)


async def drain(deciders: Sequence[Decide], callers: Sequence[UUID]) -> list[float]:
    """Let each decider take caller after caller; returns the seconds of each decision."""
    waits, todo = [], list(reversed(callers))

    async def take(decide: Decide) -> None:
        while todo:
            student, began = todo.pop(), time.perf_counter()
            await decide(student)
            waits.append(time.perf_counter() - began)

    await asyncio.gather(*map(take, deciders))
    return waits


async def timed(deciders: Sequence[Decide], job: Job) -> Share:
    """Decide about everybody, after a caller each has warmed its connection."""
    await asyncio.gather(*(decide(student) for decide, student in zip(deciders, job.callers, strict=False)))
    profiler = cProfile.Profile() if job.profiled else None
    began, used = time.monotonic(), time.process_time()
    if profiler:
        profiler.enable()
    waits = await drain(deciders, job.callers[len(deciders) :])
    if profiler:
        profiler.disable()
    return Share(began, time.monotonic(), waits, time.process_time() - used, _top(profiler) if profiler else "")


def _top(profiler: cProfile.Profile) -> str:
    import io

    output = io.StringIO()
    pstats.Stats(profiler, stream=output).sort_stats("tottime").print_stats(45)
    return output.getvalue()


async def bare(job: Job) -> Share:
    """The floor: the statements that a seat cannot do without."""
    connections = [await psycopg.AsyncConnection.connect(job.url) for _ in range(SHARE)]

    def decider(connection: psycopg.AsyncConnection[Any]) -> Decide:
        async def decide(student: UUID) -> None:
            async with connection.transaction():
                row = await (await connection.execute(_LOCK, (job.section,))).fetchone()
                if row is None or row[1] >= row[0]:
                    message = "the section is full"
                    raise RuntimeError(message)
                await connection.execute(_INSERT, (uuid7(), student, job.section))
                await connection.execute(_COUNT, (job.section,))

        return decide

    share = await timed([decider(connection) for connection in connections], job)
    for connection in connections:
        await connection.close()
    return share


async def handler(job: Job) -> Share:
    """Ours, from the unit of work to its commit."""
    database = Database(job.url, pool_size=SHARE, prepared_statements=True)

    async def decide(student: UUID) -> None:
        async with AcademicsUnitOfWork(database) as uow:
            await enroll_student(EnrollStudent(student, section_id=job.section), uow)
            await uow.commit()

    share = await timed([decide] * SHARE, job)
    await database.dispose()
    return share


async def app(job: Job) -> Share:
    """Ours, from the request's first byte to the answer's last: sign-in, parsing, rules, commit, JSON."""
    from dataforge.kernel.clock import SystemClock
    from tests.builders.api import ApiUnderTest

    database = Database(job.url, pool_size=SHARE, prepared_statements=True)
    api = ApiUnderTest(database, SystemClock())
    asgi: Any = api.asgi

    async def decide(student: UUID) -> None:
        body = json.dumps({"student_id": str(student), "section_id": str(job.section)}).encode()
        incoming, sent = [{"type": "http.request", "body": body, "more_body": False}], []

        async def receive() -> dict[str, Any]:
            return incoming.pop() if incoming else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await asgi(_scope(job.token, len(body)), receive, send)
        if sent[0]["status"] != 201:
            raise RuntimeError(str(sent)[:500])

    share = await timed([decide] * SHARE, job)
    await api.platform.database.dispose()
    await database.dispose()
    return share


def _scope(token: str, length: int) -> dict[str, Any]:
    headers = {
        "host": "api.test",
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
        "content-length": str(length),
    }
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/enrollments",
        "raw_path": b"/api/enrollments",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 40_000),
        "server": ("api.test", 80),
        "state": {},
    }


def work(job: Job) -> Share:
    """The job of one process."""
    return asyncio.run({"bare": bare, "handler": handler, "app": app}[job.kind](job))


class Rounds:
    """A database with a course, and the processes that ask for its sections."""

    def __init__(self, url: str, pool: ProcessPoolExecutor, *, profiled: bool) -> None:
        self._database, self._url, self._pool, self._profiled = Database(url), url, pool, profiled
        self._token = ""

    async def prepare(self) -> None:
        """A course, a semester, and a registrar's token."""
        from dataforge.kernel.clock import SystemClock
        from dataforge.kernel.principal import Role
        from tests.builders.api import ApiUnderTest

        department, self._semester = await furnish(self._database)
        async with AcademicsUnitOfWork(self._database) as uow:
            values = {"code": "HOT", "title": "Hot", "description": "", "department_id": department}
            self._course = (await create_course(Create({**values, "state": "published"}), uow))["id"]
            await uow.commit()
        async with ApiUnderTest(self._database, SystemClock()) as api:
            registrar = await api.add_user(Role.REGISTRAR)
            self._token = await api.token(registrar, Role.REGISTRAR)
            await api.platform.database.dispose()

    async def run(self, kind: str, decisions: int) -> Round:
        """New students ask for a new section."""
        seats = decisions if kind == "bare" else decisions // 3
        async with AcademicsUnitOfWork(self._database) as uow:
            offer = {"course_id": self._course, "semester_id": self._semester, "code": secrets.token_hex(4)}
            limits = {"capacity": seats, "waitlist_capacity": decisions}
            section = (await create_section(CreateSection({**offer, **limits}), uow))["id"]
            await uow.commit()
        students = await self._students(decisions)
        jobs = [
            Job(kind, self._url, section, students[number::PROCESSES], self._token, self._profiled and number == 0)
            for number in range(PROCESSES)
        ]
        loop = asyncio.get_running_loop()
        shares = await asyncio.gather(*(loop.run_in_executor(self._pool, work, job) for job in jobs))
        for share in shares:
            if share.profile:
                print(f"== {kind}\n{share.profile}")
        await self._check(section, decisions, seats)
        return Round.of(shares)

    async def _students(self, number: int) -> list[UUID]:
        async with self._database.transaction() as connection:
            await connection.execute(text("UPDATE academics.students SET number = 'X' || id WHERE number LIKE 'N%'"))
        return await add_students(self._database, number)

    async def _check(self, section: UUID, decisions: int, seats: int) -> None:
        async with self._database.read_only() as connection:
            row = (
                await connection.execute(
                    text(
                        "SELECT s.enrolled_count, count(*) FILTER (WHERE e.status = 'ENROLLED') AS seated,"
                        " count(DISTINCT e.wait_no) FILTER (WHERE e.status = 'WAITLISTED') AS waiting"
                        " FROM academics.sections s JOIN academics.enrollments e ON e.section_id = s.id"
                        " WHERE s.id = :id GROUP BY s.id"
                    ),
                    {"id": section},
                )
            ).one()
        if tuple(row) != (seats, seats, decisions - seats):
            message = f"{tuple(row)} instead of {seats} seats and {decisions - seats} numbers on the waitlist"
            raise RuntimeError(message)


async def measure(url: str, rounds: int, decisions: int, *, profiled: bool = False) -> list[Figure]:
    """The three kinds in turn, and what ours is beside the bare loop."""
    taken: dict[str, list[Round]] = {kind: [] for kind in KINDS}
    with ProcessPoolExecutor(PROCESSES) as pool:
        test = Rounds(url, pool, profiled=profiled)
        await test.prepare()
        for _ in range(rounds):
            for kind in KINDS:
                taken[kind].append(await test.run(kind, decisions))
                print(json.dumps({"kind": kind, **asdict(taken[kind][-1])}), flush=True) if profiled else None
    middle = {
        kind: Round(*(statistics.median(getattr(each, name) for each in done) for name in Round.__slots__))
        for kind, done in taken.items()
    }
    figures = []
    for kind, value in middle.items():
        figures += [
            Figure(f"{kind}: decisions per second", value.rate),
            Figure(f"{kind}: p95 ms", value.p95_ms),
            Figure(f"{kind}: CPU-ms of the callers per decision", value.cpu_ms),
        ]
    bare_loop, ours, whole = (middle[kind] for kind in KINDS)
    return [
        *figures,
        Figure("handler: decisions per second, times the bare loop's", ours.rate / bare_loop.rate, 0.6, at_least=True),
        Figure("handler: p95, times the bare loop's", ours.p95_ms / bare_loop.p95_ms, 1.5),
        Figure("app: decisions per second, times the bare loop's", whole.rate / bare_loop.rate),
        Figure("app: p95, times the bare loop's", whole.p95_ms / bare_loop.p95_ms),
    ]


def main() -> int:
    """Print the figures; 1 when a limit was missed."""
    import os

    from dataforge.platform.db import roles
    from dataforge.platform.db.grants import GRANTS
    from dataforge.platform.db.migrations import upgrade
    from infra.local.postgres import start

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--decisions", type=int, default=600)
    parser.add_argument("--profile", action="store_true", help="print where one of the processes spends its time")
    given = parser.parse_args()
    os.environ.update(POWERTOOLS_TRACE_DISABLED="true", LOG_LEVEL="WARNING", AWS_DEFAULT_REGION="eu-central-1")
    with tempfile.TemporaryDirectory(prefix="dataforge-bench-") as directory:
        server = start(Path(directory))
        try:
            url = server.create_database("hot_section")
            upgrade(url)
            roles.apply(url, {function: roles.Login(function, secrets.token_hex(16)) for function in GRANTS})
            figures = asyncio.run(measure(url, given.rounds, given.decisions, profiled=given.profile))
            return min(show("hot section", figures), 1)
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
