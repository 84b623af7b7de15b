"""A store that is spoken to in each of the two lines of the standard."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from dataforge.platform.db.database import Database
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest


@dataclass
class Spoken:
    """A store and the version that is spoken to it."""

    records: StoreUnderTest
    version: str

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"X-Experience-API-Version": self.version}

    async def send(self, *statements: dict[str, Any], load: bool = True, **headers: str) -> httpx.Response:
        """POST one statement, or several as an array, and load them."""
        body: Any = statements[0] if len(statements) == 1 else list(statements)
        answer = await self.records.post(body, headers={**self.headers, **headers})
        if load:
            await self.records.deliver()
        return answer

    async def get(self, *, headers: dict[str, str] | None = None, **parameters: Any) -> httpx.Response:
        """GET /xapi/statements; objects are sent as JSON."""
        values = {
            name: json.dumps(value) if isinstance(value, dict | bool) else str(value)
            for name, value in parameters.items()
        }
        return await self.records.lms.get(
            "/xapi/statements", params=values, headers={**self.headers, **(headers or {})}
        )

    async def ids(self, **parameters: Any) -> list[str]:
        """The ids of the statements that a GET answers with."""
        answer = await self.get(**parameters)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["statements"]]


@pytest.fixture(params=["1.0.3", "2.0.0"])
async def store(emulator: EmulatedAws, database: Database, request: pytest.FixtureRequest) -> AsyncIterator[Spoken]:
    """The store, spoken to in the version."""
    async with StoreUnderTest(emulator, database) as records:
        yield Spoken(records, request.param)
