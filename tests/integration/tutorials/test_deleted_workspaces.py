"""Tutorials go with their workspace, and only with theirs."""

from uuid import UUID

from dataforge.contexts.tutorials.module import TutorialsServices
from dataforge.contexts.tutorials.tutorials.consumers import forget_tutorials
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from tests.builders.tutorials import TutorialSpace
from tests.builders.workspaces import refusal, taken


async def test_tutorials_steps_and_links_are_deleted_and_a_second_time_there_is_nothing(space: TutorialSpace) -> None:
    await space.share()
    elsewhere = await space.add(workspace_id=UUID(int=77))
    services = space.space.api.platform_of("maintenance").get(TutorialsServices)

    for _ in range(2):
        await forget_tutorials(WorkspaceDeleted(space.workspace_id), services)

    assert refusal(await space["editor"].get(space.path)) == (404, "tutorial_not_found")
    assert taken(await space["editor"].get("/api/tutorials"))["total"] == 0
    await forget_tutorials(WorkspaceDeleted(elsewhere.workspace_id), services)
