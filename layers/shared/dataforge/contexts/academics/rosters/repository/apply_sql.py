"""Carrying a roster plan out, set by set, in the order of STEPS; statements take `plan`, `semester`, `now`, `actor`."""

# UUID version 7 (RFC 9562 §5.7) in SQL: 48 bits of milliseconds over a random UUID, version and variant set.
UUID7 = """encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1),
        53, 1),
    'hex')::uuid"""
_R = "academics.roster_rows"
_AT = "CAST(:now AS timestamptz)"
_ACTOR = "CAST(:actor AS uuid)"


def _mine(kind: str, *actions: str) -> str:
    named = ", ".join(f"'{action}'" for action in actions)
    return f"r.plan_id = :plan AND r.kind = '{kind}' AND r.action IN ({named})"


def _words(*columns: str) -> str:
    # The same words as domain.catalogue.search_words.
    joined = " || ' ' || ".join(columns)
    return f"to_tsvector('simple', regexp_replace(lower({joined}), '[\\W_]+', ' ', 'g'))"


# Codes and numbers can be handed from one thing to another: whoever gets a new one leaves the old one first.
_LEFT_COURSE_CODES = f"""
UPDATE academics.courses c SET code = replace(c.id::text, '-', '')
FROM {_R} r WHERE {_mine("course", "change")} AND c.id = r.entity_id AND c.code <> r.data->>'code'
"""
_LEFT_SECTION_CODES = f"""
UPDATE academics.sections s SET code = replace(s.id::text, '-', '')
FROM {_R} r WHERE {_mine("class", "change")} AND s.id = r.entity_id AND s.code <> r.data->>'code'
"""
_LEFT_NUMBERS = f"""
UPDATE academics.students s SET number = s.id::text
FROM {_R} r WHERE {_mine("user", "change")} AND s.id = r.entity_id AND r.data ? 'renumbered'
"""
_NEW_ORGS = f"""
INSERT INTO academics.departments (id, code, name, sourced_id, created_at, updated_at)
SELECT entity_id, data->>'code', data->>'name', sourced_id, {_AT}, {_AT} FROM {_R} r WHERE {_mine("org", "create")}
"""
_CHANGED_ORGS = f"""
UPDATE academics.departments d SET name = r.data->>'name', sourced_id = r.sourced_id, revision = d.revision + 1,
    updated_at = {_AT}
FROM {_R} r WHERE {_mine("org", "change")} AND d.id = r.entity_id
"""
_LINKED_SESSION = f"""
UPDATE academics.semesters s SET sourced_id = r.sourced_id, revision = s.revision + 1, updated_at = {_AT}
FROM {_R} r WHERE {_mine("session", "change")} AND s.id = r.entity_id
"""
_NEW_COURSES = f"""
INSERT INTO academics.courses (id, code, title, description, credits, capacity, department_id, state, search,
    sourced_id,
    created_at, updated_at)
SELECT entity_id, data->>'code', data->>'title', '', coalesce((data->>'credits')::numeric, 0), 0,
    (data->>'department_id')::uuid, 'published', {_words("(data->>'code')", "(data->>'title')")}, sourced_id,
    {_AT}, {_AT}
FROM {_R} r WHERE {_mine("course", "create")}
"""
_CHANGED_COURSES = f"""
UPDATE academics.courses c SET code = r.data->>'code', title = r.data->>'title', sourced_id = r.sourced_id,
    credits = coalesce((r.data->>'credits')::numeric, c.credits),
    search = {_words("(r.data->>'code')", "(r.data->>'title')", "c.description")},
    revision = c.revision + 1, updated_at = {_AT}
FROM {_R} r WHERE {_mine("course", "change")} AND c.id = r.entity_id
"""
_NEW_SECTIONS = f"""
INSERT INTO academics.sections (id, course_id, semester_id, code, capacity, waitlist_capacity, sourced_id, created_at,
    updated_at)
SELECT entity_id, (data->>'course_id')::uuid, :semester, data->>'code', (data->>'capacity')::int,
    (data->>'waitlist_capacity')::int, sourced_id, {_AT}, {_AT}
FROM {_R} r WHERE {_mine("class", "create")}
"""
_CHANGED_SECTIONS = f"""
UPDATE academics.sections s SET code = r.data->>'code', capacity = (r.data->>'capacity')::int,
    waitlist_capacity = (r.data->>'waitlist_capacity')::int, sourced_id = r.sourced_id, revision = s.revision + 1,
    updated_at = {_AT}
FROM {_R} r WHERE {_mine("class", "change")} AND s.id = r.entity_id
"""
_TEACHERS = f"""
UPDATE academics.sections s SET instructor_id = r.entity_id, revision = s.revision + 1, updated_at = {_AT}
FROM {_R} r WHERE {_mine("enrollment", "change")} AND r.data->>'role' = 'teacher' AND s.id = r.section_id
"""
_NEW_STUDENTS = f"""
INSERT INTO academics.students (id, number, first_name, last_name, email, sourced_id, created_at, updated_at)
SELECT entity_id, data->>'number', data->>'first_name', data->>'last_name', nullif(data->>'email', ''),
    CASE WHEN data ? 'derived' THEN NULL ELSE sourced_id END, {_AT}, {_AT}
FROM {_R} r WHERE {_mine("user", "create")}
"""
_CHANGED_STUDENTS = f"""
UPDATE academics.students s SET
    first_name = coalesce(nullif(r.data->>'first_name', ''), s.first_name),
    last_name = coalesce(nullif(r.data->>'last_name', ''), s.last_name),
    email = coalesce(nullif(r.data->>'email', ''), s.email),
    number = coalesce(r.data->>'renumbered', s.number),
    sourced_id = coalesce(s.sourced_id, CASE WHEN r.data ? 'derived' THEN NULL ELSE r.sourced_id END),
    revision = s.revision + 1, updated_at = {_AT}
FROM {_R} r WHERE {_mine("user", "change")} AND s.id = r.entity_id
"""
_DROPS = f"""
UPDATE academics.enrollments e SET status = 'DROPPED', wait_no = NULL, failure = NULL, decided_at = {_AT}
FROM {_R} r WHERE {_mine("enrollment", "drop")} AND e.id = r.entity_id
"""
# A move from one section of a course to another is a `change` row for the new one and a `drop` row for the old one.
_ADDED = f"{_mine('enrollment', 'create', 'change')} AND r.data->>'role' = 'student'"
_NEW_ENROLLMENTS = f"""
INSERT INTO academics.enrollments (id, student_id, section_id, status, wait_no, requested_at, decided_at, sourced_id)
SELECT entity_id, student_id, section_id, outcome, wait_no, {_AT}, {_AT}, NULL FROM {_R} r WHERE {_ADDED}
"""
_EVENTS = f"""
INSERT INTO academics.enrollment_events (enrollment_id, from_status, to_status, reason, facts, actor_id, at)
SELECT entity_id, from_status, to_status, reason, jsonb_build_object('roster_plan', :plan, 'row', row_no),
    {_ACTOR}, {_AT}
FROM (
    SELECT r.entity_id, r.row_no, 0 AS step, NULL AS from_status, 'PENDING' AS to_status,
        CAST(:requested AS text) AS reason
    FROM {_R} r WHERE {_ADDED}
    UNION ALL
    SELECT r.entity_id, r.row_no, 1, 'PENDING', r.outcome, coalesce(r.reason->>'message', CAST(:listed AS text))
    FROM {_R} r WHERE {_ADDED}
    UNION ALL
    SELECT r.entity_id, r.row_no, 0, r.outcome, 'DROPPED', coalesce(r.reason->>'message', CAST(:dropped AS text))
    FROM {_R} r WHERE {_mine("enrollment", "drop")}
) steps ORDER BY row_no, step
"""
_COUNTS = f"""
UPDATE academics.sections s SET
    capacity = s.capacity + d.raised, revision = s.revision + CASE WHEN d.raised > 0 THEN 1 ELSE 0 END,
    enrolled_count = s.enrolled_count + d.enrolled, waitlisted_count = s.waitlisted_count + d.waitlisted,
    wait_seq = greatest(s.wait_seq, d.wait_no)
FROM (
    SELECT r.section_id,
        count(*) FILTER (WHERE r.action <> 'drop' AND (r.reason->>'capacity_raised')::boolean) AS raised,
        count(*) FILTER (WHERE r.action <> 'drop' AND r.outcome = 'ENROLLED')
            - count(*) FILTER (WHERE r.action = 'drop' AND r.outcome = 'ENROLLED') AS enrolled,
        count(*) FILTER (WHERE r.action <> 'drop' AND r.outcome = 'WAITLISTED')
            - count(*) FILTER (WHERE r.action = 'drop' AND r.outcome = 'WAITLISTED') AS waitlisted,
        coalesce(max(r.wait_no), 0) AS wait_no
    FROM {_R} r
    WHERE {_mine("enrollment", "create", "change", "drop")} AND coalesce(r.data->>'role', 'student') = 'student'
    GROUP BY r.section_id
) d WHERE s.id = d.section_id
"""
_TOUCHED = f"""
UPDATE academics.students s SET facts_revision = s.facts_revision + 1
WHERE s.id IN (SELECT r.student_id FROM {_R} r WHERE {_mine("enrollment", "create", "change", "drop")})
"""
_CHANGED = f"{_mine('enrollment', 'create', 'change', 'drop')} AND coalesce(r.data->>'role', 'student') = 'student'"
_OUTBOX = f"""
INSERT INTO platform.outbox (id, name, key, payload, occurred_at, next_attempt_at)
SELECT {UUID7}, 'academics.enrollment_changed', r.entity_id::text, jsonb_build_object(
    'enrollment_id', r.entity_id, 'student_id', s.id, 'student_name', s.first_name || ' ' || s.last_name,
    'user_id', s.user_id, 'email', s.email, 'section_id', sec.id, 'section_code', sec.code, 'course_id', c.id,
    'course_code', c.code, 'course_title', c.title, 'semester_code', sem.code,
    'from', CASE WHEN r.action = 'drop' THEN r.outcome ELSE 'PENDING' END,
    'to', CASE WHEN r.action = 'drop' THEN 'DROPPED' ELSE r.outcome END,
    'wait_no', r.wait_no, 'reason', coalesce(r.reason->>'message', CAST(:listed AS text)), 'rule', NULL,
    'actor_id', {_ACTOR}, 'at', {_AT}), {_AT}, {_AT}
FROM {_R} r
JOIN academics.students s ON s.id = r.student_id
JOIN academics.sections sec ON sec.id = r.section_id
JOIN academics.courses c ON c.id = sec.course_id
JOIN academics.semesters sem ON sem.id = sec.semester_id
WHERE {_CHANGED}
"""
_AUDIT = f"""
INSERT INTO platform.audit_log (at, actor_id, action, entity, entity_id, before, after)
SELECT {_AT}, {_ACTOR}, CASE r.kind WHEN 'enrollment' THEN 'enrollment.'
        || lower(CASE WHEN r.action = 'drop' THEN 'DROPPED' ELSE r.outcome END)
        ELSE (CASE r.kind WHEN 'org' THEN 'department' WHEN 'session' THEN 'semester' WHEN 'class' THEN 'section'
              WHEN 'user' THEN 'student' ELSE r.kind END) || '.' || r.action || 'd' END,
    CASE r.kind WHEN 'org' THEN 'department' WHEN 'session' THEN 'semester' WHEN 'class' THEN 'section'
        WHEN 'user' THEN 'student' ELSE r.kind END,
    r.entity_id::text,
    CASE WHEN r.action = 'drop' THEN jsonb_build_object('status', r.outcome) END,
    jsonb_build_object('roster_plan', :plan, 'row', r.row_no)
        || CASE WHEN r.kind = 'enrollment' THEN jsonb_build_object('status',
                CASE WHEN r.action = 'drop' THEN 'DROPPED' ELSE r.outcome END)
           ELSE jsonb_build_object('data', r.data) END
FROM {_R} r
WHERE r.plan_id = :plan AND r.action IN ('create', 'change', 'drop')
  AND (r.kind <> 'enrollment' OR coalesce(r.data->>'role', 'student') = 'student')
ORDER BY r.row_no
"""
_AUDIT_TEACHERS = f"""
INSERT INTO platform.audit_log (at, actor_id, action, entity, entity_id, after)
SELECT {_AT}, {_ACTOR}, 'section.changed', 'section', r.section_id::text,
    jsonb_build_object('roster_plan', :plan, 'row', r.row_no, 'instructor_id', r.entity_id)
FROM {_R} r WHERE {_mine("enrollment", "change")} AND r.data->>'role' = 'teacher'
"""

