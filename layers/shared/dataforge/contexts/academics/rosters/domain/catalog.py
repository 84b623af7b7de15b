"""What the rows of sessions, orgs, courses and classes would do to the catalogue. Pure; the order of rows is no matter.

A thing is matched by its sourcedId. Its code is asked only of things that have no sourcedId yet.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from dataforge.contexts.academics.catalog.domain import Semester
from dataforge.contexts.academics.rosters.domain.claims import Claim, settle_claims
from dataforge.contexts.academics.rosters.domain.rows import (
    USABLE,
    PlannedRow,
    RowAction,
    RowKind,
    StagedRow,
    changes_between,
    conflict,
    ignored,
    settle_doubled,
    spelled_lines,
)
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text


@dataclass(frozen=True, slots=True)
class KnownDepartment:
    """A department as it is."""

    id: UUID
    code: str
    name: str
    sourced_id: str | None


@dataclass(frozen=True, slots=True)
class KnownCourse:
    """A course as it is."""

    id: UUID
    code: str
    title: str
    credits: Decimal
    capacity: int
    sourced_id: str | None


@dataclass(frozen=True, slots=True)
class KnownSection:
    """A section as it is, with the names of its course and semester."""

    id: UUID
    semester_id: UUID
    semester_code: str
    course_id: UUID
    course_code: str
    code: str
    capacity: int
    waitlist_capacity: int
    enrolled_count: int
    waitlisted_count: int
    sourced_id: str | None


@dataclass(frozen=True, slots=True)
class KnownCatalog:
    """What a roster's catalogue rows can mean: the things with one of its sourcedIds or codes, and the semester's
    sections."""

    semester: Semester
    semester_sourced_id: str | None
    other_semesters: Mapping[str, str] = field(default_factory=dict)
    departments: Sequence[KnownDepartment] = ()
    courses: Sequence[KnownCourse] = ()
    sections: Sequence[KnownSection] = ()


Linked = TypeVar("Linked", KnownDepartment, KnownCourse)


class CatalogPlan:
    """The decisions on all catalogue rows of a file, row by row in `decided`."""

    def __init__(self, rows: Iterable[StagedRow], known: KnownCatalog, default_capacity: int) -> None:
        self.decided: dict[int, PlannedRow] = {}
        self._known = known
        self._default_capacity = default_capacity
        self._rows: dict[RowKind, list[StagedRow]] = {kind: [] for kind in RowKind}
        for row in rows:
            self._rows[row.kind].append(row)
            if row.conflict is not None:
                self.decided[row.row_no] = PlannedRow(row.row_no, RowAction.CONFLICT, row.conflict)
        for kind in (RowKind.SESSION, RowKind.ORG, RowKind.COURSE, RowKind.CLASS):
            self._settle_doubled(kind)
        self._sessions = self._decide_sessions()
        self._decide_classes_elsewhere()
        self._skip_unused()
        self._orgs = self._decide_orgs()
        self._courses = self._decide_courses()
        self._decide_classes()

    @property
    def has_session(self) -> bool:
        """Whether a session of the file is the semester."""
        return bool(self._sessions)

    def _open(self, kind: RowKind) -> list[StagedRow]:
        return [row for row in self._rows[kind] if row.row_no not in self.decided]

    def _decide(self, decision: PlannedRow) -> None:
        self.decided[decision.row_no] = decision

    def _settle_doubled(self, kind: RowKind) -> None:
        by_id: dict[str | None, list[StagedRow]] = {}
        for row in self._open(kind):
            by_id.setdefault(row.sourced_id, []).append(row)
        for same in by_id.values():
            if len(same) > 1:
                for decision in settle_doubled(same):
                    self._decide(decision)

    def _usable(self, kind: RowKind) -> dict[str, tuple[StagedRow, UUID]]:
        """Rows that others may refer to, by sourcedId, with the thing they describe."""
        found: dict[str, tuple[StagedRow, UUID]] = {}
        for row in self._rows[kind]:
            decision = self.decided.get(row.row_no)
            if decision is not None and decision.action in USABLE and decision.entity_id is not None:
                found[str(row.sourced_id)] = (row, decision.entity_id)
        return found

    # Sessions

    def _decide_sessions(self) -> set[str]:
        """Find the rows that are the semester; returns their sourcedIds."""
        semester = self._known.semester
        matched = [row for row in self._open(RowKind.SESSION) if not row.removed and self._is_semester(row)]
        for row in matched:
            dates = (row.data["starts_on"], row.data["ends_on"])
            if len(matched) > 1:
                where = spelled_lines([item.line for item in matched])
                message = Text(
                    "The sessions on {where} could all be the semester {code}; its code names one.",
                    where=where,
                    code=semester.code,
                )
                self._decide(conflict(row.row_no, "ambiguous_session", message))
            elif dates != (semester.starts_on.isoformat(), semester.ends_on.isoformat()):
                message = Text(
                    "The semester {code} lasts from {starts_on} to {ends_on}; change it there, or in the file.",
                    code=semester.code,
                    starts_on=semester.starts_on,
                    ends_on=semester.ends_on,
                )
                self._decide(conflict(row.row_no, "dates_differ", message))
            else:
                # One that has a sourcedId keeps it.
                linked = self._known.semester_sourced_id is not None
                self._decide(_known(row, semester.id, {"sourced_id": row.sourced_id if linked else None}, {}))
        for row in self._open(RowKind.SESSION):
            self._decide(ignored(row.row_no, Text("another session")))
        return {str(row.sourced_id) for row in matched} if len(matched) == 1 else set()

    def _is_semester(self, row: StagedRow) -> bool:
        if self._known.semester_sourced_id is not None or row.sourced_id in self._known.other_semesters:
            return row.sourced_id == self._known.semester_sourced_id
        code = self._known.semester.code.lower()
        return code in (str(row.data["code"]).lower(), str(row.sourced_id).lower())

    # What is not of this semester

    def _decide_classes_elsewhere(self) -> None:
        here = {item.sourced_id: item for item in self._known.sections if item.semester_id == self._known.semester.id}
        sessions = {row.sourced_id for row in self._rows[RowKind.SESSION]}
        for row in self._open(RowKind.CLASS):
            section = here.get(row.sourced_id)
            if self._sessions.intersection(_texts(row.data["terms"])):
                if row.removed:
                    self._decide(ignored(row.row_no, _NOT_DELETED))
            elif section is None and not row.removed and sessions.isdisjoint(_texts(row.data["terms"])):
                named = ", ".join(_texts(row.data["terms"]))
                self._decide(
                    conflict(
                        row.row_no, "unknown_session", Text("There is no session {named} in the file.", named=named)
                    )
                )
            elif section is None:
                self._decide(ignored(row.row_no, Text("not a class of this semester")))
            else:
                message = Text(
                    "The class {sourced_id} is {course_code} {code} of {semester_code} "
                    "here; the file puts it in {texts}.",
                    sourced_id=row.sourced_id,
                    course_code=section.course_code,
                    code=section.code,
                    semester_code=section.semester_code,
                    texts=", ".join(_texts(row.data["terms"])),
                )
                self._decide(conflict(row.row_no, "other_session", message))

    def _skip_unused(self) -> None:
        courses = {row.data["course"] for row in self._open(RowKind.CLASS)}
        orgs = {row.data["org"] for row in self._open(RowKind.COURSE) if row.sourced_id in courses and not row.removed}
        unused = (
            (RowKind.COURSE, courses, Text("no class of this semester is one of this course")),
            (RowKind.ORG, orgs, Text("no course of this semester belongs to it")),
        )
        for kind, used, message in unused:
            for row in self._open(kind):
                if row.removed:
                    self._decide(ignored(row.row_no, _NOT_DELETED))
                elif row.sourced_id not in used:
                    self._decide(ignored(row.row_no, message))

    # Orgs, courses, classes

    def _decide_orgs(self) -> dict[str, tuple[StagedRow, UUID]]:
        known = self._known.departments
        by_id = {item.sourced_id: item for item in known if item.sourced_id is not None}
        by_code = {item.code.lower(): item for item in known}
        matched: dict[int, KnownDepartment | None] = {}
        claims: list[Claim] = []
        for row in self._open(RowKind.ORG):
            linked = by_id.get(str(row.sourced_id)) or _unlinked(by_code.get(_code(row)))
            matched[row.row_no] = linked
            # A department keeps its code: one that is known claims the code it has.
            claims.append(_claim(row, _code(row) if linked is None else linked.code.lower(), linked))
        names = {item.id: Text("the department {code} ({name})", code=item.code, name=item.name) for item in known}
        self._refuse(RowKind.ORG, claims, {code: item.id for code, item in by_code.items()}, names)
        for row in self._open(RowKind.ORG):
            department = matched[row.row_no]
            if department is None:
                self._decide(_created(row))
            else:
                was = {"name": department.name, "sourced_id": department.sourced_id}
                self._decide(_known(row, department.id, was, {"name": row.data["name"]}))
        return self._usable(RowKind.ORG)

    def _decide_courses(self) -> dict[str, tuple[StagedRow, UUID]]:
        known = self._known.courses
        by_id = {item.sourced_id: item for item in known if item.sourced_id is not None}
        by_code = {item.code.lower(): item for item in known}
        departments = {item.sourced_id: item.id for item in self._known.departments if item.sourced_id is not None}
        departments |= {sourced_id: entity for sourced_id, (_, entity) in self._orgs.items()}
        rows = self._open(RowKind.COURSE)
        matched = {row.row_no: by_id.get(str(row.sourced_id)) or _unlinked(by_code.get(_code(row))) for row in rows}
        for row in rows:
            if matched[row.row_no] is None and row.data["org"] not in departments:
                message = Text("There is no department {org} to put a new course in.", org=row.data["org"])
                self._decide(conflict(row.row_no, "unknown_org", message))
        claims = [_claim(row, _code(row), matched[row.row_no]) for row in self._open(RowKind.COURSE)]
        names = {item.id: Text("the course {code} ({title})", code=item.code, title=item.title) for item in known}
        self._refuse(RowKind.COURSE, claims, {code: item.id for code, item in by_code.items()}, names)
        for row in self._open(RowKind.COURSE):
            course = matched[row.row_no]
            if course is None:
                self._decide(_created(row, department_id=str(departments[str(row.data["org"])])))
            else:
                was = {name: getattr(course, name) for name in ("code", "title", "credits", "sourced_id")}
                worth = course.credits if row.data["credits"] is None else Decimal(str(row.data["credits"]))
                now = {"code": row.data["code"], "title": row.data["title"], "credits": worth}
                self._decide(_known(row, course.id, was, now))
        return self._usable(RowKind.COURSE)

    def _decide_classes(self) -> None:
        sections = _Sections(self._known)
        capacities = {item.id: item.capacity for item in self._known.courses}
        matched: dict[int, KnownSection | None] = {}
        claims: list[Claim] = []
        exact = {(self._courses[str(row.data["course"])][1], row.data["code"]) for row in self._classes_with_course()}
        for row in self._open(RowKind.CLASS):
            course = self._courses.get(str(row.data["course"]))
            if course is None:
                self._decide(conflict(row.row_no, "unknown_course", self._unknown_course(row)))
                continue
            found = sections.find(row, course[1], exact)
            matched[row.row_no] = found
            problem = _class_problem(row, found, self._known.semester, course[1])
            if problem is not None:
                self._decide(conflict(row.row_no, *problem))
                continue
            claims.append(_claim(row, (course[1], row.data["code"]), found))
        claims = self._matched_once(claims)
        names = {
            item.id: Text("the section {course_code} {code}", course_code=item.course_code, code=item.code)
            for item in self._known.sections
        }
        self._refuse(RowKind.CLASS, claims, sections.holders, names)
        for row in self._open(RowKind.CLASS):
            section, course_id = matched[row.row_no], self._courses[str(row.data["course"])][1]
            wanted, places = row.data["capacity"], row.data["waitlist_capacity"]
            if section is None:
                seats = wanted if wanted is not None else capacities.get(course_id) or self._default_capacity
                more = {"capacity": seats, "waitlist_capacity": places or 0}
                self._decide(_created(row, course_id=str(course_id), **more))
                continue
            more = {
                "capacity": section.capacity if wanted is None else wanted,
                "waitlist_capacity": section.waitlist_capacity if places is None else places,
            }
            was = {name: getattr(section, name) for name in ("code", *more, "sourced_id")}
            self._decide(
                _known(row, section.id, was, {"code": row.data["code"], **more}, course_id=str(course_id), **more)
            )

    def _matched_once(self, claims: list[Claim]) -> list[Claim]:
        """Without classes that are alike but for capitals, and could each be the same section."""
        by_section: dict[UUID | None, list[Claim]] = {}
        for claim in claims:
            by_section.setdefault(claim.entity, []).append(claim)
        for entity, same in by_section.items():
            if entity is not None and len(same) > 1:
                where = spelled_lines([claim.line for claim in same])
                message = Text(
                    "The classes on {where} differ in capitals only, and could each be the same section.", where=where
                )
                for claim in same:
                    self._decide(conflict(claim.row_no, "duplicate_in_file", message))
        return [claim for claim in claims if claim.row_no not in self.decided]

    def _classes_with_course(self) -> list[StagedRow]:
        return [row for row in self._open(RowKind.CLASS) if str(row.data["course"]) in self._courses]

    def _unknown_course(self, row: StagedRow) -> str:
        wanted = row.data["course"]
        lines = [item.line for item in self._rows[RowKind.COURSE] if item.sourced_id == wanted]
        if lines:
            return Text(
                "The course {wanted} on {lines} cannot be used; see there.", wanted=wanted, lines=spelled_lines(lines)
            )
        return Text("There is no course {wanted} in the file.", wanted=wanted)

    def _refuse(
        self, kind: RowKind, claims: list[Claim], holders: Mapping[Hashable, UUID], names: Mapping[UUID, str]
    ) -> None:
        """Decide the rows whose code somebody else has or wants."""
        codes = {row.row_no: row.data["code"] for row in self._open(kind)}
        for row_no, refused in settle_claims(claims, holders).items():
            code = codes[row_no]
            if refused.holder is None:
                message = Text(
                    "The code {code} is on {spelled_lines}; only one may have it.",
                    code=code,
                    spelled_lines=spelled_lines(list(refused.lines)),
                )
                self._decide(conflict(row_no, "duplicate_in_file", message))
            else:
                message = Text(
                    "The code {code} belongs to {names}, which has another sourcedId.",
                    code=code,
                    names=names[refused.holder],
                )
                self._decide(conflict(row_no, "code_taken", message, taken_by=str(refused.holder)))


class _Sections:
    """Sections of a semester by what a class may be known by."""

    def __init__(self, known: KnownCatalog) -> None:
        here = [item for item in known.sections if item.semester_id == known.semester.id]
        self._by_id = {item.sourced_id: item for item in known.sections if item.sourced_id is not None}
        self._by_code = {(item.course_id, item.code): item for item in here}
        self._alike: dict[tuple[UUID, str], list[KnownSection]] = {}
        for item in here:
            self._alike.setdefault((item.course_id, item.code.lower()), []).append(item)
        self.holders: dict[Hashable, UUID] = {key: item.id for key, item in self._by_code.items()}

    def find(self, row: StagedRow, course_id: UUID, exact: set[tuple[UUID, object]]) -> KnownSection | None:
        """By sourcedId; else one without a sourcedId by its code, in other capitals if no row has it in these."""
        if row.sourced_id in self._by_id:
            return self._by_id[row.sourced_id]
        found = self._by_code.get((course_id, str(row.data["code"])))
        if found is None:
            alike = self._alike.get((course_id, str(row.data["code"]).lower()), [])
            alike = [item for item in alike if (course_id, item.code) not in exact]
            found = alike[0] if len(alike) == 1 else None
        return found if found is not None and found.sourced_id is None else None


_NOT_DELETED = Text("the catalogue is not deleted by a roster; archive or close it")


def _class_problem(
    row: StagedRow, section: KnownSection | None, semester: Semester, course_id: UUID
) -> tuple[str, str] | None:
    """Why a class cannot be taken over as the section it was found to be: rule and message."""
    if section is None:
        return None
    name = Text(
        "{course_code} {code} of {semester_code}",
        course_code=section.course_code,
        code=section.code,
        semester_code=section.semester_code,
    )
    if section.semester_id != semester.id:
        return "sourced_id_taken", Text(
            "The class {sourced_id} is {name} already; a class belongs to one semester.",
            sourced_id=row.sourced_id,
            name=name,
        )
    if section.course_id != course_id:
        return "other_course", Text(
            "The class {sourced_id} is {name}; the file puts it in another course.",
            sourced_id=row.sourced_id,
            name=name,
        )
    seats, places = row.data["capacity"], row.data["waitlist_capacity"]
    if (isinstance(seats, int) and seats < section.enrolled_count) or (
        isinstance(places, int) and places < section.waitlisted_count
    ):
        message = Text(
            "{enrolled_count} seats are taken and {waitlisted_count} students wait.",
            enrolled_count=section.enrolled_count,
            waitlisted_count=section.waitlisted_count,
        )
        return "capacity_below_enrolled", message
    return None


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - a list in JSON
    return [str(item) for item in value]


def _code(row: StagedRow) -> str:
    return str(row.data["code"]).lower()


def _unlinked(found: Linked | None) -> Linked | None:
    return found if found is not None and found.sourced_id is None else None


def _claim(row: StagedRow, key: Hashable, found: KnownDepartment | KnownCourse | KnownSection | None) -> Claim:
    return Claim(row.row_no, row.line, key, None if found is None else found.id)


def _created(row: StagedRow, **data: object) -> PlannedRow:
    return PlannedRow(row.row_no, RowAction.CREATE, entity_id=uuid7(), data=data)


def _known(
    row: StagedRow, entity: UUID, was: Mapping[str, object], now: Mapping[str, object], **data: object
) -> PlannedRow:
    changes = changes_between(was, {**now, "sourced_id": row.sourced_id})
    action = RowAction.CHANGE if changes else RowAction.UNCHANGED
    return PlannedRow(row.row_no, action, entity_id=entity, data=data, changes=changes)
