"""Progress in lessons as a table, what was known when, lesson addresses, and how reports read them as of an instant.

The definitions are in docs/completion.md and infra/adr/0035. Rows that the release before writes while functions are
replaced are counted by maintenance (`form` -1). With a million flat statements the back-fill takes half a minute, in
which the loader waits; statements are accepted meanwhile.

Revision: 0026
"""

from alembic import op
from sqlalchemy import text

from dataforge.kernel.iri import normal_iri

revision = "0026"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE records.statements_raw ADD COLUMN revived BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE records.statements_flat
    ADD COLUMN is_question BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN known_from TIMESTAMP WITH TIME ZONE,
    ADD COLUMN voided_from TIMESTAMP WITH TIME ZONE,
    ADD COLUMN form SMALLINT DEFAULT 0 NOT NULL;
-- What the release before writes from now on; rows that are there already have 0, and are counted below.
ALTER TABLE records.statements_flat ALTER COLUMN form SET DEFAULT -1;
ALTER TABLE records.statement_voids ADD COLUMN known_from TIMESTAMP WITH TIME ZONE;
CREATE INDEX ix_statements_flat_pair ON records.statements_flat (user_id, lesson_id)
    WHERE user_id IS NOT NULL AND lesson_id IS NOT NULL;
CREATE INDEX ix_statements_flat_questions ON records.statements_flat (lesson_id) WHERE is_question;
CREATE INDEX ix_statements_flat_old_form ON records.statements_flat (statement_id) WHERE form < 1;
-- Reports of the release before are slower without it until its functions are replaced.
DROP INDEX records.ix_statements_flat_lesson;
CREATE TABLE records.former_matches (
    statement_id UUID NOT NULL,
    user_id UUID NOT NULL,
    lesson_id UUID NOT NULL,
    completes BOOLEAN NOT NULL,
    known_from TIMESTAMP WITH TIME ZONE NOT NULL,
    known_until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_former_matches PRIMARY KEY (statement_id, known_from),
    CONSTRAINT ck_former_matches_interval CHECK (known_from < known_until)
);
CREATE INDEX ix_former_matches_pair ON records.former_matches (user_id, lesson_id);
CREATE TABLE records.lesson_progress (
    user_id UUID NOT NULL,
    lesson_id UUID NOT NULL,
    statements INTEGER NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    last_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    completed_by UUID,
    score_scaled NUMERIC,
    completion_changed_at TIMESTAMP WITH TIME ZONE,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    withdrawn BOOLEAN NOT NULL,
    -- Carries what matrices read, so that they need not visit the rows, which are nowhere near each other.
    CONSTRAINT pk_lesson_progress PRIMARY KEY (user_id, lesson_id)
        INCLUDE (statements, started_at, last_at, completed_at, changed_at)
) WITH (fillfactor = 80);
CREATE INDEX ix_lesson_progress_lesson_id ON records.lesson_progress (lesson_id, user_id);
CREATE INDEX ix_lesson_progress_completion_changed_at
    ON records.lesson_progress (completion_changed_at, user_id, lesson_id) WHERE completion_changed_at IS NOT NULL;
CREATE TABLE records.removals (
    id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind VARCHAR(10) NOT NULL,
    statements INTEGER NOT NULL,
    CONSTRAINT pk_removals PRIMARY KEY (id),
    CONSTRAINT ck_removals_kind CHECK (kind IN ('erasure','purge'))
);
CREATE INDEX ix_removals_at ON records.removals (at);
CREATE TABLE records.lesson_addresses (
    address VARCHAR(500) NOT NULL,
    lesson_id UUID NOT NULL,
    alias BOOLEAN NOT NULL,
    CONSTRAINT pk_lesson_addresses PRIMARY KEY (address),
    CONSTRAINT fk_lesson_addresses_lesson_id_lessons FOREIGN KEY (lesson_id)
        REFERENCES records.lessons (id) ON DELETE CASCADE
);
CREATE INDEX ix_lesson_addresses_lesson_id ON records.lesson_addresses (lesson_id);
CREATE TABLE records.former_members (
    cohort_id UUID NOT NULL,
    user_id UUID NOT NULL,
    joined_at TIMESTAMP WITH TIME ZONE NOT NULL,
    left_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_former_members PRIMARY KEY (cohort_id, user_id, joined_at),
    CONSTRAINT fk_former_members_cohort_id_cohorts FOREIGN KEY (cohort_id)
        REFERENCES records.cohorts (id) ON DELETE CASCADE
);
"""

# A revision is an instant that no watermark passes before the transaction that took it has ended: the lock's second key
# holds it in seconds from 2020 on, and it goes with the transaction, however that ends.
REVISIONS = """
CREATE FUNCTION records.take_revision() RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    seconds integer;
BEGIN
    LOOP
        seconds := floor(extract(epoch FROM clock_timestamp()))::bigint - 1577836800;
        PERFORM pg_advisory_xact_lock_shared(4103, seconds);
        EXIT WHEN extract(epoch FROM clock_timestamp()) < seconds + 1577836801.5;
    END LOOP;
    RETURN to_timestamp(seconds + 1577836800);
