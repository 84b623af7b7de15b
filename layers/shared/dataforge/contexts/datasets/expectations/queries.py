"""Expectations of a dataset."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.expectations.domain import Expectation, ExpectationRule, Severity
from dataforge.contexts.datasets.tables import expectations
from dataforge.platform.db.database import row_dict


async def list_expectations(connection: AsyncConnection, dataset_id: UUID) -> list[dict[str, Any]]:
    """Expectations by name."""
    query = select(expectations).where(expectations.c.dataset_id == dataset_id).order_by(expectations.c.name)
    return [row_dict(row) for row in await connection.execute(query)]


def expectation_of(row: dict[str, Any]) -> Expectation:
    """The expectation of a row."""
    return Expectation(
        row["id"],
        row["name"],
        ExpectationRule(row["rule"]),
        tuple(row["columns"]),
        row["parameters"],
        row["sheet"],
        Severity(row["severity"]),
    )
