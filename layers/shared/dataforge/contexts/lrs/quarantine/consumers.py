"""The minute's work of quarantine."""

from typing import TYPE_CHECKING

from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

_PAGE = 500


async def forget_served(services: "LrsServices") -> dict[str, int]:
    """Delete refused requests and ended entries that have served their time, bodies first: a kill forgets nothing."""
    async with services.unit_of_work(LrsUnitOfWork) as uow:
        due = await uow.quarantine.due(uow.now, limit=_PAGE)
        ids = [item.id for item in due]
        keys = await uow.quarantine.unused([item.s3_key for item in due if item.s3_key], ids)
    await services.platform.objects.delete(keys)
    async with services.unit_of_work(LrsUnitOfWork) as uow:
        await uow.quarantine.forget(ids)
        await uow.commit()
    return {"forgotten": len(due)}
