"""The set-based half of a roster plan: what each row refers to, and what it would do. Enrolments are left to the rules.

Every statement takes `plan` and `semester`; they run in the order of STEPS.
"""

# UUID version 7 (RFC 9562 §5.7) in SQL: 48 bits of milliseconds over a random UUID, version and variant set.
UUID7 = """encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1),
        53, 1),
    'hex')::uuid"""

_R = "academics.roster_rows"


def _conflict(rule: str, message: str) -> str:
    return f"action = 'conflict', reason = jsonb_build_object('rule', '{rule}', 'message', {message})"


def _ignored(message: str) -> str:
    return f"action = 'ignored', reason = jsonb_build_object('message', '{message}')"


_OPEN = "r.plan_id = :plan AND r.action IS NULL"

# Students of a simple roster: one user row for each number, from its first line.
DERIVE_USERS = f"""
INSERT INTO {_R} (plan_id, row_no, file, line, kind, sourced_id, data)
SELECT :plan, :base + row_number() OVER (ORDER BY row_no), file, line, 'user', data->>'user',
    jsonb_build_object('number', data->'number', 'first_name', data->'first_name', 'last_name', data->'last_name',
                       'email', data->'email')
FROM (SELECT DISTINCT ON (data->>'number') row_no, file, line, data FROM {_R}
      WHERE plan_id = :plan AND kind = 'enrollment' AND action IS NULL AND NOT removed
      ORDER BY data->>'number', row_no) firsts
"""

_DOUBLED_IDS = f"""
UPDATE {_R} r SET {_conflict("duplicate_in_file", "'The sourcedId ' || r.sourced_id || ' is there twice.'")}
FROM (SELECT row_no, min(row_no) OVER (PARTITION BY kind, sourced_id) AS first FROM {_R}
      WHERE plan_id = :plan AND sourced_id IS NOT NULL AND action IS NULL) d
WHERE {_OPEN} AND r.row_no = d.row_no AND d.first < d.row_no
"""

_SESSIONS = f"""
UPDATE {_R} r SET entity_id = s.id, action = CASE
        WHEN (r.data->>'starts_on')::date <> s.starts_on OR (r.data->>'ends_on')::date <> s.ends_on THEN 'conflict'
        WHEN s.sourced_id IS NULL THEN 'change' ELSE 'unchanged' END,
    reason = CASE WHEN (r.data->>'starts_on')::date <> s.starts_on OR (r.data->>'ends_on')::date <> s.ends_on
        THEN jsonb_build_object('rule', 'dates_differ', 'message', 'The semester ' || s.code || ' lasts from '
            || s.starts_on || ' to ' || s.ends_on || '; change it there, or in the file.') END
FROM academics.semesters s
WHERE {_OPEN} AND r.kind = 'session' AND s.id = :semester AND NOT r.removed
  AND (r.sourced_id = s.sourced_id OR (s.sourced_id IS NULL
       AND lower(s.code) IN (lower(r.data->>'code'), lower(r.sourced_id))))
"""

_OTHER_SESSIONS = f"UPDATE {_R} r SET {_ignored('another session')} WHERE {_OPEN} AND r.kind = 'session'"

_OTHER_CLASSES = f"""
UPDATE {_R} r SET {_ignored("not a class of this semester")}
WHERE {_OPEN} AND r.kind = 'class' AND NOT EXISTS (
    SELECT FROM {_R} s WHERE s.plan_id = :plan AND s.kind = 'session' AND s.entity_id IS NOT NULL
      AND r.data->'terms' ? s.sourced_id)
"""

_REMOVED_CATALOGUE = f"""
UPDATE {_R} r SET {_ignored("the catalogue is not deleted by a roster; archive or close it")}
WHERE {_OPEN} AND r.removed AND r.kind IN ('org', 'course', 'class')
"""

