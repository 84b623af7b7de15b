"""Adding a context is adding a folder: this one has a route, a command, a job, an event and who hears of it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dataforge.contexts
from dataforge.bootstrap import modules, rest_app
from dataforge.events.handlers import run_command
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest

FILES = {
    "__init__.py": "",
    "contract.py": """
from dataclasses import dataclass

from dataforge.kernel.events import Event


@dataclass(frozen=True, slots=True)
class Greeted(Event):
    name = "greetings.greeted"
    about = "whom"
    whom: str
    times: int
""",
    "routes.py": """
from typing import Annotated

from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind

router = context_router("greetings")


@router.get("/api/greetings/{name}")
async def greet(name: str, call: Annotated[Call, require(Action.READ, Kind.COURSE)]):
    return json_response({"greeting": f"Hello {name}"})
""",
    "consumers.py": """
from dataforge.platform.db.unit_of_work import SqlUnitOfWork

from .contract import Greeted

heard = []


async def greet(arguments, services):
    async with SqlUnitOfWork(services.database, clock=services.clock) as uow:
        uow.publish(Greeted(arguments["name"], 2))
        await uow.commit()
    return {"greeted": arguments["name"]}


async def note(event, services):
    heard.append(event)


async def count(services):
    return {"greetings": len(heard)}
""",
    "module.py": """
from dataforge.platform.module import Module
from dataforge.platform.services import Services

from . import consumers
from .contract import Greeted

MODULE = Module(
    name="greetings",
    services=Services,
    routers={"api": {"/api/greetings": __name__.replace("module", "routes")}},
    commands={"maintenance": lambda: {"greet": consumers.greet}},
    jobs=lambda: {"greetings": consumers.count},
    subscribers=lambda: {Greeted: (consumers.note,)},
)
""",
}


@pytest.fixture
def greetings(tmp_path: Path) -> Iterator[None]:
    """A context in a folder of its own, found like those of the package."""
    folder = tmp_path / "greetings"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    dataforge.contexts.__path__.append(str(tmp_path))
    modules.cache_clear()
    yield
    dataforge.contexts.__path__.remove(str(tmp_path))
    modules.cache_clear()
    for name in [name for name in sys.modules if name.startswith("dataforge.contexts.greetings")]:
        del sys.modules[name]


async def test_a_folder_is_a_context(greetings: None, api: ApiUnderTest) -> None:
    _, api.asgi = rest_app("api", api.platform)
    learner = await api.as_role(Role.LEARNER)

    answer = await learner.get("/api/greetings/Ada")
    greeted = await run_command(modules(), "maintenance", api.operator.platform, {"command": "greet", "name": "Ada"})
    ticked = await run_command(modules(), "maintenance", api.operator.platform, {}, "tick")

    assert answer.json() == {"greeting": "Hello Ada"}
    assert greeted == {"greeted": "Ada"}
    assert ticked["outbox"]["relayed"] == 1
    assert ticked["greetings"] == {"greetings": 1}
