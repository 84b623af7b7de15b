"""What academics holds about people: their student records, and what they have done as staff."""

from typing import Any

from dataforge.platform.personal_data import Holding, NotCovered, PersonalData, mentioned

_STUDENT = "user_id = :user_id OR lower(email) = ANY(CAST(:emails AS text[]))"
_OF_STUDENT = f"student_id IN (SELECT id FROM academics.students WHERE {_STUDENT})"
_OF_ENROLLMENT = f"enrollment_id IN (SELECT id FROM academics.enrollments WHERE {_OF_STUDENT})"
# What was decided about the person, in words too: found before the record is nobody's.
_AUDITED = (
    f"entity IN ('student', 'enrollment') AND entity_id IN (SELECT CAST(id AS text) FROM academics.students "
    f"WHERE {_STUDENT} UNION ALL SELECT CAST(id AS text) FROM academics.enrollments WHERE {_OF_STUDENT})"
)
_BY_STAFF = "Who decided stays, with the id of an account that tells nothing any more."


def personal_data() -> PersonalData[Any]:
    """Records stay, with what was reached, and are nobody's any more; what was written about the person goes."""
    return PersonalData(
        holdings=(
            Holding(
                table="platform.audit_log",
                name="audit_of_students",
                refers="entity_id",
                whose=_AUDITED,
                rewritten="before = NULL, after = NULL",
                counted=False,
            ),
            Holding(
                table="academics.holds",
                refers="student_id reason",
                whose=_OF_STUDENT,
                exported="code, reason, placed_at, released_at",
                rewritten="reason = ''",
            ),
            Holding(
                table="academics.overrides",
                refers="student_id reason",
                whose=_OF_STUDENT,
                exported="section_id, rules, reason, granted_at, expires_at, revoked_at",
                rewritten="reason = ''",
            ),
            Holding(
                table="academics.enrollment_events",
                refers="enrollment_id reason facts",
                whose=_OF_ENROLLMENT,
                exported="at, enrollment_id, from_status, to_status, reason, rule",
                rewritten="reason = '', facts = '{}'",
            ),
            Holding(
                table="academics.enrollments",
                refers="student_id sourced_id",
                whose=_OF_STUDENT,
                exported="id, section_id, status, score, requested_at, decided_at, sourced_id",
                rewritten="sourced_id = NULL",
            ),
            Holding(
                table="academics.course_completions",
                refers="student_id",
                whose=_OF_STUDENT,
                exported="completed_on, course_id, score, source",
                kept="How many have completed a course, and how well, stays; the record is nobody's any more.",
            ),
            Holding(
                table="academics.roster_rows",
                refers="student_id data changes",
                whose=f"{_OF_STUDENT} OR {mentioned('data')} OR {mentioned('changes')}",
                deleted=True,
                counted=False,
            ),
            Holding(
                table="academics.students",
                refers="user_id number first_name last_name email sourced_id",
                whose=_STUDENT,
                exported="number, first_name, last_name, email, sourced_id, created_at",
                rewritten=(
                    "user_id = NULL, number = 'erased-' || gen_random_uuid(), first_name = 'Erased', "
                    "last_name = 'Student', email = NULL, sourced_id = NULL, revision = revision + 1, "
                    "updated_at = now()"
                ),
            ),
            Holding(
                table="academics.sections",
                refers="instructor_id",
                whose="instructor_id = :user_id",
                exported="code, course_id, semester_id",
                kept="A section keeps its instructor, an account that tells nothing any more.",
            ),
            Holding(
                table="academics.enrollment_events",
                name="enrollment_decisions",
                refers="actor_id",
                whose="actor_id = :user_id",
                kept=_BY_STAFF,
                counted=False,
            ),
            Holding(
                table="academics.holds",
                name="hold_decisions",
                refers="placed_by released_by",
                whose="placed_by = :user_id OR released_by = :user_id",
                kept=_BY_STAFF,
                counted=False,
            ),
            Holding(
                table="academics.overrides",
                name="override_decisions",
                refers="granted_by revoked_by",
                whose="granted_by = :user_id OR revoked_by = :user_id",
                kept=_BY_STAFF,
                counted=False,
            ),
            Holding(
                table="academics.calendar_feeds",
                refers="owner_id",
                whose="owner_id = :user_id",
                exported="name, kind, section_id, created_at, last_read_at, revoked_at",
                deleted=True,
            ),
            Holding(
                table="academics.meeting_changes",
                refers="changed_by",
                whose="changed_by = :user_id",
                kept=_BY_STAFF,
                counted=False,
            ),
            Holding(
                table="academics.roster_plans",
                refers="created_by applied_by",
                whose="created_by = :user_id OR applied_by = :user_id",
                kept=_BY_STAFF,
                counted=False,
            ),
            Holding(
                table="academics.roster_uploads",
                refers="created_by",
                whose="created_by = :user_id",
                kept=_BY_STAFF,
                counted=False,
            ),
        ),
        not_covered=(
            NotCovered(
                "Files of rosters that were uploaded, until their retention ends",
                "They are under uploads/rosters/ of the bucket; look in them for the person's name.",
            ),
        ),
    )
