"""What a sender needs to know of the people and addresses that messages go to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.preferences.queries import declined
from dataforge.contexts.notifications.reminders.domain import Learner
from dataforge.contexts.notifications.reminders.queries import learners_of
from dataforge.contexts.notifications.suppressions.domain import Reason, Scope, email_hash
from dataforge.contexts.notifications.suppressions.queries import suppressions_of

_BY_ADDRESS = text("SELECT d.user_id FROM identity.directory d WHERE d.proved_email = ANY(:emails)")


@dataclass(frozen=True, slots=True)
class People:
    """Who is there and not suspended, what they declined, and what addresses do not take."""

    learners: Mapping[UUID, Learner] = field(repr=False)
    by_address: Mapping[str, Learner] = field(repr=False)
    declined: Collection[tuple[UUID, str]]
    suppressed: Mapping[str, Mapping[Scope, Reason]]


async def find_people(
    connection: AsyncConnection, learners: Mapping[UUID, Learner], addresses: Collection[str]
) -> People:
    """Complete what is known of the people with what is kept of them and of further addresses."""
    by_address: Mapping[UUID, Learner] = {}
    if addresses:
        found = await connection.scalars(_BY_ADDRESS, {"emails": sorted({item.lower() for item in addresses})})
        by_address = await learners_of(connection, list(found))
    hashes = {email_hash(item) for item in (*addresses, *(learner.email for learner in learners.values()))}
    return People(
        learners,
        {learner.email: learner for learner in by_address.values()},
        await declined(connection, learners),
        await suppressions_of(connection, hashes),
    )
