"""The set-based half of a roster plan: what each row refers to, and the facts the domain decides by.

All of it works on the draft, a temporary table of one plan: rows are changed there several times, which costs no log
and no index. Many statements take `semester`. Nothing here says what a row comes to: decisions and their reasons are
handed in.
"""

_R = "pg_temp.roster_draft"
_D = "pg_temp.roster_decisions"
# Another plan of the same transaction begins anew.
MAKE_DRAFT = (
    f"DROP TABLE IF EXISTS {_R}, {_D}",
    """CREATE TEMPORARY TABLE roster_draft (row_no int NOT NULL, file text NOT NULL, line int, kind text NOT NULL,
        sourced_id text, removed boolean NOT NULL DEFAULT false, data jsonb NOT NULL, action text, reason jsonb,
        changes jsonb, entity_id uuid, student_id uuid, section_id uuid, outcome text, wait_no int) ON COMMIT DROP""",
    """CREATE TEMPORARY TABLE roster_decisions (row_no int NOT NULL, action text NOT NULL, reason jsonb, entity_id uuid,
        outcome text, wait_no int, data jsonb, changes jsonb) ON COMMIT DROP""",
)
STAGE = f"COPY {_R} (row_no, file, line, kind, sourced_id, removed, data, action, reason) FROM STDIN"
COLLECT = f"COPY {_D} (row_no, action, reason, entity_id, outcome, wait_no, data, changes) FROM STDIN"
# What joins and filters look at; statistics of documents take long and tell nothing.
ANALYZE_DRAFT = f"ANALYZE {_R} (row_no, kind, sourced_id, removed, action)"
ANALYZE_DECISIONS = f"ANALYZE {_D} (row_no)"
LAST_ROW = f"SELECT coalesce(max(row_no), 0) FROM {_R}"
_OPEN = "r.action IS NULL"
# Rows that say whom and what they are about although they cannot be used are resolved too: nobody they may speak of is
# absent.
_TELLING = "r.kind = 'enrollment' AND (r.action IS NULL OR r.action = 'conflict')"
_USABLE = "action IN ('create', 'change', 'unchanged')"


def _sourced_id(alias: str, kind: str) -> str:
    """The sourcedId of a thing; its id, where it has none and the file calls it by that, as our exports do."""
    named = f"SELECT sourced_id FROM {_R} WHERE kind = '{kind}'"
    return f"""CASE WHEN {alias}.sourced_id IS NULL AND {alias}.id::text IN ({named}) THEN {alias}.id::text
        ELSE {alias}.sourced_id END AS sourced_id"""


CATALOG_ROWS = f"""
SELECT row_no, file, line, kind, sourced_id, removed, data, action, reason FROM {_R}
WHERE kind IN ('session', 'org', 'course', 'class') ORDER BY row_no
"""
CATALOG_DEPARTMENTS = f"""
SELECT id, code, name, {_sourced_id("d", "org")} FROM academics.departments d
WHERE d.sourced_id IN (SELECT sourced_id FROM {_R} WHERE kind = 'org')
   OR d.sourced_id IN (SELECT data->>'org' FROM {_R} WHERE kind = 'course')
   OR lower(d.code) IN (SELECT lower(data->>'code') FROM {_R} WHERE kind = 'org')
"""
CATALOG_COURSES = f"""
SELECT id, code, title, credits, capacity, {_sourced_id("c", "course")} FROM academics.courses c
WHERE c.sourced_id IN (SELECT sourced_id FROM {_R} WHERE kind = 'course')
   OR lower(c.code) IN (SELECT lower(data->>'code') FROM {_R} WHERE kind = 'course')
"""
CATALOG_SECTIONS = f"""
SELECT s.id, s.semester_id, sem.code AS semester_code, s.course_id, c.code AS course_code, s.code, s.capacity,
    s.waitlist_capacity, s.enrolled_count, s.waitlisted_count, {_sourced_id("s", "class")}
FROM academics.sections s
JOIN academics.courses c ON c.id = s.course_id JOIN academics.semesters sem ON sem.id = s.semester_id
WHERE s.semester_id = :semester
   OR s.sourced_id IN (SELECT sourced_id FROM {_R} WHERE kind = 'class')
"""
CATALOG_SEMESTERS = f"""
SELECT * FROM (SELECT id, code, {_sourced_id("s", "session")} FROM academics.semesters s) s
WHERE sourced_id IS NOT NULL
"""

