"""Requests of credentials, counted by all processes together."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from dataforge.contexts.identity.contract import CredentialThrottled, XapiCredential
from dataforge.contexts.identity.xapi_credentials import rates as rates_module
from dataforge.contexts.identity.xapi_credentials.rates import StoredCredentialRates
from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from tests.builders.roles import in_role

AWAY = Database("postgresql://nobody@127.0.0.1:9/nothing")


def limited(rate_limit: int | None, key: str = "lrs_a") -> XapiCredential:
    authority: Mapping[str, object] = {}
    return XapiCredential(key, frozenset({"all"}), authority, rate_limit=rate_limit)


async def passes(rates: StoredCredentialRates, credential: XapiCredential) -> bool:
    try:
        await rates.spend(credential)
    except CredentialThrottled:
        return False
    return True


async def test_requests_beyond_the_limit_are_told_when_to_go_on_in_whichever_process(
    database: Database, clock: FixedClock
) -> None:
    one, other = (StoredCredentialRates(in_role(database, "xapi"), clock) for _ in range(2))
    passed = [await passes(rates, limited(3)) for rates in (one, other, one)]
    clock.advance(timedelta(seconds=20))

    with pytest.raises(CredentialThrottled) as refused:
        await other.spend(limited(3))
    clock.advance(timedelta(seconds=40))
    next_minute = await passes(other, limited(3))

    assert passed == [True] * 3
    assert refused.value.headers == {"Retry-After": "40"}
    assert next_minute


async def test_each_credential_has_its_own_count_and_one_without_a_limit_has_none(
    database: Database, clock: FixedClock
) -> None:
    rates = StoredCredentialRates(database, clock)

    passed = [await passes(rates, limited(1, key)) for key in ("lrs_a", "lrs_b", "lrs_a")]
    unlimited = [await passes(rates, limited(None)) for _ in range(5)]

    assert (passed, unlimited) == ([True, True, False], [True] * 5)


async def test_requests_at_the_same_moment_are_counted_exactly(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates_module, "PATIENCE_SECONDS", 20)  # more requests than connections, on a busy machine
    rates = StoredCredentialRates(database, clock)

    passed = await asyncio.gather(*(passes(rates, limited(12)) for _ in range(40)))

    assert sum(passed) == 12


async def test_nobody_is_refused_while_nobody_can_count(clock: FixedClock, database: Database) -> None:
    now = [100.0]
    rates = StoredCredentialRates(AWAY, clock, monotonic=lambda: now[0])
    away = [await passes(rates, limited(1)) for _ in range(3)]
    rates._database = database

    resting = [await passes(rates, limited(1)) for _ in range(3)]
    now[0] += 6
    counting = [await passes(rates, limited(1)) for _ in range(2)]

    assert (away, resting, counting) == ([True] * 3, [True] * 3, [True, False])
