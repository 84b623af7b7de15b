"""Rosters of 100,000 rows, planned and applied, beside what PostgreSQL needs for the same rows without a rule.

    python -m infra.bench.rosters [--rows 100000] [--rounds 3] [--format simple oneroster]

Each round makes two copies of one furnished database in a throwaway PostgreSQL with durable commits. In the first the
peer takes the lines by COPY and joins them with students and sections, then a plan is made of the file and applied. In
the second every row that applying wrote comes in by COPY, with the keys and indexes of the real tables. Half of the
students are known. Seconds are those of the CPU, of this process and of the server together; medians of the rounds.
"""

import argparse
import asyncio
import csv
import io
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg

from dataforge.contexts.academics.catalog.commands import create_course
from dataforge.contexts.academics.rosters.commands import ApplyRoster, PlanRoster, apply_roster, plan_roster
from dataforge.contexts.academics.rosters.sources import from_bytes
from dataforge.contexts.academics.sections.commands import CreateSection, create_section
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.platform.db.database import Database
from dataforge.platform.db.migrations import upgrade
from dataforge.platform.db.versioned_rows import Create
from infra.bench.academics import add_students, furnish, peak_mb
from infra.bench.figure import Figure, show
from infra.local.postgres import PostgresServer, start

PER_STUDENT, TAUGHT = 5, 400
PLAN_LIMIT, APPLY_LIMIT, MB_LIMIT = 6.0, 2.0, 100
_LINES = {
    "simple": "number text, first_name text, last_name text, email text, course_code text, section_code text",
    "oneroster": "id text, status text, changed text, class text, school text, student text, role text",
}
_JOINED = {
    "simple": """SELECT count(*) FROM peer_lines l JOIN academics.students s ON s.number = l.number
        JOIN academics.courses c ON c.code = l.course_code
        JOIN academics.sections sec ON sec.course_id = c.id AND sec.code = l.section_code""",
    "oneroster": """SELECT count(*) FROM peer_lines l JOIN academics.students s ON s.sourced_id = l.student
        JOIN academics.sections sec ON sec.sourced_id = l.class""",
}
# What applying writes, in the order that foreign keys allow: rows that are new, and rows that have changed.
_WRITTEN = {
    "academics.sections": "true",
    "academics.students": "facts_revision > 0",
    "academics.enrollments": "true",
    "academics.enrollment_events": "true",
    "platform.outbox": "name <> 'academics.roster_applied'",
    "platform.audit_log": "after ? 'roster_plan'",
}


class Meter:
    """CPU seconds of this process and of a server, its processes that have ended included."""

    def __init__(self, server_pid: int | None) -> None:
        self.found: dict[str, float] = {}
        self._server = psutil.Process(server_pid)

    def _used(self) -> float:
        # A process that ends while they are counted would be counted twice or not at all.
        while True:
            before, running = self._server.cpu_times(), 0.0
            for process in self._server.children():
                with suppress(psutil.NoSuchProcess):
                    running += sum(process.cpu_times()[:2])
            after = self._server.cpu_times()
            if before[2:4] == after[2:4]:
                return time.process_time() + running + sum(after[:4])

    async def take(self, name: str, work: Callable[[], Awaitable[object]]) -> Any:  # noqa: ANN401 - what the work gives
        """Do it and note what it used."""
        before = self._used()
        result = await work()
        self.found[name] = self._used() - before
        return result


@dataclass
class Round:
    """CPU seconds of one round, and what it came to."""

    seconds: dict[str, float] = field(default_factory=dict)
    grown_mb: float = 0.0
    not_seated: int = 0


