"""Pages of notes: the tree, reading and writing, two who write at once, revisions and the trash."""

import json
import re

import httpx
import pytest

from tests.builders.workspaces import Space, taken
from tests.integration.workspaces.test_pages import Pages, id_at_the_end, shown


class Vault(Pages):
    """The pages of a vault."""

    vault: str = ""

    async def begin(self, name: str = "Handbook") -> None:
        self.vault = await self.space.vault(name)

    async def note(self, path: str, text: str = "") -> str:
        """The path of the page of a new note, below the workspace."""
        made = await self.space.post(f"{self.vault}/notes", path=path, body_md=text)
        return f"{self.vault}/notes/{made['id']}"

    async def text(self, note: str) -> str:
        return str(taken(await self.space["owner"].get(self.space.path + note))["body_md"])


@pytest.fixture
async def vault(space: Space) -> Vault:
    pages = Vault(space)
    await pages.begin()
    return pages


def answer_of(answer: httpx.Response) -> tuple[int, dict[str, object]]:
    return answer.status_code, json.loads(answer.text)


async def test_the_tree_shows_folders_with_their_notes(vault: Vault) -> None:
    for path in ("projects/acme/kick-off", "projects/plan", "read me"):
        await vault.note(path, f"# About {path}\n")

    whole = shown(await vault.get(vault.vault, by="viewer"))
    folder = await vault.get(f"{vault.vault}?folder=projects/acme", by="viewer")

    assert re.search(r"projects 2 notes .*acme 1 note .*kick-off About projects/acme/kick-off .*plan .*read me", whole)
    assert "<h1>acme</h1>" in folder.text
    assert "read me" not in shown(folder)
    assert (await vault.get(f"{vault.vault}?folder=nowhere")).status_code == 404


async def test_a_note_is_made_written_read_and_moved(vault: Vault) -> None:
    made = await vault.send(f"{vault.vault}/notes", by="editor", path="projects/kick-off")
    edit = made.headers["location"].removeprefix(vault.path)
    note = edit.removesuffix("/edit")
    text = "# Kick-off\r\n\r\nSee [[plan]] and [[projects/none|another]].\r\n<script>alert(1)</script>"
    await vault.note("archive/plan")
    saved = await vault.send(edit, by="editor", body_md=text, revision="1")
    read = await vault.get(note, by="viewer")
    moved = await vault.send(f"{note}/move", by="editor", path="archive/kick-off", revision="2")
    wrong = await vault.send(f"{note}/move", by="editor", path="../x", revision="3")
    twice = await vault.send(f"{note}/move", by="editor", path="Archive/PLAN", revision="3")

    assert (made.status_code, saved.status_code, moved.status_code) == (303, 303, 303)
    assert await vault.text(note) == text.replace("\r\n", "\n")
    assert "<h2>Kick-off</h2>" in read.text
    assert re.search(r'See <a href="/ui/workspaces/[^"]+/notes/[^"]+">plan</a>', read.text)
    assert 'class="missing" title="There is no such note yet">another</span>' in read.text
    assert "&lt;script&gt;" in read.text
    assert "archive" in shown(await vault.get(note))
    assert wrong.status_code == 400
    assert 'id="why-path">Must be names with / between them' in wrong.text
    assert twice.status_code == 409
    assert "The vault already has a note at" in twice.text


async def test_a_text_is_saved_while_it_is_written_by_the_revision_that_was_read(vault: Vault) -> None:
    note = await vault.note("a", "one")
    first = await vault.send(f"{note}/edit", by="editor", body_md="two", revision="1", automatic="yes")
    again = await vault.send(f"{note}/edit", by="editor", body_md="two", revision="1", automatic="yes")
    stale = await vault.send(f"{note}/edit", by="admin", body_md="three", revision="1", automatic="yes")

    assert answer_of(first) == answer_of(again) == (200, {"revision": 2})
    status, said = answer_of(stale)
    assert (status, said["conflict"]) == (412, True)
    assert await vault.text(note) == "two"


async def test_a_text_that_was_overtaken_is_shown_beside_the_other_and_saved_on_purpose(vault: Vault) -> None:
    note = await vault.note("a", "same\nold\nsame\n")
    await vault.send(f"{note}/edit", by="editor", body_md="same\ntheirs\nsame\n", revision="1")
    page = await vault.send(f"{note}/edit", by="admin", body_md="same\nmine <b>\nsame\n", revision="1")
    again = await vault.send(f"{note}/edit", by="admin", body_md="same\nmine and theirs\nsame\n", revision="2")

    assert page.status_code == 412
    assert "The note has been changed since you read it" in page.text
    assert re.search(r'class="removed">.*theirs', page.text)
    assert re.search(r'class="added">.*mine &lt;b&gt;', page.text)
    assert "same\nmine &lt;b&gt;\nsame\n</textarea>" in page.text
    assert 'name="revision" value="2"' in page.text
    assert again.status_code == 303
    assert await vault.text(note) == "same\nmine and theirs\nsame\n"


