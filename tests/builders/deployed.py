"""Calls of the deployed API that several journeys make."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import httpx

Eventually = Callable[..., None]


def told(answer: httpx.Response, status: int = 200) -> Any:
    """The JSON of an answer that must have this status."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def uploaded(
    admin: httpx.Client, dataset: str, ref: str, data: bytes, *, name: str = "roster.csv", **options: Any
) -> dict[str, Any]:
    """The file in presigned parts, as a browser sends it; the job that S3's notice starts."""
    body = {"file_name": name, "size_bytes": len(data), "import": options}
    upload = told(admin.post(f"/api/datasets/{dataset}/refs/{ref}/uploads", json=body), 201)
    path, size = f"/api/datasets/{dataset}/uploads/{upload['id']}", upload["part_size"]
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    sums = [base64.b64encode(hashlib.sha256(part).digest()).decode() for part in parts]
    asked = {"parts": [{"number": number, "sha256": value} for number, value in enumerate(sums, 1)]}
    for part, content in zip(told(admin.post(f"{path}/parts", json=asked))["parts"], parts, strict=True):
        assert httpx.put(part["url"], content=content, headers=part["headers"], timeout=60).status_code == 200
    job: dict[str, Any] = told(admin.post(f"{path}/complete"), 202)
    return job


def finished(admin: httpx.Client, job: dict[str, Any], eventually: Eventually) -> dict[str, Any]:
    """The job when it is completed."""
    path = f"/api/datasets/{job['dataset_id']}/jobs/{job['id']}"
    eventually(lambda: told(admin.get(path))["status"] in ("completed", "failed"), f"the {job['run_type']} ends")
    done: dict[str, Any] = told(admin.get(path))
    assert done["status"] == "completed", done["error"]
    return done
