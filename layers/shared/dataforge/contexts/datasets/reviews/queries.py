"""Review requests with what was said of them."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.reviews.domain import ReviewNotFound
from dataforge.contexts.datasets.tables import (
    dataset_permissions,
    datasets,
    directory,
    memberships,
    refs,
    review_checks,
    review_comments,
    review_opinions,
    review_requests,
)
from dataforge.kernel.access import Level, MemberRole
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

MOST_REVIEWERS = 100


async def reviewers_of(connection: AsyncConnection, dataset_id: UUID) -> list[UUID]:
    """People who may write to a dataset, by a grant of their own or of a workspace, or by their role in its own.

    A hundred at most.
    """
    grants = select(dataset_permissions).where(
        dataset_permissions.c.dataset_id == dataset_id, dataset_permissions.c.level.in_(("write", "admin"))
    )
    found = grants.subquery()
    own = select(found.c.subject_id.label("user_id")).where(found.c.subject_kind == "user")
    shared = (
        select(memberships.c.user_id)
        .join(found, found.c.subject_id == memberships.c.workspace_id)
        .where(found.c.subject_kind == "workspace")
    )
    writers = [role.value for role in MemberRole if Level.of_member(role).covers(Level.WRITE)]
    by_role = (
        select(memberships.c.user_id)
        .join(datasets, datasets.c.workspace_id == memberships.c.workspace_id)
        .where(datasets.c.id == dataset_id, memberships.c.role.in_(writers))
    )
    people = own.union(shared, by_role).subquery()
    query = (
        select(directory.c.user_id)
        .join(people, people.c.user_id == directory.c.user_id)
        .where(directory.c.suspended_at.is_(None))
        .order_by(directory.c.user_id)
        .limit(MOST_REVIEWERS)
    )
    return list((await connection.scalars(query)).all())


async def named_dataset(connection: AsyncConnection, dataset_id: UUID) -> tuple[str, UUID | None]:
    """What a dataset is called, and the workspace it belongs to."""
    row = (
        await connection.execute(select(datasets.c.name, datasets.c.workspace_id).where(datasets.c.id == dataset_id))
    ).one()
    return str(row.name), row.workspace_id


async def list_reviews(
    connection: AsyncConnection, dataset_id: UUID, *, after: tuple[Any, ...] | None, limit: int, state: str | None
) -> Page[dict[str, Any]]:
    """Review requests, newest first."""
    comments = select(func.count()).where(review_comments.c.review_id == review_requests.c.id).scalar_subquery()
    query = (
        select(review_requests, comments.label("comments"))
        .where(review_requests.c.dataset_id == dataset_id)
        .order_by(review_requests.c.number.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(review_requests.c.number < after[0])
    if state is not None:
        query = query.where(review_requests.c.state == state)
    rows = [row_dict(row) for row in await connection.execute(query)]
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, (rows[-1]["number"],) if more else None)


async def get_review(connection: AsyncConnection, dataset_id: UUID, number: int) -> dict[str, Any]:
    """A review request with its verdicts, comments, last checks and the commits of its branches; ReviewNotFound."""
    query = select(review_requests).where(
        review_requests.c.dataset_id == dataset_id, review_requests.c.number == number
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = Text("There is no review request {number} in this dataset.", number=number)
        raise ReviewNotFound(message)
    review = row_dict(row)
    at = {
        found.name: found
        for found in await connection.execute(
            select(refs).where(refs.c.dataset_id == dataset_id, refs.c.name.in_([row.source_ref, row.target_ref]))
        )
    }
    source, target = at.get(row.source_ref), at.get(row.target_ref)
    review["head_commit_id"] = source.commit_id if source is not None else None
    review["target_commit_id"] = target.commit_id if target is not None else None
    review["required_approvals"] = target.required_approvals if target is not None and target.protected else 0
    review["opinions"] = [
        {**row_dict(item), "current": source is not None and item.head_commit_id == source.commit_id}
        for item in await connection.execute(
            select(
                review_opinions.c.user_id,
                review_opinions.c.verdict,
                review_opinions.c.head_commit_id,
                review_opinions.c.created_at,
                directory.c.display_name,
            )
            .outerjoin(directory, directory.c.user_id == review_opinions.c.user_id)
            .where(review_opinions.c.review_id == row.id)
            .order_by(review_opinions.c.created_at)
        )
    ]
    review["comments"] = [
        row_dict(item)
        for item in await connection.execute(
            select(review_comments, directory.c.display_name)
            .outerjoin(directory, directory.c.user_id == review_comments.c.author_id)
            .where(review_comments.c.review_id == row.id)
            .order_by(review_comments.c.id)
        )
    ]
    review["checks"] = None
    if source is not None and target is not None:
        review["checks"] = await connection.scalar(
            select(review_checks.c.results).where(
                review_checks.c.review_id == row.id,
                review_checks.c.head_commit_id == source.commit_id,
                review_checks.c.target_commit_id == target.commit_id,
            )
        )
    return review