_OTHER_COURSES = f"""
UPDATE {_R} r SET {_ignored("no class of this semester is one of this course")}
WHERE {_OPEN} AND r.kind = 'course' AND NOT EXISTS (
    SELECT FROM {_R} c WHERE c.plan_id = :plan AND c.kind = 'class' AND c.action IS NULL
      AND c.data->>'course' = r.sourced_id)
"""

_OTHER_ORGS = f"""
UPDATE {_R} r SET {_ignored("no course of this semester belongs to it")}
WHERE {_OPEN} AND r.kind = 'org' AND NOT EXISTS (
    SELECT FROM {_R} c WHERE c.plan_id = :plan AND c.kind = 'course' AND c.action IS NULL AND c.data->>'org' =
        r.sourced_id)
"""

_ORGS = f"""
UPDATE {_R} r SET entity_id = coalesce(d.id, {UUID7}), action = CASE
        WHEN d.id IS NULL THEN 'create'
        WHEN d.name <> r.data->>'name' OR d.sourced_id IS NULL THEN 'change' ELSE 'unchanged' END
FROM {_R} o LEFT JOIN LATERAL (
    SELECT * FROM academics.departments d
    WHERE d.sourced_id = o.sourced_id OR (d.sourced_id IS NULL AND lower(d.code) = lower(o.data->>'code'))
    ORDER BY d.sourced_id NULLS LAST LIMIT 1) d ON TRUE
WHERE {_OPEN} AND r.kind = 'org' AND o.plan_id = r.plan_id AND o.row_no = r.row_no
"""

_COURSES = f"""
UPDATE {_R} r SET entity_id = coalesce(c.id, {UUID7}),
    action = CASE
        WHEN c.id IS NULL AND g.row_no IS NULL AND dep.id IS NULL THEN 'conflict'
        WHEN c.id IS NULL THEN 'create'
        WHEN c.title <> r.data->>'title' OR c.code <> r.data->>'code' OR c.sourced_id IS NULL
          OR c.credits <> (r.data->>'credits')::numeric THEN 'change'
        ELSE 'unchanged' END,
    reason = CASE WHEN c.id IS NULL AND g.row_no IS NULL AND dep.id IS NULL THEN jsonb_build_object(
        'rule', 'unknown_org', 'message', 'There is no department ' || (r.data->>'org') ||
            ' to put a new course in.') END,
    data = r.data || jsonb_build_object('department_id', coalesce(g.entity_id, dep.id))
FROM {_R} o
LEFT JOIN LATERAL (
    SELECT * FROM academics.courses c
    WHERE c.sourced_id = o.sourced_id OR (c.sourced_id IS NULL AND lower(c.code) = lower(o.data->>'code'))
    ORDER BY c.sourced_id NULLS LAST LIMIT 1) c ON TRUE
LEFT JOIN {_R} g ON g.plan_id = :plan AND g.kind = 'org' AND g.sourced_id = o.data->>'org'
    AND g.action IN ('create', 'change', 'unchanged')
LEFT JOIN academics.departments dep ON dep.sourced_id = o.data->>'org'
WHERE {_OPEN} AND r.kind = 'course' AND o.plan_id = r.plan_id AND o.row_no = r.row_no
"""

