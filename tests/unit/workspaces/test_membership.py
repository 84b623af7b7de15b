"""Whatever members do, a workspace has an owner, and only owners make owners."""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dataforge.contexts.workspaces.members.domain import Member, Membership
from dataforge.contexts.workspaces.workspaces.domain import (
    Workspace,
)
from dataforge.kernel.access import MemberRole
from dataforge.kernel.errors import DataForgeError

PEOPLE = [UUID(int=number) for number in range(1, 6)]
ROLES = st.sampled_from(MemberRole)
SOMEBODY = st.sampled_from(PEOPLE)


class Workspaces(RuleBasedStateMachine):
    """Five people who change each other's roles, remove each other, leave, and hand the workspace over."""

    def __init__(self) -> None:
        super().__init__()
        self.owner_id = PEOPLE[0]
        self.roles = dict(zip(PEOPLE, [MemberRole.OWNER, *list(MemberRole)[1:], MemberRole.VIEWER], strict=True))

    def membership(self, actor: UUID) -> Membership | None:
        if actor not in self.roles:
            return None
        members = tuple(Member(user_id, role) for user_id, role in self.roles.items())
        return Membership(Workspace(UUID(int=9), "Acme", self.owner_id, self.roles[actor]), actor, members)

    @rule(actor=SOMEBODY, whom=SOMEBODY, role=ROLES)
    def change_role(self, actor: UUID, whom: UUID, role: MemberRole) -> None:
        membership, before = self.membership(actor), self.roles.get(whom)
        try:
            changed = membership.change_role(whom, role) if membership else None
        except DataForgeError:
            return
        if changed is not None:
            assert self.roles[actor] in (MemberRole.OWNER, MemberRole.ADMIN)
            assert self.roles[actor] is MemberRole.OWNER or MemberRole.OWNER not in (before, role)
            self.roles[whom] = changed.role

    @rule(actor=SOMEBODY, whom=SOMEBODY)
    def remove(self, actor: UUID, whom: UUID) -> None:
        membership = self.membership(actor)
        try:
            gone = membership.remove(whom) if membership else None
        except DataForgeError:
            return
        if gone is not None:
            assert actor == whom or self.roles[actor] in (MemberRole.OWNER, MemberRole.ADMIN)
            del self.roles[whom]

    @rule(actor=SOMEBODY, whom=SOMEBODY)
    def transfer(self, actor: UUID, whom: UUID) -> None:
        membership = self.membership(actor)
        try:
            new = membership.transfer(whom) if membership else None
        except DataForgeError:
            return
        if new is not None:
            assert self.roles[actor] is MemberRole.OWNER
            self.roles[whom], self.owner_id = new.role, whom

    @rule(whom=SOMEBODY, role=st.sampled_from([MemberRole.ADMIN, MemberRole.EDITOR, MemberRole.VIEWER]))
    def join(self, whom: UUID, role: MemberRole) -> None:
        self.roles.setdefault(whom, role)

    @invariant()
    def there_is_an_owner(self) -> None:
        assert self.roles.get(self.owner_id) is MemberRole.OWNER


TestWorkspaces = Workspaces.TestCase
