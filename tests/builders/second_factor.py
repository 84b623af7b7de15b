"""People with an authenticator app."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import httpx

from dataforge.contexts.identity.second_factor.domain import STEP_SECONDS, code_at, step_of
from dataforge.kernel.clock import Clock, FixedClock
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.browser import PASSWORD, add_person
from tests.builders.datasets import ok


@dataclass
class Phone:
    """An authenticator app, by the clock of the product."""

    secret: str
    clock: Clock

    def code(self, away: int = 0) -> str:
        """The code of now, or of some steps before or after."""
        return code_at(self.secret, step_of(self.clock.now()) + away)

    def wrong(self) -> str:
        """Six digits that the app shows at no step around now."""
        near = {self.code(away) for away in (-1, 0, 1)}
        return next(text for text in ("000000", "111111", "222222", "333333") if text not in near)


@dataclass
class Enrolled:
    """A person whose sign-ins need a code."""

    user_id: UUID
    name: str
    phone: Phone
    client: httpx.AsyncClient
    recovery_codes: list[str] = field(default_factory=list)


async def enrolled(api: ApiUnderTest, clock: FixedClock, role: Role = Role.LEARNER) -> Enrolled:
    """A new person who has set up a second factor, a step of time ago."""
    user_id, name = await add_person(api, role)
    client = await api.as_user(user_id, role)
    secret = ok(await client.post("/api/second-factor", json={"password": PASSWORD}))["secret"]
    phone = Phone(secret, clock)
    given = ok(await client.post("/api/second-factor/confirm", json={"code": phone.code()}))
    clock.advance(timedelta(seconds=STEP_SECONDS))
    return Enrolled(user_id, name, phone, client, given["recovery_codes"])


async def log_in(
    api: ApiUnderTest, name: str, password: str = PASSWORD, *, address: str = "127.0.0.1", **more: str
) -> httpx.Response:
    """What the API says to a sign-in from this address."""
    client = await api.client(address=address)
    return await client.post("/api/auth/login", json={"username": name, "password": password, **more})


async def challenge_of(api: ApiUnderTest, name: str, password: str = PASSWORD) -> str:
    """The challenge that follows a right password."""
    asked = await log_in(api, name, password)
    assert (asked.status_code, asked.json()["code"]) == (401, "second_factor_required"), asked.text
    return str(asked.json()["challenge"])


async def answer(api: ApiUnderTest, challenge: str, code: str, *, address: str = "127.0.0.1") -> httpx.Response:
    """What the API says to a challenge and a code."""
    client = await api.client(address=address)
    return await client.post("/api/auth/second-factor", json={"challenge": challenge, "code": code})
