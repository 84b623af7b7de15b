"""Figures of academics: enrolment decisions in a rush, catalogue search, rosters of 100,000 rows.

    python -m infra.bench.academics rush | catalogue | roster | all

Each part makes its own database in a throwaway PostgreSQL with durable commits, prints one JSON line, and exits with 1
when a figure of the product is missed.
"""

import argparse
import asyncio
import csv
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from dataforge.contexts.academics.catalog.commands import create_course, create_department, create_semester
from dataforge.contexts.academics.catalog.domain import search_words
from dataforge.contexts.academics.enrollment.commands import EnrollStudent, enroll_student
from dataforge.contexts.academics.rosters.commands import ApplyRoster, PlanRoster, apply_roster, plan_roster
from dataforge.contexts.academics.rosters.domain.plans import RosterOptions
from dataforge.contexts.academics.rosters.sources import FileSource
from dataforge.contexts.academics.sections.commands import CreateSection, create_section
from dataforge.contexts.academics.sections.queries import list_sections
from dataforge.contexts.academics.tables import courses, sections, students
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.clock import SystemClock
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.database import Database
from dataforge.platform.db.migrations import upgrade
from dataforge.platform.db.versioned_rows import Create
from infra.bench.figure import Figure, show
from infra.local.postgres import start

SEATS, WAITLIST, CALLERS, CONNECTIONS, PROCESSES = 500, 5_000, 5_000, 16, 2
SECTIONS, SEARCHES = 50_000, 400
ROWS = 100_000


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def peak_mb() -> float:
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def furnish(database: Database) -> tuple[UUID, UUID]:
    """A department and a semester that is open for a while."""
    today = date.today()  # noqa: DTZ011 - the semester is in UTC and only has to be open
    year = today.year
    async with AcademicsUnitOfWork(database) as uow:
        department = await create_department(Create({"code": "SCI", "name": "Science"}), uow)
        values = {"code": "NOW", "starts_on": today, "time_zone": "UTC", "max_credits": Decimal(30)}
        ends = {name: date(year + 1, 12, 31) for name in ("ends_on", "add_by", "drop_by", "withdraw_by")}
        semester = await create_semester(Create({**values, **ends}), uow)
        await uow.commit()
    return department["id"], semester["id"]


async def add_students(database: Database, number: int) -> list[UUID]:
    """Students N000000, N000001, …"""
    now, ids = SystemClock().now(), [uuid7() for _ in range(number)]
    async with database.transaction() as connection:
        for begin in range(0, number, 5_000):
            rows = [
                {
                    "id": student_id,
                    "number": f"N{index:06}",
                    "first_name": "First",
                    "last_name": f"Last {index}",
                    "created_at": now,
                    "updated_at": now,
                }
                for index, student_id in enumerate(ids[begin : begin + 5_000], begin)
            ]
            await connection.execute(insert(students), rows)
        await connection.execute(text("ANALYZE"))
    return ids


def call_in_a_process(url: str, section: UUID, callers: list[UUID], connections: int) -> list[float]:
    """Enrol some students over some direct connections at once; returns the seconds each waited for a decision."""

    async def run() -> list[float]:
        database = Database(url, pool_size=connections, prepared_statements=True)
        waits, todo = [], list(reversed(callers))

        async def caller() -> None:
            while todo:
                student = todo.pop()
                began = time.perf_counter()
                async with AcademicsUnitOfWork(database) as uow:
                    await enroll_student(EnrollStudent(student, section_id=section), uow)
                    await uow.commit()
                waits.append(time.perf_counter() - began)

        await asyncio.gather(*(caller() for _ in range(connections)))
        await database.dispose()
        return waits

    return asyncio.run(run())


