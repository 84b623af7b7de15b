"""Headers, versions, credentials and CORS of the xAPI resources."""

import base64
from uuid import uuid4

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from dataforge.contexts.identity.tables import personal_tokens
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.contexts.identity.xapi_credentials.commands import RevokeXapiCredential, revoke_xapi_credential
from dataforge.contexts.identity.xapi_credentials.published import CredentialPublisher
from dataforge.contexts.lrs.statements.domain import parse_timestamp
from dataforge.kernel.clock import SystemClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.statements import statement
from tests.builders.tokens import new_token

BOUND = "X-Experience-API-Consistent-Through"
SAYS = "X-Experience-API-Version"


async def test_about_needs_neither_credential_nor_version(records: StoreUnderTest) -> None:
    answer = await records.lms.get("/xapi/about", auth=("", ""))

    assert answer.json()["version"] == ["1.0.3", "2.0.0"]
    assert answer.headers[SAYS]


@pytest.mark.parametrize(
    ("asked", "said"), [("1.0", "1.0.3"), ("1.0.9", "1.0.3"), ("2.0", "2.0.0"), ("2.0.0", "2.0.0")]
)
async def test_the_answer_names_the_negotiated_version(records: StoreUnderTest, asked: str, said: str) -> None:
    answer = await records.post(statement(), headers={SAYS: asked})

    assert (answer.status_code, answer.headers[SAYS]) == (200, said)


@pytest.mark.parametrize("asked", ["0.9.9", "1.1.0", "2.1", "garbage"])
async def test_a_version_that_is_not_spoken_is_refused(records: StoreUnderTest, asked: str) -> None:
    answer = await records.post(statement(), headers={SAYS: asked})

    assert (answer.status_code, answer.json()["code"]) == (400, "xapi_version")
    assert answer.headers[SAYS] == "1.0.3"


async def test_a_missing_version_is_refused_with_the_one_value_both_suites_accept(records: StoreUnderTest) -> None:
    answer = await records.post(statement(), headers={})

    assert (answer.status_code, answer.headers[SAYS]) == (400, "0.95")


@pytest.mark.parametrize("body", [b"{", b"[]"])
async def test_every_statements_answer_carries_a_bound_refusals_too(records: StoreUnderTest, body: bytes) -> None:
    answer = await records.post(body)

    assert parse_timestamp(answer.headers[BOUND]) is not None


async def test_what_is_not_offered_is_refused_with_the_headers_of_the_standard(records: StoreUnderTest) -> None:
    answer = await records.lms.delete("/xapi/statements", headers=VERSION)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert {SAYS.lower(), BOUND.lower(), "allow"} <= set(answer.headers)


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Digest x", "Basic " + base64.b64encode(b"a:b").decode()],
)
async def test_a_missing_or_wrong_credential_is_challenged(records: StoreUnderTest, authorization: str) -> None:
    request = records.lms.build_request("POST", "/xapi/statements", json=statement(), headers=VERSION)
    request.headers["Authorization"] = authorization

    answer = await records.lms.send(request, auth=None)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.headers[SAYS] == "1.0.3"


async def last_refused(records: StoreUnderTest, key: str) -> str | None:
    query = "SELECT last_refused_at, last_refused_reason AS reason FROM identity.xapi_credentials WHERE key_id = :key"
    (row,) = await records.rows(query, key=key)
    assert (row.last_refused_at is None) == (row.reason is None)
    return None if row.reason is None else str(row.reason)


@pytest.mark.parametrize("path", ["/xapi/statements", "/api/xapi/statements"])
async def test_a_credential_shows_why_it_was_last_refused(records: StoreUnderTest, path: str) -> None:
    accepted = await records.post(statement(), path=path)
    before = await last_refused(records, records.key)

    refused = await records.post(statement(verb={"id": "no iri"}), path=path)

    reason = await last_refused(records, records.key)
    assert (accepted.status_code, refused.status_code, before) == (200, 400, None)
    assert reason is not None
    assert reason.startswith("invalid_statements: ")
    assert "/verb/id" in reason


async def test_a_wrong_secret_shows_with_the_credential_and_a_made_up_key_nowhere(records: StoreUnderTest) -> None:
    await records.post(statement())
    wrong = await records.post(statement(), auth=(records.key, "wrong"))
    unknown = await records.post(statement(), auth=("lrs_none", "wrong"))

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert str(await last_refused(records, records.key)).startswith("invalid_credentials: ")
    assert not records.front.refusals._noted.keys() - {records.key}  # type: ignore[attr-defined]  # what is behind the protocol


async def test_a_document_that_is_not_there_is_no_refusal(records: StoreUnderTest) -> None:
    params = {"activityId": "https://example.org/a", "agent": '{"mbox": "mailto:a@example.org"}', "stateId": "s"}

    answer = await records.lms.get("/xapi/activities/state", params=params, headers=VERSION)

    assert answer.status_code == 404
    assert await last_refused(records, records.key) is None


async def test_refusals_are_answered_while_the_database_is_away(records: StoreUnderTest) -> None:
    await records.post(statement())
    records.front.platform.database = Database("postgresql://nobody@127.0.0.1:9/nothing")

    answer = await records.post(statement(verb={"id": "no iri"}))

    assert answer.status_code == 400


