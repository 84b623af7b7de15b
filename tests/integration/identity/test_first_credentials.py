"""What an operator or a launcher may repeat until it is so: an administrator, a signing key."""

from collections.abc import AsyncIterator

import pytest

from dataforge.contexts.identity.accounts.consumers import ensure_admin
from dataforge.contexts.identity.signing_keys.consumers import ensure_signing_key
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.errors import Conflict
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws

ADMIN = {"username": "admin", "email": "admin@example.org"}
FIRST, SECOND = "the first password of it", "another password after it"


async def signed_in(api: ApiUnderTest, password: str) -> int:
    body = {"username": "admin", "password": password}
    return (await (await api.client()).post("/api/auth/login", json=body)).status_code


async def test_an_administrator_is_made_once_and_keeps_the_password(api: ApiUnderTest) -> None:
    made = await ensure_admin({**ADMIN, "password": FIRST}, api.identity)
    again = await ensure_admin({**ADMIN, "password": SECOND}, api.identity)

    assert (made["created"], again["created"]) == (True, False)
    assert (await signed_in(api, FIRST), await signed_in(api, SECOND)) == (200, 401)


async def test_a_password_that_nobody_was_told_is_replaced(api: ApiUnderTest) -> None:
    await ensure_admin({**ADMIN, "password": FIRST}, api.identity)

    answer = await ensure_admin({**ADMIN, "password": SECOND, "replace": True}, api.identity)

    assert answer == {"username": "admin", "created": False}
    assert (await signed_in(api, FIRST), await signed_in(api, SECOND)) == (401, 200)


async def test_somebody_else_of_that_name_is_left_alone(api: ApiUnderTest) -> None:
    user_id = await api.add_user(Role.VIEWER)
    payload = {**ADMIN, "username": f"viewer_{user_id.hex[-8:]}", "password": FIRST, "replace": True}

    with pytest.raises(Conflict):
        await ensure_admin(payload, api.identity)


@pytest.fixture
async def publishing(emulator: EmulatedAws, database: Database, clock: FixedClock) -> AsyncIterator[ApiUnderTest]:
    """The API with a bucket, where public keys are published."""
    async with ApiUnderTest(database, clock, data_bucket=emulator.bucket()) as api:
        yield api


async def test_a_signing_key_whose_private_half_is_gone_is_replaced_and_old_tokens_stay_good(
    publishing: ApiUnderTest,
) -> None:
    api = publishing
    client = await api.as_role(Role.VIEWER)
    before = await ensure_signing_key({}, api.identity)
    same = await ensure_signing_key({}, api.identity)
    api.secrets.values["signing-keys"] = {}  # the emulator was killed before it saved its secrets

    after = await ensure_signing_key({}, api.identity)

    assert same == before
    assert after != before
    await api.identity.token_signer.check_ready()
    assert (await client.get("/api/users/me")).status_code == 200