_CLASSES = f"""
UPDATE {_R} r SET entity_id = coalesce(sec.id, {UUID7}),
    action = CASE
        WHEN course.row_no IS NULL THEN 'conflict'
        WHEN sec.id IS NULL THEN 'create'
        WHEN (r.data->>'capacity')::int < sec.enrolled_count
          OR (r.data->>'waitlist_capacity')::int < sec.waitlisted_count THEN 'conflict'
        WHEN sec.code <> r.data->>'code' OR sec.sourced_id IS NULL OR (r.data->>'capacity')::int <> sec.capacity
          OR (r.data->>'waitlist_capacity')::int <> sec.waitlist_capacity THEN 'change'
        ELSE 'unchanged' END,
    reason = CASE
        WHEN course.row_no IS NULL THEN jsonb_build_object(
            'rule', 'unknown_course', 'message', 'There is no course ' || (r.data->>'course') || ' in the file.')
        WHEN (r.data->>'capacity')::int < sec.enrolled_count
          OR (r.data->>'waitlist_capacity')::int < sec.waitlisted_count THEN jsonb_build_object(
            'rule', 'capacity_below_enrolled', 'message', sec.enrolled_count || ' seats are taken and '
            || sec.waitlisted_count || ' students wait.') END,
    data = r.data || jsonb_build_object(
        'course_id', course.entity_id,
        'capacity', coalesce((r.data->>'capacity')::int, sec.capacity, nullif(known.capacity, 0), :default_capacity),
        'waitlist_capacity', coalesce((r.data->>'waitlist_capacity')::int, sec.waitlist_capacity, 0))
FROM {_R} o
LEFT JOIN {_R} course ON course.plan_id = :plan AND course.kind = 'course' AND course.sourced_id = o.data->>'course'
    AND course.action IN ('create', 'change', 'unchanged')
LEFT JOIN academics.courses known ON known.id = course.entity_id
LEFT JOIN LATERAL (
    SELECT * FROM academics.sections sec
    WHERE sec.semester_id = :semester AND (sec.sourced_id = o.sourced_id
      OR (sec.sourced_id IS NULL AND sec.course_id = course.entity_id AND sec.code = o.data->>'code'))
    ORDER BY sec.sourced_id NULLS LAST LIMIT 1) sec ON TRUE
WHERE {_OPEN} AND r.kind = 'class' AND o.plan_id = r.plan_id AND o.row_no = r.row_no
"""

# Who is no student of this semester by the file: teachers, parents, others.
_OTHER_USERS = f"""
UPDATE {_R} r SET {_ignored("not enrolled as a student in this file")}
WHERE {_OPEN} AND r.kind = 'user' AND NOT EXISTS (
    SELECT FROM {_R} e WHERE e.plan_id = :plan AND e.kind = 'enrollment' AND e.action IS NULL
      AND e.data->>'user' = r.sourced_id AND e.data->>'role' = 'student')
"""

_USERS_BY_ID = f"""
UPDATE {_R} r SET entity_id = s.id FROM academics.students s
WHERE {_OPEN} AND r.kind = 'user' AND s.sourced_id = r.sourced_id
"""
_USERS_BY_NUMBER = f"""
UPDATE {_R} r SET entity_id = s.id FROM academics.students s
WHERE {_OPEN} AND r.kind = 'user' AND r.entity_id IS NULL AND s.number = r.data->>'number'
"""
_USERS_BY_EMAIL = f"""
UPDATE {_R} r SET entity_id = s.id FROM academics.students s
WHERE {_OPEN} AND r.kind = 'user' AND r.entity_id IS NULL AND r.data->>'email' <> ''
  AND lower(s.email) = lower(r.data->>'email')
  AND NOT EXISTS (SELECT FROM academics.students o WHERE lower(o.email) = lower(s.email) AND o.id <> s.id)
"""
_DOUBLED_STUDENTS = f"""
UPDATE {_R} r SET {_conflict("duplicate_in_file", "'The same student is in the file under another sourcedId.'")}
FROM (SELECT row_no, min(row_no) OVER (PARTITION BY entity_id) AS first,
             min(row_no) OVER (PARTITION BY data->>'number') AS first_number, entity_id FROM {_R}
      WHERE plan_id = :plan AND kind = 'user' AND action IS NULL) d
WHERE {_OPEN} AND r.row_no = d.row_no
  AND ((d.entity_id IS NOT NULL AND d.first < d.row_no) OR d.first_number < d.row_no)
"""
_USERS = f"""
UPDATE {_R} r SET entity_id = coalesce(s.id, {UUID7}),
    action = CASE
        WHEN s.id IS NULL AND r.removed THEN 'ignored'
        WHEN s.id IS NULL AND (r.data->>'first_name' = '' OR r.data->>'last_name' = '') THEN 'conflict'
        WHEN s.id IS NULL THEN 'create'
        WHEN r.removed THEN 'unchanged'
        WHEN (r.data->>'first_name' <> '' AND r.data->>'first_name' <> s.first_name)
          OR (r.data->>'last_name' <> '' AND r.data->>'last_name' <> s.last_name)
          OR (r.data->>'email' <> '' AND r.data->>'email' IS DISTINCT FROM s.email)
          OR (s.sourced_id IS NULL AND NOT starts_with(r.sourced_id, 'number:')) THEN 'change'
        ELSE 'unchanged' END,
    reason = CASE WHEN s.id IS NULL AND NOT r.removed AND (r.data->>'first_name' = '' OR r.data->>'last_name' = '')
        THEN jsonb_build_object('rule', 'unknown_student', 'message', 'There is no student with the number '
            || (r.data->>'number') || '; a new one needs a first and a last name.') END
FROM {_R} o LEFT JOIN academics.students s ON s.id = o.entity_id
WHERE {_OPEN} AND r.kind = 'user' AND o.plan_id = r.plan_id AND o.row_no = r.row_no
"""

