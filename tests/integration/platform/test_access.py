"""What one request may do: looked up once, and only where role and owner decide nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import event

from dataforge.kernel.access import Action, Kind, Reach, Resource
from dataforge.kernel.errors import DataForgeError, NotFound
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import SYSTEM, Principal, Role
from dataforge.platform.access import Decisions
from tests.builders.api import ApiUnderTest
from tests.builders.workspaces import open_space


@contextmanager
def queries_of(api: ApiUnderTest) -> Iterator[list[str]]:
    """The statements that the platform's database runs meanwhile."""
    asked: list[str] = []
    engine = api.platform.database.engine.sync_engine

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "SELECT" in statement:
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_a_role_or_an_owner_that_decides_asks_no_database(api: ApiUnderTest) -> None:
    admin, learner = Principal(uuid7(), Role.ADMIN), Principal(uuid7(), Role.LEARNER)

    with queries_of(api) as asked:
        assert await Decisions(api.platform, admin).can(Action.DELETE, Resource(Kind.DATASET, dataset=uuid7()))
        assert await Decisions(api.platform, learner).can(Action.CHANGE, Resource(Kind.JOB, owner=learner.user_id))
        assert not await Decisions(api.platform, learner).can(Action.CHANGE, Resource(Kind.JOB, owner=uuid7()))

    assert asked == []


async def test_the_role_in_a_workspace_is_looked_up_once(api: ApiUnderTest) -> None:
    space = await open_space(api)
    editor = Decisions(api.platform, Principal(space.people["editor"].id, Role.LEARNER))

    with queries_of(api) as asked:
        assert await editor.can(Action.READ, Resource(Kind.WORKSPACE, workspace=UUID(space.id)))
        assert await editor.can(Action.CREATE, Resource(Kind.REPO, workspace=UUID(space.id)))
        assert not await editor.can(Action.DELETE, Resource(Kind.REPO, workspace=UUID(space.id)))

    assert len(asked) == 1


async def test_a_stranger_is_a_stranger_for_the_whole_request_and_the_system_is_in_no_workspace(
    api: ApiUnderTest,
) -> None:
    space = await open_space(api)
    stranger = Decisions(api.platform, Principal(space.people["stranger"].id, Role.ADMIN))
    workspace = Resource(Kind.WORKSPACE, workspace=UUID(space.id))

    with queries_of(api) as asked:
        assert not await stranger.can(Action.READ, workspace)
        assert not await stranger.can(Action.READ, workspace)
        assert not await Decisions(api.platform, SYSTEM).can(Action.READ, workspace)

    assert len(asked) == 1


async def test_what_may_not_be_read_is_missing_and_what_may_is_refused_with_the_role_it_needs(
    api: ApiUnderTest,
) -> None:
    space, missing = await open_space(api), NotFound("There is no such cohort.")
    cohort = Resource(Kind.COHORT, workspace=UUID(space.id))

    async def refusal(who: str, action: Action, role: Role = Role.REGISTRAR) -> str:
        decisions = Decisions(api.platform, Principal(space.people[who].id, role))
        try:
            await decisions.require(action, cohort, missing)
        except DataForgeError as error:
            return error.code
        return ""

    assert [await refusal("stranger", action) for action in (Action.READ, Action.CHANGE)] == [missing.code] * 2
    assert [await refusal("viewer", action) for action in (Action.READ, Action.CHANGE)] == [
        "",
        "workspace_role_missing",
    ]
    assert await refusal("stranger", Action.CHANGE, Role.ADMIN) == ""


async def test_a_list_reaches_the_workspaces_in_which_ones_role_is_enough(api: ApiUnderTest) -> None:
    space = await open_space(api)

    async def reach(who: str, action: Action, role: Role) -> Reach:
        return await Decisions(api.platform, Principal(space.people[who].id, role)).reach(action, Kind.COHORT)

    inside = frozenset({UUID(space.id)})
    assert await reach("viewer", Action.READ, Role.LEARNER) == Reach(
        everywhere=False, organisation=False, workspaces=inside
    )
    assert await reach("viewer", Action.DELETE, Role.ANALYST) == Reach(
        everywhere=False, organisation=False, workspaces=frozenset()
    )
    assert await reach("admin", Action.DELETE, Role.INSTRUCTOR) == Reach(
        everywhere=False, organisation=True, workspaces=inside
    )
    assert (await reach("stranger", Action.READ, Role.ADMIN)).everywhere
