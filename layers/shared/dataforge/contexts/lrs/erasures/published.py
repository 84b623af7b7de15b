"""What the contract promises of erasures."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from dataforge.contexts.lrs.erasures.commands import begin_erasure, plan_erasure
from dataforge.contexts.lrs.erasures.domain import Erase
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.principal import Principal
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.services import Platform


class RecordErasures:
    """Keeps the contract's PersonErasure."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def erase_person(
        self, agents: Sequence[Mapping[str, Any]], *, responses: bool, on_behalf_of: Principal
    ) -> UUID:
        """Queue the job that takes the person out of the record store; its id."""

        async def begin(command: Erase, uow: LrsUnitOfWork) -> UUID:
            return await begin_erasure(await plan_erasure(command, uow), uow)

        uow = LrsUnitOfWork(self._platform.database, principal=on_behalf_of, clock=self._platform.clock)
        job_id = await run(uow, begin, Erase(agents, responses=responses))
        await self._platform.send_job(job_id)
        return job_id
