"""Ask for something in the trash to be deleted for good."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.schemas.trash import queries
from dataforge.contexts.schemas.trash.domain import missing_item
from dataforge.contexts.schemas.unit_of_work import SchemasUnitOfWork
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class EmptyTrashItem:
    """Delete one thing in the trash of a workspace before its time."""

    workspace_id: UUID
    item_id: UUID


async def empty_trash_item(command: EmptyTrashItem, uow: SchemasUnitOfWork) -> UUID:
    """Mark it for the deployer, which alone may delete; raises TrashItemNotFound."""
    row = await queries.find_item(uow.connection, command.workspace_id, command.item_id)
    if not await uow.trash.ask_for_end(command.workspace_id, command.item_id, uow.now):
        raise missing_item(command.item_id)
    after = {"object": row["object"]}
    uow.audit(AuditEntry("empty", "schema_trash", str(command.item_id), after=after, workspace_id=command.workspace_id))
    return command.item_id
