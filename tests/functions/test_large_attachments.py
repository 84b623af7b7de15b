"""An attachment above what API Gateway and Lambda can carry: refused by the deployed stack with the way to send it."""

import hashlib
from urllib.parse import urljoin
from uuid import uuid4

import httpx
import pytest

from tests.builders.deployed import told
from tests.builders.statements import statement

pytestmark = pytest.mark.build
DATA = b"\x89video" * 800_000


def test_the_refusal_of_a_large_attachment_leads_to_where_it_is_read(lms: httpx.Client) -> None:
    sha2 = hashlib.sha256(DATA).hexdigest()
    described = {
        "usageType": "https://example.org/usage/recording",
        "display": {"en-US": "Recording"},
        "contentType": "video/mp4",
        "length": len(DATA),
        "sha2": sha2,
    }
    made = statement(id=str(uuid4()), attachments=[described])
    mixed = {"Content-Type": "multipart/mixed; boundary=abc"}

    refused = told(lms.post("/statements", content=DATA, headers=mixed), 413)
    uploads = urljoin(str(lms.base_url), refused["uploads"])
    way = told(lms.post(uploads, json={"sha2": sha2, "length": len(DATA), "contentType": "video/mp4"}), 201)["upload"]
    assert httpx.put(way["url"], content=DATA, headers=way["headers"], timeout=60).status_code == 200
    told(lms.post("/statements", json=made))

    read = told(lms.get("/statements", params={"statementId": made["id"]}))
    found = lms.get(read["attachments"][0]["fileUrl"])
    assert found.status_code == 307
    assert httpx.get(found.headers["location"], timeout=60).content == DATA
    whole = lms.get("/statements", params={"statementId": made["id"], "attachments": "true"})
    assert (whole.status_code, b"X-Experience-API-Hash" in whole.content) == (200, False)
    assert sha2.encode() in whole.content
