"""Holidays, meetings over midnight and changed ones, feeds for calendars; what a row of a roster changes.

Revision: 0050
"""

from alembic import op

revision = "0050"
down_revision = "0048"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE academics.section_meetings DROP CONSTRAINT ck_section_meetings_times;
ALTER TABLE academics.section_meetings ADD CONSTRAINT ck_section_meetings_times CHECK (starts <> ends) NOT VALID;
ALTER TABLE academics.section_meetings VALIDATE CONSTRAINT ck_section_meetings_times;
CREATE TABLE academics.holidays (
    semester_id UUID NOT NULL,
    starts_on DATE NOT NULL,
    ends_on DATE NOT NULL,
    name VARCHAR(255) NOT NULL,
    CONSTRAINT pk_holidays PRIMARY KEY (semester_id, starts_on),
    CONSTRAINT ck_holidays_dates CHECK (starts_on <= ends_on),
    CONSTRAINT fk_holidays_semester_id_semesters FOREIGN KEY(semester_id)
        REFERENCES academics.semesters (id) ON DELETE CASCADE
);
CREATE TABLE academics.meeting_changes (
    id UUID NOT NULL,
    section_id UUID NOT NULL,
    held_on DATE NOT NULL,
    starts TIME WITHOUT TIME ZONE NOT NULL,
    new_on DATE,
    new_starts TIME WITHOUT TIME ZONE,
    new_ends TIME WITHOUT TIME ZONE,
    new_room VARCHAR(100) DEFAULT '' NOT NULL,
    note VARCHAR(1000) DEFAULT '' NOT NULL,
    changed_by UUID,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_meeting_changes PRIMARY KEY (id),
    CONSTRAINT uq_meeting_changes_section_id_held_on_starts UNIQUE (section_id, held_on, starts),
    CONSTRAINT ck_meeting_changes_moved CHECK (num_nulls(new_on, new_starts, new_ends) IN (0, 3)),
    CONSTRAINT fk_meeting_changes_section_id_sections FOREIGN KEY(section_id)
        REFERENCES academics.sections (id) ON DELETE CASCADE
);
CREATE TABLE academics.calendar_feeds (
    id UUID NOT NULL,
    owner_id UUID NOT NULL,
    kind VARCHAR(10) NOT NULL,
    section_id UUID,
    name VARCHAR(100) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    hint VARCHAR(4) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_read_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_calendar_feeds PRIMARY KEY (id),
    CONSTRAINT ck_calendar_feeds_kind CHECK (kind IN ('learner','section','instructor')),
    CONSTRAINT ck_calendar_feeds_section CHECK ((kind = 'section') = (section_id IS NOT NULL)),
    CONSTRAINT fk_calendar_feeds_section_id_sections FOREIGN KEY(section_id)
        REFERENCES academics.sections (id) ON DELETE CASCADE
);
CREATE INDEX ix_calendar_feeds_owner_id ON academics.calendar_feeds (owner_id);
CREATE INDEX ix_calendar_feeds_section_id ON academics.calendar_feeds (section_id);
CREATE INDEX ix_roster_plans_semester_id ON academics.roster_plans (semester_id);
ALTER TABLE academics.roster_rows ADD COLUMN changes JSONB;
"""


def upgrade() -> None:
    """Create the tables, and let meetings end on the next day."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Remove them; meetings over midnight have no place in the release before."""
    op.get_bind().exec_driver_sql(
        """
ALTER TABLE academics.roster_rows DROP COLUMN changes;
DROP INDEX academics.ix_roster_plans_semester_id;
DROP TABLE academics.calendar_feeds, academics.meeting_changes, academics.holidays;
DELETE FROM academics.section_meetings WHERE starts > ends;
ALTER TABLE academics.section_meetings DROP CONSTRAINT ck_section_meetings_times;
ALTER TABLE academics.section_meetings ADD CONSTRAINT ck_section_meetings_times CHECK (starts < ends);
"""
    )