async def prepare(url: str, rows: int) -> UUID:
    """400 sections, and the half of the students that is known before; returns the semester."""
    database = Database(url)
    department, semester = await furnish(database)
    async with AcademicsUnitOfWork(database) as uow:
        for index in range(TAUGHT):
            values = {"code": f"C{index}", "title": "Course", "description": "", "credits": Decimal(3)}
            course = await create_course(Create({**values, "department_id": department, "state": "published"}), uow)
            offer = {"course_id": course["id"], "semester_id": semester, "code": "1", "capacity": rows // TAUGHT + 50}
            await create_section(CreateSection(offer), uow)
        await uow.commit()
    await add_students(database, rows // PER_STUDENT // 2)
    await database.dispose()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE academics.departments SET sourced_id = 'o-' || code")
        connection.execute("UPDATE academics.courses SET sourced_id = 'c-' || code")
        connection.execute("UPDATE academics.students SET sourced_id = 'u-' || number")
        connection.execute("""UPDATE academics.sections s SET sourced_id = 'k-' || c.code FROM academics.courses c
                              WHERE c.id = s.course_id""")
        connection.execute("VACUUM ANALYZE")
    return semester


def lines_of(fmt: str, rows: int) -> list[list[str]]:
    """One line for every enrolment: five for each student, in sections far apart."""
    lines = []
    for row in range(rows):
        student, turn = divmod(row, PER_STUDENT)
        number, course = f"N{student:06}", f"C{(student * 7 + turn * 80) % TAUGHT}"
        if fmt == "simple":
            lines.append([number, "First", f"Last {student}", f"{number.lower()}@example.org", course, "1"])
        else:
            lines.append([f"e-{row}", "active", "", f"k-{course}", "o-SCI", f"u-{number}", "student"])
    return lines


def _text(header: str, lines: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header.split(","))
    writer.writerows(lines)
    return out.getvalue().encode()


def file_of(fmt: str, rows: int) -> bytes:
    """The roster: a CSV file, or a zip of the files of OneRoster with all courses, classes and users."""
    lines = lines_of(fmt, rows)
    if fmt == "simple":
        return _text("student_number,first_name,last_name,email,course_code,section_code", lines)
    courses = range(TAUGHT)
    numbers = [f"N{student:06}" for student in range(rows // PER_STUDENT)]
    files = {
        "orgs": _text("sourcedId,name,type,identifier", [["o-SCI", "Science", "department", "SCI"]]),
        "academicSessions": _text(
            "sourcedId,title,type,startDate,endDate", [["t", "NOW", "term", "2026-01-01", "2027-01-01"]]
        ),
        "courses": _text(
            "sourcedId,title,courseCode,orgSourcedId", [[f"c-C{n}", "Course", f"C{n}", "o-SCI"] for n in courses]
        ),
        "classes": _text(
            "sourcedId,title,courseSourcedId,classCode,termSourcedIds",
            [[f"k-C{n}", "Course 1", f"c-C{n}", "1", "t"] for n in courses],
        ),
        "users": _text(
            "sourcedId,givenName,familyName,identifier,email",
            [[f"u-{n}", "First", f"Last {int(n[1:])}", n, f"{n.lower()}@example.org"] for n in numbers],
        ),
        "enrollments": _text(
            "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role", lines
        ),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.csv", content)
    return out.getvalue()


def copy_and_join(url: str, fmt: str, lines: bytes) -> None:
    """The peer of a plan: the lines as they are, in a table; and how many of them mean somebody and something."""
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE TABLE peer_lines ({_LINES[fmt]})")
        with connection.cursor().copy("COPY peer_lines FROM STDIN (FORMAT csv)") as copy:
            copy.write(lines)
        connection.execute("ANALYZE peer_lines")
        connection.execute("SET enable_nestloop = off")
        connection.execute(_JOINED[fmt])
        connection.commit()


def dump(url: str) -> dict[str, bytes]:
    """Every row that applying a roster wrote."""
    dumped = {}
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table, condition in _WRITTEN.items():
            with cursor.copy(f"COPY (SELECT * FROM {table} WHERE {condition}) TO STDOUT (FORMAT binary)") as copy:
                dumped[table] = b"".join(copy)
    return dumped


def make_room(url: str) -> None:
    """Take away the rows that applying changes, as they were before, so that they can come in as they are after."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM academics.sections")
        connection.execute("DELETE FROM academics.students")
        connection.execute("VACUUM ANALYZE")


def copy_all(url: str, dumped: dict[str, bytes]) -> None:
    """The peer of applying: all of these rows, in one transaction."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table, content in dumped.items():
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
                copy.write(content)


async def measure(server: PostgresServer, semester: UUID, fmt: str, rows: int, content: bytes) -> Round:
    """One round; both databases are gone afterwards."""
    done, meter = Round(), Meter(server.pid)
    url, beside = (server.create_database(name, template="bench_rosters") for name in ("ours", "peer"))
    lines = _text("", lines_of(fmt, rows)).partition(b"\n")[2]

    async def call(work: Callable[..., object], *arguments: object) -> object:
        return await asyncio.to_thread(work, *arguments)

    await meter.take("peer of the plan", lambda: call(copy_and_join, url, fmt, lines))
    database = Database(url)
    source, before = from_bytes(content), peak_mb()

    async def planned() -> Any:  # noqa: ANN401 - a row
        async with AcademicsUnitOfWork(database) as uow:
            plan = await plan_roster(PlanRoster(semester, fmt, source), uow)
            await uow.commit()
        return plan

    plan = await meter.take("plan", planned)

    async def applied() -> None:
        async with AcademicsUnitOfWork(database) as uow:
            await apply_roster(ApplyRoster(plan["id"], plan["plan_hash"]), uow)
            await uow.commit()

    await meter.take("apply", applied)
    done.grown_mb = peak_mb() - before
    source.close()
    await database.dispose()
    dumped = await asyncio.to_thread(dump, url)
    await asyncio.to_thread(make_room, beside)
    await meter.take("peer of the apply", lambda: call(copy_all, beside, dumped))
    with psycopg.connect(url) as connection:
        [[seated]] = connection.execute("SELECT count(*) FROM academics.enrollments WHERE status = 'ENROLLED'")
    done.seconds, done.not_seated = meter.found, rows - seated
    for name in ("ours", "peer"):
        server.drop_database(name)
    return done


async def run(server: PostgresServer, fmt: str, rows: int, rounds: int) -> list[Figure]:
    """The rounds of one format."""
    url = server.create_database("bench_rosters")
    await asyncio.to_thread(upgrade, url)
    semester = await prepare(url, rows)
    content = file_of(fmt, rows)
    done = [await measure(server, semester, fmt, rows, content) for _ in range(rounds)]
    server.drop_database("bench_rosters")
    median = {name: statistics.median(item.seconds[name] for item in done) for name in done[0].seconds}
    return [
        Figure(f"{fmt}: CPU s to plan {rows:,} rows", median["plan"]),
        Figure(f"{fmt}: CPU s, COPY of the lines and hash join", median["peer of the plan"]),
        Figure(f"{fmt}: plan, times COPY and join", median["plan"] / median["peer of the plan"], PLAN_LIMIT),
        Figure(f"{fmt}: CPU s to apply {rows:,} rows", median["apply"]),
        Figure(f"{fmt}: CPU s, COPY of every row it writes", median["peer of the apply"]),
        Figure(f"{fmt}: apply, times COPY", median["apply"] / median["peer of the apply"], APPLY_LIMIT),
        Figure(f"{fmt}: MB of memory more than before, at most", max(item.grown_mb for item in done), MB_LIMIT),
        Figure(f"{fmt}: rows that were not enrolled", max(item.not_seated for item in done), 0),
    ]


def main() -> int:
    """Print the figures; returns 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--format", nargs="+", choices=list(_LINES), default=list(_LINES))
    given = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as directory:
        server = start(Path(directory))
        try:
            for fmt in given.format:
                missed += show("rosters", asyncio.run(run(server, fmt, given.rows, given.rounds)))
        finally:
            server.stop()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
