"""Tables of catalogue, sections and enrolment.

Revision: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE SCHEMA IF NOT EXISTS academics;
CREATE TABLE academics.consumed_events (
    consumer VARCHAR(60) NOT NULL,
    event_id UUID NOT NULL,
    consumed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_consumed_events PRIMARY KEY (consumer, event_id)
);
CREATE TABLE academics.departments (
    id UUID NOT NULL,
    code VARCHAR(32) NOT NULL,
    name VARCHAR(255) NOT NULL,
    sourced_id VARCHAR(255),
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_departments PRIMARY KEY (id),
    CONSTRAINT uq_departments_sourced_id UNIQUE (sourced_id)
);
CREATE UNIQUE INDEX uq_departments_code_ci ON academics.departments (lower(code));
CREATE TABLE academics.roster_rows (
    plan_id UUID NOT NULL,
    row_no INTEGER NOT NULL,
    file VARCHAR(60) NOT NULL,
    line INTEGER,
    kind VARCHAR(12) NOT NULL,
    sourced_id VARCHAR(255),
    removed BOOLEAN DEFAULT false NOT NULL,
    data JSONB NOT NULL,
    action VARCHAR(10),
    reason JSONB,
    entity_id UUID,
    student_id UUID,
    section_id UUID,
    outcome VARCHAR(24),
    wait_no INTEGER,
    CONSTRAINT pk_roster_rows PRIMARY KEY (plan_id, row_no)
);
CREATE INDEX ix_roster_rows_drops ON academics.roster_rows (plan_id, student_id) WHERE action = 'drop';
CREATE INDEX ix_roster_rows_plan_id_kind_sourced_id ON academics.roster_rows (plan_id, kind, sourced_id);
CREATE TABLE academics.semesters (
    id UUID NOT NULL,
    code VARCHAR(32) NOT NULL,
    starts_on DATE NOT NULL,
    ends_on DATE NOT NULL,
    add_by DATE NOT NULL,
    drop_by DATE NOT NULL,
    withdraw_by DATE NOT NULL,
    max_credits NUMERIC(5, 2) NOT NULL,
    time_zone VARCHAR(64) DEFAULT 'UTC' NOT NULL,
    sourced_id VARCHAR(255),
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_semesters PRIMARY KEY (id),
    CONSTRAINT ck_semesters_dates CHECK (starts_on <= ends_on),
    CONSTRAINT ck_semesters_deadlines CHECK (add_by <= drop_by AND drop_by <= withdraw_by AND withdraw_by <= ends_on),
    CONSTRAINT ck_semesters_max_credits CHECK (max_credits >= 0),
    CONSTRAINT uq_semesters_sourced_id UNIQUE (sourced_id)
);
CREATE UNIQUE INDEX uq_semesters_code_ci ON academics.semesters (lower(code));
CREATE TABLE academics.students (
    id UUID NOT NULL,
    user_id UUID,
    number VARCHAR(64) NOT NULL,
    first_name VARCHAR(255) NOT NULL,
    last_name VARCHAR(255) NOT NULL,
    email VARCHAR(255),
    facts_revision INTEGER DEFAULT 0 NOT NULL,
    sourced_id VARCHAR(255),
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_students PRIMARY KEY (id),
    CONSTRAINT uq_students_user_id UNIQUE (user_id),
    CONSTRAINT uq_students_number UNIQUE (number),
    CONSTRAINT uq_students_sourced_id UNIQUE (sourced_id)
);
CREATE INDEX ix_students_email_ci ON academics.students (lower(email));
CREATE INDEX ix_students_name ON academics.students (lower(last_name), lower(first_name), id);
CREATE TABLE academics.courses (
    id UUID NOT NULL,
    code VARCHAR(32) NOT NULL,
    title VARCHAR(255) NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    credits NUMERIC(5, 2) DEFAULT 0 NOT NULL,
    capacity INTEGER DEFAULT 0 NOT NULL,
    department_id UUID NOT NULL,
    state VARCHAR(10) DEFAULT 'draft' NOT NULL,
    search TSVECTOR NOT NULL,
    sourced_id VARCHAR(255),
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_courses PRIMARY KEY (id),
    CONSTRAINT ck_courses_state CHECK (state IN ('draft','published','archived')),
    CONSTRAINT ck_courses_credits CHECK (credits >= 0),
    CONSTRAINT ck_courses_capacity CHECK (capacity >= 0),
    CONSTRAINT fk_courses_department_id_departments FOREIGN KEY(department_id) REFERENCES academics.departments (id),
    CONSTRAINT uq_courses_sourced_id UNIQUE (sourced_id)
);
CREATE INDEX ix_courses_department_id ON academics.courses (department_id);
CREATE INDEX ix_courses_search ON academics.courses USING gin (search);
CREATE UNIQUE INDEX uq_courses_code_ci ON academics.courses (lower(code));
CREATE TABLE academics.holds (
    id UUID NOT NULL,
    student_id UUID NOT NULL,
    code VARCHAR(50) NOT NULL,
    reason TEXT NOT NULL,
    placed_by UUID,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    released_by UUID,
    released_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_holds PRIMARY KEY (id),
    CONSTRAINT fk_holds_student_id_students FOREIGN KEY(student_id) REFERENCES academics.students (id)
);
CREATE INDEX ix_holds_student_id ON academics.holds (student_id);
CREATE TABLE academics.roster_plans (
    id UUID NOT NULL,
    semester_id UUID NOT NULL,
    format VARCHAR(12) NOT NULL,
    source JSONB NOT NULL,
    options JSONB NOT NULL,
    inputs_sha256 VARCHAR(64) NOT NULL,
    state_fingerprint VARCHAR(64) NOT NULL,
    plan_hash VARCHAR(64) NOT NULL,
    counts JSONB NOT NULL,
    state VARCHAR(10) NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    applied_by UUID,
    applied_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_roster_plans PRIMARY KEY (id),
    CONSTRAINT ck_roster_plans_state CHECK (state IN ('planned','applied')),
    CONSTRAINT ck_roster_plans_format CHECK (format IN ('simple','oneroster')),
    CONSTRAINT fk_roster_plans_semester_id_semesters FOREIGN KEY(semester_id) REFERENCES academics.semesters (id)
);
CREATE INDEX ix_roster_plans_created_at ON academics.roster_plans (created_at);
CREATE TABLE academics.course_activities (
    course_id UUID NOT NULL,
    lesson_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_course_activities PRIMARY KEY (course_id, lesson_id),
    CONSTRAINT fk_course_activities_course_id_courses FOREIGN KEY(course_id) REFERENCES academics.courses (id) ON DELETE CASCADE
);
CREATE INDEX ix_course_activities_lesson_id ON academics.course_activities (lesson_id);
CREATE TABLE academics.course_completions (
    id UUID NOT NULL,
    student_id UUID NOT NULL,
    course_id UUID NOT NULL,
    score NUMERIC(5, 2),
    completed_on DATE NOT NULL,
    source VARCHAR(10) NOT NULL,
    reference VARCHAR(255) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_course_completions PRIMARY KEY (id),
    CONSTRAINT uq_course_completions_student_id_course_id_source_reference UNIQUE (student_id, course_id, source, reference),
    CONSTRAINT ck_course_completions_source CHECK (source IN ('enrolment','xapi','import')),
    CONSTRAINT ck_course_completions_score CHECK (score BETWEEN 0 AND 100),
    CONSTRAINT fk_course_completions_student_id_students FOREIGN KEY(student_id) REFERENCES academics.students (id),
    CONSTRAINT fk_course_completions_course_id_courses FOREIGN KEY(course_id) REFERENCES academics.courses (id)
);
CREATE INDEX ix_course_completions_course_id ON academics.course_completions (course_id);
CREATE TABLE academics.prerequisites (
    course_id UUID NOT NULL,
    group_no SMALLINT NOT NULL,
    required_course_id UUID NOT NULL,
    kind VARCHAR(3) DEFAULT 'pre' NOT NULL,
    min_score NUMERIC(5, 2),
    CONSTRAINT pk_prerequisites PRIMARY KEY (course_id, group_no, required_course_id),
    CONSTRAINT ck_prerequisites_not_itself CHECK (course_id <> required_course_id),
    CONSTRAINT ck_prerequisites_kind CHECK (kind IN ('pre','co')),
    CONSTRAINT ck_prerequisites_min_score CHECK (min_score BETWEEN 0 AND 100),
    CONSTRAINT fk_prerequisites_course_id_courses FOREIGN KEY(course_id) REFERENCES academics.courses (id) ON DELETE CASCADE,
    CONSTRAINT fk_prerequisites_required_course_id_courses FOREIGN KEY(required_course_id) REFERENCES academics.courses (id)
);
CREATE INDEX ix_prerequisites_required_course_id ON academics.prerequisites (required_course_id);
CREATE TABLE academics.sections (
    id UUID NOT NULL,
    course_id UUID NOT NULL,
    semester_id UUID NOT NULL,
    code VARCHAR(32) NOT NULL,
    state VARCHAR(10) DEFAULT 'open' NOT NULL,
    instructor_id UUID,
    capacity INTEGER NOT NULL,
    waitlist_capacity INTEGER DEFAULT 0 NOT NULL,
    enrolled_count INTEGER DEFAULT 0 NOT NULL,
    waitlisted_count INTEGER DEFAULT 0 NOT NULL,
    wait_seq INTEGER DEFAULT 0 NOT NULL,
    sourced_id VARCHAR(255),
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sections PRIMARY KEY (id),
    CONSTRAINT uq_sections_course_id_semester_id_code UNIQUE (course_id, semester_id, code),
    CONSTRAINT ck_sections_state CHECK (state IN ('open','closed')),
    CONSTRAINT ck_sections_seats CHECK (enrolled_count >= 0 AND enrolled_count <= capacity),
    CONSTRAINT ck_sections_waitlist CHECK (waitlisted_count >= 0 AND waitlisted_count <= waitlist_capacity),
    CONSTRAINT fk_sections_course_id_courses FOREIGN KEY(course_id) REFERENCES academics.courses (id),
    CONSTRAINT fk_sections_semester_id_semesters FOREIGN KEY(semester_id) REFERENCES academics.semesters (id),
    CONSTRAINT uq_sections_sourced_id UNIQUE (sourced_id)
);
CREATE INDEX ix_sections_instructor_id ON academics.sections (instructor_id);
CREATE INDEX ix_sections_semester_id ON academics.sections (semester_id);
CREATE TABLE academics.enrollments (
    id UUID NOT NULL,
    student_id UUID NOT NULL,
    section_id UUID NOT NULL,
    status VARCHAR(24) NOT NULL,
    wait_no INTEGER,
    failure JSONB,
    score NUMERIC(5, 2),
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    sourced_id VARCHAR(255),
    CONSTRAINT pk_enrollments PRIMARY KEY (id),
    CONSTRAINT ck_enrollments_status CHECK (status IN ('PENDING','ENROLLED','WAITLISTED','DROPPED','WITHDRAWN','COMPLETED','FAILED_HOLD','FAILED_WINDOW','FAILED_DUPLICATE','FAILED_PREREQUISITES','FAILED_TIME_CONFLICT','FAILED_CREDIT_LIMIT','FAILED_CAPACITY')),
    CONSTRAINT ck_enrollments_wait_no CHECK ((status = 'WAITLISTED') = (wait_no IS NOT NULL)),
    CONSTRAINT ck_enrollments_score CHECK (score BETWEEN 0 AND 100),
    CONSTRAINT fk_enrollments_student_id_students FOREIGN KEY(student_id) REFERENCES academics.students (id),
    CONSTRAINT fk_enrollments_section_id_sections FOREIGN KEY(section_id) REFERENCES academics.sections (id),
    CONSTRAINT uq_enrollments_sourced_id UNIQUE (sourced_id)
);
CREATE INDEX ix_enrollments_section_id_status ON academics.enrollments (section_id, status);
CREATE INDEX ix_enrollments_student_id ON academics.enrollments (student_id);
CREATE UNIQUE INDEX uq_enrollments_active ON academics.enrollments (student_id, section_id) WHERE status IN ('PENDING','ENROLLED','WAITLISTED');
CREATE UNIQUE INDEX uq_enrollments_wait_no ON academics.enrollments (section_id, wait_no) WHERE wait_no IS NOT NULL;
CREATE TABLE academics.overrides (
    id UUID NOT NULL,
    student_id UUID NOT NULL,
    section_id UUID NOT NULL,
    rules TEXT[] NOT NULL,
    reason TEXT NOT NULL,
    granted_by UUID,
    granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_by UUID,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_overrides PRIMARY KEY (id),
    CONSTRAINT fk_overrides_student_id_students FOREIGN KEY(student_id) REFERENCES academics.students (id),
    CONSTRAINT fk_overrides_section_id_sections FOREIGN KEY(section_id) REFERENCES academics.sections (id)
);
CREATE INDEX ix_overrides_section_id ON academics.overrides (section_id);
CREATE INDEX ix_overrides_student_id_section_id ON academics.overrides (student_id, section_id);
CREATE TABLE academics.section_meetings (
    section_id UUID NOT NULL,
    weekday SMALLINT NOT NULL,
    starts TIME WITHOUT TIME ZONE NOT NULL,
    ends TIME WITHOUT TIME ZONE NOT NULL,
    room VARCHAR(100) DEFAULT '' NOT NULL,
    CONSTRAINT pk_section_meetings PRIMARY KEY (section_id, weekday, starts),
    CONSTRAINT ck_section_meetings_weekday CHECK (weekday BETWEEN 1 AND 7),
    CONSTRAINT ck_section_meetings_times CHECK (starts < ends),
    CONSTRAINT fk_section_meetings_section_id_sections FOREIGN KEY(section_id) REFERENCES academics.sections (id) ON DELETE CASCADE
);
CREATE TABLE academics.enrollment_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    enrollment_id UUID NOT NULL,
    from_status VARCHAR(24),
    to_status VARCHAR(24) NOT NULL,
    reason TEXT NOT NULL,
    rule VARCHAR(24),
    facts JSONB DEFAULT '{}' NOT NULL,
    actor_id UUID,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_enrollment_events PRIMARY KEY (id),
    CONSTRAINT fk_enrollment_events_enrollment_id_enrollments FOREIGN KEY(enrollment_id) REFERENCES academics.enrollments (id)
);
CREATE INDEX ix_enrollment_events_enrollment_id ON academics.enrollment_events (enrollment_id);
"""

DOWNGRADE = """
DROP SCHEMA academics CASCADE;
"""


def upgrade() -> None:
    """Create the tables."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Remove them."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