async def rush(url: str) -> list[Figure]:
    """5,000 students ask for 500 seats of one section over 16 connections."""
    database = Database(url)
    department, semester = await furnish(database)
    async with AcademicsUnitOfWork(database) as uow:
        values = {"code": "RUSH", "title": "Rush", "description": "", "department_id": department, "state": "published"}
        course = await create_course(Create(values), uow)
        offer = {"course_id": course["id"], "semester_id": semester, "code": "1", "capacity": SEATS}
        section = await create_section(CreateSection({**offer, "waitlist_capacity": WAITLIST}), uow)
        await uow.commit()
    callers = await add_students(database, CALLERS)
    parts = [callers[index::PROCESSES] for index in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        loop, share = asyncio.get_running_loop(), CONNECTIONS // PROCESSES
        began = time.perf_counter()
        done = await asyncio.gather(
            *(loop.run_in_executor(pool, call_in_a_process, url, section["id"], part, share) for part in parts)
        )
        seconds = time.perf_counter() - began
    waits = [wait for part in done for wait in part]
    async with database.read_only() as connection:
        seated = await connection.scalar(text("SELECT count(*) FROM academics.enrollments WHERE status = 'ENROLLED'"))
        numbers = (await connection.scalars(text("SELECT wait_no FROM academics.enrollments WHERE wait_no > 0"))).all()
    await database.dispose()
    gaps = len(set(range(1, CALLERS - SEATS + 1)) ^ set(numbers))
    return [
        Figure("enrolment decisions per second", CALLERS / seconds, 300, at_least=True),
        Figure("p50 ms of a decision", percentile(waits, 0.50) * 1000, 100),
        Figure("p95 ms of a decision", percentile(waits, 0.95) * 1000, 100),
        Figure("seats taken besides 500", abs(int(seated or 0) - SEATS), 0),
        Figure("waitlist numbers missing or doubled", gaps + len(numbers) - len(set(numbers)), 0),
    ]


_WORDS = (
    *("algebra", "biology", "chemistry", "drawing", "ethics", "finance", "geometry", "history", "informatics"),
    *("journalism", "logic", "music", "optics"),
)


async def search(url: str) -> list[Figure]:
    """Searches of all kinds over 50,000 sections of 5,000 courses in ten semesters."""
    database, chance = Database(url), random.Random(1)
    department, _ = await furnish(database)
    departments, semesters = [department], []
    async with AcademicsUnitOfWork(database) as uow:
        for index in range(49):
            made = await create_department(Create({"code": f"D{index}", "name": f"Department {index}"}), uow)
            departments.append(made["id"])
        for index in range(10):
            days = {"starts_on": date(2020 + index, 1, 1)}
            days |= {name: date(2020 + index, 12, 31) for name in ("ends_on", "add_by", "drop_by", "withdraw_by")}
            values = {"code": f"Y{index}", "max_credits": Decimal(30), "time_zone": "UTC", **days}
            semesters.append((await create_semester(Create(values), uow))["id"])
        await uow.commit()
    now, course_ids = SystemClock().now(), [uuid7() for _ in range(SECTIONS // 10)]
    stamps = {"created_at": now, "updated_at": now}
    async with database.transaction() as connection:
        for index, course_id in enumerate(course_ids):
            title = " ".join(chance.sample(_WORDS, 3))
            values = {"code": f"C{index:05}", "title": title, "description": f"About {title} and {index}", **stamps}
            values |= {"id": course_id, "department_id": chance.choice(departments), "state": "published"}
            words = search_words(str(values["code"]), title, str(values["description"]))
            await connection.execute(insert(courses).values(**values, search=text(f"to_tsvector('simple', '{words}')")))
        for begin in range(0, SECTIONS, 5_000):
            rows = [
                {
                    "id": uuid7(),
                    "course_id": course_ids[index % len(course_ids)],
                    "semester_id": semesters[index // len(course_ids)],
                    "code": "001",
                    "capacity": 30,
                    "enrolled_count": chance.choice((0, 12, 30, 30, 30)),
                    **stamps,
                }
                for index in range(begin, begin + 5_000)
            ]
            await connection.execute(insert(sections), rows)
        await connection.execute(
            text(
                "INSERT INTO academics.section_meetings (section_id, weekday, starts, ends)"
                " SELECT id, 1, '09:00', '10:30' FROM academics.sections"
            )
        )
    async with database.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("VACUUM ANALYZE"))
    kinds: dict[str, Callable[[], dict[str, Any]]] = {
        "one word": lambda: {"q": chance.choice(_WORDS)},
        "two beginnings": lambda: {"q": f"{chance.choice(_WORDS)[:3]} {chance.choice(_WORDS)[:3]}"},
        "a code": lambda: {"q": f"C{chance.randrange(len(course_ids)):05}"},
        "nothing": dict,
        "semester": lambda: {"semester_id": chance.choice(semesters)},
        "department, semester": lambda: {
            "department_id": chance.choice(departments),
            "semester_id": chance.choice(semesters),
        },
        "word, semester, open seats": lambda: {
            "q": chance.choice(_WORDS),
            "semester_id": chance.choice(semesters),
            "open_seats": True,
        },
        "deep in the list": lambda: {"after": (f"c{chance.randrange(len(course_ids)):05}", "001", str(UUID(int=0)))},
    }
    figures, everything = [], []
    for name, make in kinds.items():
        waits = []
        for _ in range(SEARCHES // len(kinds)):
            began = time.perf_counter()
            async with database.read_only() as connection:
                given: dict[str, Any] = {"after": None, "limit": 50, "drafts": False, **make()}
                await list_sections(connection, **given)
            waits.append(time.perf_counter() - began)
        everything += waits
        figures.append(Figure(f"p95 ms of a search by {name}", percentile(waits, 0.95) * 1000, 30))
    await database.dispose()
    return [Figure("p95 ms of a catalogue search", percentile(everything, 0.95) * 1000, 30), *figures]


async def roster(url: str, rows: int = ROWS) -> list[Figure]:
    """A roster of 20,000 students with five sections each, half of them known, planned and applied."""
    database = Database(url)
    department, semester = await furnish(database)
    taught, per_student = 400, 5
    async with AcademicsUnitOfWork(database) as uow:
        for index in range(taught):
            values = {"code": f"C{index}", "title": "Course", "description": "", "credits": Decimal(3)}
            course = await create_course(Create({**values, "department_id": department, "state": "published"}), uow)
            offer = {"course_id": course["id"], "semester_id": semester, "code": "1", "capacity": rows // taught + 50}
            await create_section(CreateSection(offer), uow)
        await uow.commit()
    await add_students(database, rows // per_student // 2)
    with tempfile.TemporaryFile() as file:
        _write_roster(file.fileno(), rows, per_student, taught)
        file.seek(0)
        source = FileSource({"kind": "bench"})
        for chunk in iter(lambda: file.read(1 << 20), b""):
            source.add(chunk)
    before = peak_mb()
    began = time.perf_counter()
    async with AcademicsUnitOfWork(database) as uow:
        plan = await plan_roster(PlanRoster(semester, "simple", source, RosterOptions()), uow)
        await uow.commit()
    planned = time.perf_counter()
    async with AcademicsUnitOfWork(database) as uow:
        await apply_roster(ApplyRoster(plan["id"], plan["plan_hash"]), uow)
        await uow.commit()
    applied = time.perf_counter()
    async with database.read_only() as connection:
        seated = await connection.scalar(text("SELECT count(*) FROM academics.enrollments WHERE status = 'ENROLLED'"))
        counted = await connection.scalar(text("SELECT sum(enrolled_count) FROM academics.sections"))
    source.close()
    await database.dispose()
    return [
        Figure(f"seconds to plan {rows:,} rows", planned - began, 20),
        Figure(f"seconds to apply {rows:,} rows", applied - planned, 60),
        Figure("MB of memory more than before", peak_mb() - before, 100),
        Figure("rows that were not enrolled", rows - int(seated or 0), 0),
        Figure("seats counted otherwise", abs(int(counted or 0) - int(seated or 0)), 0),
    ]


def _write_roster(descriptor: int, rows: int, per_student: int, taught: int) -> None:
    header = ["student_number", "first_name", "last_name", "email", "course_code", "section_code"]
    with open(descriptor, "w", newline="", encoding="utf-8", closefd=False) as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for row in range(rows):
            student, turn = divmod(row, per_student)
            course = f"C{(student * 7 + turn * 80) % taught}"
            writer.writerow([f"N{student:06}", "First", f"Last {student}", f"n{student}@example.org", course, "1"])


PARTS = {"rush": rush, "catalogue": search, "roster": roster}


def main() -> int:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=[*PARTS, "all"], nargs="?", default="all")
    wanted = parser.parse_args().part
    missed = 0
    with tempfile.TemporaryDirectory() as directory:
        server = start(Path(directory))
        try:
            for name, part in PARTS.items():
                if wanted in (name, "all"):
                    url = server.create_database(f"bench_{name}")
                    upgrade(url)
                    missed += show(name, asyncio.run(part(url)))
        finally:
            server.stop()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
