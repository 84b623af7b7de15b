"""Bodies of statements in partitions by month, beside the one table of ids.

The release before writes bodies into `statements_raw` and reads them there; it runs on while functions are replaced.
Bodies therefore go on being written there for an hour after this revision, are read from either place, and are moved by
maintenance afterwards. A database without statements begins with partitions at once.

Revision: 0018
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE records.statements_raw ALTER COLUMN payload DROP NOT NULL;
-- ix_statements_raw_listed serves its queries too, now that rows are small.
DROP INDEX records.ix_statements_raw_stored_at;
CREATE TABLE lrs.statement_bodies (
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    statement_id UUID NOT NULL,
    payload JSONB NOT NULL,
    CONSTRAINT pk_statement_bodies PRIMARY KEY (stored_at, statement_id)
) PARTITION BY RANGE (stored_at);
CREATE TABLE lrs.statement_bodies_default PARTITION OF lrs.statement_bodies DEFAULT;
CREATE TABLE lrs.statement_storage (
    id INTEGER NOT NULL,
    partitioned_from TIMESTAMP WITH TIME ZONE NOT NULL,
    moved_through_at TIMESTAMP WITH TIME ZONE,
    moved_through_id UUID,
    moved_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_statement_storage PRIMARY KEY (id),
    CONSTRAINT ck_statement_storage_one CHECK (id = 1)
);
INSERT INTO lrs.statement_storage (id, partitioned_from, moved_at)
SELECT 1, CASE WHEN empty THEN '-infinity' ELSE clock_timestamp() + interval '1 hour' END,
       CASE WHEN empty THEN '-infinity'::timestamptz END
FROM (SELECT NOT EXISTS (SELECT 1 FROM records.statements_raw) AS empty) AS found;
CREATE VIEW lrs.statements AS
SELECT r.statement_id, r.stored_at, r.authority, coalesce(b.payload, r.payload) AS payload
FROM records.statements_raw r
LEFT JOIN lrs.statement_bodies b ON b.stored_at = r.stored_at AND b.statement_id = r.statement_id;

-- Only the owner of a table makes and drops its partitions; maintenance and worker may do exactly this of it.
CREATE FUNCTION lrs.make_statement_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    first timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
    next timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    part text := 'statement_bodies_' || to_char(month, '"y"YYYY"m"MM');
BEGIN
    PERFORM pg_advisory_xact_lock(4102);
    IF to_regclass('lrs.' || part) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE lrs.%%I (LIKE lrs.statement_bodies INCLUDING ALL)', part);
    EXECUTE format(
        'WITH moved AS (DELETE FROM lrs.statement_bodies_default WHERE stored_at >= $1 AND stored_at < $2 RETURNING *) '
        'INSERT INTO lrs.%%I SELECT * FROM moved', part) USING first, next;
    EXECUTE format(
        'ALTER TABLE lrs.statement_bodies ATTACH PARTITION lrs.%%I FOR VALUES FROM (%%L) TO (%%L)', part, first, next);
    RETURN true;
END $$;
-- A partition goes when no statement of its month is left: bodies alone are nobody's.
CREATE FUNCTION lrs.drop_statement_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    first timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
    next timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    part text := 'statement_bodies_' || to_char(month, '"y"YYYY"m"MM');
BEGIN
    PERFORM pg_advisory_xact_lock(4102);
    IF to_regclass('lrs.' || part) IS NULL THEN
        RETURN false;
    END IF;
    -- Who is writing has the table, and is waited for; who comes later finds it without the partition.
    LOCK TABLE lrs.statement_bodies IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT 1 FROM records.statements_raw WHERE stored_at >= first AND stored_at < next) THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE lrs.%%I', part);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION lrs.make_statement_partition(date), lrs.drop_statement_partition(date) FROM PUBLIC;
SELECT lrs.make_statement_partition((date_trunc('month', now() AT TIME ZONE 'UTC') + months * interval '1 month')::date)
FROM generate_series(0, 2) AS months;
"""

DOWN = """
UPDATE records.statements_raw r SET payload = b.payload FROM lrs.statement_bodies b
WHERE r.payload IS NULL AND b.stored_at = r.stored_at AND b.statement_id = r.statement_id;
DROP FUNCTION lrs.make_statement_partition(date), lrs.drop_statement_partition(date);
DROP VIEW lrs.statements;
DROP TABLE lrs.statement_bodies, lrs.statement_storage;
ALTER TABLE records.statements_raw ALTER COLUMN payload SET NOT NULL;
CREATE INDEX ix_statements_raw_stored_at ON records.statements_raw (stored_at, statement_id) WHERE state = 'done';
"""


def upgrade() -> None:
    """Create the partitioned table and what keeps it; no statement is touched."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Put the bodies back beside their ids."""
    op.get_bind().exec_driver_sql(DOWN)
