"""Items 38 to 40 of the checklist: attachments and signatures, and how real clients send them."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.parser import BytesParser
from typing import Any
from uuid import uuid4

import httpx
import jwt
import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.builders.statements import statement
from tests.integration.lrs.checklist.conftest import Spoken

BYTES = bytes(range(256)) + b"\r\n--x\r\n\r\n"
SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"


def described(content: bytes, **changes: Any) -> dict[str, Any]:
    """The attachment of a statement."""
    return {
        "usageType": "https://example.org/usage/certificate",
        "display": {"en-US": "Certificate"},
        "contentType": "application/octet-stream",
        "length": len(content),
        "sha2": hashlib.sha256(content).hexdigest(),
        **changes,
    }


def with_attachment(content: bytes, **changes: Any) -> dict[str, Any]:
    """A statement with one."""
    return statement(id=str(uuid4()), attachments=[described(content, **changes)])


def part(content: bytes, **headers: str) -> bytes:
    """The part of an attachment; a header of "" is left out."""
    given = {
        "Content-Type": "application/octet-stream",
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": hashlib.sha256(content).hexdigest(),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return head.encode() + b"\r\n" + content


def first_part(body: Any, head: str = "Content-Type: application/json\r\n") -> bytes:
    """The part with the statements."""
    return head.encode() + b"\r\n" + orjson.dumps(body)


def mixed(*parts: bytes, boundary: str = "abc") -> bytes:
    """A whole body."""
    return b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), item) for item in parts) + f"--{boundary}--\r\n".encode()


async def post(
    store: Spoken, content: bytes, content_type: str = "multipart/mixed; boundary=abc", **given: Any
) -> httpx.Response:
    """Send a body and load it."""
    headers = {**store.headers, "Content-Type": content_type}
    answer = await store.records.lms.request(
        given.get("method", "POST"), "/xapi/statements", params=given.get("params"), content=content, headers=headers
    )
    await store.records.deliver()
    return answer


def parts_of(answer: httpx.Response) -> list[Message]:
    """The parts of an answer."""
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    whole = BytesParser().parsebytes(head + answer.content)
    return [item for item in whole.get_payload() if isinstance(item, Message)]


@pytest.mark.parametrize("content_type", ["multipart/mixed; boundary=abc", 'Multipart/Mixed;boundary="abc"'])
async def test_item_38_and_39_attachments_come_back_byte_by_byte(store: Spoken, content_type: str) -> None:
    first, second = with_attachment(BYTES), with_attachment(BYTES)
    sent = await post(store, mixed(first_part([first, second]), part(BYTES)), content_type)

    answer = await store.get(attachments=True)
    without = await store.get(attachments=False)

    assert sent.json() == [first["id"], second["id"]]
    assert answer.headers["content-type"].startswith("multipart/mixed")
    json, data = parts_of(answer)
    assert [item["id"] for item in orjson.loads(json.get_payload(decode=True))["statements"]] == [
        second["id"],
        first["id"],
    ]
    assert answer.content.count(BYTES) == 1
    assert data["X-Experience-API-Hash"] == hashlib.sha256(BYTES).hexdigest()
    assert data["Content-Transfer-Encoding"] == "binary"
    assert without.headers["content-type"] == "application/json"


async def test_item_38_put_takes_attachments_too_and_one_statement_is_read_with_its_own(store: Spoken) -> None:
    first = with_attachment(BYTES)
    disposition = 'Content-Disposition: form-data; name="statement"\r\nContent-Type: application/json\r\n'
    content = mixed(first_part(first, disposition), part(BYTES))
    answer = await post(store, content, method="PUT", params={"statementId": first["id"]})

    found = await store.get(statementId=first["id"], attachments=True)

    assert answer.status_code == 204
    assert orjson.loads(parts_of(found)[0].get_payload(decode=True))["id"] == first["id"]
    assert BYTES in found.content


async def test_item_38_bytes_are_taken_as_they_come_whatever_the_length_says(store: Spoken) -> None:
    padded = "Grüße".encode() + b"\0\0\0"
    answer = await post(store, mixed(first_part(with_attachment(padded, length=3)), part(padded)))

    assert answer.status_code == 200


@pytest.mark.parametrize("algorithm", ["sha224", "sha384", "sha512"])
async def test_item_38_every_sha2_counts_in_either_letter_case(store: Spoken, algorithm: str) -> None:
    digest = hashlib.new(algorithm, BYTES).hexdigest()
    first = with_attachment(BYTES, sha2=digest.upper())

    answer = await post(store, mixed(first_part(first), part(BYTES, X_Experience_API_Hash=digest)))

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        mixed(first_part(with_attachment(BYTES)), part(BYTES), part(b"nobody's")),
        mixed(first_part(with_attachment(BYTES))),
        mixed(first_part(with_attachment(BYTES)), part(BYTES, X_Experience_API_Hash="")),
        mixed(first_part(with_attachment(BYTES)), part(BYTES, X_Experience_API_Hash="0" * 64)),
        mixed(first_part(with_attachment(BYTES)), part(BYTES, Content_Transfer_Encoding="")),
        mixed(first_part(with_attachment(BYTES)), part(BYTES, Content_Transfer_Encoding="base64")),
        mixed(first_part(statement(), "Content-Type: text/plain\r\n")),
        mixed(b"Content-Type application/json\r\n\r\n{}"),
        mixed(b"no head"),
        mixed(first_part(statement()), boundary="other"),
        mixed(first_part(statement())).removesuffix(b"--\r\n"),
        b"",
    ],
)
async def test_item_38_a_body_that_does_not_fit_together_is_refused(store: Spoken, content: bytes) -> None:
    answer = await post(store, content)

    assert answer.status_code == 400
    assert answer.json()["code"] in ("attachment_invalid", "invalid_statements", "unsupported_statement_body")
    assert await store.ids() == []


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=abc", "multipart/mixed", 'multipart/mixed; boundary="<>"']
)
async def test_item_38_other_types_and_no_boundary_are_refused(store: Spoken, content_type: str) -> None:
    answer = await post(store, mixed(first_part(statement())), content_type)

    assert answer.status_code == 400


async def test_item_38_parts_need_no_attachment_and_a_file_url_needs_no_part(store: Spoken) -> None:
    elsewhere = with_attachment(BYTES, fileUrl="https://files.example.org/1.pdf")

    alone = await post(store, mixed(first_part(statement())))
    linked = await post(store, mixed(first_part(elsewhere)))
    as_json = await store.send(with_attachment(BYTES, fileUrl="https://files.example.org/1.pdf"))

    assert [alone.status_code, linked.status_code, as_json.status_code] == [200, 200, 200]
    answer = await store.get(attachments=True)
    assert len(parts_of(answer)) == 1


async def test_item_39_a_page_with_attachments_ends_where_an_answer_must(store: Spoken) -> None:
    for number in range(2):
        content = bytes([number]) * 3_000_000
        await post(store, mixed(first_part(with_attachment(content)), part(content)))

    first = await store.get(attachments=True)
    more = orjson.loads(parts_of(first)[0].get_payload(decode=True))["more"]
    second = await store.records.lms.get(more, headers=store.headers)

    assert [b"\1" * 3_000_000 in first.content, b"\0" * 3_000_000 in first.content] == [True, False]
    assert b"\0" * 3_000_000 in second.content


async def test_to_know_a_hash_is_not_enough_to_read_what_others_sent(store: Spoken) -> None:
    await post(store, mixed(first_part(with_attachment(BYTES)), part(BYTES)))
    auth = await store.records.credential(scopes=("statements/write", "statements/read/mine"))
    named = with_attachment(BYTES, fileUrl="https://files.example.org/1.pdf")
    await store.records.lms.post("/xapi/statements", json=named, headers=store.headers, auth=auth)

    answer = await store.records.lms.get(
        "/xapi/statements", params={"statementId": named["id"], "attachments": "true"}, headers=store.headers, auth=auth
    )

    assert answer.status_code == 200
    assert BYTES not in answer.content


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: rsa.RSAPrivateKey) -> str:
    """A certificate of the key as `x5c` has it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return base64.b64encode(dated.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)).decode()


