"""Whom an administrator means by a few words on the page of statements."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from dataforge.contexts.lrs.search.people import AskedPerson, asked_person
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.errors import BadRequest
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.datasets import ok

PAGES = ("https://lms.example.org",)
MBOX = "mailto:ana@example.org"
SHA1 = "sha1:" + hashlib.sha1(MBOX.encode(), usedforsecurity=False).hexdigest()
OTHER = {"account": {"homePage": "https://other.example", "name": "77"}}


@dataclass
class Office:
    """Where Ana is known."""

    api: ApiUnderTest
    ana: UUID

    async def ask(self, words: str) -> AskedPerson:
        async with self.api.platform.database.read_only() as connection:
            return await asked_person(connection, words, PAGES)


@pytest.fixture
async def office(database: Database, clock: FixedClock) -> AsyncIterator[Office]:
    """Ana, with an account of another system."""
    async with ApiUnderTest(database, clock) as api:
        ana = await api.add_user(Role.LEARNER, email="ana@example.org", avatar="blue-otter", display_name="Ana Roux")
        admin = await api.as_role(Role.ADMIN)
        ok(await admin.post("/api/agent-identifiers", json={"user_id": str(ana), "agent": OTHER}), 201)
        yield Office(api, ana)


@pytest.mark.parametrize(
    "words",
    ["ana@example.org", "Ana@Example.org", "blue-otter", "Ana Roux", "https://other.example|77", json.dumps(OTHER)],
)
async def test_one_of_ours_is_found_by_whatever_is_known_of_her(office: Office, words: str) -> None:
    found = await office.ask(words)

    assert (found.user_id, found.name) == (office.ana, "Ana Roux")
    assert set(found.identities) == {
        MBOX, SHA1, "https://other.example|77", f"{PAGES[0]}|ana@example.org", f"{PAGES[0]}|blue-otter",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "identities"),
    [
        ("https://someone.example/", ["https://someone.example/"]),
        ("https://x.example|5", ["https://x.example|5"]),
        ('{"mbox": "mailto:bo@example.org"}', ["mailto:bo@example.org"]),
        ("mailto:Bo@example.org", ["mailto:bo@example.org"]),
        ("somebody", [f"{PAGES[0]}|somebody"]),
    ],
)
async def test_others_are_what_the_words_say(office: Office, words: str, identities: list[str]) -> None:
    assert await office.ask(words) == AskedPerson(identities)


async def test_an_address_of_nobody_is_looked_for_as_it_is_and_as_its_hash(office: Office) -> None:
    assert len((await office.ask("bo@example.org")).identities) == 2


@pytest.mark.parametrize("words", ['{"mbox": "bo"}', "{", "{}"])
async def test_what_is_no_agent_is_refused(office: Office, words: str) -> None:
    with pytest.raises(BadRequest):
        await office.ask(words)