DOUBLED_ROWS = f"""
SELECT row_no, file, line, kind, sourced_id, removed, data FROM {_R} r
WHERE {_OPEN} AND kind IN ('user', 'enrollment') AND (kind, sourced_id) IN (
    SELECT kind, sourced_id FROM {_R} r WHERE {_OPEN} AND sourced_id IS NOT NULL GROUP BY kind, sourced_id
    HAVING count(*) > 1)
ORDER BY row_no
"""

# Students of a simple roster: one user row for each number, whatever its capitals, from all of its lines. What these
# disagree on is kept beside it.
_DIFFER = "CASE WHEN min(lower({0})) <> max(lower({0})) THEN jsonb_build_object('{0}s', jsonb_build_array(min({0}), \
max({0}))) ELSE '{{}}' END"
DERIVE_USERS = f"""
WITH named AS MATERIALIZED (
    SELECT row_no, file, line, data->>'user' AS key, data->>'number' AS number,
        nullif(data->>'first_name', '') AS first_name, nullif(data->>'last_name', '') AS last_name,
        nullif(data->>'email', '') AS email
    FROM {_R} r WHERE {_OPEN} AND kind = 'enrollment' AND NOT removed
)
INSERT INTO {_R} (row_no, file, line, kind, sourced_id, data)
SELECT :base + row_number() OVER (ORDER BY min(row_no)), min(file), min(line), 'user', key,
    jsonb_build_object('number', min(number), 'first_name', coalesce(min(first_name), ''),
        'last_name', coalesce(min(last_name), ''), 'email', coalesce(min(email), ''), 'derived', true)
    || {_DIFFER.format("first_name")} || {_DIFFER.format("last_name")} || {_DIFFER.format("email")}
FROM named GROUP BY key
"""

SKIP_ENROLLMENTS = f"""
UPDATE {_R} r SET action = 'ignored', reason = CAST(:reason AS jsonb)
FROM {_R} c WHERE {_OPEN} AND r.kind = 'enrollment' AND c.kind = 'class'
  AND c.sourced_id = r.data->>'class' AND c.action = 'ignored' AND NOT c.removed
  AND c.reason->>'rule' IS DISTINCT FROM 'duplicate_in_file'
"""
# Who is no student of this semester by the file: teachers, parents, others.
SKIP_USERS = f"""
UPDATE {_R} r SET action = 'ignored', reason = CAST(:reason AS jsonb)
WHERE {_OPEN} AND r.kind = 'user' AND NOT EXISTS (
    SELECT FROM {_R} e WHERE e.kind = 'enrollment' AND e.action IS NULL
      AND e.data->>'user' = r.sourced_id AND e.data->>'role' = 'student')
"""

# Everybody whom a user row could mean, with the line that names them by their own key: sourcedId, or in a simple roster
# the number. Of many students with one address a few are enough to show.
_SHOWN = 5


