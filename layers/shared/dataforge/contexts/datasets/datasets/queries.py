"""Datasets, access and grants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, and_, case, func, literal, or_, select, tuple_
from sqlalchemy import Text as SqlText
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.datasets.domain import (
    DatasetNotFound,
    check_access,
    dataset_missing,
    held_level,
)
from dataforge.contexts.datasets.tables import (
    dataset_permissions,
    dataset_tags,
    datasets,
    directory,
    memberships,
    open_workspaces,
)
from dataforge.kernel.access import Action, Kind, Level, MemberRole
from dataforge.kernel.paging import Page
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import may_any
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict


@dataclass(frozen=True, slots=True)
class DatasetAccess:
    """What one request needs to know of its dataset: the caller's level, the default branch, whether it is deleted."""

    id: UUID
    level: Level | None
    default_branch: str
    deleted: bool
    workspace_id: UUID | None = None


def _mine(principal: Principal) -> Any:  # noqa: ANN401 - an SQL expression
    own = and_(dataset_permissions.c.subject_kind == "user", dataset_permissions.c.subject_id == principal.user_id)
    workspaces = select(memberships.c.workspace_id).where(memberships.c.user_id == principal.user_id)
    shared = and_(dataset_permissions.c.subject_kind == "workspace", dataset_permissions.c.subject_id.in_(workspaces))
    return or_(own, shared)


def _by_role(principal: Principal) -> Any:  # noqa: ANN401 - an SQL expression
    """The person's level, by their role, on a dataset of their workspace."""
    return (
        select(case(*((memberships.c.role == role.value, Level.of_member(role).value) for role in MemberRole)))
        .where(memberships.c.workspace_id == datasets.c.workspace_id, memberships.c.user_id == principal.user_id)
        .correlate(datasets)
        .scalar_subquery()
    )


def _is_there() -> Any:  # noqa: ANN401 - an SQL expression
    """Whether a dataset is of no workspace, or of one that is not deleted: then it is nobody's until it is restored."""
    open_one = select(1).where(open_workspaces.c.workspace_id == datasets.c.workspace_id)
    return or_(datasets.c.workspace_id.is_(None), open_one.exists())


def _readable(principal: Principal, *, least: Level = Level.READ) -> Any:  # noqa: ANN401 - an SQL expression
    """Whether the person has this level on a dataset, by a grant or by their role in its workspace."""
    enough = [level.value for level in Level if level.covers(least)]
    granted = select(1).where(
        dataset_permissions.c.dataset_id == datasets.c.id, dataset_permissions.c.level.in_(enough), _mine(principal)
    )
    return or_(granted.exists(), _by_role(principal).in_(enough))


def _levels(principal: Principal) -> Any:  # noqa: ANN401 - an SQL expression
    """The levels that the person has on a dataset; empty without one."""
    granted = (
        select(func.array_agg(dataset_permissions.c.level, type_=ARRAY(SqlText)))
        .where(dataset_permissions.c.dataset_id == datasets.c.id, _mine(principal))
        .correlate(datasets)
        .scalar_subquery()
    )
    return func.array_remove(func.array_append(granted, _by_role(principal)), None, type_=ARRAY(SqlText)).label(
        "levels"
    )


