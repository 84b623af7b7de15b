"""The table of who may do what, asked as contexts ask it."""

from itertools import product
from uuid import UUID

import pytest

from dataforge.kernel.access import Action, Kind, Level, MemberRole, Resource
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import SYSTEM, Principal, Role
from dataforge.kernel.rules import RULES, XAPI_SCOPES, allows, area_of, may_any, scope_covers, token_scope

ME, SOMEBODY = uuid7(), uuid7()


def person(role: Role, user_id: UUID | None = ME) -> Principal:
    return Principal(user_id, role)


def test_every_kind_has_an_area_and_something_that_can_be_done_with_it() -> None:
    assert {kind for kind, _ in RULES} == set(Kind)
    assert {area_of(kind).value for kind in Kind} == {
        "accounts",
        "workspaces",
        "records",
        "learning",
        "academics",
        "datasets",
        "reports",
        "notifications",
        "schemas",
        "tutorials",
        "operations",
    }


def test_no_row_is_there_for_nobody() -> None:
    assert {row for row, rule in RULES.items() if not (rule.entered_by or rule.scopes or rule.own_scopes)} == set()


def test_administrators_may_do_whatever_another_role_of_the_organisation_may() -> None:
    assert {row for row, rule in RULES.items() if rule.roles and Role.ADMIN not in rule.roles} == set()


@pytest.mark.parametrize("role", list(Role))
def test_an_enrolment_is_read_by_its_student_its_instructor_and_registrars(role: Role) -> None:
    mine = Resource(Kind.ENROLLMENT, owner=ME, teacher=SOMEBODY)
    taught = Resource(Kind.ENROLLMENT, owner=SOMEBODY, teacher=ME)
    other = Resource(Kind.ENROLLMENT, owner=SOMEBODY, teacher=SOMEBODY)
    registrar = role in (Role.ADMIN, Role.REGISTRAR)

    assert allows(person(role), Action.READ, mine)
    assert allows(person(role), Action.READ, taught) == (registrar or role is Role.INSTRUCTOR)
    assert allows(person(role), Action.READ, other) == registrar


def test_nobody_owns_what_has_no_owner() -> None:
    assert not allows(person(Role.LEARNER, None), Action.READ, Resource(Kind.STUDENT))
    assert not allows(person(Role.LEARNER), Action.READ, Resource(Kind.STUDENT))
    assert allows(SYSTEM, Action.READ, Resource(Kind.STUDENT))


@pytest.mark.parametrize("role", list(Role))
def test_a_workspace_is_open_to_members_only_whatever_their_role_in_the_organisation(role: Role) -> None:
    workspace = Resource(Kind.WORKSPACE, workspace=uuid7())

    assert not allows(person(role), Action.READ, workspace)
    assert allows(person(role), Action.READ, workspace, member=MemberRole.VIEWER)
    assert not allows(person(role), Action.CHANGE, workspace, member=MemberRole.EDITOR)
    assert allows(person(role), Action.CHANGE, workspace, member=MemberRole.OWNER)


@pytest.mark.parametrize(("held", "action"), list(product(Level, (Action.READ, Action.CHANGE, Action.PROTECT))))
def test_a_level_on_a_dataset_includes_those_below(held: Level, action: Action) -> None:
    needed = {Action.READ: Level.READ, Action.CHANGE: Level.WRITE, Action.PROTECT: Level.ADMIN}[action]
    ref = Resource(Kind.REF, dataset=uuid7())

    assert allows(person(Role.LEARNER), action, ref, level=held) == held.covers(needed)
    assert not allows(person(Role.LEARNER), action, ref)
    assert allows(person(Role.ADMIN), action, ref)


def test_a_member_leaves_and_only_administrators_of_the_workspace_remove_others() -> None:
    me, somebody = Resource(Kind.MEMBER, owner=ME), Resource(Kind.MEMBER, owner=SOMEBODY)

    assert allows(person(Role.LEARNER), Action.DELETE, me, member=MemberRole.VIEWER)
    assert not allows(person(Role.LEARNER), Action.DELETE, somebody, member=MemberRole.EDITOR)
    assert allows(person(Role.LEARNER), Action.DELETE, somebody, member=MemberRole.ADMIN)


def test_what_a_role_may_with_everything_is_no_question_of_whose_it_is() -> None:
    assert may_any(person(Role.REGISTRAR), Action.READ, Kind.STUDENT)
    assert not may_any(person(Role.LEARNER), Action.READ, Kind.STUDENT)


def test_an_action_that_a_kind_does_not_have_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        allows(SYSTEM, Action.LOCK, Resource(Kind.DATASET))


def test_what_only_reads_needs_the_scope_that_only_reads() -> None:
    assert token_scope(Action.EXPORT, Kind.TABLE) == "datasets:read"
    assert token_scope(Action.LIST, Kind.STUDENT) == "academics:read"
    assert token_scope(Action.APPLY, Kind.PURGE) == "records:write"


def test_scopes_of_credentials_cover_what_the_standard_says() -> None:
    # xAPI 1.0.3, part 3, §4.2: each scope, and the narrower ones that it includes.
    includes = {
        "statements/write": set(),
        "statements/read/mine": set(),
        "statements/read": {"statements/read/mine"},
        "state": set(),
        "define": set(),
        "profile": set(),
        "all/read": {"statements/read", "statements/read/mine"},
        "all": XAPI_SCOPES - {"all"},
    }

    assert includes.keys() == XAPI_SCOPES
    covered = {wide: {narrow for narrow in XAPI_SCOPES if scope_covers(wide, narrow)} - {wide} for wide in XAPI_SCOPES}
    assert covered == includes
    assert not scope_covers("all", "everything")


TENANTS = [(kind, action) for (kind, action), rule in RULES.items() if rule.member is not None and rule.roles]


@pytest.mark.parametrize(("kind", "action"), TENANTS)
def test_roles_of_the_organisation_are_strangers_in_a_workspace_but_for_administrators(
    kind: Kind, action: Action
) -> None:
    inside, outside, rule = Resource(kind, workspace=uuid7()), Resource(kind), RULES[kind, action]
    assert rule.member is not None

    for role in Role:
        assert allows(person(role), action, inside) == (role is Role.ADMIN)
        assert allows(person(role), action, outside) == (role in rule.roles)
    for member in MemberRole:
        assert allows(person(Role.VIEWER), action, inside, member=member) == member.covers(rule.member)


def test_whoever_may_more_in_a_workspace_has_no_lower_level_on_its_datasets() -> None:
    levels = [Level.of_member(role).rank for role in MemberRole]

    assert levels == sorted(levels, reverse=True)
    assert (Level.of_member(MemberRole.VIEWER), Level.of_member(MemberRole.OWNER)) == (Level.READ, Level.ADMIN)