def users(*, simple: bool) -> str:
    """The user rows that are open, with the students who have their sourcedId, number or e-mail address."""
    own = "own.number_key = lower(s.number)" if simple else "own.sourced_id = s.sourced_id"
    joined = "" if simple else "LEFT JOIN people i ON i.sourced_id = u.sourced_id"
    by_id = "NULL::jsonb" if simple else "i.person"
    sourced_id = "s.sourced_id" if simple else _sourced_id("s", "user")
    return f"""
WITH named AS MATERIALIZED (
    SELECT row_no, line, sourced_id, removed, data, action, lower(data->>'number') AS number_key,
        lower(nullif(data->>'email', '')) AS email_key
    FROM {_R} WHERE kind = 'user'
), u AS MATERIALIZED (SELECT * FROM named WHERE action IS NULL
), known AS (SELECT s.id, s.number, s.first_name, s.last_name, s.email, {sourced_id} FROM academics.students s
), people AS MATERIALIZED (
    SELECT s.sourced_id, lower(s.number) AS number_key, lower(s.email) AS email_key,
        jsonb_build_array(s.id, s.number, s.first_name, s.last_name, s.email, s.sourced_id, own.line) AS person
    FROM known s
    LEFT JOIN (SELECT {"number_key" if simple else "sourced_id"}, min(line) AS line FROM named GROUP BY 1) own ON {own}
    WHERE s.sourced_id IN (SELECT sourced_id FROM u) OR lower(s.number) IN (SELECT number_key FROM u)
       OR lower(s.email) IN (SELECT email_key FROM u)
), numbers AS (
    SELECT number_key, jsonb_agg(person ORDER BY person->>0) AS persons FROM people GROUP BY number_key
), emails AS (
    SELECT email_key, jsonb_agg(person ORDER BY (person->>6) IS NOT NULL, person->>0) AS persons
    FROM people WHERE email_key IS NOT NULL GROUP BY email_key
), twins AS (
    SELECT number_key, jsonb_agg(line ORDER BY line) AS lines FROM u WHERE NOT removed
    GROUP BY number_key HAVING count(*) > 1
)
SELECT u.row_no, u.line, u.sourced_id, u.removed, u.data, {by_id} AS by_id, n.persons AS by_number,
    jsonb_path_query_array(e.persons, '$[0 to {_SHOWN - 1}]') AS by_email, t.lines AS twins
FROM u {joined}
LEFT JOIN numbers n ON n.number_key = u.number_key
LEFT JOIN emails e ON e.email_key = u.email_key
LEFT JOIN twins t ON t.number_key = u.number_key
ORDER BY u.row_no
"""


