"""The operator's command that rebuilds, and the minute's job behind a change of the rules."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.lrs.rebuild.commands import (
    PAGE,
    RebuildPage,
    RenewRows,
    begin_rebuild,
    rebuild_page,
    renew_rows,
)
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

REBUILD_SECONDS, RENEW_SECONDS = 200.0, 15.0


async def rebuild(_payload: Mapping[str, Any], services: "LrsServices", *, seconds: float = REBUILD_SECONDS) -> Any:  # noqa: ANN401 - counts
    """Compare all flat rows with their statements and work out all progress; repeat it until it answers `done`.

    One that was killed or has run out of time goes on behind its last page.
    """
    deadline = time.monotonic() + seconds
    await run(services.unit_of_work(LrsUnitOfWork), begin_rebuild, None)
    command = RebuildPage(services.home_pages, services.platform.get(LessonDirectory))
    while True:
        state = await run(services.unit_of_work(LrsUnitOfWork), rebuild_page, command)
        if state["done"] or time.monotonic() > deadline:
            return {"done": state["done"], "statements": state.get("statements", 0), "pairs": state.get("pairs", 0)}


async def renew_old_rows(services: "LrsServices") -> dict[str, int]:
    """Make flat rows of earlier rules anew, a page in each transaction; what is left is done next time."""
    deadline, renewed, page = time.monotonic() + RENEW_SECONDS, 0, PAGE
    command = RenewRows(services.home_pages, services.platform.get(LessonDirectory))
    while page and time.monotonic() < deadline:
        page = await run(services.unit_of_work(LrsUnitOfWork), renew_rows, command)
        renewed += page
    return {"renewed": renewed}
