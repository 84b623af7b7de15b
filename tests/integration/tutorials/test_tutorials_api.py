"""Tutorials over HTTP: who may, what is answered, and what is refused."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from dataforge.kernel.ids import uuid7
from dataforge.platform.db.tables import audit_log
from tests.builders.tutorials import NOW, TutorialSpace
from tests.builders.workspaces import refusal, taken


async def test_a_tutorial_shows_what_it_cites(space: TutorialSpace) -> None:
    answer = await space["viewer"].get(space.path)

    tutorial = taken(answer)
    assert answer.headers["ETag"] == '"1"'
    assert tutorial["title"] == "How to reset the router"
    assert tutorial["transcript_id"] == str(space.transcript_id)
    assert tutorial["engine"] == "extractive"
    assert tutorial["steps"][2] == {
        "id": str(space.tutorial.steps[2].id),
        "text": "Plug it in again.",
        "start_ms": 15_000,
        "end_ms": 24_500,
        "segment_from": 3,
        "segment_to": 4,
        "score": 0.9,
    }
    assert tutorial["dropped"] == [{"text": "Fly", "reason": "cites nothing"}]
    assert tutorial["glossary"] == [{"term": "Router", "explanation": "The box with the antennas.", "segment": 0}]


async def test_editors_change_texts_that_they_have_read(space: TutorialSpace) -> None:
    body = {
        "title": " Reset  the router ",
        "summary": "",
        "content_md": "# More\n\n- a",
        "prerequisites": [],
        "glossary": [{"term": "LED", "explanation": "A light."}],
    }

    answer = await space["editor"].patch(space.path, json=body, headers={"If-Match": '"1"'})
    late = await space["admin"].patch(space.path, json={"title": "Late"}, headers={"If-Match": '"1"'})
    blind = await space["editor"].patch(space.path, json={"title": "Blind"})

    changed = taken(answer)
    assert answer.headers["ETag"] == '"2"'
    assert changed["title"] == "Reset the router"
    assert (changed["summary"], changed["content_md"], changed["prerequisites"]) == ("", "# More\n\n- a", [])
    assert changed["glossary"] == [{"term": "LED", "explanation": "A light.", "segment": None}]
    assert len(changed["steps"]) == 3
    assert refusal(late) == (412, "stale_version")
    assert refusal(blind) == (428, "precondition_required")
    assert await space.get("viewer") == changed


async def test_the_same_texts_again_change_nothing(space: TutorialSpace) -> None:
    answer = await space["editor"].patch(space.path, json={"title": space.tutorial.title}, headers={"If-Match": "*"})

    assert taken(answer)["revision"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": " \t"},
        {"title": "x" * 256},
        {"title": None},
        {"content_md": "x" * 100_001},
        {"prerequisites": ["x"] * 51},
        {"glossary": [{"term": "x"}]},
        {"state": "published"},
        {"title": "a\u0000b"},
    ],
)
async def test_texts_are_bounded(space: TutorialSpace, body: dict[str, Any]) -> None:
    answer = await space["editor"].patch(space.path, json=body, headers={"If-Match": "*"})

    assert answer.status_code == 400, answer.text
    assert (await space.get())["revision"] == 1


async def test_steps_are_written_whole_and_cite_the_transcript(space: TutorialSpace) -> None:
    first, second, _ = space.tutorial.steps
    steps = [
        {"id": str(second.id), "text": second.text},
        {"text": "Look at the light.", "segment_from": 3, "segment_to": 4},
        {"id": str(first.id), "text": "Pull the plug.", "segment_from": 0, "segment_to": 1},
    ]

    answer = await space["editor"].put(f"{space.path}/steps", json={"steps": steps}, headers={"If-Match": '"1"'})

    written = taken(answer)["steps"]
    assert [step["text"] for step in written] == [step["text"] for step in steps]
    assert [(step["start_ms"], step["end_ms"], step["score"]) for step in written] == [
        (10_000, 14_500, 0.9),
        (15_000, 24_500, None),
        (0, 9_500, None),
    ]
    assert [written[0]["id"], written[2]["id"]] == [str(second.id), str(first.id)]


async def test_a_step_that_cites_nothing_is_refused_with_its_place(space: TutorialSpace) -> None:
    steps = [{"text": "Made up."}, {"text": "Out of range.", "segment_from": 4, "segment_to": 5}]

    answer = await space["editor"].put(f"{space.path}/steps", json={"steps": steps}, headers={"If-Match": "*"})

    assert refusal(answer) == (400, "validation_failed")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/steps/0/segment_from", "/steps/1/segment_from"]


async def test_steps_are_put_into_another_order(space: TutorialSpace) -> None:
    ids = [str(step.id) for step in reversed(space.tutorial.steps)]

    answer = await space["editor"].put(f"{space.path}/steps/order", json={"step_ids": ids}, headers={"If-Match": '"1"'})
    partly = await space["editor"].put(
        f"{space.path}/steps/order", json={"step_ids": ids[1:]}, headers={"If-Match": "*"}
    )

    assert [step["id"] for step in taken(answer)["steps"]] == ids
    assert answer.headers["ETag"] == '"2"'
    assert refusal(partly) == (400, "validation_failed")


async def test_a_tutorial_is_published_archived_and_reopened(space: TutorialSpace) -> None:
    early = await space["editor"].post(f"{space.path}/archive")
    published = taken(await space["editor"].post(f"{space.path}/publish", headers={"If-Match": '"1"'}))
    again = await space["editor"].post(f"{space.path}/publish")
    archived = taken(await space["editor"].post(f"{space.path}/archive"))
    edited = await space["editor"].patch(space.path, json={"title": "X"}, headers={"If-Match": "*"})
    reopened = taken(await space["editor"].post(f"{space.path}/reopen"))

    assert refusal(early) == refusal(again) == (409, "tutorial_transition_refused")
    assert (published["state"], published["revision"]) == ("published", 2)
    assert archived["state"] == "archived"
    assert archived["archived_at"] is not None
    assert refusal(edited) == (409, "tutorial_archived")
    assert (reopened["state"], reopened["archived_at"]) == ("draft", None)


async def test_only_what_was_read_is_published_when_the_editor_says_so(space: TutorialSpace) -> None:
    taken(await space["admin"].patch(space.path, json={"title": "Unseen"}, headers={"If-Match": "*"}))

    answer = await space["editor"].post(f"{space.path}/publish", headers={"If-Match": '"1"'})

    assert refusal(answer) == (412, "stale_version")


async def test_a_tutorial_without_steps_is_not_published(space: TutorialSpace) -> None:
    taken(await space["editor"].put(f"{space.path}/steps", json={"steps": []}, headers={"If-Match": "*"}))

    assert refusal(await space["editor"].post(f"{space.path}/publish")) == (409, "tutorial_without_steps")


async def test_administrators_delete_what_they_have_read(space: TutorialSpace) -> None:
    stale = await space["admin"].delete(space.path, headers={"If-Match": '"9"'})
    gone = await space["admin"].delete(space.path, headers={"If-Match": '"1"'})

    assert refusal(stale) == (412, "stale_version")
    assert gone.status_code == 204
    assert refusal(await space["admin"].get(space.path)) == (404, "tutorial_not_found")


ROUTES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "", {}),
    ("PATCH", "", {"title": "x"}),
    ("DELETE", "", {}),
    ("PUT", "/steps", {"steps": []}),
    ("PUT", "/steps/order", {"step_ids": []}),
    ("POST", "/publish", {}),
    ("POST", "/archive", {}),
    ("POST", "/reopen", {}),
    ("POST", "/lesson", {}),
    ("GET", "/export", {}),
    ("GET", "/links", {}),
    ("POST", "/links", {}),
    ("DELETE", f"/links/{UUID(int=5)}", {}),
]


@pytest.mark.parametrize(("method", "below", "body"), ROUTES)
async def test_for_strangers_there_is_no_tutorial(
    space: TutorialSpace, method: str, below: str, body: dict[str, Any]
) -> None:
    headers = {"If-Match": "*", "Idempotency-Key": "k"}

    there = await space["stranger"].request(method, space.path + below, json=body, headers=headers)
    nowhere = await space["stranger"].request(method, f"/api/tutorials/{uuid7()}{below}", json=body, headers=headers)

    assert refusal(there) == refusal(nowhere) == (404, "tutorial_not_found")


@pytest.mark.parametrize(("method", "below", "body"), [route for route in ROUTES if route[0] != "GET"])
async def test_viewers_only_read(space: TutorialSpace, method: str, below: str, body: dict[str, Any]) -> None:
    answer = await space["viewer"].request(method, space.path + below, json=body, headers={"If-Match": "*"})

    assert refusal(answer) == (403, "workspace_role_missing")


async def test_editors_do_not_delete(space: TutorialSpace) -> None:
    answer = await space["editor"].delete(space.path, headers={"If-Match": "*"})

    assert refusal(answer) == (403, "workspace_role_missing")


@pytest.mark.parametrize(("method", "below", "body"), [route for route in ROUTES if route[0] != "GET"])
async def test_in_an_archived_workspace_nothing_changes(
    space: TutorialSpace, method: str, below: str, body: dict[str, Any]
) -> None:
    taken(await space["owner"].post(f"{space.space.path}/archive"))

    answer = await space["owner"].request(method, space.path + below, json=body, headers={"If-Match": "*"})

    assert refusal(answer) == (409, "workspace_archived")
    assert (await space.get("viewer"))["revision"] == 1


async def test_lists_have_pages_with_a_true_total(space: TutorialSpace) -> None:
    for day in range(1, 5):
        await space.add(created_at=NOW + timedelta(days=day), title=f"Day {day}")
    query = {"workspace_id": str(space.workspace_id), "limit": 2}

    pages = [taken(await space["viewer"].get("/api/tutorials", params=query))]
    while pages[-1]["next"]:
        pages.append(taken(await space["viewer"].get(pages[-1]["next"])))

    assert [[item["title"] for item in page["items"]] for page in pages] == [
        ["Day 4", "Day 3"],
        ["Day 2", "Day 1"],
        ["How to reset the router"],
    ]
    assert {page["total"] for page in pages} == {5}
    assert pages[0]["items"][0]["step_count"] == 3
    assert "steps" not in pages[0]["items"][0]


async def test_lists_are_filtered_by_words_state_dates_and_author(space: TutorialSpace) -> None:
    await space.add(title="Printer", user_id=space.person("viewer"), created_at=NOW + timedelta(days=2))
    await space.move("publish")

    async def titles(**query: Any) -> list[str]:
        page = taken(await space["viewer"].get("/api/tutorials", params=query))
        assert page["total"] == len(page["items"])
        return [item["title"] for item in page["items"]]

    router, printer = "How to reset the router", "Printer"
    assert await titles() == [printer, router]
    assert await titles(search="RESET ten") == [router]
    assert await titles(search="nothing") == []
    assert await titles(state="published") == [router]
    assert await titles(mine="true") == [printer]
    assert await titles(mine="false") == [router]
    assert await titles(transcript_id=str(space.transcript_id)) == [router]
    assert await titles(**{"from": "2026-12-01"}) == [printer]
    assert await titles(to="2026-12-01T00:00:00Z") == [router]


async def test_lists_show_the_tutorials_of_ones_own_workspaces(space: TutorialSpace) -> None:
    stranger = await space["stranger"].get("/api/tutorials")
    asked = await space["stranger"].get("/api/tutorials", params={"workspace_id": str(space.workspace_id)})

    assert (taken(stranger)["items"], taken(stranger)["total"]) == ([], 0)
    assert refusal(asked) == (404, "workspace_not_found")


async def test_what_is_done_is_in_the_audit_log_of_the_workspace(space: TutorialSpace) -> None:
    taken(await space["editor"].patch(space.path, json={"title": "Secret text"}, headers={"If-Match": "*"}))
    await space.move("publish", "archive", "reopen")
    taken(await space["admin"].delete(space.path, headers={"If-Match": "*"}), 204)

    async with space.database.read_only() as connection:
        query = select(audit_log).where(audit_log.c.entity == "tutorial").order_by(audit_log.c.id)
        rows = (await connection.execute(query)).all()

    assert [row.action for row in rows] == ["changed", "published", "archived", "reopened", "deleted"]
    assert {row.workspace_id for row in rows} == {space.workspace_id}
    assert rows[0].after == {"fields": ["title"]}


@pytest.mark.parametrize(
    ("wanted", "media_type", "name", "part"),
    [
        (
            "markdown",
            "text/markdown; charset=utf-8",
            "how-to-reset-the-router.md",
            "1. Unplug the power cable\\. (0:05",
        ),
        ("html", "text/html; charset=utf-8", "how-to-reset-the-router.html", "<li>Unplug the power cable. <span"),
        ("vtt", "text/vtt; charset=utf-8", "how-to-reset-the-router.vtt", "00:00:05.000 --> 00:00:09.500\n1. Unplug"),
    ],
)
async def test_a_tutorial_is_exported_as_a_file(
    space: TutorialSpace, wanted: str, media_type: str, name: str, part: str
) -> None:
    answer = await space["viewer"].get(f"{space.path}/export", params={"format": wanted})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert part in answer.text


async def test_nothing_that_people_write_becomes_markup_in_an_exported_page(space: TutorialSpace) -> None:
    nasty = "<script>alert(1)</script>"
    body = {"title": nasty, "summary": nasty, "content_md": f"{nasty}\n\n[x](javascript:alert(1))"}
    taken(await space["editor"].patch(space.path, json=body, headers={"If-Match": "*"}))

    answer = await space["viewer"].get(f"{space.path}/export", params={"format": "html"})

    assert "<script" not in answer.text
    assert 'href="javascript' not in answer.text
    assert answer.headers["Content-Disposition"] == 'attachment; filename="script-alert-1-script.html"'


async def test_headings_of_the_text_stand_below_that_of_the_document(space: TutorialSpace) -> None:
    text = {"content_md": "# More\n\n## Even more"}
    taken(await space["editor"].patch(space.path, json=text, headers={"If-Match": "*"}))
    await space.move("publish")
    link = await space.share()

    page = (await space["stranger"].get(f"/ui/shared-tutorials/{link['token']}")).text
    document = (await space["viewer"].get(f"{space.path}/export", params={"format": "html"})).text

    for shown in (page, document):
        assert shown.count("<h1>") == 1
        assert "<h2>More</h2>\n<h3>Even more</h3>" in shown
