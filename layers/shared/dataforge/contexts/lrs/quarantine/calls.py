"""What routes and pages of quarantine have in common."""

from typing import Any
from uuid import UUID

from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.quarantine import queries
from dataforge.contexts.lrs.quarantine.replays import QuarantineDesk
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.http.call import Call


def desk_of(call: Call) -> QuarantineDesk:
    """The desk at which this caller works."""
    return QuarantineDesk(call.services(LrsServices), lambda: call.unit_of_work(LrsUnitOfWork))


async def read_entry(call: Call, entry_id: UUID) -> tuple[dict[str, Any], bytes | None]:
    """The facts and the body of an entry; raises NotFound."""
    facts = await call.query(queries.entry_facts, entry_id)
    return facts, await desk_of(call).body(await call.query(queries.kept_entry, entry_id))
