"""Imports: of files with good and bad lines, of exports, and of other stores by their API."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from dataforge.contexts.lrs.contract import StatementImportEnded
from dataforge.contexts.lrs.imports import consumers
from dataforge.kernel.principal import Role
from dataforge.platform.aws.s3 import AsyncObjects
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.worker import Done
from tests.builders.desk import RecordsDesk
from tests.builders.emulator import EmulatedAws
from tests.builders.events import published
from tests.builders.statements import full_statement, statement

ADA, BOB = {"mbox": "mailto:ada@example.org"}, {"mbox": "mailto:bob@example.org"}
OLD = "2021-02-03T04:05:06.000001Z"
VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}


@pytest.fixture
async def desk(database: Database, emulator: EmulatedAws) -> AsyncIterator[RecordsDesk]:
    async with RecordsDesk(database, emulator) as desk:
        yield desk


def lines_of(*given: Any) -> bytes:
    return b"".join((item if isinstance(item, bytes) else json.dumps(item).encode()) + b"\n" for item in given)


async def uploaded(desk: RecordsDesk, data: bytes) -> str:
    announced = {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    upload = await desk.post("/api/xapi/imports/uploads", 201, **announced)
    request = Request(upload["url"], data=data, method="PUT", headers=upload["headers"])
    with await asyncio.to_thread(urlopen, request, timeout=30) as answer:
        assert answer.status == 200
    return str(upload["upload_key"])


async def imported(desk: RecordsDesk, data: bytes) -> dict[str, Any]:
    job = await desk.post("/api/xapi/imports", 202, upload_key=await uploaded(desk, data))
    return await desk.result(job["job_id"])


async def stored(desk: RecordsDesk) -> list[dict[str, Any]]:
    rows = await desk.store.rows("SELECT payload FROM lrs.statements ORDER BY stored_at, statement_id")
    return [row.payload for row in rows]


async def emptied(desk: RecordsDesk) -> None:
    for table in (
        *("records.statements_raw", "records.statements_flat", "records.statement_voids", "records.statement_claims"),
        *("lrs.statement_bodies", "lrs.statement_keys", "lrs.statement_references", "lrs.activities"),
    ):
        await desk.store.change(f"DELETE FROM {table}")


async def test_an_export_imported_into_an_empty_store_is_the_same_store(desk: RecordsDesk) -> None:
    (first, *_) = await desk.sent({"actor": ADA}, full_statement(), {"actor": BOB}, stored=OLD)
    reference = {"objectType": "StatementRef", "id": first}
    await desk.sent(
        {"actor": BOB, "verb": VOIDED, "object": reference}, {"actor": BOB, "object": reference}, stored=OLD
    )
    # What is stored at a time says so: the tests moved it.
    await desk.store.change(
        "UPDATE lrs.statement_bodies SET payload = jsonb_set(payload, '{stored}', to_jsonb(to_char("
        "stored_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')))"
    )
    before, listed, hers = await stored(desk), await desk.ids(), await desk.ids(agent=json.dumps(ADA))
    job = await desk.post("/api/xapi/exports", 202, voided=True, gzip=True)
    await desk.result(job["job_id"])
    (file,) = await AsyncObjects(desk.store.bucket).oldest("exports/", limit=2)
    data = await AsyncObjects(desk.store.bucket).get(file.key)
    await emptied(desk)

    result = await imported(desk, data)

    assert (result["new"], result["bad"], result["problems"]) == (5, 0, [])
    assert await stored(desk) == before
    assert await desk.ids() == listed
    assert await desk.ids(agent=json.dumps(ADA)) == hers
    assert (await desk.store.rows("SELECT count(*) FROM lrs.statement_bodies_default"))[0][0] == 0
    again = await imported(desk, data)
    assert (again["new"], again["known"], again["conflicts"]) == (0, 5, 0)
    assert await stored(desk) == before


async def test_bad_lines_are_named_and_kept_and_the_others_are_imported(desk: RecordsDesk) -> None:
    good = [statement(id=str(uuid4()), stored=OLD) for _ in range(2)]
    data = lines_of(good[0], b"{", b"", statement(verb={"id": "no"}, stored=OLD), good[1])

    result = await imported(desk, data)

    assert {name: result[name] for name in ("lines", "new", "bad")} == {"lines": 5, "new": 2, "bad": 2}
    assert [(item["line"], item["code"], item["pointer"]) for item in result["problems"]] == [
        (2, "bad_line", None),
        (4, "bad_line", "/verb/id"),
    ]
    entries = await desk.store.rows("SELECT error, s3_key FROM records.quarantine ORDER BY received_at")
    assert [entry.error.split(" of ")[0] for entry in entries] == ["Line 2", "Line 4"]
    assert await AsyncObjects(desk.store.bucket).get(entries[0].s3_key) == b"{"


async def test_an_id_with_another_content_is_reported_and_stays_what_it_is(desk: RecordsDesk) -> None:
    (known,) = await desk.sent({"actor": ADA}, stored=OLD)

    result = await imported(desk, lines_of(statement(actor=BOB, id=known, stored=OLD)))

    assert (result["new"], result["known"], result["conflicts"]) == (0, 0, 1)
    assert [(item["line"], item["code"]) for item in result["problems"]] == [(1, "conflict")]
    assert (await stored(desk))[0]["actor"] == ADA


async def test_a_statement_that_was_accepted_and_waits_keeps_its_id(desk: RecordsDesk) -> None:
    taken, free = str(uuid4()), str(uuid4())
    assert (await desk.store.post([statement(actor=ADA, id=taken)])).status_code == 200

    result = await imported(desk, lines_of(*(statement(actor=BOB, id=item, stored=OLD) for item in (taken, free))))

    assert (result["new"], result["conflicts"], result["problems"][0]["line"]) == (1, 1, 1)
    await desk.store.deliver()
    assert [(item["id"], item["actor"]) for item in await stored(desk)] == [(free, BOB), (taken, ADA)]
    assert [str(row.statement_id) for row in await desk.store.rows("SELECT * FROM records.statement_claims")] == [taken]


async def test_an_id_in_several_lines_is_counted_line_by_line(desk: RecordsDesk) -> None:
    first = statement(actor=ADA, id=str(uuid4()), stored=OLD)
    other, third = ({**first, "actor": BOB}, {**first, "result": {"success": True}})
    taken = (await desk.sent({"actor": BOB}, stored=OLD))[0]

    result = await imported(desk, lines_of(first, first, other, third, other, *[{**first, "id": taken}] * 2))

    counts = {name: result[name] for name in ("lines", "new", "known", "conflicts", "bad")}
    assert counts == {"lines": 7, "new": 1, "known": 1, "conflicts": 5, "bad": 0}
    assert [item["line"] for item in result["problems"]] == [3, 4, 5, 6, 7]


async def test_an_import_that_pauses_goes_on_behind_its_last_batch(
    desk: RecordsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "BATCH", 2)
    data = gzip.compress(lines_of(*(statement(id=str(uuid4()), stored=OLD) for _ in range(5))))
    job = await desk.post("/api/xapi/imports", 202, upload_key=await uploaded(desk, data))

    done = [await desk.do(job["job_id"], pause_after_seconds=0) for _ in range(4)]

    assert done == [Done.PAUSED] * 3 + [Done.ENDED]
    assert (await desk.job(job["job_id"]))["output_summary"]["new"] == 5
    assert len(await stored(desk)) == 5


async def test_a_statement_that_the_database_refuses_stands_alone(desk: RecordsDesk) -> None:
    huge = json.dumps(statement(id=str(uuid4()), stored=OLD, result={"score": {"raw": 0}})).replace(
        '"raw": 0', f'"raw": 1{"0" * 200_000}'
    )
    data = lines_of(statement(id=str(uuid4()), stored=OLD), huge.encode(), statement(id=str(uuid4()), stored=OLD))

    result = await imported(desk, data)

    assert (result["new"], result["bad"], [item["line"] for item in result["problems"]]) == (2, 1, [2])


async def test_erased_people_are_not_brought_back(desk: RecordsDesk) -> None:
    plan = await desk.post("/api/xapi/erasures/preview", 200, agents=[ADA])
    await desk.result((await desk.post("/api/xapi/erasures", 202, plan_hash=plan["plan_hash"]))["job_id"])

    twice = str(uuid4())
    lines = [statement(actor=BOB, id=twice, stored=OLD), statement(actor=ADA, id=twice, stored=OLD)]
    hers = statement(actor=ADA, id=str(uuid4()), stored=OLD)
    result = await imported(desk, lines_of(hers, *lines))
    again = await imported(desk, lines_of(hers))

    assert (result["new"], result["conflicts"], again["known"]) == (2, 1, 1)
    assert "ada@" not in json.dumps(await stored(desk))
    (entry,) = await desk.store.rows("SELECT s3_key FROM records.quarantine")
    assert b"ada@" not in await AsyncObjects(desk.store.bucket).get(entry.s3_key)


async def test_an_upload_of_somebody_else_or_of_nobody_is_refused(desk: RecordsDesk) -> None:
    key = await uploaded(desk, b"{}\n")
    other = await desk.api.as_role(Role.ADMIN)
    assert (await other.post("/api/xapi/imports", json={"upload_key": key})).json()["code"] == "import_unreadable"
    registrar = await desk.api.as_role(Role.REGISTRAR)
    assert (await registrar.post("/api/xapi/imports", json={"upload_key": key})).status_code == 403
    announced = await desk.post("/api/xapi/imports/uploads", 201, size_bytes=3, sha256="0" * 64)
    job = await desk.post("/api/xapi/imports", 202, upload_key=announced["upload_key"])

    await desk.do(job["job_id"])

    assert (await desk.job(job["job_id"]))["error"]["code"] == "import_unreadable"
    [ended] = await published(desk.store.database, StatementImportEnded)
    assert (str(ended.job_id), ended.new) == (job["job_id"], 0)
    assert ended.error


class OtherStore:
    """A record store of others, on this machine: pages of two statements, and what it was asked."""

    def __init__(self, statements: list[dict[str, Any]]) -> None:
        self.statements, self.asked, self.failing, self.forgetful = statements, list[str](), 0, False

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        if authorization != "Basic a2V5OnNlY3JldA==":
            return 401, {}
        if self.failing:
            self.failing -= 1
            return 503, {}
        if "page" in query and self.forgetful:
            return 404, {}
        since, start = query.get("since", ""), int(query.get("page", 0))
        found = [item for item in self.statements if item["stored"] > since]
        more = f"/other/statements?page={start + 2}" if start + 2 < len(found) else ""
        return 200, {"statements": found[start : start + 2], "more": more}


@contextmanager
def served(store: OtherStore) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = store.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/other"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def theirs(count: int) -> list[dict[str, Any]]:
    authority = {"objectType": "Agent", "mbox": "mailto:other@example.org"}
    return [
        statement(
            id=str(uuid4()), stored=f"2022-01-0{n + 1}T00:00:00Z", timestamp=OLD, authority=authority, version="1.0.0"
        )
        for n in range(count)
    ]


async def test_another_store_is_read_page_by_page_and_its_secret_is_nowhere(desk: RecordsDesk) -> None:
    other = OtherStore(theirs(5))
    with served(other) as endpoint:
        asked = {"endpoint": endpoint, "username": "key", "password": "secret"}
        job = await desk.post("/api/xapi/imports/stores", 202, **asked)
        rows = str(
            await desk.store.rows(
                "SELECT row_to_json(j)::text, a.after::text FROM platform.jobs j, platform.audit_log a"
            )
        )
        assert "secret" not in rows.replace("secret_", "")
        result = await desk.result(job["job_id"])

    assert (result["new"], len(other.asked)) == (5, 3)
    assert await stored(desk) == other.statements
    job_now = json.dumps(await desk.job(job["job_id"]))
    assert "secret" not in job_now
    assert '"key"' not in job_now


async def test_another_store_that_is_away_or_forgets_its_pages_is_read_on_where_it_was(desk: RecordsDesk) -> None:
    other = OtherStore(theirs(5))
    with served(other) as endpoint:
        asked = {"endpoint": endpoint, "username": "key", "password": "secret"}
        job = (await desk.post("/api/xapi/imports/stores", 202, **asked))["job_id"]
        assert await desk.do(job, pause_after_seconds=0) is Done.PAUSED
        other.failing = 1
        assert await desk.do(job) is Done.AGAIN
        other.forgetful = True
        done = [await desk.do(job, pause_after_seconds=0) for _ in range(5)]
        assert done[-1] is Done.ENDED

    assert await stored(desk) == other.statements
    assert any("since=" in path for path in other.asked)


async def test_another_store_that_refuses_is_reported_and_a_private_address_is_not_asked(desk: RecordsDesk) -> None:
    with served(OtherStore([])) as endpoint:
        asked = {"endpoint": endpoint, "username": "key", "password": "wrong"}
        job = await desk.post("/api/xapi/imports/stores", 202, **asked)
        await desk.do(job["job_id"])
    error = (await desk.job(job["job_id"]))["error"]
    assert (error["code"], error["facts"]) == ("other_store_refused", {"status": 401})

    answer = await desk.admin.post("/api/xapi/imports/stores", json={**asked, "endpoint": "https://10.0.0.1/xapi"})

    assert (answer.status_code, answer.json()["code"]) == (400, "other_store_refused")
