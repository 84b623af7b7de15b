"""The write SQL of sign-in providers and linked identities."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.single_sign_on.domain import Claims, LinkedIdentity, Provider
from dataforge.contexts.identity.tables import linked_identities, sign_in_providers
from dataforge.kernel.errors import AlreadyExists
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import Row, VersionedRows

_ONE_ARRIVAL = text("SELECT pg_advisory_xact_lock(hashtextextended(:identity, 34))")


def _known_issuer(row: Row) -> AlreadyExists:
    return AlreadyExists(
        Text("There is another provider with the issuer {issuer}; change that one.", issuer=row["issuer"])
    )


class SignInProviders(VersionedRows):
    """Providers in `identity.sign_in_providers`; their sealed secrets are given to nobody but `active`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(
            connection,
            sign_in_providers,
            "sign_in_provider",
            now,
            hidden=("sealed_secret",),
            refusals={"uq_sign_in_providers_issuer": _known_issuer},
        )

    async def active(self, provider_id: UUID) -> Provider | None:
        """A provider that is switched on."""
        table = sign_in_providers
        query = select(table).where(table.c.id == provider_id, table.c.enabled)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        return Provider(
            row.id, row.name, row.issuer, row.client_id, row.sealed_secret, tuple(row.domains), row.creates_accounts
        )


class LinkedIdentities:
    """Identities in `identity.linked_identities`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def find(self, issuer: str, subject: str) -> LinkedIdentity | None:
        """Whose the identity is; two who ask for one identity take turns until their transactions end."""
        await self._connection.execute(_ONE_ARRIVAL, {"identity": f"{issuer}\n{subject}"})
        table = linked_identities
        query = select(table.c.id, table.c.user_id).where(table.c.issuer == issuer, table.c.subject == subject)
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else LinkedIdentity(row.id, row.user_id)

    async def knows(self, user_id: UUID, issuer: str) -> bool:
        """Whether a person has an identity of this issuer."""
        table = linked_identities
        query = select(table.c.id).where(table.c.user_id == user_id, table.c.issuer == issuer).limit(1)
        return (await self._connection.execute(query)).one_or_none() is not None

    async def add(self, user_id: UUID, issuer: str, subject: str, label: str, *, used: bool) -> bool:
        """Link; False when the identity has an account already."""
        values = {"id": uuid7(), "user_id": user_id, "issuer": issuer, "subject": subject, "label": label}
        statement = (
            insert(linked_identities)
            .values(**values, linked_at=self._now, last_used_at=self._now if used else None)
            .on_conflict_do_nothing(index_elements=["issuer", "subject"])
            .returning(linked_identities.c.id)
        )
        return (await self._connection.execute(statement)).one_or_none() is not None

    async def note_use(self, identity_id: UUID, claims: Claims) -> None:
        """It was signed in with, under what the person is called there today."""
        await self._connection.execute(
            update(linked_identities)
            .where(linked_identities.c.id == identity_id)
            .values(last_used_at=self._now, label=claims.label)
        )

    async def remove(self, user_id: UUID, identity_id: UUID) -> str | None:
        """Unlink one of a person's; its issuer, or None when the person has no such identity."""
        table = linked_identities
        statement = delete(table).where(table.c.id == identity_id, table.c.user_id == user_id).returning(table.c.issuer)
        return (await self._connection.execute(statement)).scalar_one_or_none()

    async def remove_all(self, user_id: UUID) -> None:
        """Unlink all of a person's."""
        await self._connection.execute(delete(linked_identities).where(linked_identities.c.user_id == user_id))

    async def usable(self, user_id: UUID) -> int:
        """How many identities of a person belong to providers that are switched on."""
        query = (
            select(func.count())
            .select_from(
                linked_identities.join(sign_in_providers, sign_in_providers.c.issuer == linked_identities.c.issuer)
            )
            .where(linked_identities.c.user_id == user_id, sign_in_providers.c.enabled)
        )
        return int((await self._connection.execute(query)).scalar_one())
