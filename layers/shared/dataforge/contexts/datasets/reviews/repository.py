"""The write SQL of review requests."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.reviews.domain import Opinion, Review, ReviewNotFound, ReviewState, Verdict
from dataforge.contexts.datasets.tables import review_checks, review_comments, review_opinions, review_requests
from dataforge.kernel.texts import Text


class Reviews:
    """Review requests in `datasets.review_requests` and what belongs to them."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert an open review request."""
        await self._connection.execute(
            insert(review_requests).values(**values, state="open", created_at=self._now, updated_at=self._now)
        )

    async def lock(self, dataset_id: UUID, number: int) -> Review:
        """The review request, locked; raises ReviewNotFound."""
        query = (
            select(review_requests)
            .where(review_requests.c.dataset_id == dataset_id, review_requests.c.number == number)
            .with_for_update()
        )
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            message = Text("There is no review request {number} in this dataset.", number=number)
            raise ReviewNotFound(message)
        return Review(row.id, row.author_id, row.source_ref, row.target_ref, ReviewState(row.state), row.title)

    async def comment(self, values: Mapping[str, Any]) -> None:
        """Insert a comment."""
        await self._connection.execute(insert(review_comments).values(**values, created_at=self._now))

    async def judge(self, review_id: UUID, opinion: Opinion) -> None:
        """Insert or replace a person's verdict."""
        values = {
            "verdict": opinion.verdict.value,
            "head_commit_id": opinion.head_commit_id,
            "created_at": self._now,
        }
        statement = pg_insert(review_opinions).values(review_id=review_id, user_id=opinion.user_id, **values)
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["review_id", "user_id"], set_=values)
        )

    async def withdraw(self, review_id: UUID, user_id: UUID) -> None:
        """Remove a person's verdict."""
        await self._connection.execute(
            delete(review_opinions).where(
                review_opinions.c.review_id == review_id, review_opinions.c.user_id == user_id
            )
        )

    async def opinions(self, review_id: UUID) -> Sequence[Opinion]:
        """The verdicts."""
        query = select(review_opinions).where(review_opinions.c.review_id == review_id)
        return [
            Opinion(row.user_id, Verdict(row.verdict), row.head_commit_id)
            for row in await self._connection.execute(query)
        ]

    async def note_checks(self, review_id: UUID, head: str, target: str, results: Sequence[Mapping[str, Any]]) -> None:
        """Keep the results of the checks for a pair of commits."""
        values = {"results": [dict(item) for item in results], "created_at": self._now}
        statement = pg_insert(review_checks).values(
            review_id=review_id, head_commit_id=head, target_commit_id=target, **values
        )
        keys = ["review_id", "head_commit_id", "target_commit_id"]
        await self._connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))

    async def update(self, review_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes."""
        statement = update(review_requests).where(review_requests.c.id == review_id)
        await self._connection.execute(statement.values({**changes, "updated_at": self._now}))
