"""Links from note to note, and back."""

import asyncio

import pytest
from sqlalchemy import text

from dataforge.contexts.workspaces.notes.domain import notes as rules
from tests.builders.workspaces import Space, refusal, taken


@pytest.fixture
async def notes(space: Space) -> str:
    """The address of the notes of a vault."""
    return f"{space.path}{await space.vault()}/notes"


async def write(space: Space, notes: str, path: str, body: str = "") -> str:
    """The address of a new note."""
    made = await space["editor"].post(notes, json={"path": path, "body_md": body})
    return f"{notes}/{taken(made, 201)['id']}"


async def backlinks(space: Space, address: str) -> list[str]:
    return [item["path"] for item in taken(await space["viewer"].get(f"{address}/backlinks"))["items"]]


async def test_a_note_knows_where_it_leads_and_who_leads_to_it(space: Space, notes: str) -> None:
    plan = await write(space, notes, "Projects/Plan")
    await write(space, notes, "Archive/old/Plan")
    index = await write(space, notes, "index", "[[plan]], [[Plan#Costs|again]], [[nowhere]], [x](Projects/Plan.md)")
    await write(space, notes, "Projects/log", "[the plan](plan.md) and [[old/plan]]")
    await write(space, notes, "Projects/alone", "`[[plan]]`")

    links = taken(await space["viewer"].get(f"{index}/links"))["items"]

    assert [(link["target"], link["path"]) for link in links] == [
        ("/projects/plan.md", "Projects/Plan.md"),
        ("nowhere.md", None),
        ("plan.md", "Projects/Plan.md"),
    ]
    assert links[0]["note_id"] == plan.rpartition("/")[2]
    assert await backlinks(space, plan) == ["index.md", "Projects/log.md"]


async def test_links_follow_what_a_note_says_and_where_it_is(space: Space, notes: str) -> None:
    plan = await write(space, notes, "plan")
    source = await write(space, notes, "a/source", "[x](../plan.md) [[plan]]")
    first = await backlinks(space, plan)
    taken(await space["editor"].patch(source, json={"body_md": "[x](../plan.md)"}, headers={"If-Match": "*"}))
    relative = await backlinks(space, plan)
    taken(await space["editor"].patch(source, json={"path": "source"}, headers={"If-Match": "*"}))
    moved = await backlinks(space, plan)
    taken(await space["editor"].patch(source, json={"body_md": "[[plan]]"}, headers={"If-Match": "*"}))
    named = await backlinks(space, plan)
    taken(await space["editor"].delete(source), 204)

    assert (first, relative, moved, named) == (["a/source.md"], ["a/source.md"], [], ["source.md"])
    assert await backlinks(space, plan) == []


async def test_links_stay_in_their_vault(space: Space, notes: str) -> None:
    plan = await write(space, notes, "plan")
    another = f"{space.path}{await space.vault('Another')}/notes"
    source = await write(space, another, "source", "[[plan]]")

    outside = await space["stranger"].get(f"{plan}/backlinks")

    assert await backlinks(space, plan) == []
    assert taken(await space["viewer"].get(f"{source}/links"))["items"][0]["note_id"] is None
    assert refusal(outside) == (404, "workspace_not_found")


async def test_links_follow_a_note_that_moves_if_they_are_to(space: Space, notes: str) -> None:
    plan = await write(space, notes, "Projects/Plan", "See [costs](costs.md), [[index]] and `[[plan]]`.")
    await write(space, notes, "Projects/costs", "[back](<plan.md#top>)")
    index = await write(
        space, notes, "index", "[[plan|the plan]] ![[Projects/Plan#Costs]] [x](/Projects/Plan.md) `[[plan]]`"
    )
    other = await write(space, notes, "other", "[[planet]] [[nowhere]]")
    before = taken(await space["viewer"].get(other))
    change = {"path": "Archive/2026/The plan", "rewrite_links": True}

    moved = taken(await space["editor"].patch(plan, json=change, headers={"If-Match": "*"}))

    assert moved["body_md"] == "See [costs](../../Projects/costs.md), [[index]] and `[[plan]]`."
    assert taken(await space["viewer"].get(index))["body_md"] == (
        "[[The plan|the plan]] ![[Archive/2026/The plan#Costs]] [x](/Archive/2026/The%20plan.md) `[[plan]]`"
    )
    assert await backlinks(space, plan) == ["index.md", "Projects/costs.md"]
    assert taken(await space["viewer"].get(other)) == before


