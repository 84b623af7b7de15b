"""Whom a user row of a roster means. Pure; the order of rows is no matter.

A student is known by sourcedId. A number speaks for a student only while they have no sourcedId, or in files that have
none; an e-mail address only together with the name. Whoever shares a number or an address with a student who is not in
the file as well is not taken for that student and not made another one: it is a conflict that shows both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.rosters.domain.claims import Claim, settle_claims
from dataforge.contexts.academics.rosters.domain.rows import (
    PlannedRow,
    RowAction,
    changes_between,
    conflict,
    ignored,
    spelled_lines,
)
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text

NOT_A_STUDENT = Text("not enrolled as a student in this file")


@dataclass(frozen=True, slots=True)
class KnownStudent:
    """A student whom a row could mean; `own_line` is the line of the file that names them by their first key."""

    id: UUID
    number: str
    first_name: str
    last_name: str
    email: str | None
    sourced_id: str | None
    own_line: int | None = None

    def shown(self) -> str:
        """For a message: what tells this student apart."""
        parts = [f"number {self.number}"]
        if self.sourced_id is not None:
            parts.insert(0, f"sourcedId {self.sourced_id}")
        if self.email:
            parts.append(self.email)
        return f"{self.first_name} {self.last_name} ({', '.join(parts)})"

    def facts(self) -> dict[str, object]:
        """For a program."""
        return {"id": str(self.id), "number": self.number, "sourced_id": self.sourced_id, "name": self._name()}

    def _name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user of the file, and the students who have their sourcedId, number or e-mail address.

    `simple` rows come from a file that knows students by number. `twins` are the lines of all rows with the number,
    when there are several; `differs` says what the lines of one student in a simple file disagree on.
    """

    row_no: int
    line: int
    sourced_id: str
    data: Mapping[str, Any]
    simple: bool = False
    removed: bool = False
    twins: tuple[int, ...] = ()
    differs: Mapping[str, Sequence[str]] | None = None
    by_id: KnownStudent | None = None
    by_number: tuple[KnownStudent, ...] = ()
    by_email: tuple[KnownStudent, ...] = ()

    @property
    def number(self) -> str:
        """The number, as the file spells it."""
        return str(self.data["number"])

    @property
    def numbered(self) -> bool:
        """Whether the number is the file's own."""
        return self.simple or bool(self.data.get("numbered"))

    def holder(self, *, exactly: bool = False) -> KnownStudent | None:
        """Who has the number: as it is spelled if somebody does, else (unless `exactly`) in other capitals."""
        exact = [student for student in self.by_number if student.number == self.number]
        alike = [] if exactly else list(self.by_number)
        return next(iter(exact or alike), None)

    def renumbers(self, student: KnownStudent) -> bool:
        """Whether the file gives a student another number."""
        return self.numbered and not self.simple and self.number.lower() != student.number.lower()

    def same_name(self, student: KnownStudent) -> bool:
        """Whether first and last name are the student's."""
        return self._agrees("first_name", student.first_name) and self._agrees("last_name", student.last_name)

    def another_person(self, student: KnownStudent) -> bool:
        """Whether nothing but the number is the student's."""
        names = (("first_name", student.first_name), ("last_name", student.last_name))
        complete = all(self.data.get(field) for field, _ in names)
        return (
            complete
            and not any(self._agrees(field, value) for field, value in names)
            and not self._agrees("email", student.email or "")
        )

    def shown(self) -> str:
        """For a message: what the file says."""
        parts = [] if self.simple else [f"sourcedId {self.sourced_id}"]
        if self.numbered:
            parts.append(f"number {self.number}")
        if self.data.get("email"):
            parts.append(str(self.data["email"]))
        name = " ".join(str(self.data[field]) for field in ("first_name", "last_name") if self.data.get(field))
        return f"{name or 'a student'} ({', '.join(parts)})"

    def _agrees(self, field: str, value: str) -> bool:
        given = str(self.data.get(field) or "")
        return bool(given) and given.lower() == value.lower()


