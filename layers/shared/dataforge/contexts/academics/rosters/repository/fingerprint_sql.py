"""What a plan saw and decided, as hashes and counts."""

_R = "academics.roster_rows"

# All the state a plan looks at, as sums of row hashes: any change of any of these rows changes it, in whatever order
# they are read. 64-bit hashes summed as numeric: this notices changes, it is no protection against forgery.
FINGERPRINT = """
WITH sums(part, value) AS (
    SELECT 'today', CAST(:today AS date)::text
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
    UNION ALL SELECT 'teachers', sum(hashtextextended(concat_ws('|', user_id, proved_email), 0)::numeric)::text
        FROM identity.directory WHERE role IN ('instructor', 'registrar', 'admin') AND suspended_at IS NULL
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

# Ids that applying will give are random, so they are left out: the same file and state give the same hash.
SUMMARY = f"""
SELECT kind, action, count(*) AS n, count(*) FILTER (WHERE line IS NULL) AS implied,
    sum(hashtextextended(concat_ws('|', row_no, kind, action, outcome, wait_no, reason::text,
        CASE WHEN action = 'drop' THEN entity_id END), 0)::numeric) AS decisions
FROM {_R} WHERE plan_id = :plan GROUP BY kind, action ORDER BY kind, action
"""