END $$;
CREATE FUNCTION records.oldest_revision() RETURNS timestamptz
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_timestamp(min(objid::bigint) + 1577836800) FROM pg_locks
    WHERE locktype = 'advisory' AND classid = 4103 AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
$$;
"""

READS = """
-- When which statement counted for whom and for which lesson; `known_until` is null while it does.
CREATE VIEW learning.matches AS
SELECT f.statement_id, f.user_id, f.lesson_id, coalesce(f.known_from, f.stored_at) AS known_from,
    f.voided_from AS known_until, f.completes, f.score_scaled, f.occurred_at, f.is_question, f.object_id,
    f.object_name, f.response, f.success
FROM records.statements_flat f
WHERE f.user_id IS NOT NULL AND f.lesson_id IS NOT NULL
AND (f.voided_from IS NULL OR f.voided_from > coalesce(f.known_from, f.stored_at))
UNION ALL
SELECT m.statement_id, m.user_id, m.lesson_id, m.known_from, least(m.known_until, f.voided_from), m.completes,
    f.score_scaled, f.occurred_at, f.is_question, f.object_id, f.object_name, f.response, f.success
FROM records.former_matches m JOIN records.statements_flat f ON f.statement_id = m.statement_id
WHERE f.voided_from IS NULL OR f.voided_from > m.known_from;
CREATE VIEW learning.progress AS
SELECT user_id, lesson_id, started_at, last_at, statements, completed_at, completed_by, score_scaled,
    completion_changed_at, changed_at
FROM records.lesson_progress;

-- The progress of one person in one lesson from its matches, as it was known then; always one row.
CREATE FUNCTION learning.progress_of(as_of timestamptz, of_user uuid, of_lesson uuid)
RETURNS TABLE (started_at timestamptz, last_at timestamptz, statements integer, completed_at timestamptz,
    completed_by uuid, score_scaled numeric, completion_changed_at timestamptz, changed_at timestamptz,
    withdrawn boolean)
LANGUAGE sql STABLE AS $$
    SELECT a.started_at, a.last_at, a.statements, c.occurred_at, c.statement_id, c.score_scaled,
        greatest(c.known_from, (
            SELECT max(w.known_until) FROM learning.matches w
            WHERE w.user_id = of_user AND w.lesson_id = of_lesson AND w.completes AND w.known_until <= as_of
            AND (c.statement_id IS NULL OR (w.occurred_at, w.statement_id) < (c.occurred_at, c.statement_id)))),
        a.changed_at, coalesce(a.withdrawn, false)
    FROM (
        SELECT min(m.occurred_at) FILTER (WHERE (m.known_until <= as_of) IS NOT TRUE) AS started_at,
            max(m.occurred_at) FILTER (WHERE (m.known_until <= as_of) IS NOT TRUE) AS last_at,
            (count(*) FILTER (WHERE (m.known_until <= as_of) IS NOT TRUE))::integer AS statements,
            greatest(max(m.known_from), max(m.known_until) FILTER (WHERE m.known_until <= as_of)) AS changed_at,
            bool_or(m.known_until <= as_of) AS withdrawn
        FROM learning.matches m
        WHERE m.user_id = of_user AND m.lesson_id = of_lesson AND m.known_from <= as_of
    ) a
    LEFT JOIN LATERAL (
        SELECT m.statement_id, m.occurred_at, m.score_scaled, m.known_from FROM learning.matches m
        WHERE m.user_id = of_user AND m.lesson_id = of_lesson AND m.known_from <= as_of AND m.completes
        AND (m.known_until <= as_of) IS NOT TRUE
        ORDER BY m.occurred_at, m.statement_id LIMIT 1
    ) c ON true