async def test_links_stay_as_they_are_otherwise(space: Space, notes: str) -> None:
    plan = await write(space, notes, "plan")
    index = await write(space, notes, "index", "[[plan]]")

    taken(await space["editor"].patch(plan, json={"path": "other"}, headers={"If-Match": "*"}))

    assert taken(await space["viewer"].get(index))["body_md"] == "[[plan]]"
    assert await backlinks(space, plan) == []


async def test_a_note_that_very_many_link_to_is_moved_without_rewriting_them(space: Space, notes: str) -> None:
    plan = await write(space, notes, "plan")
    copies = (
        "INSERT INTO workspaces.notes (id, workspace_id, vault_id, path, path_key, title, body_md, sha256, updated_by,"
        " search_title, search_text, search_words, created_at, updated_at)"
        " SELECT gen_random_uuid(), workspace_id, vault_id, 'n' || number, 'n' || number, title, '[[plan]]', sha256,"
        " updated_by, '', '', '', now(), now() FROM workspaces.notes, generate_series(1, 201) number"
    )
    links = "INSERT INTO workspaces.note_links SELECT id, 'plan.md' FROM workspaces.notes WHERE path <> 'plan.md'"
    async with space.api.database.transaction() as connection:
        for statement in (copies, links):
            await connection.execute(text(statement))
    change = {"path": "other", "rewrite_links": True}

    refused = await space["editor"].patch(plan, json=change, headers={"If-Match": "*"})

    assert refusal(refused) == (409, "link_limit_exceeded")
    assert taken(await space["viewer"].get(plan))["path"] == "plan.md"


async def test_notes_that_link_to_each_other_are_moved_at_once(space: Space, notes: str) -> None:
    names = ["first", "second", "third", "fourth"]
    addresses = [await write(space, notes, name, "[[first]] [[second]] [[third]] [[fourth]]") for name in names]

    for turn in range(4):
        changes = [{"path": f"{name} {turn}", "rewrite_links": True} for name in names]
        answers = await asyncio.gather(
            *(
                space["editor"].patch(address, json=change, headers={"If-Match": "*"})
                for address, change in zip(addresses, changes, strict=True)
            )
        )

        assert [answer.status_code for answer in answers] == [200] * 4
    links = "[[first 3]] [[second 3]] [[third 3]] [[fourth 3]]"
    assert {taken(await space["viewer"].get(address))["body_md"] for address in addresses} == {links}


async def test_folders_that_want_each_others_place_at_once_are_moved_one_after_the_other(
    space: Space, notes: str
) -> None:
    for folder in ("a", "b"):
        for name in range(6):
            await write(space, notes, f"{folder}/{name}")
    move = notes.removesuffix("notes") + "move-folder"

    answers = await asyncio.gather(
        space["editor"].post(move, json={"folder": "a", "target": "b"}),
        space["admin"].post(move, json={"folder": "b", "target": "a"}),
    )

    assert {answer.status_code for answer in answers} == {409}


async def test_what_would_take_too_long_to_read_again_is_not_moved(
    space: Space, notes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_READ_AGAIN", 50)
    plan = await write(space, notes, "plan")
    await write(space, notes, "folder/index", f"[[plan]] {'x' * 50}")
    change = {"path": "other", "rewrite_links": True}
    move = notes.removesuffix("notes") + "move-folder"

    answers = [
        await space["editor"].patch(plan, json=change, headers={"If-Match": "*"}),
        await space["editor"].post(move, json={"folder": "folder", "target": "elsewhere"}),
    ]

    assert [refusal(answer) for answer in answers] == [(409, "link_limit_exceeded"), (409, "folder_limit_exceeded")]
