"""What runs each minute behind the lessons."""

from typing import TYPE_CHECKING

from dataforge.contexts.learning.lessons.commands import normalise_addresses
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.learning.module import LearningServices


async def keep_addresses(services: "LearningServices") -> dict[str, int]:
    """Bring the addresses of lessons into their normal form that a release before has written."""
    changed = await run(services.unit_of_work(LearningUnitOfWork), normalise_addresses, None)
    return {"normalised": changed}
