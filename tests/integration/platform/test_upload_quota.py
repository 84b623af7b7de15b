"""Upload quotas."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from dataforge.events.jobs import clean_up
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.quotas import UploadClaim, UploadLimits, UploadQuotaExceeded
from dataforge.platform.db.database import Database
from dataforge.platform.db.upload_quota import UploadQuota
from tests.builders.api import ApiUnderTest

LIMITS = UploadLimits(person_bytes=100, subject_bytes=150, files=4)


class Uploads:
    """Claims in transactions of their own, as requests do."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database = database
        self.clock = clock

    async def claim(
        self, size: int, *, person: UUID | None = None, subject: str = "dataset:1", lasts: timedelta = timedelta(days=2)
    ) -> UUID:
        now = self.clock.now()
        claim = UploadClaim(uuid7(), person, subject, size, now + lasts)
        async with self.database.transaction() as connection:
            await UploadQuota(connection, now).claim(claim, LIMITS)
        return claim.id

    async def refusal(self, size: int, *, person: UUID | None = None, subject: str = "dataset:1") -> dict[str, object]:
        with pytest.raises(UploadQuotaExceeded) as refused:
            await self.claim(size, person=person, subject=subject)
        return refused.value.facts

    async def complete(self, upload: UUID) -> None:
        async with self.database.transaction() as connection:
            await UploadQuota(connection, self.clock.now()).complete(upload)

    async def release(self, upload: UUID) -> None:
        async with self.database.transaction() as connection:
            await UploadQuota(connection, self.clock.now()).release(upload)


@pytest.fixture
def uploads(database: Database, clock: FixedClock) -> Uploads:
    return Uploads(database, clock)


async def test_one_person_has_so_many_bytes_wherever_they_go(uploads: Uploads) -> None:
    ada, bob = uuid7(), uuid7()
    await uploads.claim(60, person=ada)

    refused = await uploads.refusal(41, person=ada, subject="rosters")

    assert refused == {"quota": "person", "limit_bytes": 100, "used_bytes": 60, "requested_bytes": 41}
    await uploads.claim(40, person=ada, subject="rosters")
    await uploads.claim(90, person=bob)


async def test_one_subject_takes_so_many_bytes_whoever_sends_them(uploads: Uploads) -> None:
    for _ in range(3):
        await uploads.claim(50, person=uuid7())

    refused = await uploads.refusal(1, person=uuid7())

    assert refused == {"quota": "subject", "limit_bytes": 150, "used_bytes": 150, "requested_bytes": 1}
    await uploads.claim(50, person=uuid7(), subject="dataset:2")


async def test_files_are_counted_too(uploads: Uploads) -> None:
    ada = uuid7()
    for number in range(4):
        await uploads.claim(0, person=ada, subject=f"dataset:{number}")

    assert await uploads.refusal(0, person=ada) == {"quota": "person", "limit_files": 4, "used_files": 4}


async def test_claims_at_the_same_time_never_exceed_a_quota(uploads: Uploads) -> None:
    ada = uuid7()

    answers = await asyncio.gather(
        *(uploads.claim(30, person=ada, subject=f"dataset:{number % 2}") for number in range(12)),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, UUID) for answer in answers) == 3
    assert sum(isinstance(answer, UploadQuotaExceeded) for answer in answers) == 9


async def test_what_is_given_up_counts_no_more(uploads: Uploads) -> None:
    ada = uuid7()
    upload = await uploads.claim(100, person=ada)

    await uploads.release(upload)
    await uploads.release(upload)

    await uploads.claim(100, person=ada)


async def test_a_finished_upload_counts_for_a_day_and_an_unfinished_one_until_it_expires(
    uploads: Uploads, clock: FixedClock
) -> None:
    ada, bob = uuid7(), uuid7()
    await uploads.complete(await uploads.claim(100, person=ada, subject="dataset:1"))
    await uploads.claim(100, person=bob, subject="dataset:2")

    clock.advance(timedelta(hours=23))
    assert (await uploads.refusal(1, person=ada))["used_bytes"] == 100
    clock.advance(timedelta(hours=1))
    await uploads.claim(100, person=ada)
    assert (await uploads.refusal(1, person=bob))["used_bytes"] == 100
    clock.advance(timedelta(days=1))
    await uploads.claim(100, person=bob, subject="dataset:2")


async def test_a_short_lived_upload_counts_for_a_day(uploads: Uploads, clock: FixedClock) -> None:
    ada = uuid7()
    await uploads.claim(100, person=ada, lasts=timedelta(minutes=15))

    clock.advance(timedelta(hours=1))

    assert (await uploads.refusal(1, person=ada))["used_bytes"] == 100


async def test_maintenance_forgets_what_counts_no_more(api: ApiUnderTest, uploads: Uploads, clock: FixedClock) -> None:
    await uploads.claim(1)
    clock.advance(timedelta(days=2, seconds=1))
    await uploads.claim(1)

    assert (await clean_up(api.platform))["upload_claims"] == 1
