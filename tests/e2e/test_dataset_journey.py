"""What an analyst does with a dataset, through the deployed stack: a large file, and a change by review."""

from secrets import token_hex

import httpx
import pytest

from tests.builders.deployed import Eventually, finished, told, uploaded

pytestmark = pytest.mark.build


def dataset_of(admin: httpx.Client) -> str:
    return str(told(admin.post("/api/datasets", json={"name": f"Journey {token_hex(4)}"}), 201)["id"])


def test_a_large_file_comes_out_as_it_went_in(admin: httpx.Client, eventually: Eventually) -> None:
    rows, tale = 400_000, "and more of it" + "." * 50

    def remark(n: int) -> str:
        return f'{n % 977}, says "{n * 7919 % 10_007}"\r\n{tale}'

    lines = ('{},"{}",{}\n'.format(n, remark(n).replace('"', '""'), n % 1000 / 8) for n in range(rows))
    data = "".join(("id,remark,score\n", *lines)).encode()
    dataset = dataset_of(admin)

    job = finished(admin, uploaded(admin, dataset, "main", data, name="large.csv", key=["id"]), eventually)

    page = told(admin.get(f"/api/datasets/{dataset}/refs/main/data", params={"offset": rows - 2, "limit": 10}))
    assert job["output_summary"]["report"]["notes"] == []
    assert page["total_rows"] == rows
    last = rows - 1
    assert page["rows"][-1]["data"] == {"id": last, "remark": remark(last), "score": last % 1000 / 8}


def test_a_change_is_proposed_checked_approved_merged_exported_and_imported_again(
    admin: httpx.Client, http: httpx.Client, eventually: Eventually
) -> None:
    data = b"id,name,score\n" + b"".join(b"%d,Person %d,%d\n" % (n, n, n % 100) for n in range(5000))
    dataset = dataset_of(admin)
    path = f"/api/datasets/{dataset}"
    finished(admin, uploaded(admin, dataset, "main", data, key=["id"]), eventually)
    told(admin.put(f"{path}/refs/main/protection", json={"protected": True, "required_approvals": 0}))
    rule = {"name": "score", "rule": "range", "columns": ["score"], "parameters": {"min": 0, "max": 100}}
    told(admin.post(f"{path}/expectations", json=rule), 201)
    start = told(admin.post(f"{path}/refs", json={"name": "fix"}), 201)["commit_id"]

    def correct(ref: str, at: str, score: int) -> httpx.Response:
        operation = {"op": "update", "key": {"id": 7}, "values": {"score": score}}
        body = {"message": "corrected", "operations": [operation]}
        return admin.post(f"{path}/refs/{ref}/commits", json=body, headers={"If-Match": f'"{at}"'})

    direct = correct("main", start, 99)
    wrong = told(correct("fix", start, 101), 201)["new_commit_id"]
    review = told(admin.post(f"{path}/reviews", json={"title": "A score", "source_ref": "fix"}), 201)
    refused = admin.post(f"{path}/reviews/{review['number']}/merge", json={})
    told(correct("fix", wrong, 99), 201)
    merged = told(admin.post(f"{path}/reviews/{review['number']}/merge", json={}), 201)

    assert (direct.status_code, direct.json()["code"]) == (423, "ref_protected")
    assert (refused.status_code, refused.json()["code"]) == (409, "review_incomplete")
    assert merged["updated_ref"] == "main"
    rows = told(admin.get(f"{path}/refs/main/data", params={"offset": 7, "limit": 1}))["rows"]
    assert rows[0]["data"] == {"id": 7, "name": "Person 7", "score": 99}
    export = told(admin.post(f"{path}/refs/main/exports", json={"format": "parquet"}), 202)
    file = http.get(finished(admin, export, eventually)["download_url"]).content
    again = dataset_of(admin)
    finished(admin, uploaded(admin, again, "main", file, name="again.parquet", key=["id"]), eventually)
    hashes = [
        told(admin.get(f"/api/datasets/{which}/refs/main/history"))["commits"][0]["content_hash"]
        for which in (dataset, again)
    ]
    assert hashes[0] == hashes[1]
