"""What other contexts may know of academics: event names, payload shapes and ids."""

from typing import Final, NewType
from uuid import UUID

StudentId = NewType("StudentId", UUID)
CourseId = NewType("CourseId", UUID)
SectionId = NewType("SectionId", UUID)
EnrollmentId = NewType("EnrollmentId", UUID)

# A change of one enrolment. Payload: {enrollment_id, student_id, student_name, user_id, email, section_id,
# section_code, course_id, course_code, course_title, semester_code, from, to, wait_no, reason, rule, actor_id, at}.
ENROLLMENT_CHANGED: Final = "academics.enrollment_changed"

# Seats may be given to the waitlist of a section. Payload: {section_id, after_wait_no}.
PROMOTION_DUE: Final = "academics.promotion_due"

# The catalogue changed. Payload: {entity, id, action}.
CATALOGUE_CHANGED: Final = "academics.catalogue_changed"