async def test_what_cannot_be_saved_stays_in_the_editor_with_the_reason(vault: Vault) -> None:
    note = await vault.note("a", "one")
    await vault.space.post(f"{vault.vault}/lock", 200)
    refused = await vault.send(f"{note}/edit", by="editor", body_md="kept", revision="1")
    quiet = await vault.send(f"{note}/edit", by="editor", body_md="kept", revision="1", automatic="yes")
    await vault.space.post(f"{vault.vault}/unlock", 200)
    large = await vault.send(f"{note}/edit", by="editor", body_md="x" * (1024 * 1024 + 1), revision="1")

    assert refused.status_code == 423
    assert "kept</textarea>" in refused.text
    assert "is locked; an administrator of the workspace can unlock it" in refused.text
    assert answer_of(quiet)[0] == 423
    assert answer_of(quiet)[1]["conflict"] is False
    assert large.status_code == 400
    assert 'id="why-body_md">must have at most 1,048,576 bytes' in large.text.replace("Must", "must")


@pytest.mark.parametrize("why", ["viewer", "locked", "archived"])
async def test_where_nothing_can_be_changed_nothing_is_offered_and_the_reason_said(vault: Vault, why: str) -> None:
    note = await vault.note("a", "one")
    by, reason = (
        "owner",
        {
            "viewer": "You are a viewer of this workspace: you can read its notes, and not change them.",
            "locked": "Owner has locked the vault: its notes can be read, and not changed until it is unlocked.",
            "archived": "The workspace is archived since",
        }[why],
    )
    if why == "viewer":
        by = "viewer"
    elif why == "locked":
        await vault.space.post(f"{vault.vault}/lock", 200)
    else:
        await vault.space.post("/archive", 200)

    places = [vault.vault, note, f"{note}/revisions/1"]
    answers = [await vault.get(place, by=by) for place in places]
    edit = await vault.get(f"{note}/edit", by=by)

    assert [reason in shown(answer).replace("&#39;", "'") for answer in answers] == [True] * 3
    assert [vault.forms(answer) for answer in answers] == [set()] * 3
    assert (edit.status_code, edit.headers["location"]) == (303, vault.path + note)


async def test_the_preview_of_a_new_note_says_how_to_see_one(vault: Vault) -> None:
    empty, written = await vault.note("a", ""), await vault.note("b", "**bold**")
    pages = [await vault.get(f"{note}/edit", by="editor") for note in (empty, written)]

    assert ["Press Preview" in page.text for page in pages] == [True, False]
    assert "The note is empty." not in pages[0].text
    assert "<strong>bold</strong>" in pages[1].text


async def test_a_preview_saves_nothing(vault: Vault) -> None:
    note = await vault.note("a", "one")

    page = await vault.send(f"{note}/preview", by="editor", body_md="**new**", revision="1")

    assert "<strong>new</strong>" in page.text
    assert "**new**</textarea>" in page.text
    assert await vault.text(note) == "one"


async def test_revisions_are_compared_and_an_older_text_comes_back(vault: Vault) -> None:
    note = await vault.note("a", "one\ntwo\n")
    await vault.send(f"{note}/edit", by="editor", body_md="one\nthree\n", revision="1")
    listed = shown(await vault.get(f"{note}/revisions", by="viewer"))
    second = await vault.get(f"{note}/revisions/2", by="viewer")
    first = await vault.get(f"{note}/revisions/1", by="editor")
    stale = await vault.send(f"{note}/revisions/1/restore", by="editor", revision="1")
    back = await vault.send(f"{note}/revisions/1/restore", by="editor", revision="2")

    assert "Revision 2 now" in listed
    assert "Editor" in listed
    assert re.search(r'class="removed">.*two', second.text)
    assert re.search(r'class="added">.*three', second.text)
    assert "Make this the text again" in first.text
    assert (stale.status_code, back.status_code) == (412, 303)
    assert await vault.text(note) == "one\ntwo\n"
    assert (await vault.get(f"{note}/revisions/9")).status_code == 404


