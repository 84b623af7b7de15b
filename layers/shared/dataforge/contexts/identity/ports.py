"""What identity's commands need of the outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from dataforge.contexts.identity.domain import Account, RefreshToken
from dataforge.kernel.throttling import Budget
from dataforge.kernel.unit_of_work import UnitOfWork


class Users(Protocol):
    """People."""

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert; raises DuplicateUsername, DuplicateEmail or DuplicateAvatar."""
        ...

    async def account(self, username: str) -> Account | None:
        """By username or e-mail address, ignoring case."""
        ...

    async def account_by_id(self, user_id: UUID) -> Account | None:
        """By id."""
        ...

    async def lock(self, user_id: UUID) -> Mapping[str, Any] | None:
        """The row, locked until the end of the transaction."""
        ...

    async def active_admins(self) -> int:
        """How many administrators are not suspended; locks them, so that two demotions cannot pass each other."""
        ...

    async def update(self, user_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes and count the revision up."""
        ...


class Throttle(Protocol):
    """Budgets of tries a minute (see platform.db.throttle)."""

    async def take(self, budgets: Sequence[Budget]) -> int | None:
        """Take a try of each; None, or the seconds to wait."""
        ...

    async def spend(self, budgets: Sequence[Budget]) -> int | None:
        """Take a try of each that is never given back."""
        ...

    async def close(self, budgets: Sequence[Budget], *, failed: bool) -> None:
        """End a try that was taken."""
        ...


class RefreshTokens(Protocol):
    """Refresh tokens by hash."""

    async def add(self, user_id: UUID, family: UUID, hashed: str, expires_at: datetime) -> None:
        """Insert."""
        ...

    async def lock(self, hashed: str) -> RefreshToken | None:
        """The token, locked."""
        ...

    async def mark_used(self, token_id: UUID) -> None:
        """It has been exchanged."""
        ...

    async def revoke_family(self, family: UUID) -> None:
        """End one sign-in."""
        ...

    async def revoke_user(self, user_id: UUID) -> None:
        """End every sign-in of a person."""
        ...


class XapiCredentials(Protocol):
    """xAPI credentials by key id."""

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert."""
        ...

    async def revoke(self, key_id: str) -> bool:
        """Mark revoked; False when there is no such key."""
        ...


class IdentityUnitOfWork(UnitOfWork, Protocol):
    """A transaction with identity's repositories."""

    @property
    def users(self) -> Users: ...
    @property
    def throttle(self) -> Throttle: ...
    @property
    def refresh_tokens(self) -> RefreshTokens: ...
    @property
    def xapi_credentials(self) -> XapiCredentials: ...
