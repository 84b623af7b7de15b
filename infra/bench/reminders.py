"""Reminders for 20,000 learners with 200 lessons: the plan, putting it on its way, and mails a second.

Run as `python -m infra.bench.reminders`. The provider is a stub here and nowhere else: what is measured is ours.
"""

import asyncio
import sys
import time

import psycopg

from infra.bench.figure import Figure, show
from infra.bench.stand import Stand, stand

LEARNERS, LESSONS, COHORTS, MAILS = 20_000, 200, 100, 4_000
# Every learner is in one cohort with two lessons of its own; the statements leave each of them one to do.
_FURNISH = f"""
INSERT INTO identity.users (id, username, email, email_vouched, avatar, display_name, role, time_zone, reminder_time,
    created_at, updated_at)
SELECT gen_random_uuid(), 'learner_' || n, 'l' || n || '@example.org', true, 'a' || n, 'Learner ' || n, 'learner',
    (ARRAY['Europe/Berlin','America/New_York','Asia/Kolkata','UTC'])[n % 4 + 1], '00:00', now(), now()
FROM generate_series(1, {LEARNERS}) n;
INSERT INTO records.cohorts (id, name, created_at, updated_at)
SELECT gen_random_uuid(), 'Cohort ' || n, now(), now() FROM generate_series(1, {COHORTS}) n;
INSERT INTO records.cohort_members (cohort_id, user_id, joined_at)
SELECT c.id, u.id, now() FROM (SELECT id, row_number() OVER () % {COHORTS} AS n FROM identity.users) u
JOIN (SELECT id, row_number() OVER () - 1 AS n FROM records.cohorts) c ON c.n = u.n;
INSERT INTO records.lessons (id, cohort_id, lesson_url, title, lesson_date, created_at, updated_at)
SELECT gen_random_uuid(), c.id, 'https://lms.example.org/' || c.id || '/' || n, 'Lesson ' || n, current_date - 3, now(),
    now() FROM records.cohorts c, generate_series(1, {LESSONS // COHORTS}) n;
INSERT INTO records.statements_flat (statement_id, actor_key, user_id, verb_id, object_type, lesson_id, completes,
    occurred_at, stored_at, processed_at)
SELECT gen_random_uuid(), 'x', m.user_id, 'v', 'Activity', l.id, true, now(), now(), now()
FROM records.cohort_members m JOIN records.lessons l ON l.cohort_id = m.cohort_id WHERE l.title = 'Lesson 1';
INSERT INTO records.lesson_progress (user_id, lesson_id, statements, started_at, last_at, completed_at, completed_by,
    completion_changed_at, changed_at, withdrawn)
SELECT user_id, lesson_id, 1, occurred_at, occurred_at, occurred_at, statement_id, stored_at, stored_at, false
FROM records.statements_flat;
ANALYZE;
"""


class _Stub:
    """Takes every mail at once."""

    def __init__(self) -> None:
        self.sent = 0

    async def send(self, _mail: object) -> str:
        self.sent += 1
        return "stub"


async def measure(given: Stand) -> list[Figure]:
    """Seconds of the plan and of a whole run, and mails a second."""
    from pydantic import SecretStr

    from dataforge.bootstrap import build_platform
    from dataforge.contexts.notifications.messages.commands import SendWaiting
    from dataforge.contexts.notifications.module import NotificationsServices
    from dataforge.contexts.notifications.reminders.commands import RemindDue, remind_due
    from dataforge.contexts.notifications.reminders.queries import reminder_plan
    from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
    from dataforge.kernel.paging import CursorSigner
    from dataforge.platform.db.unit_of_work import run
    from dataforge.settings import RemindersSettings

    base = "https://learn.example.org"
    settings = RemindersSettings(database_url=SecretStr(given.database.url), public_base_url=base)
    platform = build_platform(settings)
    platform.mailer = stub = _Stub()
    platform.cursors = CursorSigner(b"a key of the bench")
    services = platform.get(NotificationsServices)
    began = time.perf_counter()
    async with services.database.read_only() as connection:
        plan = await reminder_plan(connection, services.clock.now())
    planned = time.perf_counter() - began
    began = time.perf_counter()
    result = await run(services.unit_of_work(NotificationsUnitOfWork), remind_due, RemindDue())
    ran = time.perf_counter() - began
    began, used = time.perf_counter(), time.process_time()
    await services.message_sender.send_waiting(SendWaiting(MAILS))
    sent, cpu = time.perf_counter() - began, time.process_time() - used
    await services.database.dispose()
    if len(plan.sent) != LEARNERS or result.counts.get("added") != LEARNERS or stub.sent != MAILS:
        sys.exit(f"planned {len(plan.sent)}, {result.counts}, sent {stub.sent}")
    return [
        Figure("plan for 20,000 learners, s", planned, 5),
        Figure("plan and put on its way, s", ran),
        Figure("mails a second", MAILS / sent, 200, at_least=True),
        Figure("CPU-ms a mail", cpu * 1000 / MAILS),
    ]


def main() -> int:
    """Print the figures; 1 when a limit was missed."""
    with stand() as given:
        with psycopg.connect(given.database.url, autocommit=True) as connection:
            connection.execute(_FURNISH.encode())
        return min(show("reminders", asyncio.run(measure(given))), 1)


if __name__ == "__main__":
    sys.exit(main())