async def dataset_access(connection: AsyncConnection, dataset_id: UUID, principal: Principal) -> DatasetAccess | None:
    """The caller's access; None when there is no such dataset."""
    query = select(datasets.c.default_branch, datasets.c.deleted_at, datasets.c.workspace_id, _levels(principal)).where(
        datasets.c.id == dataset_id, _is_there()
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    level = held_level(map(Level, row.levels), principal)
    return DatasetAccess(dataset_id, level, row.default_branch, row.deleted_at is not None, row.workspace_id)


async def require_access(
    connection: AsyncConnection,
    dataset_id: UUID,
    principal: Principal,
    action: Action,
    kind: Kind,
    *,
    deleted: bool = False,
) -> DatasetAccess:
    """The caller's access if it allows this; a deleted dataset is there with `deleted` only.

    Raises DatasetNotFound without read access and AccessTooLow below the level needed.
    """
    access = await dataset_access(connection, dataset_id, principal)
    if access is None or (access.deleted and not deleted):
        raise dataset_missing(dataset_id)
    check_access(access.level, action, kind, dataset_id)
    return access


def _shown() -> Select[Any]:
    tags = (
        select(func.array_agg(dataset_tags.c.tag, type_=ARRAY(SqlText)))
        .where(dataset_tags.c.dataset_id == datasets.c.id)
        .scalar_subquery()
    )
    return select(
        datasets.c.id,
        datasets.c.workspace_id,
        datasets.c.name,
        datasets.c.description,
        datasets.c.default_branch,
        datasets.c.revision,
        datasets.c.created_by,
        datasets.c.created_at,
        datasets.c.updated_at,
        datasets.c.deleted_at,
        func.coalesce(tags, literal([], ARRAY(SqlText))).label("tags"),
    )


def _answer(row: Any, levels: Sequence[str], principal: Principal) -> dict[str, Any]:  # noqa: ANN401 - a SQLAlchemy row
    held = held_level(map(Level, levels), principal)
    values = row_dict(row)
    values.pop("levels", None)
    return {**values, "tags": sorted(values["tags"]), "permission": held.value if held else None}


async def get_dataset(connection: AsyncConnection, dataset_id: UUID, principal: Principal) -> dict[str, Any]:
    """One dataset with the caller's permission; raises DatasetNotFound."""
    query = _shown().add_columns(_levels(principal)).where(datasets.c.id == dataset_id, _is_there())
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = Text("There is no dataset {dataset_id}.", dataset_id=dataset_id)
        raise DatasetNotFound(message)
    return _answer(row, row.levels, principal)


async def list_datasets(
    connection: AsyncConnection,
    principal: Principal,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    search: str | None,
    tags: Sequence[str],
    deleted: bool,
    workspace_id: UUID | None = None,
) -> Page[dict[str, Any]]:
    """Datasets the caller may read, by name; `deleted` lists those put away that the caller administers instead."""
    query = _shown().add_columns(_levels(principal)).where(_is_there())
    query = query.where(datasets.c.deleted_at.is_not(None) if deleted else datasets.c.deleted_at.is_(None))
    if not may_any(principal, Action.READ, Kind.DATASET):
        query = query.where(_readable(principal, least=Level.ADMIN if deleted else Level.READ))
    if workspace_id is not None:
        query = query.where(datasets.c.workspace_id == workspace_id)
    if search:
        query = query.where(
            or_(
                datasets.c.name.icontains(search, autoescape=True),
                datasets.c.description.icontains(search, autoescape=True),
            )
        )
    for tag in tags:
        query = query.where(
            select(1).where(dataset_tags.c.dataset_id == datasets.c.id, dataset_tags.c.tag == tag).exists()
        )
    if after is not None:
        query = query.where(tuple_(datasets.c.name, datasets.c.id) > tuple_(after[0], UUID(after[1])))
    query = query.order_by(datasets.c.name, datasets.c.id).limit(limit + 1)
    found = (await connection.execute(query)).all()
    rows = [_answer(row, row.levels, principal) for row in found[:limit]]
    return Page(rows, (rows[-1]["name"], str(rows[-1]["id"])) if len(found) > limit else None)


def _open_to(principal: Principal) -> Any:  # noqa: ANN401 - an SQL expression
    there = and_(datasets.c.deleted_at.is_(None), _is_there())
    return there if may_any(principal, Action.READ, Kind.DATASET) else and_(there, _readable(principal))


async def readable_ids_of(connection: AsyncConnection, principal: Principal, name: str) -> Sequence[UUID]:
    """The datasets of this name that the caller may read."""
    query = select(datasets.c.id).where(datasets.c.name == name, _open_to(principal))
    return (await connection.scalars(query.order_by(datasets.c.id).limit(100))).all()


async def readable_names(connection: AsyncConnection, principal: Principal) -> Sequence[str]:
    """Names of datasets that the caller may read, a thousand of them at most."""
    query = select(datasets.c.name).where(_open_to(principal)).distinct().order_by(datasets.c.name).limit(1000)
    return (await connection.scalars(query)).all()


async def list_tags(connection: AsyncConnection, principal: Principal) -> list[dict[str, Any]]:
    """Tags of readable datasets with the number of datasets that have them, most used first."""
    query = (
        select(dataset_tags.c.tag, func.count().label("datasets"))
        .join(datasets, datasets.c.id == dataset_tags.c.dataset_id)
        .where(datasets.c.deleted_at.is_(None), _is_there())
        .group_by(dataset_tags.c.tag)
        .order_by(func.count().desc(), dataset_tags.c.tag)
        .limit(500)
    )
    if not may_any(principal, Action.READ, Kind.DATASET):
        query = query.where(_readable(principal))
    return [row_dict(row) for row in await connection.execute(query)]


async def list_grants(connection: AsyncConnection, dataset_id: UUID) -> list[dict[str, Any]]:
    """Grants of a dataset, with the names of people."""
    query = (
        select(dataset_permissions, directory.c.username, directory.c.display_name)
        .outerjoin(
            directory,
            and_(dataset_permissions.c.subject_kind == "user", directory.c.user_id == dataset_permissions.c.subject_id),
        )
        .where(dataset_permissions.c.dataset_id == dataset_id)
        .order_by(
            dataset_permissions.c.subject_kind, dataset_permissions.c.granted_at, dataset_permissions.c.subject_id
        )
    )
    return [
        {
            "subject_kind": row.subject_kind,
            "subject_id": row.subject_id,
            "name": row.display_name,
            "username": row.username,
            "level": row.level,
            "granted_by": row.granted_by,
            "granted_at": row.granted_at,
        }
        for row in await connection.execute(query)
    ]
