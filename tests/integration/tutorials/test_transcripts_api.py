"""Transcripts through the API: uploaded and inline, the same twice, changed, deleted, for whom."""

import asyncio
import csv
import hashlib
import io
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from dataforge.bootstrap import modules
from dataforge.contexts.tutorials.module import TutorialsServices
from dataforge.contexts.tutorials.transcripts.consumers import forget_workspace
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.events.jobs import relay_outbox
from dataforge.events.wiring import subscribers
from dataforge.kernel.clock import FixedClock
from dataforge.platform.aws.s3 import AsyncObjects
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.workspaces import Space, open_space, refusal, taken

SRT = b"1\n00:00:01,000 --> 00:00:02,500\nANA: Open the lid.\n\n2\n00:00:03,000 --> 00:00:04,000\nBO: Done.\n"
PHRASES = [
    {"offset_milliseconds": 0, "duration_in_ticks": 15_000_000, "display": "Open the lid.", "speaker": "Ana"},
    {"offset_milliseconds": 2000, "duration_in_ticks": 10_000_000, "display": "Done.", "speaker": 2, "locale": "en-GB"},
]


@pytest.fixture
async def api(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[ApiUnderTest]:
    async with ApiUnderTest(database, clock, data_bucket=emulator.bucket()) as api:
        yield api


@pytest.fixture
async def space(api: ApiUnderTest) -> Space:
    return await open_space(api)


async def put(place: dict[str, Any], data: bytes) -> int:
    """The status of putting data where an upload says."""
    request = Request(place["url"], data=data, method="PUT", headers=place["headers"])
    try:
        with await asyncio.to_thread(urlopen, request, timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


async def uploaded(space: Space, data: bytes = SRT, *, by: str = "editor") -> str:
    """The id of an upload that is there."""
    body = {"workspace_id": space.id, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    place = taken(await space[by].post("/api/transcripts/uploads", json=body), 201)
    assert await put(place, data) == 200
    return str(place["upload_id"])


async def made(space: Space, data: bytes = SRT, *, by: str = "editor", **about: Any) -> dict[str, Any]:
    """A transcript of a file."""
    body = {"workspace_id": space.id, "upload_id": await uploaded(space, data, by=by), **about}
    return taken(await space[by].post("/api/transcripts", json=body), 201)  # type: ignore[no-any-return]


async def inline(space: Space, status: int = 201, *, by: str = "editor", **body: Any) -> dict[str, Any]:
    """A transcript of phrases in the request."""
    sent = {"workspace_id": space.id, "phrases": PHRASES, **body}
    return taken(await space[by].post("/api/transcripts", json=sent), status)  # type: ignore[no-any-return]


async def keys(space: Space, prefix: str = "transcripts/") -> list[str]:
    objects = await space.api.platform.objects.oldest(prefix, limit=100)
    return [found.key for found in objects]


async def test_an_uploaded_file_becomes_segments_and_is_kept_as_it_is(space: Space) -> None:
    transcript = await made(space, title="Lids", recording_url="https://video.example.org/1", language="en")

    segments = taken(await space["viewer"].get(f"/api/transcripts/{transcript['id']}/segments"))["items"]
    file = await space["viewer"].get(f"/api/transcripts/{transcript['id']}/file")
    with await asyncio.to_thread(urlopen, file.headers["Location"], timeout=30) as answer:
        kept = answer.read()

    assert {name: transcript[name] for name in ("title", "format", "duration_ms", "segment_count", "state")} == {
        "title": "Lids",
        "format": "srt",
        "duration_ms": 3000,
        "segment_count": 2,
        "state": "ready",
    }
    assert [(item["index"], item["start_ms"], item["end_ms"], item["speaker"], item["text"]) for item in segments] == [
        (0, 1000, 2500, "ANA", "Open the lid."),
        (1, 3000, 4000, "BO", "Done."),
    ]
    assert (file.status_code, kept) == (303, SRT)


async def test_phrases_are_taken_as_they_are(space: Space) -> None:
    transcript = await inline(space, timestamp="2026-11-30T08:00:00Z", duration_in_ticks=600_000_000)

    assert (transcript["format"], transcript["language"], transcript["duration_ms"]) == ("phrases", "en-GB", 60_000)
    assert transcript["recorded_at"] == "2026-11-30T08:00:00Z"
    assert transcript["title"] == "Transcript of 2026-11-30"
    assert [speaker["name"] for speaker in transcript["speakers"]] == ["Ana", "Speaker 2"]


async def test_the_same_content_is_the_first_one(space: Space) -> None:
    first = await made(space, title="First")
    turned = [dict(reversed(phrase.items())) for phrase in PHRASES]
    phrases = await inline(space)
    files = await keys(space)

    body = {"workspace_id": space.id, "upload_id": await uploaded(space, SRT.replace(b"\n", b"\r\n")), "title": "New"}
    again = await space["owner"].post("/api/transcripts", json=body | {"upload_id": await uploaded(space, by="owner")})
    other_ends = await space["editor"].post("/api/transcripts", json=body)
    same_phrases = await inline(space, 200, phrases=turned)
    as_file = json.dumps({"phrases": turned, "vendor": 1}, indent=2).encode()
    body = {"workspace_id": space.id, "upload_id": await uploaded(space, as_file)}
    phrases_as_file = await space["editor"].post("/api/transcripts", json=body)

    for answer in (again, other_ends):
        assert (answer.status_code, answer.json()["id"], answer.json()["title"]) == (200, first["id"], "First")
        assert answer.headers["Location"].endswith(f"/api/transcripts/{first['id']}")
    assert same_phrases["id"] == phrases["id"] == taken(phrases_as_file)["id"]
    assert await keys(space) == files


async def test_two_at_once_make_one_transcript_and_leave_one_file(space: Space) -> None:
    uploads = [await uploaded(space, by=role) for role in ("editor", "owner", "admin", "editor")]
    senders = ("editor", "owner", "admin", "editor")

    answers = await asyncio.gather(
        *(
            space[role].post("/api/transcripts", json={"workspace_id": space.id, "upload_id": upload})
            for role, upload in zip(senders, uploads, strict=True)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await keys(space)) == 1


async def test_another_workspace_has_its_own(space: Space) -> None:
    first = await inline(space)
    stranger = space.people["stranger"]
    elsewhere = taken(await stranger.client.get(f"/api/user-profiles/{stranger.id}/workspaces"))["items"][0]["id"]

    second = taken(
        await stranger.client.post("/api/transcripts", json={"workspace_id": elsewhere, "phrases": PHRASES}), 201
    )

    assert first["id"] != second["id"]
    assert first["sha256"] == second["sha256"]


async def test_a_repeated_request_is_answered_with_what_it_made(space: Space) -> None:
    sent = {
        "json": {"workspace_id": space.id, "phrases": PHRASES},
        "headers": {"Idempotency-Key": "one"},
    }

    first = await space["editor"].post("/api/transcripts", **sent)
    again = await space["editor"].post("/api/transcripts", **sent)

    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert len(await keys(space)) == 1


async def test_a_file_other_than_announced_is_refused_by_the_bucket(space: Space) -> None:
    body = {"workspace_id": space.id, "size_bytes": len(SRT), "sha256": hashlib.sha256(SRT).hexdigest()}
    place = taken(await space["editor"].post("/api/transcripts/uploads", json=body), 201)

    assert await put(place, SRT.replace(b"lid", b"box")) >= 400


async def test_an_upload_is_its_senders_and_for_its_workspace(space: Space) -> None:
    upload = await uploaded(space, by="editor")
    stranger = space.people["stranger"]
    elsewhere = taken(await stranger.client.get(f"/api/user-profiles/{stranger.id}/workspaces"))["items"][0]["id"]

    answers = [
        await space["owner"].post("/api/transcripts", json={"workspace_id": space.id, "upload_id": upload}),
        await stranger.client.post("/api/transcripts", json={"workspace_id": elsewhere, "upload_id": upload}),
        await space["editor"].post("/api/transcripts", json={"workspace_id": space.id, "upload_id": str(uuid4())}),
    ]

    assert {refusal(answer) for answer in answers} == {(409, "transcript_upload_missing")}


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"%PDF-1.7", "transcript_unreadable"), (b"WEBVTT\n\n25:00 --> x\ny\n", "transcript_unreadable")],
)
async def test_a_file_that_is_none_is_refused_with_its_line_and_leaves_nothing(
    space: Space, data: bytes, code: str
) -> None:
    body = {"workspace_id": space.id, "upload_id": await uploaded(space, data)}

    answer = await space["editor"].post("/api/transcripts", json=body)

    assert refusal(answer) == (400, code)
    assert answer.json()["line"] == data.count(b"\n", 0, 10) + 1
    assert await keys(space) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "validation_failed")),
        ({"phrases": PHRASES, "upload_id": str(uuid4())}, (400, "validation_failed")),
        ({"phrases": []}, (400, "transcript_unreadable")),
        ({"phrases": [{**PHRASES[0], "confidence": 3}]}, (400, "transcript_unreadable")),
        ({"phrases": [{**PHRASES[0], "display": "x" * 110_000}]}, (413, "transcript_too_large")),
        ({"phrases": PHRASES, "recording_url": "javascript:alert(1)"}, (400, "validation_failed")),
        ({"phrases": PHRASES, "language": "not a language"}, (400, "validation_failed")),
        ({"phrases": PHRASES, "lesson_id": str(uuid4())}, (400, "validation_failed")),
    ],
)
async def test_what_cannot_be_a_transcript_is_refused(
    space: Space, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    answer = await space["editor"].post("/api/transcripts", json={"workspace_id": space.id, **body})

    assert refusal(answer) == expected
    assert await keys(space) == []


async def test_the_list_is_searched_by_title_and_format_page_by_page(space: Space) -> None:
    for number, title in enumerate(["50% off", "Printers", "printer jam"]):
        await inline(space, title=title, phrases=[{**PHRASES[0], "display": f"Number {number}."}])
    await made(space, title="Printer tray")

    async def titles(**parameters: str) -> list[str]:
        found, path = [], "/api/transcripts"
        answer = taken(await space["viewer"].get(path, params={"workspace_id": space.id, **parameters}))
        found += [item["title"] for item in answer["items"]]
        while answer["next"]:
            answer = taken(await space["viewer"].get(answer["next"]))
            found += [item["title"] for item in answer["items"]]
        return found

    assert sorted(await titles(limit="1")) == ["50% off", "Printer tray", "Printers", "printer jam"]
    assert sorted(await titles(search="PRINTER", limit="2")) == ["Printer tray", "Printers", "printer jam"]
    assert await titles(search="%") == ["50% off"]
    assert await titles(format="srt") == ["Printer tray"]
    assert sorted(await titles(search="printer", format="phrases")) == ["Printers", "printer jam"]


async def test_the_list_is_csv_by_accept_beside_its_filter_by_format(space: Space) -> None:
    await inline(space, title="Printers", phrases=PHRASES[:1])
    await made(space, title="Printer tray")

    answer = await space["viewer"].get(
        "/api/transcripts", params={"workspace_id": space.id, "format": "srt"}, headers={"Accept": "text/csv"}
    )

    assert answer.headers["Content-Type"].startswith("text/csv")
    assert [row["title"] for row in csv.DictReader(io.StringIO(answer.text))] == ["Printer tray"]


async def test_segments_come_in_order_and_between_times(space: Space) -> None:
    phrases = [{**PHRASES[0], "offset_milliseconds": n * 2000, "display": f"Line {n}."} for n in range(5)]
    transcript = await inline(space, phrases=phrases)
    path = f"/api/transcripts/{transcript['id']}/segments"

    async def indexes(**parameters: int) -> list[int]:
        return [item["index"] for item in taken(await space["viewer"].get(path, params=parameters))["items"]]

    first = taken(await space["viewer"].get(path, params={"limit": 3}))
    rest = taken(await space["viewer"].get(first["next"]))

    assert [item["index"] for page in (first, rest) for item in page["items"]] == [0, 1, 2, 3, 4]
    assert await indexes(from_ms=3400, to_ms=6000) == [1, 2, 3]
    assert await indexes(from_ms=3600) == [2, 3, 4]


async def test_editors_change_what_is_said_about_it_and_rename_speakers(space: Space) -> None:
    transcript = await inline(space)
    path = f"/api/transcripts/{transcript['id']}"
    body = {"title": "Lids", "language": None, "speakers": {"Ana": "Speaker 2", "Speaker 2": "Ana"}}

    changed = await space["editor"].patch(path, json=body, headers={"If-Match": '"1"'})
    merged = await space["editor"].patch(
        path, json={"speakers": {"Ana": "Bo", "Speaker 2": "Bo"}}, headers={"If-Match": "*"}
    )
    nobody = await space["editor"].patch(path, json={"speakers": {"Bo": None}}, headers={"If-Match": "*"})
    segments = taken(await space["viewer"].get(f"{path}/segments"))["items"]

    assert (taken(changed)["title"], changed.json()["language"], changed.headers["ETag"]) == ("Lids", None, '"2"')
    assert [(speaker["name"], speaker["spoken_ms"]) for speaker in changed.json()["speakers"]] == [
        ("Speaker 2", 1500),
        ("Ana", 1000),
    ]
    assert taken(merged)["speakers"] == [{"name": "Bo", "segments": 2, "spoken_ms": 2500}]
    assert taken(nobody)["speakers"] == []
    assert [segment["speaker"] for segment in segments] == [None, None]


async def test_changes_need_the_revision_that_was_read_and_names_that_are_there(space: Space) -> None:
    path = f"/api/transcripts/{(await inline(space))['id']}"

    answers = [
        await space["editor"].patch(path, json={"title": "x"}),
        await space["editor"].patch(path, json={"title": "x"}, headers={"If-Match": '"7"'}),
        await space["editor"].patch(path, json={"speakers": {"Zoe": "x"}}, headers={"If-Match": "*"}),
        await space["owner"].delete(path),
        await space["owner"].delete(path, headers={"If-Match": '"7"'}),
    ]

    assert [refusal(answer) for answer in answers] == [
        (428, "precondition_required"),
        (412, "stale_version"),
        (400, "validation_failed"),
        (428, "precondition_required"),
        (412, "stale_version"),
    ]


async def test_a_lesson_is_the_workspaces_or_everybodys_and_no_other_workspaces(space: Space) -> None:
    stranger = space.people["stranger"]
    elsewhere = taken(await stranger.client.get(f"/api/user-profiles/{stranger.id}/workspaces"))["items"][0]["id"]
    own, open_to_all, foreign = [await add_lesson(space, workspace_id) for workspace_id in (space.id, None, elsewhere)]
    path = f"/api/transcripts/{(await inline(space, lesson_id=own))['id']}"

    async def moved(lesson_id: str | None) -> Any:
        return await space["editor"].patch(path, json={"lesson_id": lesson_id}, headers={"If-Match": "*"})

    assert taken(await moved(open_to_all))["lesson_id"] == open_to_all
    assert refusal(await moved(foreign)) == (400, "validation_failed")
    assert taken(await moved(None))["lesson_id"] is None


async def add_lesson(space: Space, workspace_id: str | None) -> str:
    """The id of a lesson of a workspace, or of the whole organisation."""
    lesson_id = str(uuid4())
    statement = text(
        "INSERT INTO records.lessons (id, workspace_id, lesson_url, title, created_at, updated_at)"
        " VALUES (:id, :workspace_id, :url, 'Lids', now(), now())"
    )
    async with space.api.database.transaction() as connection:
        values = {"id": lesson_id, "workspace_id": workspace_id, "url": f"https://e.org/{lesson_id}"}
        await connection.execute(statement, values)
    return lesson_id


async def relayed(space: Space) -> None:
    platform = space.api.platform_of("maintenance")
    counts = await relay_outbox(platform, subscribers(modules(), platform))
    assert (counts["failed"], counts["dead"]) == (0, 0)


async def test_a_deleted_transcript_takes_its_segments_and_its_file_along(space: Space) -> None:
    transcript = await made(space)
    path = f"/api/transcripts/{transcript['id']}"

    taken(await space["admin"].delete(path, headers={"If-Match": "*"}), 204)
    await relayed(space)

    assert refusal(await space["viewer"].get(path)) == (404, "transcript_not_found")
    assert await keys(space) == []
    assert (await made(space))["id"] != transcript["id"]


async def test_a_deleted_workspace_takes_its_transcripts_along_and_no_others(space: Space) -> None:
    await made(space)
    stranger = space.people["stranger"]
    elsewhere = taken(await stranger.client.get(f"/api/user-profiles/{stranger.id}/workspaces"))["items"][0]["id"]
    body = {"workspace_id": elsewhere, "phrases": PHRASES}
    other = taken(await stranger.client.post("/api/transcripts", json=body), 201)
    services = space.api.platform_of("maintenance").get(TutorialsServices)
    await AsyncObjects(space.api.platform.settings.data_bucket).put(f"transcripts/{space.id}/left-behind", b"x")

    for _ in range(2):
        await forget_workspace(WorkspaceDeleted(UUID(space.id)), services)

    listed = taken(await space["viewer"].get("/api/transcripts", params={"workspace_id": space.id}))
    assert listed["items"] == []
    assert await keys(space) == [f"transcripts/{elsewhere}/{other['id']}"]


@pytest.mark.parametrize("role", ["stranger", "viewer", "editor", "admin"])
async def test_a_role_may_what_the_table_says_and_strangers_find_nothing(space: Space, role: str) -> None:
    transcript = await inline(space)
    path, match = f"/api/transcripts/{transcript['id']}", {"If-Match": "*"}
    client = space[role]
    upload = {"workspace_id": space.id, "size_bytes": 1, "sha256": "0" * 64}
    new = {"workspace_id": space.id, "phrases": [{**PHRASES[0], "display": role}]}

    reads = [await client.get(path), await client.get(f"{path}/segments"), await client.get(f"{path}/file")]
    listed = await client.get("/api/transcripts", params={"workspace_id": space.id})
    writes = [
        await client.post("/api/transcripts/uploads", json=upload),
        await client.post("/api/transcripts", json=new),
        await client.patch(path, json={"title": "x"}, headers=match),
    ]
    deleted = await client.delete(path, headers=match)

    if role == "stranger":
        assert {refusal(answer) for answer in (*reads, writes[2], deleted)} == {(404, "transcript_not_found")}
        assert {refusal(answer) for answer in (listed, *writes[:2])} == {(404, "workspace_not_found")}
        return
    assert [answer.status_code for answer in (*reads, listed)] == [200, 200, 303, 200]
    assert [answer.status_code for answer in writes] == ([403, 403, 403] if role == "viewer" else [201, 201, 200])
    assert deleted.status_code == (204 if role == "admin" else 403)


async def test_an_archived_workspace_is_read_only(space: Space) -> None:
    transcript = await inline(space)
    taken(await space["owner"].post(f"{space.path}/archive"))

    read = await space["editor"].get(f"/api/transcripts/{transcript['id']}")
    answers = [
        await space["editor"].post("/api/transcripts", json={"workspace_id": space.id, "phrases": PHRASES}),
        await space["editor"].patch(f"/api/transcripts/{transcript['id']}", json={}, headers={"If-Match": "*"}),
        await space["owner"].delete(f"/api/transcripts/{transcript['id']}", headers={"If-Match": "*"}),
    ]

    assert read.status_code == 200
    assert {refusal(answer) for answer in answers} == {(409, "workspace_archived")}


async def test_nobody_reads_names_or_texts_in_the_audit_log(space: Space) -> None:
    path = f"/api/transcripts/{(await inline(space))['id']}"
    taken(await space["editor"].patch(path, json={"speakers": {"Ana": "Zoe"}}, headers={"If-Match": "*"}))

    async with space.api.database.read_only() as connection:
        rows = await connection.exec_driver_sql(
            "SELECT action, after::text FROM platform.audit_log WHERE entity = 'transcript' ORDER BY id"
        )
        entries = [tuple(row) for row in rows]

    assert [action for action, _ in entries] == ["transcript.created", "transcript.changed"]
    assert not any(word in after for _, after in entries for word in ("Ana", "Zoe", "lid"))
