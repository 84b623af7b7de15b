"""The data of attachments that a page of a purge or an erasure has freed."""

from typing import TYPE_CHECKING

from dataforge.contexts.lrs.attachments.domain import all_places
from dataforge.contexts.lrs.purges.commands import unreferenced
from dataforge.contexts.lrs.purges.progress import Reached
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices


async def forget_attachments(reached: Reached, services: "LrsServices") -> None:
    """Delete the data that the page before has left without a statement; doing it again changes nothing.

    What a job goes on with may be old: somebody may have sent the same data again meanwhile.
    """
    if not reached.free:
        return
    async with services.unit_of_work(LrsUnitOfWork) as uow:
        free = await unreferenced(set(reached.free), uow)
    keys = [place for key in free for place in all_places(key)]
    for start in range(0, len(keys), 1000):
        await services.platform.objects.delete(keys[start : start + 1000])
    reached.free = []
