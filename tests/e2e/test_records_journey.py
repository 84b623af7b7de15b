"""Records are kept and forgotten through the deployed stack: imported, exported, a person erased, and purged."""

import hashlib
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders.deployed import Eventually, told
from tests.builders.statements import statement

pytestmark = pytest.mark.build


def ended(admin: httpx.Client, job_id: str, eventually: Eventually) -> dict[str, Any]:
    """The job when it is completed."""
    path = f"/api/jobs/{job_id}"
    eventually(lambda: told(admin.get(path))["status"] in ("completed", "failed"), "the job ends")
    job: dict[str, Any] = told(admin.get(path))
    assert job["status"] == "completed", job
    return job


def applied(admin: httpx.Client, path: str, eventually: Eventually, **asked: Any) -> dict[str, Any]:
    """The job of a plan that was previewed and applied."""
    plan = told(admin.post(f"{path}/preview", json=asked))
    job = told(admin.post(path, json={"plan_hash": plan["plan_hash"]}), 202)
    return ended(admin, job["job_id"], eventually)


def exported(admin: httpx.Client, verb: str, eventually: Eventually) -> list[Any]:
    """The statements of an export, downloaded."""
    job = told(admin.post("/api/xapi/exports", json={"verb": verb}), 202)
    link = ended(admin, job["job_id"], eventually)["download_url"]
    return [json.loads(line) for line in httpx.get(link, timeout=60).content.splitlines()]


def test_records_come_in_go_out_and_are_forgotten(admin: httpx.Client, eventually: Eventually) -> None:
    verb, person = f"https://e.org/verbs/{uuid4()}", {"mbox": f"mailto:{uuid4()}@example.org"}
    authority = {"objectType": "Agent", "mbox": "mailto:old-lrs@example.org"}
    given = [
        statement(
            id=str(uuid4()),
            actor={"objectType": "Agent", **person},
            verb={"id": verb},
            stored=f"2020-05-06T07:08:09.{number:06}Z",
            timestamp="2020-05-06T07:08:00Z",
            authority=authority,
            version="1.0.0",
        )
        for number in range(300)
    ]
    data = b"\n".join(json.dumps(item).encode() for item in given) + b"\nno statement\n"

    announced = {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    upload = told(admin.post("/api/xapi/imports/uploads", json=announced), 201)
    assert httpx.put(upload["url"], content=data, headers=upload["headers"], timeout=60).status_code == 200
    job = told(admin.post("/api/xapi/imports", json={"upload_key": upload["upload_key"]}), 202)
    report = ended(admin, job["job_id"], eventually)["output_summary"]
    assert (report["new"], report["bad"], report["problems"][0]["line"]) == (300, 1, 301)
    assert exported(admin, verb, eventually) == given

    erased = applied(admin, "/api/xapi/erasures", eventually, agents=[person])
    assert erased["output_summary"]["statements"] == 300
    left = exported(admin, verb, eventually)
    assert [item["id"] for item in left] == [item["id"] for item in given]
    assert person["mbox"] not in json.dumps(left)

    purged = applied(admin, "/api/xapi/purges", eventually, verb=verb)
    assert purged["output_summary"]["statements"] == 300
    assert exported(admin, verb, eventually) == []