def signed(
    said: dict[str, Any],
    payload: Any,
    *,
    algorithm: str = "RS256",
    head: Mapping[str, Any] | None = None,
    **changes: Any,
) -> bytes:
    """A body of a statement with its signature."""
    content = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    key: Any = KEY if algorithm.startswith("RS") else "a secret that is shared and long enough"
    token = jwt.api_jws.encode(content, key, algorithm, headers=dict(head or {})).encode()
    made = {**said, "attachments": [described(token, usageType=SIGNATURE, **changes)]}
    return mixed(first_part(made), part(token))


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
async def test_item_40_a_signed_statement_is_stored(store: Spoken, algorithm: str) -> None:
    said = statement(id=str(uuid4()), result={"duration": "PT1.234S"})
    payload = {**said, "result": {"duration": "PT1.23S"}}
    chain = {"x5c": [certificate(KEY)]}

    plain = await post(store, signed(said, payload, algorithm=algorithm))
    again = {**said, "id": str(uuid4())}
    certified = await post(store, signed(again, again, algorithm=algorithm, head=chain))

    assert [plain.status_code, certified.status_code] == [200, 200], plain.text + certified.text


@pytest.mark.parametrize(
    "content",
    [
        signed(statement(), statement(), algorithm="HS256"),
        signed(statement(), statement(), contentType="text/plain"),
        signed(statement(), statement(result={"success": True})),
        signed(statement(), b"{'actor'"),
        signed(statement(), b"[]"),
        signed(statement(), statement(), head={"x5c": [certificate(OTHER_KEY)]}),
        signed(statement(), statement(), head={"x5c": ["!"]}),
        signed(statement(), statement(), head={"x5c": []}),
        mixed(
            first_part(statement(attachments=[described(b"not.a.token", usageType=SIGNATURE)])), part(b"not.a.token")
        ),
    ],
)
async def test_item_40_a_signature_that_is_none_of_the_statement_is_refused(store: Spoken, content: bytes) -> None:
    answer = await post(store, content)

    assert (answer.status_code, answer.json()["code"]) == (400, "statement_signature_invalid")
    assert answer.json()["errors"][0]["pointer"] == "/attachments/0"
    assert await store.ids() == []


async def test_item_40_a_signature_travels_with_its_statement(store: Spoken) -> None:
    answer = await store.send(
        statement(attachments=[described(b"x", usageType=SIGNATURE, fileUrl="https://example.org/signature")])
    )

    assert answer.status_code == 400
