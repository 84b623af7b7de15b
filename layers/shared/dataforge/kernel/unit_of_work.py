"""The unit of work: what a command does happens whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from dataforge.kernel.events import Event
from dataforge.kernel.principal import Principal


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who changed what; `before` and `after` hold the changed fields only and no secret."""

    action: str
    entity: str
    entity_id: str
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
    workspace_id: UUID | None = None


class UnitOfWork(Protocol):
    """One transaction on behalf of one principal: rolled back unless `commit` is called."""

    principal: Principal

    @property
    def now(self) -> datetime:
        """The one instant this unit of work happens at (UTC)."""
        ...

    def publish(self, event: Event) -> None:
        """Write the event to the outbox when the work is committed."""
        ...

    def audit(self, entry: AuditEntry) -> None:
        """Write the entry to the audit log when the work is committed."""
        ...

    async def commit(self) -> None:
        """Make everything durable."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
