"""The door to PostgreSQL."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dataforge.platform.db.database import Database


async def test_the_error_of_a_statement_does_not_tell_its_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with database.transaction() as connection:
            await connection.execute(text("SELECT 1 / (length(:value) - 6)"), {"value": "secret"})

    assert "secret" not in str(caught.value)
