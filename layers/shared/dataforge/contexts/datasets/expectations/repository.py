"""The write SQL of expectations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.expectations.domain import Expectation, ExpectationExists
from dataforge.contexts.datasets.tables import expectations
from dataforge.kernel.texts import Text
from dataforge.platform.db.refusals import constraint_of


class Expectations:
    """Expectations in `datasets.expectations`."""

    def __init__(self, connection: AsyncConnection, now: datetime, created_by: UUID | None) -> None:
        self._connection = connection
        self._now = now
        self._created_by = created_by

    async def add(self, dataset_id: UUID, expectation: Expectation) -> None:
        """Insert; raises ExpectationExists when the name is taken."""
        statement = insert(expectations).values(
            id=expectation.id,
            dataset_id=dataset_id,
            name=expectation.name,
            rule=expectation.rule.value,
            sheet=expectation.sheet,
            columns=list(expectation.columns),
            parameters=dict(expectation.parameters),
            severity=expectation.severity.value,
            created_by=self._created_by,
            created_at=self._now,
        )
        try:
            await self._connection.execute(statement)
        except IntegrityError as error:
            if constraint_of(error) == "uq_expectations_dataset_id_name":
                message = Text("There is an expectation named {name!r}; choose another name.", name=expectation.name)
                raise ExpectationExists(message) from error
            raise

    async def remove(self, dataset_id: UUID, expectation_id: UUID) -> bool:
        """Delete; False when there is none."""
        statement = delete(expectations).where(
            expectations.c.dataset_id == dataset_id, expectations.c.id == expectation_id
        )
        return (await self._connection.execute(statement)).rowcount == 1
