"""The search of notes: what people paste is found, and nothing of workspaces that they are not in."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.builders.workspaces import Space, refusal, taken

# What is in a note, and what finds it.
FOUND = [
    (
        "See https://docs.example.com/guides/setup?lang=de#install for more.",
        "https://docs.example.com/guides/setup?lang=de#install",
    ),
    ("See https://docs.example.com/guides/setup?lang=de#install.", "docs.example.com/guides"),
    ("See https://docs.example.com/guides/setup", "http://docs.example.com/guides/setup/"),
    ("[Setup](https://www.example.com/a_(b)) and <https://example.org>", "https://www.example.com/a_(b)"),
    ("at www.example.com/a", "https://www.example.com/a"),
    ("We run v1.2.3-rc.1 now", "v1.2.3-rc.1"),
    ("We run v1.2.3-rc.1 now", "1.2.3"),
    ("We run 1.2.3 now", "v1.2.3"),
    ("postgres:16.14-alpine", "16.14"),
    ("The state-of-the-art hand-over", "hand-over"),
    ("The handover", "hand-over"),
    ("The hand-over", "handover"),
    ("wi-fi and Wi\u2011Fi", "wifi"),
    ("soft\u00adware", "software"),
    ("I don\u2019t know", "don't"),
    ("In C++ or C# or F#", "C++"),
    ("In C++17,", "c++"),
    ("In C# it is", "C#"),
    ("Ported to .NET 8", ".NET"),
    ("An ASP.NET site", ".net"),
    ("We use node.js", "node"),
    ("We use node.js", "node.js"),
    ("Edit nginx.conf", "nginx"),
    ("Edit nginx.conf", ".conf"),
    ("It was -5 outside", "-5"),
    ("It was \u22125.5\u00b0C outside", "-5.5"),
    ("offset=-12", "-12"),
    ("It was -5 outside", "5"),
    ("in /etc/nginx/nginx.conf", "/etc/nginx/nginx.conf"),
    ("in /etc/nginx/nginx.conf", "nginx/nginx.conf"),
    ("in C:\\Data\\Ada\\notes.txt", "C:\\Data\\Ada"),
    ("in C:\\Data\\Ada\\notes.txt", "C:/Data/Ada/notes.txt"),
    ("mail ada.lovelace@example.com", "ada.lovelace@example.com"),
    ("mail ada.lovelace@example.com", "lovelace"),
    ("mail ada.lovelace@example.com", "@example"),
    ("report_2024-final (1).pdf", "report_2024-final (1).pdf"),
    ("call getUserName()", "getUserName"),
    ("call getUserName()", "user"),
    ("call get_user_name", "getUserName"),
    ("call HTTPServer.serve_forever", "http server"),
    ("error E0308: mismatched types", "E0308"),
    ("ERR_CONNECTION_REFUSED (-102)", "ERR_CONNECTION_REFUSED"),
    ("ORA-00942: table does not exist", "ora-00942"),
    ("commit d99e957abc0123456789d99e957abc0123456789", "d99e957"),
    ("id 01a22c90-62c6-793a-93e7-01eb1253c513", "01a22c90-62c6-793a-93e7-01eb1253c513"),
    ("commit abc1234de0123456789d99e957abc012345678", "abc1234"),
    ("16GB of memory", "16 GB"),
    ("ls -la /tmp", "ls -la /tmp"),
    ("at 192.168.0.10:8080", "192.168.0.10"),
    ("+49 (30) 123 45-67", "+49 (30) 123 45-67"),
    ("R&D and AT&T", "AT&T"),
    ("costs 1,000.50 \u20ac", "1,000.50"),
    ("Gr\u00fc\u00dfe aus M\u00fcnchen", "Munchen"),
    ("Gr\u00fc\u00dfe aus M\u00fcnchen", "MUENCHEN"),
    ("Gr\u00fc\u00dfe aus Muenchen", "M\u00fcnchen"),
    ("Gr\u00fc\u00dfe aus M\u00fcnchen", "gru\u0308sse"),
    ("Caf\u00e9 na\u00efve", "cafe naive"),
    ("l\u2019\u00e9quipe fran\u00e7aise", "equipe"),
    ("\u6771\u4eac\u90fd\u306b\u884c\u304f", "\u4eac\u90fd"),
    ("\u6771\u4eac\u90fd\u306b\u884c\u304f", "\u90fd"),
    ("\uff21\uff22\uff23\uff11", "abc1"),
    ("\ud55c\uad6d\uc5b4 \ubb38\uc11c\ub97c", "\ubb38\uc11c"),
    ("\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440", "\u043f\u0440\u0438\u0432\u0435\u0442"),
    ("\u0939\u093f\u0928\u094d\u0926\u0940 \u092e\u0947\u0902", "\u0939\u093f\u0928\u094d\u0926\u0940"),
    ("done \U0001f680", "\U0001f680"),
    ("Deployment of servers", "deploy"),
    ("docker run --rm --no-cache -v /a:/b", "docker run --rm --no-cache"),
    ("a #todo for @ada", "#todo"),
    ("a #todo for @ada", "@ada"),
    ("| a | **bold** | `code()` |", "bold code"),
    ("He said \u201chello, world\u201d.", '"hello world"'),
    ("error: cannot find module 'left-pad'", "\"cannot find module 'left-pad'\""),
    ("[[Projects/Kick-off|the start]]", "kick-off"),
    ("2024-01-05T10:00:00Z", "2024-01-05"),
    ("x == y && z != w", "x == y && z != w"),
    ("`rm -rf /tmp/*`", "/tmp/*"),
]
# What is in a note, and what does not find it.
NOT_FOUND = [
    ("1, 2 and 3", "1.2.3"),
    ("version 1.2", "1.2.3"),
    ("It was 5 outside", "-5"),
    ("pages 3-5", "-5"),
    ("C and D", "C++"),
    ("C and D", "C#"),
    ("a net of nets", ".NET"),
    ("example and com", "example.com"),
    ("words that are exact", '"exact words"'),
    ("exactwords", '"exact words"'),
    ("a draft of this", "this -draft"),
    ('hello "big world" out there', 'hello -"big world"'),
    ("Deployment", '"deploy"'),
    ("Deployment", "deploy "),
    ("verbose", "--verbose"),
    ("anything", "&& ||"),
    ("anything", "-anything"),
    ("100", "10"),
]


@pytest.fixture
async def vault(space: Space) -> str:
    """The path of a vault below the workspace."""
    return await space.vault()


async def write(space: Space, vault: str, path: str, body: str) -> str:
    """The id of a new note."""
    made = await space["editor"].post(f"{space.path}{vault}/notes", json={"path": path, "body_md": body})
    return str(taken(made, 201)["id"])


async def search(space: Space, words: str, **params: Any) -> dict[str, Any]:
    answer = await space["viewer"].get(f"{space.path}/notes", params={"search": words, **params})
    return dict(taken(answer))


async def paths(space: Space, words: str, **params: Any) -> list[str]:
    return [item["path"] for item in (await search(space, words, **params))["items"]]


async def test_what_people_paste_is_found(space: Space, vault: str) -> None:
    bodies = list(dict.fromkeys(body for body, _ in FOUND + NOT_FOUND))
    for number, body in enumerate(bodies):
        await write(space, vault, f"note {number:03}", body)
    places = {body: f"note {number:03}.md" for number, body in enumerate(bodies)}

    missed = [(body, words) for body, words in FOUND if places[body] not in await paths(space, words, limit=50)]
    wrong = [(body, words) for body, words in NOT_FOUND if places[body] in await paths(space, words, limit=50)]

    assert missed == []
    assert wrong == []


async def test_each_line_of_a_text_finds_its_note(space: Space, vault: str) -> None:
    body = "\n".join(body for body, _ in FOUND)
    await write(space, vault, "all", body)

    lines = [line for line in body.splitlines() if '"' not in line]
    assert [line for line in lines if await paths(space, line) != ["all.md"]] == []


async def test_titles_and_paths_come_first_then_what_is_close_then_what_is_new(space: Space, vault: str) -> None:
    for path, body in (
        ("far", "A release. " + "Something else. " * 30 + "The plan."),
        ("old", "The release plan."),
        ("new", "Our release plan."),
        ("titled", "# The plan of a release\n"),
        ("release/plan", "Nothing."),
    ):
        await write(space, vault, path, body)
        space.api.platform.clock.advance(timedelta(minutes=1))

    assert await paths(space, "release plan") == ["release/plan.md", "titled.md", "new.md", "old.md", "far.md"]


async def test_what_was_found_is_shown_where_it_stands(space: Space, vault: str) -> None:
    await write(space, vault, "a", "# Wi-Fi guide\n\nFirst line.\nIn Munich the deployment of the guide went well.\n")

    [item] = (await search(space, "guide deploy"))["items"]

    excerpt = item["excerpt"]
    assert excerpt["text"] == "In Munich the deployment of the guide went well."
    assert [excerpt["text"][part["start"] : part["end"]] for part in excerpt["highlights"]] == ["deployment", "guide"]
    assert [item["title"][part["start"] : part["end"]] for part in item["title_highlights"]] == ["guide"]
    assert not item["in_title"]


async def test_pages_of_a_search_follow_each_other(space: Space, vault: str) -> None:
    for number in range(7):
        await write(space, vault, f"n{number}", "the same words" if number % 2 else "the same, with words")

    first = await search(space, "same words", limit=3)
    second = await search(space, "same words", limit=3, cursor=first["next_cursor"])
    third = await search(space, "same words", limit=3, cursor=second["next_cursor"])

    together = [item["path"] for page in (first, second, third) for item in page["items"]]
    assert sorted(together) == [f"n{number}.md" for number in range(7)]
    assert (third["next_cursor"], first["complete"]) == (None, True)
    assert together == await paths(space, "same words")


async def test_without_words_the_notes_that_were_changed_last_come_first(space: Space, vault: str) -> None:
    for number in range(3):
        await write(space, vault, f"n{number}", "")
        space.api.platform.clock.advance(timedelta(minutes=1))
    address = f"{space.path}/notes"

    first = taken(await space["viewer"].get(address, params={"limit": 2}))
    rest = taken(await space["viewer"].get(address, params={"limit": 2, "cursor": first["next_cursor"]}))

    assert [item["path"] for item in first["items"] + rest["items"]] == ["n2.md", "n1.md", "n0.md"]


async def test_a_note_is_found_by_what_it_says_now(space: Space, vault: str) -> None:
    note = f"{space.path}{vault}/notes/{await write(space, vault, 'a', 'before')}"
    taken(await space["editor"].patch(note, json={"body_md": "after"}, headers={"If-Match": "*"}))
    changed = await paths(space, "before"), await paths(space, "after")
    taken(await space["editor"].patch(note, json={"path": "elsewhere"}, headers={"If-Match": "*"}))
    moved = await paths(space, "elsewhere")
    taken(await space["editor"].delete(note), 204)
    trashed = await paths(space, "after")
    taken(await space["editor"].post(f"{note}/restore"))
    restored = await paths(space, "after")

    assert changed == ([], ["a.md"])
    assert (moved, trashed, restored) == (["elsewhere.md"], [], ["elsewhere.md"])


async def test_a_search_stays_in_its_workspace_and_vault(space: Space, vault: str) -> None:
    another = await space.vault("Another")
    await write(space, vault, "here", "the same words")
    await write(space, another, "there", "the same words")
    stranger = space.people["stranger"]
    own = taken(await stranger.client.get(f"/api/user-profiles/{stranger.id}/workspaces"))["items"][0]["id"]

    everywhere = await paths(space, "same words")
    in_one = await paths(space, "same words", vault_id=another.rpartition("/")[2])
    outside = await stranger.client.get(f"{space.path}/notes", params={"search": "same words"})
    elsewhere = taken(await stranger.client.get(f"/api/workspaces/{own}/notes", params={"search": "same words"}))
    of_another = await stranger.client.get(
        f"/api/workspaces/{own}/notes", params={"search": "same", "vault_id": vault.rpartition("/")[2]}
    )

    assert sorted(everywhere) == ["here.md", "there.md"]
    assert in_one == ["there.md"]
    assert refusal(outside) == (404, "workspace_not_found")
    assert elsewhere["items"] == []
    assert refusal(of_another) == (404, "vault_not_found")


@pytest.mark.parametrize(("words", "most"), [("common", 200), ('"common words"', 500)])
async def test_of_more_notes_than_are_ranked_the_newest_and_those_named_so_are(
    space: Space, vault: str, words: str, most: int
) -> None:
    await write(space, vault, "common words", "old")
    await write(space, vault, "model", "common words")
    copies = (
        "INSERT INTO workspaces.notes (id, workspace_id, vault_id, path, path_key, title, body_md, sha256, updated_by,"
        " search_title, search_text, search_words, created_at, updated_at)"
        " SELECT gen_random_uuid(), workspace_id, vault_id, 'n' || number, 'n' || number, title, body_md, sha256,"
        " updated_by, search_title, search_text, search_words, created_at, created_at + number * interval '1 minute'"
        " FROM workspaces.notes, generate_series(1, :most) number WHERE path = 'model.md'"
    )
    async with space.api.database.transaction() as connection:
        await connection.execute(text(copies), {"most": most})

    found = await search(space, words)

    assert found["complete"] is False
    assert [item["path"] for item in found["items"][:3]] == ["common words.md", f"n{most}", f"n{most - 1}"]


async def test_a_word_that_is_in_most_notes_finds_the_newest(space: Space, vault: str) -> None:
    await write(space, vault, "model", "common words")
    copies = (
        "INSERT INTO workspaces.notes (id, workspace_id, vault_id, path, path_key, title, body_md, sha256, updated_by,"
        " search_title, search_text, search_words, created_at, updated_at)"
        " SELECT gen_random_uuid(), workspace_id, vault_id, 'n' || number, 'n' || number, title, body_md, sha256,"
        " updated_by, search_title, search_text, search_words, created_at, created_at + number * interval '1 minute'"
        " FROM workspaces.notes, generate_series(1, 10000) number"
    )
    async with space.api.database.transaction() as connection:
        await connection.execute(text(copies))

    found = await search(space, "common")

    assert found["complete"] is False
    assert [item["path"] for item in found["items"][:2]] == ["n10000", "n9999"]