# Enrolments: whom and where they mean.
_SIMPLE_SECTIONS = f"""
UPDATE {_R} r SET section_id = sec.id
FROM academics.sections sec JOIN academics.courses c ON c.id = sec.course_id
WHERE {_OPEN} AND r.kind = 'enrollment' AND sec.semester_id = :semester
  AND lower(c.code) = lower(r.data->>'course_code') AND sec.code = r.data->>'section_code'
"""
_SIMPLE_STUDENTS = f"""
UPDATE {_R} r SET student_id = s.id FROM academics.students s
WHERE {_OPEN} AND r.kind = 'enrollment' AND r.removed AND s.number = r.data->>'number'
"""
_OTHER_ENROLLMENTS = f"""
UPDATE {_R} r SET {_ignored("not a class of this semester")}
FROM {_R} c WHERE {_OPEN} AND r.kind = 'enrollment' AND c.plan_id = :plan AND c.kind = 'class'
  AND c.sourced_id = r.data->>'class' AND c.action = 'ignored'
"""
_ENROLLMENT_SECTIONS = f"""
UPDATE {_R} r SET section_id = c.entity_id FROM {_R} c
WHERE {_OPEN} AND r.kind = 'enrollment' AND c.plan_id = :plan AND c.kind = 'class'
  AND c.sourced_id = r.data->>'class' AND c.action IN ('create', 'change', 'unchanged')
"""
_ENROLLMENT_STUDENTS = f"""
UPDATE {_R} r SET student_id = u.entity_id FROM {_R} u
WHERE {_OPEN} AND r.kind = 'enrollment' AND r.data->>'role' = 'student' AND u.plan_id = :plan AND u.kind = 'user'
  AND u.sourced_id = r.data->>'user' AND u.action IN ('create', 'change', 'unchanged')
"""
_TEACHERS = f"""
UPDATE {_R} r SET action = CASE WHEN sec.instructor_id = d.user_id THEN 'unchanged' ELSE 'change' END,
    entity_id = d.user_id
FROM {_R} o
JOIN {_R} u ON u.plan_id = :plan AND u.kind = 'user' AND u.sourced_id = o.data->>'user'
JOIN identity.directory d ON d.email = lower(u.data->>'email') AND d.role IN ('instructor', 'registrar', 'admin')
    AND d.suspended_at IS NULL
LEFT JOIN academics.sections sec ON sec.id = o.section_id
WHERE {_OPEN} AND r.kind = 'enrollment' AND r.data->>'role' = 'teacher' AND r.data->>'primary' IN ('true', '')
  AND NOT r.removed AND r.section_id IS NOT NULL AND o.plan_id = r.plan_id AND o.row_no = r.row_no
"""
_OTHER_ROLES = f"""
UPDATE {_R} r SET {_ignored("only students, and primary teachers who are instructors here, are taken over")}
WHERE {_OPEN} AND r.kind = 'enrollment' AND r.data->>'role' <> 'student'
"""
_UNKNOWN = f"""
UPDATE {_R} r SET action = 'conflict', reason = CASE
    WHEN r.section_id IS NULL THEN jsonb_build_object('rule', 'unknown_section', 'message', 'There is no section '
        || coalesce(r.data->>'class', (r.data->>'course_code') || ' ' || (r.data->>'section_code')) ||
            ' in this semester.')
    ELSE jsonb_build_object('rule', 'unknown_student', 'message', 'There is no usable student '
        || coalesce(r.data->>'number', r.data->>'user') || '; see the conflicts of user rows.') END
WHERE {_OPEN} AND r.kind = 'enrollment' AND (r.section_id IS NULL OR r.student_id IS NULL)
"""
_DOUBLED_ENROLLMENTS = f"""
UPDATE {_R} r SET {_conflict("duplicate_in_file", "'The same student and section are in an earlier row.'")}
FROM (SELECT row_no, min(row_no) OVER (PARTITION BY student_id, section_id) AS first FROM {_R}
      WHERE plan_id = :plan AND kind = 'enrollment' AND action IS NULL) d
WHERE {_OPEN} AND r.row_no = d.row_no AND d.first < d.row_no
"""
_PRESENT = f"""
UPDATE {_R} r SET entity_id = e.id,
    action = CASE WHEN r.removed AND e.status <> 'COMPLETED' THEN 'drop' ELSE 'unchanged' END,
    outcome = e.status,
    reason = CASE WHEN e.status = 'WAITLISTED' AND NOT r.removed
        THEN jsonb_build_object('message', 'waits already, with number ' || e.wait_no) END
FROM academics.enrollments e
WHERE {_OPEN} AND r.kind = 'enrollment' AND e.student_id = r.student_id AND e.section_id = r.section_id
  AND e.status IN ('ENROLLED', 'WAITLISTED', 'COMPLETED')
"""
_NOTHING_TO_DROP = f"UPDATE {_R} r SET {_ignored('not enrolled')} WHERE {_OPEN} AND r.kind = 'enrollment' AND r.removed"

