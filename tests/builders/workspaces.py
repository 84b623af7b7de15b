"""Workspaces with people in them, through the API."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from dataforge.bootstrap import build_platform, modules
from dataforge.contexts.notifications.messages.consumers import send_waiting
from dataforge.contexts.notifications.module import NotificationsServices
from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.events.jobs import relay_outbox
from dataforge.events.wiring import subscribers
from dataforge.kernel.principal import Role
from dataforge.platform.services import Platform
from dataforge.settings import MaintenanceSettings
from tests.builders.api import ApiUnderTest
from tests.builders.roles import in_role

SITE = "https://forge.example"


@dataclass
class Person:
    """Somebody signed in."""

    id: UUID
    email: str
    client: httpx.AsyncClient


@dataclass
class Space:
    """A workspace and its people by role; `stranger` is an owner elsewhere."""

    api: ApiUnderTest
    id: str = ""
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/api/workspaces/{self.id}"

    def __getitem__(self, role: str) -> httpx.AsyncClient:
        return self.people[role].client

    async def post(self, path: str, /, status: int = 201, *, by: str = "owner", **body: Any) -> dict[str, Any]:
        """What a POST below the workspace answers."""
        answer: dict[str, Any] = taken(await self[by].post(f"{self.path}{path}", json=body), status)
        return answer

    async def vault(self, name: str = "Handbook", **body: Any) -> str:
        """The path of a new vault below the workspace."""
        return f"/vaults/{(await self.post('/vaults', name=name, **body))['id']}"


def taken(answer: httpx.Response, status: int = 200) -> Any:
    """The JSON of an answer that must have this status."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


async def person(api: ApiUnderTest, name: str, role: Role = Role.LEARNER) -> Person:
    """Somebody new with this username."""
    email = f"{name}@example.org"
    user_id = await api.add_user(role, username=name, email=email, display_name=name.capitalize())
    return Person(user_id, email, await api.as_user(user_id, role))


async def new_workspace(owner: Person, name: str = "Acme", **body: Any) -> str:
    """The id of a workspace of the person."""
    path = f"/api/user-profiles/{owner.id}/workspaces"
    return str(taken(await owner.client.post(path, json={"name": name, **body}), 201)["id"])


async def join(space: Space, who: Person, role: str) -> None:
    """Make the person a member by an invitation that they accept."""
    invited = await space.post("/invitations", email=who.email, role=role)
    token = space.api.platform.get(WorkspacesServices).invitation_token(UUID(invited["id"]), 1)
    taken(await who.client.post("/api/workspace-invitations/accept", json={"token": token}))


async def open_space(api: ApiUnderTest) -> Space:
    """A workspace with somebody in each role, and somebody who is in another one."""
    space = Space(api)
    for name in ("owner", "admin", "editor", "viewer", "stranger"):
        space.people[name] = await person(api, name)
    space.id = await new_workspace(space.people["owner"])
    await new_workspace(space.people["stranger"], "Elsewhere")
    for role in ("admin", "editor", "viewer"):
        await join(space, space.people[role], role)
    return space


def maintenance(api: ApiUnderTest, **settings: Any) -> Platform:
    """What the function `maintenance` is built on."""
    given = MaintenanceSettings(app_secret_arn="app", public_base_url=SITE, **settings)
    platform = build_platform(given, clock=api.platform.clock)
    platform.database = in_role(api.database, "maintenance")
    platform.secrets = api.secrets  # type: ignore[assignment]  # reads and writes as the real one does
    return platform


async def relay(platform: Platform) -> dict[str, int]:
    """Deliver what waits in the outbox, and send the mails that come of it."""
    counts = await relay_outbox(platform, subscribers(modules(), platform))
    await send_waiting(platform.get(NotificationsServices))
    return counts