$$;
CREATE FUNCTION learning.progress_as_of(as_of timestamptz, users uuid[], lessons uuid[])
RETURNS TABLE (user_id uuid, lesson_id uuid, started_at timestamptz, last_at timestamptz, statements integer,
    completed_at timestamptz, completed_by uuid, score_scaled numeric, completion_changed_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT p.user_id, p.lesson_id, p.started_at, p.last_at, p.statements, p.completed_at, p.completed_by,
        p.score_scaled, p.completion_changed_at
    FROM learning.progress p
    WHERE p.changed_at <= as_of AND p.statements > 0
    AND (users IS NULL OR p.user_id = ANY (users)) AND (lessons IS NULL OR p.lesson_id = ANY (lessons))
    UNION ALL
    SELECT p.user_id, p.lesson_id, t.started_at, t.last_at, t.statements, t.completed_at, t.completed_by,
        t.score_scaled, t.completion_changed_at
    FROM learning.progress p CROSS JOIN LATERAL learning.progress_of(as_of, p.user_id, p.lesson_id) t
    WHERE p.changed_at > as_of AND t.statements > 0
    AND (users IS NULL OR p.user_id = ANY (users)) AND (lessons IS NULL OR p.lesson_id = ANY (lessons))
$$;
-- The first completion has not changed after `completion_changed_at`: only later ones are worked out again.
CREATE FUNCTION learning.completions_between(since timestamptz, as_of timestamptz)
RETURNS TABLE (user_id uuid, lesson_id uuid, completed_at timestamptz, completed_by uuid, score_scaled numeric,
    completion_changed_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT p.user_id, p.lesson_id, p.completed_at, p.completed_by, p.score_scaled, p.completion_changed_at
    FROM learning.progress p
    WHERE p.completion_changed_at > since AND p.completion_changed_at <= as_of
    UNION ALL
    SELECT p.user_id, p.lesson_id, t.completed_at, t.completed_by, t.score_scaled, t.completion_changed_at
    FROM learning.progress p CROSS JOIN LATERAL learning.progress_of(as_of, p.user_id, p.lesson_id) t
    WHERE p.completion_changed_at > as_of AND t.completion_changed_at > since
$$;
CREATE FUNCTION learning.answers_as_of(as_of timestamptz, lesson uuid)
RETURNS TABLE (statement_id uuid, user_id uuid, question_id text, question_name text, response text,
    success boolean, score_scaled numeric, occurred_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT m.statement_id, m.user_id, m.object_id, m.object_name, m.response, m.success, m.score_scaled, m.occurred_at
    FROM learning.matches m
    WHERE m.lesson_id = lesson AND m.is_question AND m.known_from <= as_of AND (m.known_until <= as_of) IS NOT TRUE
$$;
CREATE FUNCTION learning.activity_as_of(as_of timestamptz, earliest timestamptz, latest timestamptz, users uuid[],
    lessons uuid[])
RETURNS TABLE (statement_id uuid, user_id uuid, lesson_id uuid, completes boolean, occurred_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT m.statement_id, m.user_id, m.lesson_id, m.completes, m.occurred_at
    FROM learning.matches m
    WHERE m.known_from <= as_of AND (m.known_until <= as_of) IS NOT TRUE
    AND (earliest IS NULL OR m.occurred_at >= earliest) AND (latest IS NULL OR m.occurred_at < latest)
    AND (users IS NULL OR m.user_id = ANY (users)) AND (lessons IS NULL OR m.lesson_id = ANY (lessons))
$$;
CREATE VIEW learning.memberships AS
SELECT cohort_id, user_id, joined_at, left_at FROM records.cohort_members
UNION ALL SELECT cohort_id, user_id, joined_at, left_at FROM records.former_members;
CREATE FUNCTION learning.members_as_of(as_of timestamptz, cohort uuid)
RETURNS TABLE (user_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT m.user_id FROM learning.memberships m
    WHERE m.cohort_id = cohort AND m.joined_at <= as_of AND (m.left_at IS NULL OR m.left_at > as_of)
$$;
CREATE VIEW learning.lessons AS
SELECT id AS lesson_id, cohort_id, section_id, lesson_url, lesson_number, title, lesson_date, required, created_at
FROM records.lessons;
CREATE FUNCTION learning.lessons_as_of(as_of timestamptz, cohort uuid)
RETURNS TABLE (lesson_id uuid, lesson_url varchar, lesson_number integer, title varchar, lesson_date date,
    required boolean, section_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT l.lesson_id, l.lesson_url, l.lesson_number, l.title, l.lesson_date, l.required, l.section_id
    FROM learning.lessons l WHERE l.created_at <= as_of AND (l.cohort_id IS NULL OR l.cohort_id = cohort)
$$;
CREATE VIEW learning.removals AS SELECT at, kind, statements FROM records.removals;
CREATE FUNCTION learning.removed_since(as_of timestamptz) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(r.statements), 0)::bigint FROM learning.removals r WHERE r.at > as_of
$$;
REVOKE ALL ON FUNCTION records.take_revision(), records.oldest_revision(),
    learning.progress_of(timestamptz, uuid, uuid), learning.progress_as_of(timestamptz, uuid[], uuid[]),
    learning.completions_between(timestamptz, timestamptz), learning.answers_as_of(timestamptz, uuid),
    learning.activity_as_of(timestamptz, timestamptz, timestamptz, uuid[], uuid[]),
    learning.members_as_of(timestamptz, uuid), learning.lessons_as_of(timestamptz, uuid),
    learning.removed_since(timestamptz) FROM PUBLIC;
CREATE OR REPLACE VIEW learning.open_lessons AS
SELECT e.user_id, e.cohort_id, e.lesson_id, e.title, e.lesson_url, e.lesson_number, e.lesson_date
FROM (
    SELECT m.user_id, m.cohort_id, l.id AS lesson_id, l.title, l.lesson_url, l.lesson_number, l.lesson_date
    FROM learning.active_members m JOIN records.lessons l ON l.cohort_id = m.cohort_id
    WHERE l.required AND l.lesson_date IS NOT NULL
    UNION ALL
    SELECT m.user_id, m.cohort_id, l.id, l.title, l.lesson_url, l.lesson_number, l.lesson_date
    FROM learning.active_members m JOIN records.lessons l ON l.cohort_id IS NULL
    WHERE l.required AND l.lesson_date IS NOT NULL
) e
WHERE NOT EXISTS (
    SELECT FROM records.lesson_progress p
    WHERE p.user_id = e.user_id AND p.lesson_id = e.lesson_id AND p.completed_at IS NOT NULL
);
"""

BACKFILL = """
UPDATE records.statement_voids v
SET known_from = coalesce((SELECT f.stored_at FROM records.statements_flat f WHERE f.statement_id = v.voided_by),
    v.voided_at);
UPDATE records.statements_flat f SET voided_from = v.known_from
FROM records.statement_voids v WHERE v.target_id = f.statement_id AND f.voided;
INSERT INTO records.lesson_progress (user_id, lesson_id, statements, started_at, last_at, completed_at, completed_by,
    score_scaled, completion_changed_at, changed_at, withdrawn)
SELECT a.user_id, a.lesson_id, a.statements, a.started_at, a.last_at, c.occurred_at, c.statement_id, c.score_scaled,
    c.known_from, a.changed_at, false
FROM (
    SELECT user_id, lesson_id, count(*) AS statements, min(occurred_at) AS started_at, max(occurred_at) AS last_at,
        max(known_from) AS changed_at
    FROM learning.matches GROUP BY user_id, lesson_id HAVING bool_and(known_until IS NULL)
) a
LEFT JOIN (
    SELECT DISTINCT ON (user_id, lesson_id) user_id, lesson_id, occurred_at, statement_id, score_scaled, known_from
    FROM learning.matches WHERE completes ORDER BY user_id, lesson_id, occurred_at, statement_id
) c USING (user_id, lesson_id);
INSERT INTO records.lesson_progress (user_id, lesson_id, started_at, last_at, statements, completed_at, completed_by,
    score_scaled, completion_changed_at, changed_at, withdrawn)
SELECT g.user_id, g.lesson_id, t.*
FROM (SELECT DISTINCT user_id, lesson_id FROM learning.matches WHERE known_until IS NOT NULL) g
CROSS JOIN LATERAL learning.progress_of('infinity', g.user_id, g.lesson_id) t;
"""

ADDRESS = text(
    "INSERT INTO records.lesson_addresses (address, lesson_id, alias) VALUES (:address, :lesson_id, false) "
    "ON CONFLICT DO NOTHING"
)

DOWN = """
CREATE OR REPLACE VIEW learning.open_lessons AS
SELECT e.user_id, e.cohort_id, e.lesson_id, e.title, e.lesson_url, e.lesson_number, e.lesson_date
FROM (
    SELECT m.user_id, m.cohort_id, l.id AS lesson_id, l.title, l.lesson_url, l.lesson_number, l.lesson_date
    FROM learning.active_members m JOIN records.lessons l ON l.cohort_id = m.cohort_id
    WHERE l.required AND l.lesson_date IS NOT NULL
    UNION ALL
    SELECT m.user_id, m.cohort_id, l.id, l.title, l.lesson_url, l.lesson_number, l.lesson_date
    FROM learning.active_members m JOIN records.lessons l ON l.cohort_id IS NULL
    WHERE l.required AND l.lesson_date IS NOT NULL
) e
WHERE NOT EXISTS (
    SELECT FROM records.statements_flat f
    WHERE f.lesson_id = e.lesson_id AND f.user_id = e.user_id AND f.completes AND NOT f.voided
);
DROP FUNCTION learning.removed_since(timestamptz), learning.lessons_as_of(timestamptz, uuid),
    learning.members_as_of(timestamptz, uuid), learning.answers_as_of(timestamptz, uuid),
    learning.activity_as_of(timestamptz, timestamptz, timestamptz, uuid[], uuid[]),
    learning.completions_between(timestamptz, timestamptz), learning.progress_as_of(timestamptz, uuid[], uuid[]),
    learning.progress_of(timestamptz, uuid, uuid), records.oldest_revision(), records.take_revision();
DROP VIEW learning.removals, learning.lessons, learning.memberships, learning.progress, learning.matches;
DROP TABLE records.former_members, records.lesson_addresses, records.removals, records.lesson_progress,
    records.former_matches;
CREATE INDEX ix_statements_flat_lesson ON records.statements_flat (lesson_id, user_id) WHERE completes AND NOT voided;
DROP INDEX records.ix_statements_flat_pair, records.ix_statements_flat_questions, records.ix_statements_flat_old_form;
ALTER TABLE records.statement_voids DROP COLUMN known_from;
ALTER TABLE records.statements_flat DROP COLUMN is_question, DROP COLUMN known_from, DROP COLUMN voided_from,
    DROP COLUMN form;
ALTER TABLE records.statements_raw DROP COLUMN revived;
"""


def upgrade() -> None:
    """Make the tables and functions, and count what is there."""
    connection = op.get_bind()
    for part in (TABLES, REVISIONS, READS, BACKFILL):
        connection.exec_driver_sql(part)
    # Of two lessons with the same normal form the older one has it, and the other one keeps what it had.
    for lesson_id, url in connection.exec_driver_sql(
        "SELECT id, lesson_url FROM records.lessons ORDER BY created_at, id"
    ):
        for address in (normal_iri(url), url):
            values = {"address": address, "lesson_id": lesson_id}
            if len(address) <= 500 and connection.execute(ADDRESS, values).rowcount:
                break


def downgrade() -> None:
    """Forget what was known when; completions are read from flat rows again."""
    op.get_bind().exec_driver_sql(DOWN)