# Absent from a full roster: a seat that no row of the file speaks of. Who waits is left where they are.
IMPLIED_DROPS = f"""
INSERT INTO {_R} (plan_id, row_no, file, line, kind, data, action, reason, entity_id, student_id, section_id, outcome)
SELECT :plan, :base + row_number() OVER (ORDER BY e.id), '', NULL, 'enrollment',
    jsonb_build_object('number', s.number, 'course_code', c.code, 'section_code', sec.code), 'drop',
    jsonb_build_object('message', 'not in the file'), e.id, e.student_id, e.section_id, e.status
FROM academics.enrollments e
JOIN academics.sections sec ON sec.id = e.section_id AND sec.semester_id = :semester
JOIN academics.courses c ON c.id = sec.course_id
JOIN academics.students s ON s.id = e.student_id
WHERE e.status = 'ENROLLED' AND NOT EXISTS (
    SELECT FROM {_R} r WHERE r.plan_id = :plan AND r.kind = 'enrollment' AND r.student_id = e.student_id
      AND r.section_id = e.section_id)
"""

_TOO_LATE = "'The last day to drop was ' || s.drop_by || '; waive drop_deadline to drop.'"
LATE_DROPS = f"""
UPDATE {_R} r SET {_conflict("drop_deadline", _TOO_LATE)}
FROM academics.semesters s
WHERE r.plan_id = :plan AND r.action = 'drop' AND r.outcome = 'ENROLLED' AND s.id = :semester
  AND s.drop_by < (CAST(:now AS timestamptz) AT TIME ZONE s.time_zone)::date
"""

