"""From rows and their JSON parts to what the rules work with."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.catalog.domain import (
    Completion,
    CourseState,
    EvidenceSource,
    Requirement,
    RequirementKind,
    Semester,
)
from dataforge.contexts.academics.enrollment.domain.rules import Commitment, Hold, Override, SectionTerms, StudentFile
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus, Rule
from dataforge.contexts.academics.sections.domain import Meeting, SectionState

Part = Sequence[Any]

# The parts of a section `sec` of course `c` in semester `sem`.
TERMS_COLUMNS = """
    sec.id AS section_id, sec.revision AS section_revision, sec.code AS section_code, sec.state AS section_state,
        sec.instructor_id,
    c.id AS course_id, c.code AS course_code, c.title AS course_title, c.state AS course_state, c.credits,
    sem.id AS semester_id, sem.code AS semester_code, sem.starts_on, sem.ends_on, sem.add_by, sem.drop_by,
    sem.withdraw_by, sem.max_credits, sem.time_zone,
    (SELECT jsonb_agg(jsonb_build_array(m.weekday, m.starts, m.ends, m.room) ORDER BY m.weekday, m.starts)
     FROM academics.section_meetings m WHERE m.section_id = sec.id) AS meetings,
    (SELECT jsonb_agg(jsonb_build_array(p.group_no, p.required_course_id, rc.code, p.kind, p.min_score::text)
                      ORDER BY p.group_no, rc.code)
     FROM academics.prerequisites p JOIN academics.courses rc ON rc.id = p.required_course_id
     WHERE p.course_id = c.id) AS requirements
"""

# The file of a student `s`, as far as a section in a semester from `starts_on` to `ends_on` is concerned: in the zones
# of two semesters one instant lies on days up to two apart, and what starts on one day ends on the next.
FILE_COLUMNS = """
    s.id AS student_id, s.facts_revision, s.user_id, s.first_name, s.last_name, s.email,
    (SELECT jsonb_agg(jsonb_build_array(h.id, h.code, h.reason) ORDER BY h.id)
     FROM academics.holds h WHERE h.student_id = s.id AND h.released_at IS NULL) AS holds,
    (SELECT jsonb_agg(jsonb_build_array(e.id, e.status, os.id, os.code, oc.id, oc.code, oc.credits::text, osem.id,
                                        osem.starts_on, osem.ends_on,
            (SELECT jsonb_agg(jsonb_build_array(m.weekday, m.starts, m.ends, m.room))
             FROM academics.section_meetings m WHERE m.section_id = os.id), osem.time_zone) ORDER BY e.id)
     FROM academics.enrollments e
     JOIN academics.sections os ON os.id = e.section_id
     JOIN academics.courses oc ON oc.id = os.course_id
     JOIN academics.semesters osem ON osem.id = os.semester_id
     WHERE e.student_id = s.id AND e.status IN ('PENDING','ENROLLED','WAITLISTED','COMPLETED')
       AND osem.starts_on <= t.ends_on + 3 AND osem.ends_on >= t.starts_on - 3) AS commitments,
    (SELECT jsonb_agg(jsonb_build_array(cc.course_id, cc.score::text, cc.completed_on, cc.source, cc.reference))
     FROM academics.course_completions cc WHERE cc.student_id = s.id) AS completions
"""


def decimal(value: str | None) -> Decimal | None:
    """A number that was cast to text in SQL, exactly."""
    return None if value is None else Decimal(value)


def meetings_of(parts: Iterable[Part] | None) -> tuple[Meeting, ...]:
    """Meetings from [weekday, starts, ends, room]."""
    return tuple(Meeting(p[0], time.fromisoformat(p[1]), time.fromisoformat(p[2]), p[3]) for p in parts or ())


def requirements_of(parts: Iterable[Part] | None) -> tuple[Requirement, ...]:
    """Requirements from [group, course, code, kind, min_score]."""
    return tuple(Requirement(p[0], UUID(p[1]), p[2], RequirementKind(p[3]), decimal(p[4])) for p in parts or ())


def completions_of(parts: Iterable[Part] | None) -> tuple[Completion, ...]:
    """Completions from [course, score, day, source, reference]."""
    return tuple(
        Completion(UUID(p[0]), decimal(p[1]), date.fromisoformat(p[2]), EvidenceSource(p[3]), p[4]) for p in parts or ()
    )


def commitments_of(parts: Iterable[Part] | None) -> tuple[Commitment, ...]:
    """Commitments from the array FILE_COLUMNS builds."""
    return tuple(
        Commitment(
            enrollment_id=UUID(p[0]),
            status=EnrollmentStatus(p[1]),
            section_id=UUID(p[2]),
            section_code=p[3],
            course_id=UUID(p[4]),
            course_code=p[5],
            credits=Decimal(p[6]),
            semester_id=UUID(p[7]),
            starts_on=date.fromisoformat(p[8]),
            ends_on=date.fromisoformat(p[9]),
            meetings=meetings_of(p[10]),
            time_zone=p[11],
        )
        for p in parts or ()
    )


def overrides_of(parts: Iterable[Part] | None) -> tuple[Override, ...]:
    """Overrides from [id, rules, reason, expires_at]."""
    return tuple(
        Override(
            UUID(p[0]),
            frozenset(Rule(item) for item in p[1]),
            p[2],
            None if p[3] is None else datetime.fromisoformat(p[3]),
        )
        for p in parts or ()
    )


def terms_of(row: Any) -> SectionTerms:  # noqa: ANN401 - a row of TERMS_COLUMNS
    """The terms of a section."""
    semester = Semester(
        row.semester_id, row.semester_code, row.starts_on, row.ends_on, row.add_by, row.drop_by, row.withdraw_by,
        row.max_credits, row.time_zone,
    )  # fmt: skip
    return SectionTerms(
        section_id=row.section_id,
        code=row.section_code,
        state=SectionState(row.section_state),
        course_id=row.course_id,
        course_code=row.course_code,
        course_title=row.course_title,
        course_state=CourseState(row.course_state),
        credits=row.credits,
        semester=semester,
        instructor_id=row.instructor_id,
        meetings=meetings_of(row.meetings),
        requirements=requirements_of(row.requirements),
        revision=row.section_revision,
    )


def file_of(row: Any) -> StudentFile:  # noqa: ANN401 - a row of FILE_COLUMNS
    """The file of a student."""
    return StudentFile(
        student_id=row.student_id,
        user_id=row.user_id,
        name=f"{row.first_name} {row.last_name}",
        email=row.email,
        holds=tuple(Hold(UUID(p[0]), p[1], p[2]) for p in row.holds or ()),
        overrides=overrides_of(row.overrides),
        commitments=commitments_of(row.commitments),
        completions=completions_of(row.completions),
        facts_revision=row.facts_revision,
    )