async def test_a_credential_beyond_its_limit_waits_on_every_resource_and_the_others_do_not(
    records: StoreUnderTest,
) -> None:
    auth = await records.credential(rate_limit=2, scopes=("all",))
    paths = ("/xapi/statements", "/xapi/agents?agent={}", "/xapi/activities?activityId=https://example.org/a")

    answers = [await records.lms.get(path, auth=auth, headers=VERSION) for path in paths]
    options = await records.lms.options("/xapi/statements", auth=auth)
    other = await records.post(statement())

    assert [answer.status_code for answer in answers] == [200, 400, 429]
    assert answers[-1].json()["code"] == "credential_throttled"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].headers[SAYS] == "1.0.3"
    assert (options.status_code, other.status_code) == (204, 200)


async def test_a_credential_without_the_scope_may_not_write(records: StoreUnderTest) -> None:
    auth = await records.credential(scopes=("statements/read",))

    answer = await records.lms.post("/xapi/statements", json=statement(), headers=VERSION, auth=auth)

    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_a_revoked_credential_is_refused_by_a_function_that_starts_after_it(records: StoreUnderTest) -> None:
    auth = await records.credential()
    async with IdentityUnitOfWork(records.database) as uow:
        await revoke_xapi_credential(RevokeXapiCredential(auth[0]), uow)
        await uow.commit()
    await CredentialPublisher(records.database, records.bucket).publish(auth[0])

    answer = await records.lms.post("/xapi/statements", json=statement(), headers=VERSION, auth=auth)

    assert answer.status_code == 401


async def test_a_credential_with_a_key_needs_the_signature_of_the_body(records: StoreUnderTest) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    auth = await records.credential(public_pem=pem)
    body = orjson.dumps(statement(id=str(uuid4())))
    signature = base64.b64encode(key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()
    headers = {**VERSION, "Content-Type": "application/json"}

    unsigned = await records.lms.post("/xapi/statements", content=body, headers=headers, auth=auth)
    signed = await records.lms.post(
        "/xapi/statements", content=body, headers={**headers, "X-Signature": signature}, auth=auth
    )
    changed = await records.lms.post(
        "/xapi/statements", content=body + b" ", headers={**headers, "X-Signature": signature}, auth=auth
    )

    assert [unsigned.status_code, signed.status_code, changed.status_code] == [401, 200, 401]
    assert unsigned.json()["code"] == "signature_invalid"


async def test_course_content_of_any_origin_may_ask_and_read_the_headers(records: StoreUnderTest) -> None:
    asked = {
        "Origin": "https://content.example.com",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type,x-experience-api-version,if-match",
    }

    before = await records.lms.options("/xapi/statements", headers=asked)
    after = await records.post(statement(), headers={**VERSION, "Origin": "https://content.example.com"})

    assert before.status_code == 200
    assert after.headers["access-control-allow-origin"] == "*"
    assert BOUND in after.headers["access-control-expose-headers"]


async def test_options_outside_cors_says_what_may_be_done(records: StoreUnderTest) -> None:
    answer = await records.lms.options("/xapi/statements")

    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, POST, PUT, OPTIONS")


async def test_health_of_the_function_names_what_is_behind_it(records: StoreUnderTest) -> None:
    async with ApiUnderTest(records.database, SystemClock()) as api:
        admin, learner = [
            {"Authorization": f"Bearer {await api.token(await api.add_user(role), role)}"}
            for role in (Role.ADMIN, Role.LEARNER)
        ]

    answer = await records.lms.get("/api/health/xapi", headers=admin, auth=None)

    assert (await records.lms.get("/api/health/xapi")).status_code == 401
    assert (await records.lms.get("/api/health/xapi", headers=learner, auth=None)).status_code == 403
    assert answer.json()["function"] == "xapi"
    assert answer.json()["database"]["status"] == "ok"
    assert answer.json()["queues"]["statements"]["status"] == "ok"


async def test_an_unknown_resource_is_a_problem(records: StoreUnderTest) -> None:
    answer = await records.lms.get("/xapi/nothing", headers=VERSION)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_personal_token_opens_the_health_of_the_function_and_no_statement(records: StoreUnderTest) -> None:
    async with ApiUnderTest(records.database, SystemClock()) as api:
        admin = await api.add_user(Role.ADMIN)
        fits, other = [await new_token(api, admin, (scope,)) for scope in ("operations:read", "reports:read")]
    answers = [
        await records.lms.get("/api/health/xapi", headers={"Authorization": f"Bearer {token.secret}"}, auth=None)
        for token in (fits, other)
    ]
    statements = await records.lms.get("/xapi/statements", headers=VERSION, auth=("any", fits.secret))

    assert answers[0].json()["function"] == "xapi"
    assert (answers[1].status_code, answers[1].json()["required_scope"]) == (403, "operations:read")
    assert statements.status_code == 401
    async with records.database.read_only() as connection:
        used = await connection.scalars(select(personal_tokens.c.last_used_at))
        assert None not in used.all()