class PeoplePlan:
    """Decides user rows as they come; what depends on other rows is decided at the end, by `rest`."""

    def __init__(self) -> None:
        # Rows that want a number somebody has, or leave the one they have.
        self._claims: list[tuple[UserRow, KnownStudent | None]] = []
        self._holders: dict[object, KnownStudent] = {}
        # Rows of nobody known by sourcedId or number, and who has their e-mail address without being in the file.
        self._by_email: list[tuple[UserRow, list[KnownStudent]]] = []
        # Students without a sourcedId who are found to be in the file.
        self._linked: set[UUID] = set()

    def decide(self, rows: Iterable[UserRow]) -> list[PlannedRow]:
        """The decisions that need no other row."""
        return [decision for row in rows if (decision := self._broken(row) or self._decide(row)) is not None]

    def rest(self) -> list[PlannedRow]:
        """The decisions on all other rows."""
        decided = [*self._settle_same_names(), *self._settle_strangers()]
        claims = [
            Claim(row.row_no, row.line, row.number.lower(), None if student is None else student.id)
            for row, student in self._claims
        ]
        refused = settle_claims(claims, {key: student.id for key, student in self._holders.items()})
        for row, student in self._claims:
            if row.row_no in refused:
                holder = self._holders[row.number.lower()]
                decided.append(
                    _identity(row, Text("the number {number} belongs to", number=row.number), [holder], also=student)
                )
            else:
                decided.append(_taken_over(row, student))
        return decided

    def _broken(self, row: UserRow) -> PlannedRow | None:
        """The decision on a row that means nobody, whoever is known."""
        if row.removed:
            return _removed(row)
        if row.differs:
            return _differing(row)
        if row.twins:
            message = Text(
                "The number {number} is on {spelled_lines} under different sourcedIds.",
                number=row.number,
                spelled_lines=spelled_lines(list(row.twins)),
            )
            return _conflict(row, "duplicate_in_file", message, [row.by_id, *row.by_number])
        if row.numbered and row.by_id is None and len(row.by_number) > 1 and row.holder(exactly=True) is None:
            return _identity(
                row, Text("the number {number} belongs, in other capitals, to", number=row.number), row.by_number
            )
        return None

    def _decide(self, row: UserRow) -> PlannedRow | None:
        holder = row.holder()
        if row.by_id is not None:
            return self._known(row, row.by_id)
        if holder is None:
            return self._unknown(row)
        if (row.simple or holder.sourced_id is None) and not row.another_person(holder):
            self._linked.add(holder.id)
            return _taken_over(row, holder)
        if row.simple:
            return _identity(row, Text("the number {number} belongs to", number=row.number), [holder])
        # Somebody else's number, unless they leave it for another one in this file.
        self._claim(row, None)
        return None

    def _known(self, row: UserRow, student: KnownStudent) -> PlannedRow | None:
        """A student known by sourcedId has the number of the file from now on, if it has one and it is free."""
        if not row.renumbers(student):
            return _taken_over(row, student)
        self._claim(row, student)
        return None

    def _unknown(self, row: UserRow) -> PlannedRow | None:
        strangers = [student for student in row.by_email if student.own_line is None]
        if not strangers:
            return _taken_over(row, None)
        self._by_email.append((row, strangers))
        return None

    def _claim(self, row: UserRow, student: KnownStudent | None) -> None:
        self._claims.append((row, student))
        holder = row.holder()
        if holder is not None:
            self._holders[row.number.lower()] = holder

    def _settle_same_names(self) -> list[PlannedRow]:
        """Address and name together mean a student without a sourcedId whom nothing else of the file means."""
        wanted: dict[UUID, list[tuple[UserRow, KnownStudent]]] = {}
        for row, strangers in self._by_email:
            same = [item for item in strangers if item.sourced_id is None and row.same_name(item)]
            if len(same) == 1 and not row.simple and same[0].id not in self._linked:
                wanted.setdefault(same[0].id, []).append((row, same[0]))
        decided: list[PlannedRow] = []
        for matches in wanted.values():
            if len(matches) > 1:
                where = spelled_lines([row.line for row, _ in matches])
                message = Text(
                    "The users on {where} could all be {matches}, by name and address.",
                    where=where,
                    matches=matches[0][1].shown(),
                )
                decided += [_conflict(row, "identity_conflict", message, [student]) for row, student in matches]
                continue
            [(row, student)] = matches
            self._linked.add(student.id)
            if row.renumbers(student):
                self._claim(row, student)
            else:
                decided.append(_taken_over(row, student))
        matched = {row.row_no for matches in wanted.values() for row, _ in matches}
        self._by_email = [(row, strangers) for row, strangers in self._by_email if row.row_no not in matched]
        return decided

    def _settle_strangers(self) -> list[PlannedRow]:
        """An address alone means nobody; whoever else has it is shown, unless they are in the file themselves."""
        decided: list[PlannedRow] = []
        for row, candidates in self._by_email:
            strangers = [student for student in candidates if student.id not in self._linked]
            if strangers:
                decided.append(
                    _identity(row, Text("the address {email} belongs to", email=row.data["email"]), strangers)
                )
            else:
                decided.append(_taken_over(row, None))
        return decided