# Enrolments: whom and where they mean. Capitals count only where two sections differ in nothing else.
# A drop, and a line that cannot be used, need no usable user row.
LINK_SIMPLE = f"""
WITH here AS MATERIALIZED (
    SELECT sec.id, lower(c.code) AS course_key, sec.code, lower(sec.code) AS section_key
    FROM academics.sections sec JOIN academics.courses c ON c.id = sec.course_id WHERE sec.semester_id = :semester
), alike AS (
    SELECT course_key, section_key, (array_agg(id))[1] AS id FROM here GROUP BY 1, 2 HAVING count(*) = 1
), named AS MATERIALIZED (
    SELECT r.row_no, lower(r.data->>'course_code') AS course_key, r.data->>'section_code' AS code,
        r.data->>'user' AS user_key, coalesce(r.data->>'role', 'student') = 'student' AS studies,
        CASE WHEN r.removed OR r.action = 'conflict' THEN r.data->>'number' END AS number
    FROM {_R} r WHERE {_TELLING}
), people AS (
    SELECT lower(number) AS number_key, (array_agg(id))[1] AS id FROM academics.students
    WHERE lower(number) IN (SELECT lower(number) FROM named) GROUP BY 1 HAVING count(*) = 1
)
UPDATE {_R} r SET section_id = l.section_id, student_id = l.student_id
FROM (
    SELECT n.row_no, coalesce(exact.id, alike.id) AS section_id,
        coalesce(CASE WHEN n.studies THEN u.entity_id END, spelled.id, people.id) AS student_id
    FROM named n
    LEFT JOIN here exact ON exact.course_key = n.course_key AND exact.code = n.code
    LEFT JOIN alike ON alike.course_key = n.course_key AND alike.section_key = lower(n.code)
    LEFT JOIN {_R} u ON u.kind = 'user' AND u.sourced_id = n.user_key AND u.{_USABLE} AND NOT u.removed
    LEFT JOIN academics.students spelled ON spelled.number = n.number
    LEFT JOIN people ON people.number_key = lower(n.number)
) l WHERE r.row_no = l.row_no AND (l.section_id IS NOT NULL OR l.student_id IS NOT NULL)
"""
# Also of a line that cannot be used: who is made by this file is no stranger when it is planned again.
LINK_ONEROSTER = f"""
WITH named AS MATERIALIZED (
    SELECT r.row_no, r.data->>'class' AS class_key, r.removed, r.action = 'conflict' AS broken,
        CASE WHEN coalesce(r.data->>'role', 'student') = 'student' THEN r.data->>'user' END AS user_key
    FROM {_R} r WHERE {_TELLING}
)
UPDATE {_R} r SET section_id = l.section_id, student_id = l.student_id
FROM (
    SELECT n.row_no,
        coalesce(c.entity_id, CASE WHEN n.broken OR (n.removed AND refused.sourced_id IS NULL) THEN s.id END)
            AS section_id,
        coalesce(CASE WHEN n.removed OR NOT u.removed THEN u.entity_id END,
            CASE WHEN n.removed OR n.broken THEN known.id END) AS student_id
    FROM (SELECT row_no, class_key, removed, coalesce(broken, false) AS broken, user_key FROM named) n
    LEFT JOIN {_R} c ON c.kind = 'class' AND c.sourced_id = n.class_key AND c.{_USABLE}
    LEFT JOIN (SELECT DISTINCT sourced_id FROM {_R} WHERE kind = 'class' AND action = 'conflict') refused
        ON refused.sourced_id = n.class_key
    LEFT JOIN academics.sections s ON s.semester_id = :semester AND s.sourced_id = n.class_key
    LEFT JOIN {_R} u ON u.kind = 'user' AND u.sourced_id = n.user_key AND u.{_USABLE}
    LEFT JOIN academics.students known ON known.sourced_id = n.user_key
) l WHERE r.row_no = l.row_no AND (l.section_id IS NOT NULL OR l.student_id IS NOT NULL)
"""

TEACHERS = f"""
SELECT r.row_no, r.line, r.data->>'role' AS role, r.data->>'primary' AS primary, r.removed, r.section_id, d.user_id,
    sec.instructor_id
FROM {_R} r
LEFT JOIN {_R} u ON u.kind = 'user' AND u.sourced_id = r.data->>'user'
    AND u.action <> 'conflict' AND NOT u.removed
LEFT JOIN identity.directory d ON d.proved_email = lower(u.data->>'email')
    AND d.role IN ('instructor', 'registrar', 'admin') AND d.suspended_at IS NULL
LEFT JOIN academics.sections sec ON sec.id = r.section_id
WHERE {_OPEN} AND r.kind = 'enrollment' AND r.data->>'role' <> 'student' ORDER BY r.row_no
"""


def _rows_of(kind: str) -> str:
    """What became of the rows of a kind, by sourcedId; a doubled row that another one stands for says nothing."""
    return f"""(SELECT sourced_id, bool_or(action = 'conflict') AS broken,
        bool_or(removed AND reason->>'rule' IS DISTINCT FROM 'duplicate_in_file') AS removed
    FROM {_R} WHERE kind = '{kind}' AND sourced_id IS NOT NULL GROUP BY sourced_id)"""


