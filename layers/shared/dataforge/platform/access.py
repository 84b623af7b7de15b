"""Who may do what, where the table asks for more than a role: looked up once in a request, and kept until its end."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from dataforge.kernel.access import Action, Kind, Level, MemberRole, Reach, Resource, role_missing
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.principal import Principal, Role
from dataforge.kernel.rules import RULES, allows

if TYPE_CHECKING:
    from dataforge.platform.services import Platform


class MemberRoles(Protocol):
    """Knows what people are in workspaces."""

    async def role_in(self, workspace_id: UUID, user_id: UUID) -> MemberRole | None:
        """The person's role; None for somebody who is no member, and where there is no such workspace."""
        ...

    async def roles_of(self, user_id: UUID) -> Mapping[UUID, MemberRole]:
        """The person's role in each workspace that they are in."""
        ...

    async def require(self, workspace_id: UUID, user_id: UUID, action: Action, kind: Kind) -> None:
        """Raise unless the person's role in the workspace allows it, with the refusals of workspaces."""
        ...

    async def require_open(self, workspace_id: UUID) -> None:
        """Raise unless there is such a workspace and it is not archived, whoever asks."""
        ...


class DatasetLevels(Protocol):
    """Knows what people were granted on datasets, themselves or by way of a workspace."""

    async def level_on(self, dataset_id: UUID, principal: Principal) -> Level | None:
        """The highest level; None without one, and where there is no such dataset."""
        ...


class Decisions:
    """What one person may do during one request."""

    def __init__(self, platform: "Platform", principal: Principal) -> None:
        self._platform = platform
        self.principal = principal
        self._roles: dict[UUID, MemberRole | None] = {}
        self._levels: dict[UUID, Level | None] = {}

    async def can(self, action: Action, resource: Resource) -> bool:
        """Whether the table allows it; asks the database only where neither role nor owner decides.

        Raises KeyError for an action that the kind does not have.
        """
        if allows(self.principal, action, resource):
            return True
        rule = RULES[resource.kind, action]
        member = level = None
        if rule.member is not None and resource.workspace is not None:
            member = await self._role_in(resource.workspace)
        if rule.level is not None and resource.dataset is not None:
            level = await self._level_on(resource.dataset)
        return allows(self.principal, action, resource, member=member, level=level)

    async def require(self, action: Action, resource: Resource, missing: DataForgeError | None = None) -> None:
        """Raise unless the table allows it with something that may belong to a workspace.

        Whoever may not read it gets `missing`, as if there were no such thing, or the refusal of workspaces where there
        is nothing to be missing yet. What is no reading is refused in an archived workspace, whoever asks.
        """
        roles: MemberRoles = self._platform.get(MemberRoles)
        if not await self.can(action, resource):
            if missing is not None and (action is Action.READ or not await self.can(Action.READ, resource)):
                raise missing
            if resource.workspace is not None and self.principal.user_id is not None:
                await roles.require(resource.workspace, self.principal.user_id, action, resource.kind)
            raise role_missing(RULES[resource.kind, action].roles, self.principal.role)
        if resource.workspace is not None and not action.reads:
            await roles.require_open(resource.workspace)

    async def reach(self, action: Action, kind: Kind) -> Reach:
        """What of a list the person sees."""
        rule, role = RULES[kind, action], self.principal.role
        everywhere = role in rule.roles and role is Role.ADMIN
        held: Mapping[UUID, MemberRole] = {}
        if not everywhere and rule.member is not None and self.principal.user_id is not None:
            roles: MemberRoles = self._platform.get(MemberRoles)
            held = await roles.roles_of(self.principal.user_id)
        inside = frozenset(key for key, value in held.items() if rule.member and value.covers(rule.member))
        return Reach(everywhere, role in rule.roles, inside)

    def keep_level(self, dataset_id: UUID, level: Level | None) -> None:
        """Take over the level that a query of the request has found anyway."""
        self._levels[dataset_id] = level

    async def _role_in(self, workspace_id: UUID) -> MemberRole | None:
        if self.principal.user_id is None:
            return None
        if workspace_id not in self._roles:
            roles: MemberRoles = self._platform.get(MemberRoles)
            self._roles[workspace_id] = await roles.role_in(workspace_id, self.principal.user_id)
        return self._roles[workspace_id]

    async def _level_on(self, dataset_id: UUID) -> Level | None:
        if dataset_id not in self._levels:
            levels: DatasetLevels = self._platform.get(DatasetLevels)
            self._levels[dataset_id] = await levels.level_on(dataset_id, self.principal)
        return self._levels[dataset_id]