async def test_a_note_goes_into_the_trash_comes_back_and_is_gone_for_good(vault: Vault) -> None:
    note = await vault.note("a", "one")
    trashed = await vault.send(f"{note}/trash", by="editor")
    seen = shown(await vault.get(f"{vault.vault}/trash", by="viewer"))
    read = shown(await vault.get(note, by="editor"))
    other = await vault.note("A")
    taken_path = await vault.send(f"{note}/restore", by="editor")
    back = await vault.send(f"{note}/restore", by="editor", path="b")
    kept = await vault.send(f"{note}/purge", by="admin")
    await vault.send(f"{note}/trash", by="editor")
    refused = await vault.send(f"{note}/purge", by="editor")
    gone = await vault.send(f"{note}/purge", by="admin")

    assert (trashed.status_code, back.status_code, gone.status_code) == (303, 303, 303)
    assert "a.md" in seen
    assert "The note is in the trash since" in read
    assert taken_path.status_code == 409
    assert "autofocus" in taken_path.text
    assert (kept.status_code, refused.status_code) == (409, 403)
    assert [(await vault.get(path)).status_code for path in (note, other)] == [404, 200]


async def test_a_folder_is_moved_with_all_that_is_in_it(vault: Vault) -> None:
    note = await vault.note("projects/acme/plan")
    moved = await vault.send(f"{vault.vault}/move-folder", by="editor", folder="projects/acme", target="old")
    inside = await vault.send(f"{vault.vault}/move-folder", by="editor", folder="old", target="old/er")

    assert moved.status_code == 303
    assert "old" in shown(await vault.get(note))
    assert inside.status_code == 400
    assert 'id="why-target">Must not be inside the folder that is moved' in inside.text.replace("must not", "Must not")


async def test_a_large_vault_is_opened_folder_by_folder(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataforge.contexts.workspaces.notes.pages.notes._WHOLE", 2)
    for name in ("a/1", "a/b/2", "c/3"):
        await vault.note(name)

    top = await vault.get(vault.vault)
    inner = await vault.get(f"{vault.vault}?folder=a")

    assert "?folder=a" in top.text
    assert "<details" not in top.text.partition("data-tree")[2].partition("</nav>")[0]
    assert 'data-folder="a/b"' in inner.text


async def test_a_made_note_leads_to_its_editor(vault: Vault) -> None:
    made = await vault.send(f"{vault.vault}/notes", by="editor", path="x/y")

    assert id_at_the_end(made) == "edit"


async def test_notes_are_found_with_what_was_looked_for_marked(vault: Vault) -> None:
    await vault.note("projects/plan", "# The plan\n\nWe deploy v1.2.3 <b>on Monday</b>.")
    await vault.note("other", "Nothing of that.")
    first = vault.vault
    await vault.begin("Second")
    await vault.note("plan of the second vault", "deploy, too")
    second = vault.vault.rpartition("/")[2]

    everywhere = await vault.get("/notes?search=deploy+v1.2", by="viewer")
    inside = await vault.get(f"/notes?search=deploy&vault={second}", by="viewer")
    newest = shown(await vault.get("/notes", by="viewer"))
    nothing = await vault.get("/notes?search=nothingfits", by="viewer")

    assert "We <mark>deploy</mark> " in everywhere.text
    assert everywhere.text.count("<mark>") > 1
    assert "&lt;b&gt;" in everywhere.text
    assert f"{first}/notes/" in everywhere.text
    assert "projects/plan" not in inside.text
    assert "plan of the second vault.md" in shown(inside)
    assert newest.index("plan of the second vault") < newest.index("projects/plan")
    assert "No note has all of that" in nothing.text
    assert (await vault.get("/notes?search=x", by="stranger")).status_code == 404


async def test_links_lead_both_ways_and_follow_a_note_that_moves(vault: Vault) -> None:
    plan = await vault.note("projects/plan", "# The plan")
    kick_off = await vault.note("kick-off", "See [[plan]].")

    there = await vault.get(plan, by="viewer")
    await vault.send(f"{plan}/move", by="editor", path="archive/goal", revision="1", rewrite_links="yes")
    back = await vault.get(kick_off, by="viewer")

    assert "Linked from" in there.text
    assert f'href="{vault.path}{kick_off}"' in there.text
    assert await vault.text(kick_off) == "See [[goal]]."
    assert f'href="{vault.path}{plan}">goal</a>' in back.text
    assert "Linked from" not in back.text


async def test_a_revision_that_no_note_has_is_not_there(vault: Vault) -> None:
    note = await vault.note("plan")

    pages = [await vault.get(f"{note}/revisions/{number}") for number in ("2", "0", "9" * 40)]
    restored = await vault.send(f"{note}/revisions/{'9' * 40}/restore", by="editor", revision="1")

    assert [page.status_code for page in (*pages, restored)] == [404, 400, 400, 400]