def _taken_over(row: UserRow, student: KnownStudent | None) -> PlannedRow:
    """The row as a new student, or as what it says anew of a known one."""
    given = {field: str(row.data.get(field) or "") for field in ("first_name", "last_name", "email")}
    if student is None:
        if given["first_name"] and given["last_name"]:
            return PlannedRow(row.row_no, RowAction.CREATE, entity_id=uuid7())
        message = Text(
            "There is no student with the number {number}; a new one needs a first and a last name.", number=row.number
        )
        return conflict(row.row_no, "unknown_student", message)
    renumbered = row.renumbers(student)
    was = {name: getattr(student, name) or "" for name in ("first_name", "last_name", "email", "number", "sourced_id")}
    now = {name: value for name, value in given.items() if value}
    now |= {"number": row.number} if renumbered else {}
    # Somebody who has a sourcedId keeps it.
    now |= {"sourced_id": row.sourced_id} if student.sourced_id is None and not row.simple else {}
    changes = changes_between(was, now)
    data = {"renumbered": row.number} if renumbered else {}
    action = RowAction.CHANGE if changes else RowAction.UNCHANGED
    return PlannedRow(row.row_no, action, entity_id=student.id, data=data, changes=changes)


def _removed(row: UserRow) -> PlannedRow:
    message = Text("marked as to be deleted; students are not deleted by a roster")
    if row.by_id is None:
        return ignored(row.row_no, message)
    return PlannedRow(row.row_no, RowAction.UNCHANGED, {"message": message}, entity_id=row.by_id.id)


def _differing(row: UserRow) -> PlannedRow:
    fields = {"first_name": Text("first names"), "last_name": Text("last names"), "email": Text("e-mail addresses")}
    said = "; ".join(f"{fields[field]} {', '.join(values)}" for field, values in (row.differs or {}).items())
    message = Text("The lines of the student {number} say different things: {said}.", number=row.number, said=said)
    return _conflict(row, "duplicate_in_file", message, list(row.by_number))


def _identity(row: UserRow, why: str, students: Sequence[KnownStudent], also: KnownStudent | None = None) -> PlannedRow:
    known = " and ".join(student.shown() for student in students)
    message = Text(
        "The file has {row}, but {why} {known}. If they are one person, correct the file or the student; "
        "if not, one of them needs another number or address.",
        row=row.shown(),
        why=why,
        known=known,
    )
    return _conflict(row, "identity_conflict", message, [*students, also])


def _conflict(row: UserRow, rule: str, message: str, students: Sequence[KnownStudent | None]) -> PlannedRow:
    shown = {student.id: student.facts() for student in students if student is not None}
    return conflict(row.row_no, rule, message, students=list(shown.values()))
