"""Notes: paths, revisions, conflicts, locks, trash."""

import asyncio
import hashlib
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.contexts.workspaces.notes.commands import WriteOutcome, open_vault, write_note
from dataforge.contexts.workspaces.notes.consumers import maintain
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.kernel.errors import ValidationFailed
from dataforge.kernel.principal import Principal, Role
from tests.builders.workspaces import Space, maintenance, refusal, taken


@pytest.fixture
async def notes(space: Space) -> str:
    """The address of the notes of a vault."""
    return f"{space.path}{await space.vault()}/notes"


async def note(space: Space, notes: str, path: str = "a.md", body: str = "one\n") -> str:
    """The address of a new note."""
    made = await space["editor"].post(notes, json={"path": path, "body_md": body})
    return f"{notes}/{taken(made, 201)['id']}"


async def test_a_note_is_written_read_and_listed_by_path(space: Space, notes: str) -> None:
    body = "  intro\n\n# Kick-off *Acme*  \n\nText\n"
    made = await space["editor"].post(notes, json={"path": "projects/Acme/kick-off", "body_md": body})
    await note(space, notes, "Zebra.md")
    await note(space, notes, "projects/b.md", "")
    read = await space["viewer"].get(made.headers["Location"])
    first = taken(await space["viewer"].get(notes, params={"limit": 2}))
    rest = taken(await space["viewer"].get(notes, params={"limit": 2, "cursor": first["next_cursor"]}))
    below = taken(await space["viewer"].get(notes, params={"folder": "PROJECTS/acme"}))

    assert taken(read) == taken(made, 201)
    assert read.headers["ETag"] == '"1"'
    row = read.json()
    assert (row["path"], row["title"], row["body_md"]) == ("projects/Acme/kick-off.md", "Kick-off Acme", body)
    assert (row["sha256"], row["byte_count"]) == (hashlib.sha256(body.encode()).hexdigest(), len(body))
    assert [item["path"] for item in first["items"] + rest["items"]] == [
        "projects/Acme/kick-off.md",
        "projects/b.md",
        "Zebra.md",
    ]
    assert [item["title"] for item in first["items"]] == ["Kick-off Acme", "b"]
    assert [item["path"] for item in below["items"]] == ["projects/Acme/kick-off.md"]


@pytest.mark.parametrize(
    "path",
    [
        "/a",
        "a/",
        "../a",
        "a//b",
        "a/./b",
        "CON",
        "a\\b",
        "a:b",
        "x.md/y",
        " .md",
        ".md",
        "a/ b",
        "tab\tb",
        "a" * 498,
        "a/" * 20 + "b",
        "nul.txt/b",
    ],
)
async def test_a_path_that_is_no_files_is_refused(space: Space, notes: str, path: str) -> None:
    answer = await space["editor"].post(notes, json={"path": path})

    assert refusal(answer) == (400, "validation_failed")
    assert answer.json()["errors"][0]["pointer"] == "/path"


@pytest.mark.parametrize("body", ["x" * (1024 * 1024 + 1), "ü" * (512 * 1024 + 1)])
async def test_a_text_that_is_no_notes_is_refused(space: Space, notes: str, body: str) -> None:
    answer = await space["editor"].post(notes, json={"path": "a", "body_md": body})

    assert refusal(answer) == (400, "validation_failed")
    assert answer.json()["errors"][0]["pointer"] == "/body_md"


