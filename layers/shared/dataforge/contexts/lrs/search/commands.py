"""Let statements be found that were stored without their keys: before there were any, or by a loader of then."""

from dataclasses import dataclass

from dataforge.contexts.lrs.search.domain import Found, found_by
from dataforge.contexts.lrs.search.repository import UnkeyedStatement
from dataforge.contexts.lrs.statements.domain import read_statement
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.platform.observability import logger


@dataclass(frozen=True, slots=True)
class AddMissingKeys:
    """One page."""

    limit: int = 500


async def add_missing_keys(command: AddMissingKeys, uow: LrsUnitOfWork) -> int:
    """Add the keys of statements that have none; returns how many there were, 0 when none are left."""
    await uow.index.lock_references(exclusive=True)
    waiting = await uow.index.unkeyed(limit=command.limit)
    await uow.index.add([found for item in waiting if (found := _found(item)) is not None])
    await uow.index.mark_keyed([item.statement_id for item in waiting])
    return len(waiting)


def _found(item: UnkeyedStatement) -> Found | None:
    try:
        return found_by(item.statement_id, item.stored_at, read_statement(item.payload))
    except Exception:  # noqa: BLE001 - whatever is wrong with one statement must not stop the others
        logger.warning("statement without keys", exc_info=True, statement_id=str(item.statement_id))
        return None
