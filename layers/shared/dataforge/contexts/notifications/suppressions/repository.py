"""The write SQL of suppressions."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.notifications.suppressions.domain import Reason, Scope
from dataforge.contexts.notifications.tables import suppressions

# An address that does not exist gets nothing at all, whoever has unsubscribed it before.
_FROM_WEAK_TO_STRONG = (Reason.UNSUBSCRIBE, Reason.COMPLAINT, Reason.BOUNCE)


class Suppressions:
    """Suppressions in `notifications.suppressions`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, email_hash: str, scope: Scope, reason: Reason) -> bool:
        """Suppress an address; False when it was already, for that reason or for one that says more."""
        statement = insert(suppressions).values(
            email_hash=email_hash, scope=scope.value, reason=reason.value, at=self._now
        )
        weaker = [known.value for known in _FROM_WEAK_TO_STRONG[: _FROM_WEAK_TO_STRONG.index(reason)]]
        statement = statement.on_conflict_do_update(
            index_elements=["email_hash", "scope"],
            set_={"reason": reason.value, "at": self._now},
            where=suppressions.c.reason.in_(weaker),
        )
        return (await self._connection.scalar(statement.returning(suppressions.c.at))) is not None