ONEROSTER_STEPS = (
    _DOUBLED_IDS,
    _SESSIONS,
    _OTHER_SESSIONS,
    _OTHER_CLASSES,
    _REMOVED_CATALOGUE,
    _OTHER_COURSES,
    _OTHER_ORGS,
    _ORGS,
    _COURSES,
    _CLASSES,
    _OTHER_ENROLLMENTS,
    _OTHER_USERS,
    _USERS_BY_ID,
    _USERS_BY_NUMBER,
    _USERS_BY_EMAIL,
    _DOUBLED_STUDENTS,
    _USERS,
    _ENROLLMENT_SECTIONS,
    _ENROLLMENT_STUDENTS,
    _TEACHERS,
    _OTHER_ROLES,
    _UNKNOWN,
    _DOUBLED_ENROLLMENTS,
    _PRESENT,
    _NOTHING_TO_DROP,
)
SIMPLE_STEPS = (
    _USERS_BY_NUMBER,
    _USERS,
    _SIMPLE_SECTIONS,
    _SIMPLE_STUDENTS,
    _ENROLLMENT_STUDENTS,
    _UNKNOWN,
    _DOUBLED_ENROLLMENTS,
    _PRESENT,
    _NOTHING_TO_DROP,
)

# All the state a plan looks at, as sums of row hashes: any change of any of these rows changes it, in whatever order
# they are read. 64-bit hashes summed as numeric: this notices changes, it is no protection against forgery.
FINGERPRINT = """
WITH sums(part, value) AS (
    SELECT 'today', (CAST(:now AS timestamptz) AT TIME ZONE time_zone)::date::text
        FROM academics.semesters WHERE id = :semester
    UNION ALL SELECT 'semesters', sum(hashtextextended(t::text, 0)::numeric)::text FROM academics.semesters t
    UNION ALL SELECT 'departments', sum(hashtextextended(t::text, 0)::numeric)::text FROM academics.departments t
    UNION ALL SELECT 'courses', sum(hashtextextended(concat_ws('|', id, code, title, credits, capacity, state,
        revision), 0)
        ::numeric)::text FROM academics.courses
    UNION ALL SELECT 'prerequisites', sum(hashtextextended(t::text, 0)::numeric)::text FROM academics.prerequisites t
    UNION ALL SELECT 'sections', sum(hashtextextended(t::text, 0)::numeric)::text
        FROM academics.sections t WHERE semester_id = :semester
    UNION ALL SELECT 'meetings', sum(hashtextextended(m::text, 0)::numeric)::text FROM academics.section_meetings m
    UNION ALL SELECT 'students', sum(hashtextextended(concat_ws('|', id, user_id, number, sourced_id, revision), 0)
        ::numeric)::text FROM academics.students
    UNION ALL SELECT 'holds', sum(hashtextextended(id::text, 0)::numeric)::text FROM academics.holds
        WHERE released_at IS NULL
    UNION ALL SELECT 'overrides', sum(hashtextextended(id::text, 0)::numeric)::text FROM academics.overrides
        WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
    UNION ALL SELECT 'completions', sum(hashtextextended(concat_ws('|', id, score), 0)::numeric)::text
        FROM academics.course_completions
    UNION ALL SELECT 'enrollments', sum(hashtextextended(concat_ws('|', id, status, wait_no), 0)::numeric)::text
        FROM academics.enrollments WHERE status IN ('ENROLLED', 'WAITLISTED', 'COMPLETED')
)
SELECT encode(sha256(convert_to(string_agg(part || '=' || coalesce(value, ''), ';' ORDER BY part), 'UTF8')), 'hex')
FROM sums
"""

COUNTS = (
    f"SELECT kind, action, count(*) AS n FROM {_R} WHERE plan_id = :plan GROUP BY kind, action ORDER BY kind, action"
)

# Ids that applying will give are random, so they are left out: the same file and state give the same hash.
DECISIONS = f"""
SELECT encode(sha256(convert_to(coalesce(sum(hashtextextended(concat_ws('|', row_no, kind, action, outcome, wait_no,
    reason::text, CASE WHEN action = 'drop' THEN entity_id END), 0)::numeric), 0)::text, 'UTF8')), 'hex')
FROM {_R} WHERE plan_id = :plan
"""