UNRESOLVED = f"""
SELECT r.row_no, r.data, r.section_id, r.student_id, c.broken AS class_broken, c.removed AS class_removed,
    u.broken AS user_broken, u.removed AS user_removed, alike.names AS alike
FROM {_R} r
LEFT JOIN {_rows_of("class")} c ON c.sourced_id = r.data->>'class'
LEFT JOIN {_rows_of("user")} u ON u.sourced_id = r.data->>'user'
LEFT JOIN (SELECT lower(k.code) AS course_key, lower(sec.code) AS section_key,
               jsonb_agg(k.code || ' ' || sec.code ORDER BY sec.code) AS names
           FROM academics.sections sec JOIN academics.courses k ON k.id = sec.course_id
           WHERE sec.semester_id = :semester GROUP BY 1, 2) alike
    ON alike.course_key = lower(r.data->>'course_code') AND alike.section_key = lower(r.data->>'section_code')
WHERE {_OPEN} AND r.kind = 'enrollment' AND (r.section_id IS NULL OR r.student_id IS NULL) ORDER BY r.row_no
"""
DOUBLED_PAIRS = f"""
SELECT row_no, line, student_id, section_id, removed, broken
FROM (SELECT row_no, line, student_id, section_id, removed, coalesce(action = 'conflict', false) AS broken,
          count(*) OVER (PARTITION BY student_id, section_id) AS n
      FROM {_R} r WHERE {_TELLING} AND student_id IS NOT NULL AND section_id IS NOT NULL) pairs
WHERE n > 1 ORDER BY row_no
"""
STANDING = f"""
UPDATE {_R} r SET entity_id = e.id, action = x.action, reason = x.reason, outcome = e.status, wait_no = e.wait_no
FROM academics.enrollments e
JOIN jsonb_to_recordset(CAST(:standings AS jsonb)) AS x(removed boolean, status text, action text, reason jsonb)
  ON x.status = e.status
WHERE {_OPEN} AND r.kind = 'enrollment' AND e.student_id = r.student_id AND e.section_id = r.section_id
  AND x.removed = r.removed
"""
NOTHING_TO_DROP = f"""
UPDATE {_R} r SET action = 'ignored', reason = CAST(:reason AS jsonb)
WHERE {_OPEN} AND r.kind = 'enrollment' AND r.removed
"""

