"""A request that only the counts of a section are left to decide about: locked, decided and written in one statement.

Both outcomes are prepared before the lock. Under it the statement looks whether what they were prepared from is still
true, picks the one that the counts give, and writes it; otherwise it only holds the locks. Nobody who waits for the
section waits for a round trip of whoever holds it, but for the commit's.
"""

import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import text

from dataforge.contexts.academics.enrollment.domain.enrollment import Transition
from dataforge.contexts.academics.enrollment.repository.changes import Changes
from dataforge.kernel.texts import Text

SEATS = "id, capacity, waitlist_capacity, enrolled_count, waitlisted_count, wait_seq"

# Whoever wants a section stands in line for it: a row lock alone goes to whoever comes at the right moment, which keeps
# some callers waiting ten times as long as others. The advisory lock only orders; what protects is the row lock.
_TURN = "(SELECT pg_advisory_xact_lock(hashtextextended(CAST(:section_id AS uuid)::text, 21)) IS NOT NULL)"

# All locks. Scalar subqueries are evaluated before the rows they guard are touched, which keeps the order. The student
# is left alone when a seat is free that others wait for: then they are locked together, see `lock_students`.
LOCKS = f"""
WITH sec AS (
    SELECT {SEATS}, revision FROM academics.sections WHERE id = :section_id AND {_TURN} FOR NO KEY UPDATE
),
student AS (
    SELECT s.facts_revision FROM academics.students s
    WHERE s.id = :student_id AND (SELECT enrolled_count >= capacity OR waitlisted_count = 0 FROM sec)
    FOR NO KEY UPDATE
)
"""

# Rows are newer than the snapshot of the statement when others had the section before. Locking reads the newest ones;
# an update begins with those of the snapshot, and their checks can fail before it notices. So updates take what they
# set, and what is checked beside it, from the locked rows.
DECIDE = text(f"""
{LOCKS},
chosen AS MATERIALIZED (
    SELECT sec.*, student.facts_revision,
        CASE WHEN sec.revision <> :revision OR student.facts_revision IS DISTINCT FROM :facts_revision THEN NULL
             WHEN sec.enrolled_count < sec.capacity THEN CASE WHEN sec.waitlisted_count = 0 THEN 'ENROLLED' END
             WHEN sec.waitlisted_count < sec.waitlist_capacity THEN 'WAITLISTED' END AS outcome
    FROM sec LEFT JOIN student ON TRUE
),
step AS MATERIALIZED (
    SELECT way.*, chosen.*, number, replace(way.message, '{{number}}', coalesce(number::text, '')) AS reason,
        way.given_facts || CASE WHEN number IS NULL THEN '{{}}' ELSE jsonb_build_object('wait_no', number) END AS facts
    FROM chosen
    CROSS JOIN LATERAL (SELECT CASE outcome WHEN 'WAITLISTED' THEN wait_seq + 1 END AS number) AS counted
    CROSS JOIN LATERAL jsonb_to_record(
        CASE outcome WHEN 'ENROLLED' THEN CAST(:seated AS jsonb) ELSE CAST(:waiting AS jsonb) END
    ) AS way(message text, rule text, given_facts jsonb, action text, event_id uuid, name text, key text, payload jsonb)
    WHERE outcome IS NOT NULL
),
saved AS (
    INSERT INTO academics.enrollments (id, student_id, section_id, status, wait_no, requested_at, decided_at)
    SELECT CAST(:enrollment_id AS uuid), CAST(:student_id AS uuid), CAST(:section_id AS uuid), outcome, number,
        CAST(:at AS timestamptz), CAST(:at AS timestamptz)
    FROM step
),
touched AS (
    UPDATE academics.students s SET facts_revision = step.facts_revision + 1 FROM step WHERE s.id = :student_id
),
logged AS (
    INSERT INTO academics.enrollment_events (enrollment_id, from_status, to_status, reason, rule, facts, actor_id, at)
    SELECT CAST(:enrollment_id AS uuid), line.from_status, line.to_status, line.reason, line.rule, line.facts,
        CAST(:actor AS uuid), CAST(:at AS timestamptz)
    FROM step CROSS JOIN LATERAL (VALUES
        (1, NULL, 'PENDING', CAST(:asked AS text), NULL, CAST('{{}}' AS jsonb)),
        (2, 'PENDING', step.outcome, step.reason, step.rule, step.facts)
    ) AS line(no, from_status, to_status, reason, rule, facts)
    ORDER BY line.no
),
published AS (
    INSERT INTO platform.outbox (id, name, key, payload, occurred_at, next_attempt_at)
    SELECT event_id, name, key, payload || jsonb_build_object('wait_no', number, 'reason', reason),
        CAST(:at AS timestamptz), CAST(:at AS timestamptz)
    FROM step
),
audited AS (
    INSERT INTO platform.audit_log (at, actor_id, action, entity, entity_id, before, after, request_id)
    SELECT CAST(:at AS timestamptz), CAST(:actor AS uuid), action, 'enrollment',
        CAST(:enrollment_id AS uuid)::text, jsonb_build_object('status', 'PENDING'),
        jsonb_build_object('status', outcome, 'reason', reason), CAST(:request_id AS text)
    FROM step
),
taken AS (
    UPDATE academics.sections s SET capacity = step.capacity, waitlist_capacity = step.waitlist_capacity,
        enrolled_count = step.enrolled_count + CASE WHEN number IS NULL THEN 1 ELSE 0 END,
        waitlisted_count = step.waitlisted_count + CASE WHEN number IS NULL THEN 0 ELSE 1 END,
        wait_seq = coalesce(number, step.wait_seq)
    FROM step WHERE s.id = :section_id
)
SELECT chosen.*, step.number FROM chosen LEFT JOIN step ON TRUE
""")


def deciding(seated: Changes, waiting: Changes, read: tuple[int, int], request_id: str | None) -> Mapping[str, object]:
    """The parameters of DECIDE: both outcomes of one request, and the revisions of section and student they rest on."""
    [enrollment] = seated.enrollments
    revision, facts_revision = read
    return {
        "enrollment_id": enrollment.id,
        "student_id": enrollment.student_id,
        "section_id": enrollment.section_id,
        "revision": revision,
        "facts_revision": facts_revision,
        "asked": str(seated.steps[0].reason),
        "seated": json.dumps(_way(seated, enrollment.id), ensure_ascii=False),
        "waiting": json.dumps(_way(waiting, enrollment.id), ensure_ascii=False),
        "actor": seated.actor,
        "at": seated.at,
        "request_id": request_id,
    }


def _way(changes: Changes, enrollment_id: UUID) -> dict[str, object]:
    """One outcome: its last step with the event and the audit entry about it; the number is put in by the database."""
    step, [event], [entry] = changes.steps[-1], changes.events, changes.audit
    assert step.enrollment_id == enrollment_id  # noqa: S101 - both outcomes are of one request
    return {
        "message": _message(step),
        "rule": None if step.rule is None else step.rule.value,
        "given_facts": dict(step.facts),
        "action": entry.action,
        "event_id": str(event.event_id),
        "name": event.name,
        "key": event.key,
        "payload": event.payload(),
    }


def _message(step: Transition) -> str:
    return step.reason.message if isinstance(step.reason, Text) else step.reason
