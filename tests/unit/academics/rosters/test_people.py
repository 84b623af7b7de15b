"""Whom a user row means: the property is that nobody's record is ever taken for another one's."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.academics.rosters.domain.people import KnownStudent, PeoplePlan, UserRow
from dataforge.contexts.academics.rosters.domain.rows import PlannedRow, RowAction

USABLE = (RowAction.CREATE, RowAction.CHANGE, RowAction.UNCHANGED)


@dataclass(frozen=True)
class User:
    """A line of a users file."""

    sourced_id: str
    number: str
    first_name: str
    last_name: str
    email: str

    def data(self) -> dict[str, Any]:
        given = {"first_name": self.first_name, "last_name": self.last_name, "email": self.email}
        return {"number": self.number or self.sourced_id, "numbered": bool(self.number), **given}


def rows_of(users: list[User], known: list[KnownStudent]) -> list[UserRow]:
    """The facts a database would find."""
    own = {user.sourced_id: no + 2 for no, user in enumerate(users)}
    people = [replace(student, own_line=own.get(student.sourced_id or "")) for student in known]
    numbers = [str(user.data()["number"]).lower() for user in users]
    found = []
    for no, user in enumerate(users):
        number = numbers[no]
        same = [at + 2 for at, other in enumerate(numbers) if other == number]
        found.append(
            UserRow(
                no + 1,
                no + 2,
                user.sourced_id,
                user.data(),
                twins=tuple(same) if len(same) > 1 else (),
                by_id=next((p for p in people if p.sourced_id == user.sourced_id), None),
                by_number=tuple(p for p in people if p.number.lower() == number),
                by_email=tuple(p for p in people if user.email and (p.email or "").lower() == user.email.lower()),
            )
        )
    return found


def planned(users: list[User], known: list[KnownStudent]) -> dict[str, PlannedRow]:
    """What becomes of each line, by sourcedId."""
    people, rows = PeoplePlan(), rows_of(users, known)
    decided = [*people.decide(rows), *people.rest()]
    assert sorted(row.row_no for row in decided) == [row.row_no for row in rows]
    return {users[row.row_no - 1].sourced_id: row for row in decided}


def applied(users: list[User], known: list[KnownStudent], plan: dict[str, PlannedRow]) -> list[KnownStudent]:
    """The students afterwards."""
    after = {student.id: student for student in known}
    for user in users:
        decision = plan[user.sourced_id]
        if decision.action not in USABLE:
            continue
        assert decision.entity_id is not None
        before = after.get(decision.entity_id)
        email = user.email or (before.email if before else None)
        number = before.number if before else str(user.data()["number"])
        number = str(decision.data.get("renumbered", number))
        sourced_id = (before.sourced_id if before else None) or user.sourced_id
        after[decision.entity_id] = KnownStudent(
            decision.entity_id, number, user.first_name, user.last_name, email, sourced_id
        )
    return list(after.values())


ADA = KnownStudent(UUID(int=1), "N1", "Ada", "Lovelace", "x@example.org", "u1")


def rule(decision: PlannedRow) -> object:
    return decision.reason.get("rule")


def test_an_address_alone_is_nobody() -> None:
    grace = User("u2", "N2", "Grace", "Hopper", "X@example.org")

    decision = planned([grace], [ADA])["u2"]

    assert (decision.action, rule(decision)) == (RowAction.CONFLICT, "identity_conflict")
    message = str(decision.reason["message"])
    assert "sourcedId u2, number N2" in message
    assert "sourcedId u1, number N1" in message


def test_a_number_that_is_used_again_is_not_its_first_holder() -> None:
    grace = User("u2", "N1", "Grace", "Hopper", "")

    assert rule(planned([grace], [ADA])["u2"]) == "identity_conflict"
    assert rule(planned([grace], [replace(ADA, sourced_id=None)])["u2"]) == "identity_conflict"


def test_a_number_fills_a_missing_sourced_id_also_after_a_marriage() -> None:
    byron = User("u1", "N1", "Ada", "Byron", "")

    decision = planned([byron], [replace(ADA, sourced_id=None)])["u1"]

    assert (decision.action, decision.entity_id) == (RowAction.CHANGE, ADA.id)


def test_name_and_address_together_fill_a_missing_sourced_id() -> None:
    ada = User("u1", "N7", "Ada", "Lovelace", "x@example.org")

    decision = planned([ada], [replace(ADA, sourced_id=None)])["u1"]

    assert (decision.action, decision.entity_id, decision.data) == (RowAction.CHANGE, ADA.id, {"renumbered": "N7"})


def test_who_is_in_the_file_as_well_is_somebody_else() -> None:
    ada = User("u1", "N1", "Ada", "Lovelace", "x@example.org")
    brother = User("u2", "N2", "Byron", "Lovelace", "x@example.org")

    for known in ([], [ADA], [replace(ADA, sourced_id=None)]):
        plan = planned([ada, brother], known)
        assert (plan["u1"].action in USABLE, plan["u2"].action) == (True, RowAction.CREATE)


def test_one_number_of_two_users_is_nobodys_whoever_is_known() -> None:
    users = [User("u1", "N1", "Ada", "Lovelace", ""), User("u2", "n1", "Grace", "Hopper", "")]

    for known in ([], [ADA], [replace(ADA, sourced_id=None)]):
        assert {rule(decision) for decision in planned(users, known).values()} == {"duplicate_in_file"}


names = st.sampled_from(["Ada", "Grace", "Alan"])
emails = st.sampled_from(["", "x@example.org", "y@example.org"])
files = st.lists(
    st.builds(User, st.sampled_from(["u1", "u2", "u3", "u4"]), st.sampled_from(["", "N1", "n1", "N2", "N3", "u1"]),
              names, names, emails),
    max_size=5, unique_by=lambda user: user.sourced_id,
)  # fmt: skip
states = st.lists(
    st.tuples(st.sampled_from(["N1", "N2", "N3", "u1"]), names, names, emails,
              st.sampled_from([None, "u1", "u2", "u5"])),
    max_size=4, unique_by=(lambda part: part[0], lambda part: part[4] or part[0]),
)  # fmt: skip


@given(files, states, st.randoms(use_true_random=False))
def test_a_file_changes_only_its_own_students_is_empty_when_repeated_and_has_no_order(
    users: list[User], state: list[tuple[str, str, str, str, str | None]], order: object
) -> None:
    known = [
        KnownStudent(UUID(int=no + 1), number, first, last, email or None, sourced_id)
        for no, (number, first, last, email, sourced_id) in enumerate(state)
    ]
    shuffled = list(users)
    order.shuffle(shuffled)  # type: ignore[attr-defined]

    plan = planned(users, known)
    other = planned(shuffled, known)
    after = applied(users, known, plan)

    assert {key: (row.action, rule(row)) for key, row in plan.items()} == {
        key: (row.action, rule(row)) for key, row in other.items()
    }
    numbers = [student.number.lower() for student in after]
    linked = [student.sourced_id for student in after if student.sourced_id is not None]
    assert len(set(numbers)) == len(numbers)
    assert len(set(linked)) == len(linked)
    before = {student.id: student for student in known}
    meant = {row.entity_id for row in plan.values() if row.action in USABLE}
    for student in after:
        old = before.get(student.id)
        assert old is None or old.sourced_id in (None, student.sourced_id)
        assert old is None or student.id in meant or student == old
    again = planned(users, after)
    assert all(row.action not in (RowAction.CREATE, RowAction.CHANGE) for row in again.values())