STEPS = (
    _LEFT_COURSE_CODES,
    _LEFT_SECTION_CODES,
    _LEFT_NUMBERS,
    _NEW_ORGS,
    _CHANGED_ORGS,
    _LINKED_SESSION,
    _NEW_COURSES,
    _CHANGED_COURSES,
    _NEW_SECTIONS,
    _CHANGED_SECTIONS,
    _TEACHERS,
    _NEW_STUDENTS,
    _CHANGED_STUDENTS,
    _DROPS,
    _NEW_ENROLLMENTS,
    _EVENTS,
    _COUNTS,
    _TOUCHED,
    _OUTBOX,
    _AUDIT,
    _AUDIT_TEACHERS,
)

LOCK_SECTIONS = "SELECT id FROM academics.sections WHERE semester_id = :semester ORDER BY id FOR NO KEY UPDATE"
LOCK_STUDENTS = f"""
SELECT s.id FROM academics.students s
WHERE s.id IN (SELECT r.student_id FROM {_R} r WHERE r.plan_id = :plan AND r.kind = 'enrollment'
               AND r.action IN ('create', 'change', 'drop'))
ORDER BY s.id FOR NO KEY UPDATE
"""
# Sections whose waitlists may move: a seat is free that somebody waits for.
TO_PROMOTE = f"""
SELECT s.id FROM academics.sections s
WHERE s.semester_id = :semester AND s.enrolled_count < s.capacity AND s.waitlisted_count > 0
  AND s.id IN (SELECT coalesce(r.section_id, r.entity_id) FROM {_R} r WHERE r.plan_id = :plan
               AND r.action IN ('create', 'change', 'drop') AND r.kind IN ('class', 'enrollment'))
ORDER BY s.id
"""
