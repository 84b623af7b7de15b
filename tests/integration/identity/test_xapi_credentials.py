"""xAPI credentials: made and revoked through the API, checked without the database."""

import base64
import json
import time
from collections.abc import Iterator

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from dataforge.bootstrap import modules
from dataforge.contexts.identity.accounts.consumers import create_admin
from dataforge.contexts.identity.contract import SignatureInvalid, XapiCredential
from dataforge.contexts.identity.sign_in.domain import InvalidCredentials
from dataforge.contexts.identity.xapi_credentials.consumers import create_xapi_credential, revoke_xapi_credential
from dataforge.contexts.identity.xapi_credentials.published import CredentialDirectory
from dataforge.events.jobs import relay_outbox
from dataforge.events.wiring import subscribers
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.errors import ScopeMissing, Unavailable
from dataforge.kernel.principal import Role
from dataforge.platform.aws import published
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws

BUCKET = "test-bucket"


@pytest.fixture
def bucket(emulator: EmulatedAws) -> Iterator[str]:
    storage = boto3.resource("s3").Bucket(BUCKET)
    storage.create(CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield BUCKET
    if storage.creation_date is not None:
        storage.objects.delete()
        storage.delete()


def public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


async def made(api: ApiUnderTest, **body: object) -> dict[str, str]:
    admin = await api.as_role(Role.ADMIN)
    response = await admin.post("/api/xapi-credentials", json={"name": "Moodle", **body})
    assert response.status_code == 201, response.text
    answer: dict[str, str] = response.json()
    return answer


async def test_a_new_credential_works_at_once(api: ApiUnderTest, bucket: str) -> None:
    answer = await made(api)

    credential = await CredentialDirectory(bucket).verify(answer["key"], answer["secret"])

    assert credential.allows("statements/write")
    assert credential.authority["name"] == "Moodle"


async def test_the_secret_is_shown_once_and_stored_nowhere(api: ApiUnderTest, bucket: str, database: Database) -> None:
    answer = await made(api)

    admin = await api.as_role(Role.ADMIN)
    listed = (await admin.get("/api/xapi-credentials")).text
    published = (
        boto3.client("s3").get_object(Bucket=bucket, Key=f"xapi-credentials/{answer['key']}.json")["Body"].read()
    )
    async with database.read_only() as connection:
        stored = str(
            (await connection.execute(text("SELECT c, a FROM identity.xapi_credentials c, platform.audit_log a"))).all()
        )

    assert answer["fingerprint"] in listed
    for place in (listed, published.decode(), stored):
        assert answer["secret"] not in place


@pytest.mark.parametrize("key", ["lrs_unknown", "../signing-keys", "", "a" * 300, "ключ"])
async def test_an_unknown_key_is_refused(bucket: str, key: str) -> None:
    with pytest.raises(InvalidCredentials):
        await CredentialDirectory(bucket).verify(key, "secret")


async def test_a_wrong_secret_is_refused(api: ApiUnderTest, bucket: str) -> None:
    answer = await made(api)

    with pytest.raises(InvalidCredentials):
        await CredentialDirectory(bucket).verify(answer["key"], answer["secret"] + "x")


async def test_a_revocation_takes_effect_within_thirty_seconds(
    api: ApiUnderTest, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await made(api)
    directory = CredentialDirectory(bucket)
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    await directory.verify(answer["key"], answer["secret"])
    admin = await api.as_role(Role.ADMIN)

    assert (await admin.delete(f"/api/xapi-credentials/{answer['key']}")).status_code == 204

    now += 30
    with pytest.raises(InvalidCredentials):
        await directory.verify(answer["key"], answer["secret"])


async def test_a_known_credential_goes_on_while_the_store_is_away_but_not_for_ever(
    api: ApiUnderTest, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await made(api)
    directory = CredentialDirectory(bucket)
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    await directory.verify(answer["key"], answer["secret"])
    boto3.client("s3").delete_object(Bucket=bucket, Key=f"xapi-credentials/{answer['key']}.json")
    boto3.client("s3").delete_bucket(Bucket=bucket)

    now += 600
    assert (await directory.verify(answer["key"], answer["secret"])).key_id == answer["key"]
    now += 3600
    with pytest.raises(Unavailable):
        await directory.verify(answer["key"], answer["secret"])
    with pytest.raises(Unavailable):
        await directory.verify("lrs_never_seen", "secret")


async def test_made_up_keys_do_not_push_a_known_credential_out(
    api: ApiUnderTest, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await made(api)
    monkeypatch.setattr(published, "MAX_ENTRIES", 5)
    directory = CredentialDirectory(bucket)
    await directory.verify(answer["key"], answer["secret"])
    for number in range(12):
        with pytest.raises(InvalidCredentials):
            await directory.verify(f"lrs_{number}", "secret")

    boto3.client("s3").delete_object(Bucket=bucket, Key=f"xapi-credentials/{answer['key']}.json")

    assert (await directory.verify(answer["key"], answer["secret"])).key_id == answer["key"]


async def test_a_publication_that_failed_is_made_up_for_by_the_outbox(
    api: ApiUnderTest, bucket: str, database: Database
) -> None:
    boto3.client("s3").delete_bucket(Bucket=bucket)
    answer = await made(api)
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    counts = await relay_outbox(api.platform, subscribers(modules(), api.platform))

    assert counts["relayed"] == 1
    await CredentialDirectory(bucket).verify(answer["key"], answer["secret"])


class TestSignedBodies:
    async def test_a_body_signed_with_the_private_key_passes_and_no_other(self, api: ApiUnderTest, bucket: str) -> None:
        private = rsa.generate_private_key(65537, 2048)
        answer = await made(api, public_pem=public_pem(private))
        credential = await CredentialDirectory(bucket).verify(answer["key"], answer["secret"])
        body = b'[{"actor": 1}]'
        signature = base64.b64encode(private.sign(body, PKCS1v15(), SHA256())).decode()

        credential.check_signature(body, signature)

        for wrong in (None, "", "not base64!", base64.b64encode(b"x" * 256).decode()):
            with pytest.raises(SignatureInvalid):
                credential.check_signature(body, wrong)
        with pytest.raises(SignatureInvalid):
            credential.check_signature(body + b" ", signature)

    @pytest.mark.parametrize(
        "pem",
        [
            "not a key",
            public_pem(ec.generate_private_key(ec.SECP256R1())),
            public_pem(rsa.generate_private_key(65537, 1024)),
        ],
    )
    async def test_a_key_that_cannot_be_used_is_refused(self, api: ApiUnderTest, pem: str) -> None:
        admin = await api.as_role(Role.ADMIN)

        response = await admin.post("/api/xapi-credentials", json={"name": "LMS", "public_pem": pem})

        assert (response.status_code, response.json()["code"]) == (400, "invalid_public_key")


ROWS = {"statements/write": (Action.CREATE, Kind.STATEMENT), "statements/read": (Action.READ, Kind.STATEMENT)}


@pytest.mark.parametrize(
    ("granted", "asked", "allowed"),
    [
        ("statements/write", "statements/write", True),
        ("statements/write", "statements/read", False),
        ("statements/read", "statements/read/mine", True),
        ("statements/read/mine", "statements/read", False),
        ("all/read", "statements/read", True),
        ("all/read", "statements/write", False),
        ("all", "statements/write", True),
    ],
)
def test_a_scope_allows_what_it_names_and_what_it_contains(granted: str, asked: str, allowed: bool) -> None:
    credential = XapiCredential("key", frozenset({granted}), {})

    assert credential.allows(asked) is allowed
    if not allowed:
        with pytest.raises(ScopeMissing) as refusal:
            credential.require(*ROWS[asked])
        assert refusal.value.facts == {"required_scope": asked}


async def test_an_unknown_scope_is_refused(api: ApiUnderTest) -> None:
    admin = await api.as_role(Role.ADMIN)

    response = await admin.post("/api/xapi-credentials", json={"name": "LMS", "scopes": ["everything"]})

    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, "/scopes")


class TestChanging:
    async def test_name_scopes_limit_and_deduplication_change_and_are_published(
        self, api: ApiUnderTest, bucket: str
    ) -> None:
        answer, admin = await made(api), await api.as_role(Role.ADMIN)
        address = f"/api/xapi-credentials/{answer['key']}"
        read = await admin.get(address)
        changes = {"name": "Moodle 5", "scopes": ["all"], "rate_limit": 600, "deduplicate": True}

        changed = await admin.patch(address, json=changes, headers={"If-Match": read.headers["ETag"]})

        credential = await CredentialDirectory(bucket).verify(answer["key"], answer["secret"])
        assert (changed.status_code, {name: changed.json()[name] for name in changes}) == (200, changes)
        assert changed.headers["ETag"] != read.headers["ETag"]
        assert (await admin.get(address)).json() == changed.json()
        assert (credential.scopes, credential.rate_limit, credential.deduplicate) == (frozenset({"all"}), 600, True)
        assert credential.authority["name"] == "Moodle"

    async def test_a_limit_is_lifted_by_null_and_nothing_else_is(self, api: ApiUnderTest, bucket: str) -> None:
        answer, admin = await made(api, rate_limit=5), await api.as_role(Role.ADMIN)
        address = f"/api/xapi-credentials/{answer['key']}"

        lifted = await admin.patch(address, json={"rate_limit": None}, headers={"If-Match": '"1"'})
        refused = await admin.patch(address, json={"name": None}, headers={"If-Match": "*"})

        assert (answer["rate_limit"], lifted.json()["rate_limit"]) == (5, None)
        assert refused.status_code == 400

    @pytest.mark.parametrize(("headers", "status"), [({}, 428), ({"If-Match": '"7"'}, 412)])
    async def test_the_revision_that_was_read_is_named(
        self, api: ApiUnderTest, bucket: str, headers: dict[str, str], status: int
    ) -> None:
        answer, admin = await made(api), await api.as_role(Role.ADMIN)

        refused = await admin.patch(f"/api/xapi-credentials/{answer['key']}", json={"name": "X"}, headers=headers)

        assert refused.status_code == status

    async def test_what_was_revoked_or_never_was_does_not_change(self, api: ApiUnderTest, bucket: str) -> None:
        answer, admin = await made(api), await api.as_role(Role.ADMIN)
        address, headers = f"/api/xapi-credentials/{answer['key']}", {"If-Match": "*"}
        await admin.delete(address)

        revoked = await admin.patch(address, json={"name": "X"}, headers=headers)
        unknown = await admin.patch("/api/xapi-credentials/lrs_none", json={"name": "X"}, headers=headers)

        assert (revoked.status_code, revoked.json()["code"]) == (409, "credential_revoked")
        assert (unknown.status_code, (await admin.get("/api/xapi-credentials/lrs_none")).status_code) == (404, 404)

    async def test_the_audit_log_has_what_became_different(
        self, api: ApiUnderTest, bucket: str, database: Database
    ) -> None:
        answer, admin = await made(api), await api.as_role(Role.ADMIN)
        body = {"name": "Moodle", "deduplicate": True}

        await admin.patch(f"/api/xapi-credentials/{answer['key']}", json=body, headers={"If-Match": "*"})

        query = "SELECT before, after FROM platform.audit_log WHERE action = 'changed' AND entity = 'xapi_credential'"
        async with database.read_only() as connection:
            (row,) = (await connection.execute(text(query))).all()
        assert (row.before, row.after) == ({"deduplicate": False}, {"deduplicate": True})


async def test_a_document_published_before_one_could_choose_deduplicates_as_it_did(
    api: ApiUnderTest, bucket: str
) -> None:
    answer = await made(api)
    storage, key = boto3.client("s3"), f"xapi-credentials/{answer['key']}.json"
    document = json.loads(storage.get_object(Bucket=bucket, Key=key)["Body"].read())
    older = {name: value for name, value in document.items() if name not in ("deduplicate", "rate_limit")}
    storage.put_object(Bucket=bucket, Key=key, Body=json.dumps(older).encode())

    credential = await CredentialDirectory(bucket).verify(answer["key"], answer["secret"])

    assert (credential.deduplicate, credential.rate_limit) == (True, None)


async def test_revoking_an_unknown_credential_is_404(api: ApiUnderTest) -> None:
    admin = await api.as_role(Role.ADMIN)

    assert (await admin.delete("/api/xapi-credentials/lrs_none")).status_code == 404


class TestOperatorCommands:
    async def test_the_first_administrator_gets_a_made_up_password_that_works(self, api: ApiUnderTest) -> None:
        answer = await create_admin({"username": "root_admin", "email": "root@example.org"}, api.identity)

        login = {"username": "root_admin", "password": answer["password"]}
        response = await (await api.client()).post("/api/auth/login", json=login)

        assert response.status_code == 200
        assert len(answer["password"]) >= 20

    async def test_a_credential_is_made_and_revoked_by_command(self, api: ApiUnderTest, bucket: str) -> None:
        answer = await create_xapi_credential({"name": "Player"}, api.identity)
        await CredentialDirectory(bucket).verify(answer["key"], answer["secret"])

        await revoke_xapi_credential({"key": answer["key"]}, api.identity)

        with pytest.raises(InvalidCredentials):
            await CredentialDirectory(bucket).verify(answer["key"], answer["secret"])


async def test_tokens_past_their_time_are_forgotten(api: ApiUnderTest, clock: FixedClock) -> None:
    from datetime import timedelta

    from dataforge.contexts.identity.sessions.consumers import maintain

    person = {"username": "ada", "email": "ada@example.org", "password": "correct horse battery staple"}
    client = await api.client()
    await client.post("/api/signup", json=person)
    await client.post("/api/auth/login", json={"username": "ada", "password": person["password"]})
    clock.advance(timedelta(days=59))
    kept = await maintain(api.identity)
    clock.advance(timedelta(days=2))

    assert kept["refresh_tokens"] == 0
    assert (await maintain(api.identity))["refresh_tokens"] == 1