@pytest.mark.parametrize("sign", ["\\ud800", "\\u0000"])
async def test_what_is_no_character_of_a_text_is_refused(space: Space, notes: str, sign: str) -> None:
    content = f'{{"path": "a", "body_md": "{sign}"}}'.encode()
    answer = await space["editor"].post(notes, content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400


async def test_the_largest_note_is_taken(space: Space, notes: str) -> None:
    body = "".join(f"word{number} " for number in range(104_857))[: 1024 * 1024 - 1] + "."

    made = taken(await space["editor"].post(notes, json={"path": "large", "body_md": body}), 201)

    assert made["byte_count"] == len(body)


@pytest.mark.parametrize("taken_path", ["A.MD", "a", "A"])
async def test_a_path_is_used_once_whatever_its_capitals(space: Space, notes: str, taken_path: str) -> None:
    await note(space, notes)
    other = await note(space, notes, "b.md")

    again = await space["editor"].post(notes, json={"path": taken_path})
    moved = await space["editor"].patch(other, json={"path": taken_path}, headers={"If-Match": "*"})

    assert {refusal(again), refusal(moved)} == {(409, "already_exists")}
    assert again.json()["errors"][0]["pointer"] == "/path"


async def test_one_spelling_of_a_path_is_found_in_another(space: Space, notes: str) -> None:
    await note(space, notes, "Caf\u00e9/Stra\u00dfe.md")

    again = await space["editor"].post(notes, json={"path": "cafe\u0301/STRASSE"})
    below = taken(await space["viewer"].get(notes, params={"folder": "CAFE\u0301"}))

    assert refusal(again) == (409, "already_exists")
    assert len(below["items"]) == 1


async def test_a_change_is_a_revision_and_the_same_again_is_none(space: Space, notes: str) -> None:
    address = await note(space, notes)
    changed = await space["editor"].patch(address, json={"body_md": "two\n"}, headers={"If-Match": '"1"'})
    again = await space["editor"].patch(address, json={"body_md": "two\n"}, headers={"If-Match": '"1"'})
    moved = await space["owner"].patch(address, json={"path": "b/c"}, headers={"If-Match": '"2"'})
    listed = taken(await space["viewer"].get(f"{address}/revisions", params={"limit": 2}))
    rest = taken(
        await space["viewer"].get(f"{address}/revisions", params={"limit": 2, "cursor": listed["next_cursor"]})
    )
    first = taken(await space["viewer"].get(f"{address}/revisions/1"))

    assert (taken(changed)["revision"], taken(again)["revision"]) == (2, 2)
    assert (taken(moved)["path"], moved.json()["body_md"], moved.headers["ETag"]) == ("b/c.md", "two\n", '"3"')
    assert [(item["revision"], item["path"]) for item in listed["items"] + rest["items"]] == [
        (3, "b/c.md"),
        (2, "a.md"),
        (1, "a.md"),
    ]
    assert listed["items"][0]["author_id"] == str(space.people["owner"].id)
    assert (first["body_md"], first["author_id"]) == ("one\n", str(space.people["editor"].id))


async def test_a_stale_base_is_refused_with_what_the_note_is_now(space: Space, notes: str) -> None:
    address = await note(space, notes)
    base = taken(await space["editor"].get(address))["sha256"]
    now = taken(await space["editor"].patch(address, json={"body_md": "two\n", "base_sha256": base}))

    by_hash = await space["owner"].patch(address, json={"body_md": "three\n", "base_sha256": base})
    by_revision = await space["owner"].patch(address, json={"body_md": "three\n"}, headers={"If-Match": '"1"'})
    without = await space["owner"].patch(address, json={"body_md": "three\n"})

    assert {refusal(by_hash), refusal(by_revision)} == {(412, "stale_version")}
    assert (by_hash.json()["current_revision"], by_hash.json()["current_sha256"]) == (2, now["sha256"])
    assert by_hash.headers["ETag"] == '"2"'
    assert refusal(without) == (428, "precondition_required")
    assert taken(await space["viewer"].get(address))["body_md"] == "two\n"


async def test_of_two_who_save_at_once_exactly_one_wins(space: Space, notes: str) -> None:
    address = await note(space, notes)

    answers = await asyncio.gather(
        *(
            space["editor"].patch(address, json={"body_md": f"by {number}\n"}, headers={"If-Match": '"1"'})
            for number in range(5)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
    [won] = [answer.json()["body_md"] for answer in answers if answer.status_code == 200]
    assert taken(await space["viewer"].get(address))["body_md"] == won


async def test_of_two_who_create_at_one_path_exactly_one_wins(space: Space, notes: str) -> None:
    answers = await asyncio.gather(
        *(space["editor"].post(notes, json={"path": path}) for path in ("same", "Same", "SAME.md"))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_what_is_saved_while_somebody_writes_is_one_revision_in_ten_minutes(space: Space, notes: str) -> None:
    address = await note(space, notes)
    for minute in range(13):
        body = {"body_md": f"{minute}\n", "automatic": True}
        taken(await space["editor"].patch(address, json=body, headers={"If-Match": f'"{minute + 1}"'}))
        space.api.platform.clock.advance(timedelta(minutes=1))
    by_owner = {"body_md": "mine\n", "automatic": True}
    taken(await space["owner"].patch(address, json=by_owner, headers={"If-Match": "*"}))
    listed = taken(await space["viewer"].get(f"{address}/revisions"))

    assert [item["revision"] for item in listed["items"]] == [15, 14, 11, 1]
    assert taken(await space["viewer"].get(f"{address}/revisions/11"))["body_md"] == "9\n"


async def test_a_locked_vault_refuses_every_write(space: Space, notes: str) -> None:
    vault = notes.removesuffix("/notes")
    kept, trashed = await note(space, notes), await note(space, notes, "b.md")
    taken(await space["editor"].delete(trashed), 204)
    before = taken(await space["viewer"].get(kept))
    taken(await space["admin"].post(f"{vault}/lock"))

    writes = [
        await space["owner"].post(notes, json={"path": "c"}),
        await space["owner"].patch(kept, json={"body_md": "x"}, headers={"If-Match": "*"}),
        await space["owner"].patch(kept, json={"path": "d"}, headers={"If-Match": "*"}),
        await space["owner"].delete(kept),
        await space["owner"].post(f"{trashed}/restore"),
        await space["owner"].delete(trashed.replace("/notes/", "/trash/")),
        await space["owner"].post(f"{kept}/revisions/1/restore", headers={"If-Match": "*"}),
        await space["owner"].post(f"{vault}/move-folder", json={"folder": "a", "target": "b"}),
    ]

    assert {refusal(answer) for answer in writes} == {(423, "vault_locked")}
    assert taken(await space["viewer"].get(kept)) == before


async def test_a_save_while_the_vault_is_locked_is_whole_or_refused(space: Space, notes: str) -> None:
    vault, address = notes.removesuffix("/notes"), await note(space, notes)

    saved, locked = await asyncio.gather(
        space["editor"].patch(address, json={"body_md": "two\n"}, headers={"If-Match": "*"}),
        space["admin"].post(f"{vault}/lock"),
    )

    assert locked.status_code == 200
    assert saved.status_code in (200, 423)
    expected = "two\n" if saved.status_code == 200 else "one\n"
    assert taken(await space["viewer"].get(address))["body_md"] == expected


async def test_an_archived_workspace_refuses_every_write(space: Space, notes: str) -> None:
    address = await note(space, notes)
    taken(await space["owner"].post(f"{space.path}/archive"))

    writes = [
        await space["owner"].post(notes, json={"path": "c"}),
        await space["owner"].patch(address, json={"body_md": "x"}, headers={"If-Match": "*"}),
        await space["owner"].delete(address),
    ]

    assert {refusal(answer) for answer in writes} == {(409, "workspace_archived")}
    taken(await space["viewer"].get(address))


async def test_a_note_goes_into_the_trash_and_comes_back(space: Space, notes: str) -> None:
    address = await note(space, notes)
    taken(await space["editor"].delete(address), 204)
    again = await space["editor"].delete(address)
    change = await space["editor"].patch(address, json={"body_md": "x"}, headers={"If-Match": "*"})
    gone = taken(await space["viewer"].get(notes))["items"]
    trash = taken(await space["viewer"].get(notes, params={"trashed": True}))["items"]
    restored = taken(await space["editor"].post(f"{address}/restore"))
    twice = await space["editor"].post(f"{address}/restore")

    assert {refusal(again), refusal(change)} == {(409, "note_trashed")}
    assert (gone, [item["path"] for item in trash]) == ([], ["a.md"])
    assert (restored["path"], restored["body_md"], restored["deleted_at"]) == ("a.md", "one\n", None)
    assert refusal(twice) == (409, "note_not_trashed")


async def test_a_note_whose_path_is_taken_meanwhile_is_restored_elsewhere(space: Space, notes: str) -> None:
    address = await note(space, notes)
    taken(await space["editor"].delete(address), 204)
    await note(space, notes, "A.md", "another\n")

    refused = await space["editor"].post(f"{address}/restore")
    restored = taken(await space["editor"].post(f"{address}/restore", json={"path": "old/a"}))

    assert refusal(refused) == (409, "already_exists")
    assert (restored["path"], restored["body_md"]) == ("old/a.md", "one\n")


async def test_only_administrators_delete_for_good_and_only_from_the_trash(space: Space, notes: str) -> None:
    address = await note(space, notes)
    in_trash = address.replace("/notes/", "/trash/")
    live = await space["admin"].delete(in_trash)
    taken(await space["editor"].delete(address), 204)
    by_editor = await space["editor"].delete(in_trash)
    taken(await space["admin"].delete(in_trash), 204)

    assert refusal(live) == (409, "note_not_trashed")
    assert refusal(by_editor) == (403, "workspace_role_missing")
    assert refusal(await space["viewer"].get(address)) == (404, "note_not_found")


async def test_maintenance_empties_the_trash_after_thirty_days(space: Space, notes: str) -> None:
    old, young = await note(space, notes), await note(space, notes, "b")
    taken(await space["editor"].delete(old), 204)
    space.api.platform.clock.advance(timedelta(minutes=10))
    taken(await space["editor"].delete(young), 204)
    space.api.platform.clock.advance(timedelta(days=29, hours=23, minutes=55))

    counts = await maintain(maintenance(space.api).get(WorkspacesServices))

    assert counts == {"purged_notes": 1}
    async with space.api.database.read_only() as connection:
        assert (await connection.scalars(text("SELECT path FROM workspaces.notes"))).all() == ["b.md"]


async def test_an_older_text_becomes_the_text_again(space: Space, notes: str) -> None:
    address = await note(space, notes)
    taken(await space["editor"].patch(address, json={"body_md": "two\n", "path": "z"}, headers={"If-Match": "*"}))

    stale = await space["editor"].post(f"{address}/revisions/1/restore", headers={"If-Match": '"1"'})
    restored = await space["editor"].post(f"{address}/revisions/1/restore", headers={"If-Match": '"2"'})
    missing = await space["editor"].post(f"{address}/revisions/9/restore", headers={"If-Match": "*"})

    assert refusal(stale) == (412, "stale_version")
    assert (taken(restored)["body_md"], restored.json()["path"], restored.json()["revision"]) == ("one\n", "z.md", 3)
    assert refusal(missing) == (404, "note_not_found")


async def test_two_revisions_are_compared(space: Space, notes: str) -> None:
    body = "".join(f"{number}\n" for number in range(1, 31))
    address = await note(space, notes, body=body)
    changed = body.replace("15\n", "fifteen\n").removesuffix("\n")
    taken(await space["editor"].patch(address, json={"body_md": changed}, headers={"If-Match": "*"}))

    diff = taken(await space["viewer"].get(f"{address}/revisions/2/diff", params={"against": 1}))
    with_the_one_before = taken(await space["viewer"].get(f"{address}/revisions/2/diff"))
    of_the_first = taken(await space["viewer"].get(f"{address}/revisions/1/diff"))
    missing = await space["viewer"].get(f"{address}/revisions/2/diff", params={"against": 3})

    assert with_the_one_before == diff
    assert (of_the_first["hunks"], of_the_first["unified"]) == ([], "")
    assert [(hunk["first_line"], hunk["second_line"]) for hunk in diff["hunks"]] == [(12, 12), (27, 27)]
    assert diff["unified"].splitlines()[:2] == ["--- a.md\trevision 1", "+++ a.md\trevision 2"]
    assert "\n-15\n+fifteen\n" in diff["unified"]
    assert diff["unified"].endswith("-30\n+30\n\\ No newline at end of file\n")
    assert refusal(missing) == (404, "note_not_found")


async def test_a_folder_is_moved_with_all_that_is_below_it(space: Space, notes: str) -> None:
    vault = notes.removesuffix("/notes")
    for path in ("Old/a", "Old/deep/b", "Older/c", "old.md"):
        await note(space, notes, path)

    moved = taken(await space["editor"].post(f"{vault}/move-folder", json={"folder": "old", "target": "New/place"}))
    to_top = taken(await space["editor"].post(f"{vault}/move-folder", json={"folder": "New/place/deep", "target": ""}))
    listed = taken(await space["viewer"].get(notes))["items"]

    assert (moved, to_top) == ({"moved": 2}, {"moved": 1})
    assert [item["path"] for item in listed] == ["b.md", "New/place/a.md", "old.md", "Older/c.md"]


@pytest.mark.parametrize(
    ("folder", "target", "answer"),
    [
        ("a", "a/b", (400, "validation_failed")),
        ("", "b", (400, "validation_failed")),
        ("a", "b.md", (400, "validation_failed")),
        ("nowhere", "b", (404, "note_not_found")),
        ("a", "taken", (409, "already_exists")),
    ],
)
async def test_a_move_that_cannot_be_moves_nothing(
    space: Space, notes: str, folder: str, target: str, answer: tuple[int, str]
) -> None:
    for path in ("a/1", "a/2", "taken/2"):
        await note(space, notes, path)
    body = {"folder": folder, "target": target}

    refused = await space["editor"].post(f"{notes.removesuffix('/notes')}/move-folder", json=body)

    assert refusal(refused) == answer
    listed = taken(await space["viewer"].get(notes))["items"]
    assert [item["path"] for item in listed] == ["a/1.md", "a/2.md", "taken/2.md"]


async def test_a_vault_has_a_limited_number_of_notes_even_when_many_ask_at_once(space: Space, notes: str) -> None:
    address = await note(space, notes)
    statement = (
        "INSERT INTO workspaces.notes (id, workspace_id, vault_id, path, path_key, title, body_md, sha256, updated_by,"
        " search_title, search_text, search_words, created_at, updated_at)"
        " SELECT gen_random_uuid(), workspace_id, vault_id, 'n' || number, 'n' || number, title, body_md, sha256,"
        " updated_by, '', '', '', now(), now() FROM workspaces.notes, generate_series(1, 19998) number"
    )
    async with space.api.database.transaction() as connection:
        await connection.execute(text(statement))

    answers = await asyncio.gather(
        *(space["editor"].post(notes, json={"path": f"late {number}"}) for number in range(3))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {refusal(answer) for answer in answers if answer.status_code == 409} == {(409, "note_limit_exceeded")}
    taken(await space["viewer"].get(address))


async def test_many_notes_are_written_in_one_transaction(space: Space, notes: str) -> None:
    await note(space, notes, "b.md", "same\n")
    await note(space, notes, "c.md", "old\n")
    await note(space, notes, "d.md", "old\n")
    principal = Principal(space.people["editor"].id, Role.LEARNER)
    async with WorkspacesUnitOfWork(space.api.platform.database, principal=principal) as uow:
        opened = await open_vault(UUID(space.id), UUID(notes.split("/")[-2]), uow)
        outcomes = [
            (await write_note(uow, opened, path, body, replace=replace))[1]
            for path, body, replace in (
                ("x/a", "new\n", True),
                ("B.md", "same\n", True),
                ("c.md", "new\n", True),
                ("d.md", "new\n", False),
            )
        ]
        with pytest.raises(ValidationFailed):
            await write_note(uow, opened, "../a", "")
        await uow.commit()

    assert outcomes == [WriteOutcome.CREATED, WriteOutcome.UNCHANGED, WriteOutcome.CHANGED, WriteOutcome.KEPT]
    listed = taken(await space["editor"].get(notes))["items"]
    assert [(item["path"], item["revision"]) for item in listed] == [
        ("b.md", 1),
        ("c.md", 2),
        ("d.md", 1),
        ("x/a.md", 1),
    ]
