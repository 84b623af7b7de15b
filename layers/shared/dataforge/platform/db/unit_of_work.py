"""The unit of work over one PostgreSQL transaction."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.clock import Clock, SystemClock
from dataforge.kernel.events import Event
from dataforge.kernel.principal import SYSTEM, Principal
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.database import Database
from dataforge.platform.db.inbox import Inbox
from dataforge.platform.db.tables import audit_log, outbox
from dataforge.platform.db.upload_quota import UploadQuota

Command = TypeVar("Command")
Result = TypeVar("Result")
Uow = TypeVar("Uow", bound="SqlUnitOfWork")


class SqlUnitOfWork:
    """One transaction; contexts derive theirs and add their repositories over `connection`.

    Events and audit entries are written with the change they tell of, in the same transaction.
    """

    def __init__(
        self,
        database: Database,
        *,
        principal: Principal = SYSTEM,
        clock: Clock | None = None,
        request_id: str | None = None,
    ) -> None:
        self._database = database
        self.principal = principal
        self._now = (clock or SystemClock()).now()
        self._request_id = request_id
        self._events: list[Event] = []
        self._audit: list[AuditEntry] = []
        self._stack = AsyncExitStack()
        self._connection: AsyncConnection | None = None

    @classmethod
    def within(cls, uow: "SqlUnitOfWork") -> Self:
        """This context's repositories in the transaction of another context's unit of work, which opens and commits it.

        Events and audit entries go out with that one's; nothing is done `apart`.
        """
        inner = cls.__new__(cls)
        # Everything is the same object, the lists of events and entries among it: the outer one writes them.
        vars(inner).update(vars(uow))
        return inner

    @property
    def now(self) -> datetime:
        """The one instant this unit of work happens at (UTC)."""
        return self._now

    @property
    def connection(self) -> AsyncConnection:
        """The connection inside the transaction; only within `async with`."""
        if self._connection is None:
            message = "a unit of work is used inside `async with`"
            raise RuntimeError(message)
        return self._connection

    @property
    def upload_quota(self) -> UploadQuota:
        """What is claimed of upload quotas."""
        return UploadQuota(self.connection, self.now)

    @property
    def inbox(self) -> Inbox:
        """Which events were dealt with."""
        return Inbox(self.connection, self.now)

    def publish(self, event: Event) -> None:
        """Write the event to the outbox when the work is committed."""
        self._events.append(event)

    def audit(self, entry: AuditEntry) -> None:
        """Write the entry to the audit log when the work is committed."""
        self._audit.append(entry)

    async def flush(self) -> None:
        """Write collected events and audit entries into the transaction."""
        if self._events:
            await self.connection.execute(
                insert(outbox),
                [
                    {
                        "id": event.event_id,
                        "name": event.name,
                        "key": event.key,
                        "payload": event.payload(),
                        "occurred_at": self._now,
                        "next_attempt_at": self._now,
                    }
                    for event in self._events
                ],
            )
            self._events.clear()
        if self._audit:
            await self.connection.execute(
                insert(audit_log),
                [
                    {
                        "at": self._now,
                        "actor_id": self.principal.user_id,
                        "workspace_id": entry.workspace_id,
                        "action": entry.action,
                        "entity": entry.entity,
                        "entity_id": entry.entity_id,
                        "before": entry.before,
                        "after": entry.after,
                        "request_id": self._request_id,
                    }
                    for entry in self._audit
                ],
            )
            self._audit.clear()

    async def apart(self, work: Awaitable[Result]) -> Result:
        """What slow work gives that needs no database, while the connection serves others.

        Only before anything was written: the transaction ends, and another one goes on afterwards.
        """
        if self._events or self._audit:
            message = "what was published or audited before would be lost"
            raise RuntimeError(message)
        self._connection = None
        await self._stack.aclose()
        result = await work
        self._connection = await self._stack.enter_async_context(self._database.connect())
        return result

    async def commit(self) -> None:
        """Make everything durable, events and audit entries included."""
        await self.flush()
        await self.connection.commit()

    async def __aenter__(self) -> Self:
        self._connection = await self._stack.enter_async_context(self._database.connect())
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Leaving without commit rolls back: SQLAlchemy does so when the connection goes back to the pool.
        self._connection = None
        await self._stack.__aexit__(exc_type, exc, traceback)


async def run(unit_of_work: Uow, handler: Callable[[Command, Uow], Awaitable[Result]], command: Command) -> Result:
    """Run one command in one transaction, committed when the handler returns; one that raises leaves nothing behind.

    The one door for queues and schedules; requests go through `Call.execute`, except for steps that are kept whatever
    becomes of the request.
    """
    async with unit_of_work as uow:
        result = await handler(command, uow)
        await uow.commit()
        return result