# What a conflict may be about, besides what it names by itself: users before enrolments, which name them.
UNUSABLE = f"""
WITH bad AS MATERIALIZED (
    SELECT row_no, line, kind, sourced_id, data, reason, student_id, section_id FROM {_R}
    WHERE (action = 'conflict' OR (kind = 'class' AND removed))
), here AS MATERIALIZED (SELECT id, sourced_id, code FROM academics.sections WHERE semester_id = :semester
), students AS (
    SELECT b.row_no, s.id FROM bad b JOIN academics.students s ON s.sourced_id = b.sourced_id WHERE b.kind = 'user'
    UNION SELECT b.row_no, s.id FROM bad b JOIN academics.students s ON lower(s.number) = lower(b.data->>'number')
    WHERE b.kind = 'user'
    UNION SELECT b.row_no, CAST(person->>'id' AS uuid) FROM bad b, jsonb_array_elements(b.reason->'students') person
    WHERE b.kind = 'user'
    UNION SELECT row_no, student_id FROM bad WHERE kind = 'enrollment' AND student_id IS NOT NULL
), sections AS (
    SELECT b.row_no, s.id FROM bad b JOIN here s ON s.sourced_id = b.sourced_id WHERE b.kind = 'class'
    UNION SELECT b.row_no, s.id FROM bad b JOIN here s ON lower(s.code) = lower(b.data->>'code')
    WHERE b.kind = 'class' AND s.sourced_id IS NULL
    UNION SELECT b.row_no, s.id FROM bad b JOIN here s ON s.sourced_id = b.data->>'class' WHERE b.kind = 'enrollment'
    UNION SELECT row_no, section_id FROM bad WHERE kind = 'enrollment' AND section_id IS NOT NULL
)
SELECT b.line, b.kind, b.sourced_id, b.data, s.ids AS students, c.ids AS sections
FROM bad b
LEFT JOIN (SELECT row_no, array_agg(id) AS ids FROM students GROUP BY row_no) s ON s.row_no = b.row_no
LEFT JOIN (SELECT row_no, array_agg(id) AS ids FROM sections GROUP BY row_no) c ON c.row_no = b.row_no
ORDER BY array_position(ARRAY['org', 'session', 'course', 'class', 'user', 'enrollment'], b.kind::text), b.row_no
"""
# An enrolment that a student asked for begins with an event of their own; one by a roster names its plan.
ABSENT = f"""
SELECT e.id, e.student_id, e.section_id, e.status, s.number, c.code AS course_code, sec.code AS section_code,
    s.user_id IS NOT NULL AND EXISTS (
        SELECT FROM academics.enrollment_events v WHERE v.enrollment_id = e.id AND v.from_status IS NULL
          AND v.actor_id = s.user_id AND NOT v.facts ? 'roster_plan') AS by_themselves
FROM academics.enrollments e
JOIN academics.sections sec ON sec.id = e.section_id AND sec.semester_id = :semester
JOIN academics.courses c ON c.id = sec.course_id
JOIN academics.students s ON s.id = e.student_id
WHERE e.status IN ('ENROLLED', 'WAITLISTED') AND NOT EXISTS (
    SELECT FROM {_R} r WHERE r.kind = 'enrollment' AND r.student_id = e.student_id
      AND r.section_id = e.section_id)
ORDER BY e.id
"""
ADD_ABSENT = f"""
INSERT INTO {_R} (row_no, file, line, kind, data, action, reason, entity_id, student_id, section_id, outcome)
SELECT x.row_no, '', NULL, 'enrollment', x.data, x.action, x.reason, x.enrollment_id, x.student_id,
    x.section_id, x.outcome
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS x(
    row_no int, data jsonb, action text, reason jsonb, enrollment_id uuid, student_id uuid, section_id uuid,
    outcome text)
"""
KEEP_ABSENT = f"""
UPDATE {_R} r SET action = 'kept', reason = CAST(:reason AS jsonb)
WHERE r.row_no = ANY(CAST(:rows AS int[]))
"""
MERGE = f"""
UPDATE {_R} r SET action = x.action, reason = x.reason, entity_id = x.entity_id, outcome = x.outcome,
    wait_no = x.wait_no, data = CASE WHEN x.data IS NULL THEN r.data ELSE r.data || x.data END, changes = x.changes
FROM {_D} x WHERE r.row_no = x.row_no
"""
DISCARD = f"TRUNCATE {_D}"
FREED = f"""
SELECT section_id, count(*) FILTER (WHERE outcome = 'ENROLLED') AS seats,
    count(*) FILTER (WHERE outcome = 'WAITLISTED') AS places
FROM {_R} WHERE action = 'drop' GROUP BY section_id
"""
# The rows of the plan as they are kept, with the decisions that are not merged into the draft.
KEEP = f"""
INSERT INTO academics.roster_rows (plan_id, row_no, file, line, kind, sourced_id, removed, data, action, reason,
    changes, entity_id, student_id, section_id, outcome, wait_no)
SELECT :plan, r.row_no, r.file, r.line, r.kind, r.sourced_id, r.removed,
    CASE WHEN x.data IS NULL THEN r.data ELSE r.data || x.data END, coalesce(x.action, r.action),
    CASE WHEN x.row_no IS NULL THEN r.reason ELSE x.reason END,
    CASE WHEN x.row_no IS NULL THEN r.changes ELSE x.changes END,
    CASE WHEN x.row_no IS NULL THEN r.entity_id ELSE x.entity_id END, r.student_id, r.section_id,
    CASE WHEN x.row_no IS NULL THEN r.outcome ELSE x.outcome END,
    CASE WHEN x.row_no IS NULL THEN r.wait_no ELSE x.wait_no END
FROM {_R} r LEFT JOIN {_D} x ON x.row_no = r.row_no ORDER BY r.row_no
"""
