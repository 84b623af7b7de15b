"""Journey 2 up to the preview: a roster is uploaded, imported on a branch, compared with main, and exported."""

import hashlib
from secrets import token_hex

import httpx
import pytest

from infra.local.stack import LocalStack
from tests.builders.deployed import Eventually, finished, told, uploaded

pytestmark = pytest.mark.build

FIRST = b"student,section,status\n" + b"".join(b"S%04d,A,active\n" % n for n in range(2000))
SECOND = FIRST.replace(b"S0007,A,active", b"S0007,B,active").replace(b"S0008,A,active\n", b"") + b"S9999,C,active\n"


def test_a_roster_is_uploaded_imported_on_a_branch_compared_and_exported(
    stack: LocalStack, admin: httpx.Client, http: httpx.Client, eventually: Eventually
) -> None:
    dataset = told(admin.post("/api/datasets", json={"name": f"Roster {token_hex(4)}", "tags": ["roster"]}), 201)["id"]
    finished(admin, uploaded(admin, dataset, "main", FIRST, key=["student"]), eventually)
    told(admin.post(f"/api/datasets/{dataset}/refs", json={"name": "autumn"}), 201)

    imported = finished(admin, uploaded(admin, dataset, "autumn", SECOND, key=["student"]), eventually)

    compared = told(admin.get(f"/api/datasets/{dataset}/compare", params={"base": "main", "head": "autumn"}))
    assert imported["output_summary"]["updated_ref"] == "autumn"
    assert compared["sheets"][0]["counts"] == {"inserted": 1, "updated": 1, "deleted": 1}
    updated = next(row for row in compared["rows"] if row["kind"] == "updated")
    assert (updated["before"]["section"], updated["after"]["section"]) == ("A", "B")

    where = {"column": "section", "op": "neq", "value": "A"}
    waiting = told(admin.post(f"/api/datasets/{dataset}/refs/autumn/exports", json={"filter": where}), 202)
    link = finished(admin, waiting, eventually)["download_url"]
    assert http.get(link).content == b"student,section,status\nS0007,B,active\nS9999,C,active\n"

    counted = {"sql": "SELECT section, count(*) AS n FROM data GROUP BY section ORDER BY section"}
    answer = told(admin.post(f"/api/datasets/{dataset}/refs/autumn/sql", json=counted))
    assert answer["rows"] == [["A", 1998], ["B", 1], ["C", 1]]


def test_an_import_that_was_overtaken_says_which_commits_met(
    admin: httpx.Client, http: httpx.Client, eventually: Eventually
) -> None:
    dataset = told(admin.post("/api/datasets", json={"name": f"Roster {token_hex(4)}"}), 201)["id"]
    path = f"/api/datasets/{dataset}"
    finished(admin, uploaded(admin, dataset, "main", FIRST, key=["student"]), eventually)
    seen = told(admin.get(f"{path}/refs/main"))["commit_id"]
    body = {"file_name": "late.csv", "size_bytes": len(SECOND), "import": {"key": ["student"]}}
    upload = told(admin.post(f"{path}/refs/main/uploads", json=body), 201)
    change = {"message": "meanwhile", "operations": [{"op": "delete", "key": {"student": "S0001"}}]}
    moved = told(admin.post(f"{path}/refs/main/commits", json=change, headers={"If-Match": f'"{seen}"'}), 201)

    checksum = hashlib.sha256(SECOND).hexdigest()
    parts = {"parts": [{"number": 1, "sha256": checksum}]}
    part = told(admin.post(f"{path}/uploads/{upload['id']}/parts", json=parts))["parts"][0]
    assert http.put(part["url"], content=SECOND, headers=part["headers"]).status_code == 200
    job = told(admin.post(f"{path}/uploads/{upload['id']}/complete"), 202)

    eventually(lambda: told(admin.get(f"{path}/jobs/{job['id']}"))["status"] == "failed", "the import is refused")
    error = told(admin.get(f"{path}/jobs/{job['id']}"))["error"]
    assert (error["status"], error["code"]) == (409, "ref_moved")
    assert error["facts"] == {"ref": "main", "expected_commit": seen, "current_commit": moved["new_commit_id"]}
    assert told(admin.get(f"{path}/refs/main"))["commit_id"] == moved["new_commit_id"]
