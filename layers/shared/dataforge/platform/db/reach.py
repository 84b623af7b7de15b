"""Lists of what may belong to workspaces, as far as somebody reaches."""

from typing import Any

from sqlalchemy import ColumnElement, or_, true

from dataforge.kernel.access import Reach


def within(workspace: ColumnElement[Any], reach: Reach) -> ColumnElement[bool]:
    """Whether somebody reaches what belongs to the workspace in this column, or to none where it is null."""
    if reach.everywhere:
        return true()
    inside = workspace.in_(reach.workspaces)
    return or_(workspace.is_(None), inside) if reach.organisation else inside


def within_sql(column: str) -> str:
    """The same for a statement that is written out; it takes `reach_values`."""
    return (
        f"(CAST(:everywhere AS boolean) OR CAST(:organisation AS boolean) AND {column} IS NULL "
        f"OR {column} = ANY (CAST(:workspaces AS uuid[])))"
    )


def reach_values(reach: Reach) -> dict[str, Any]:
    """What a statement with `within_sql` is given."""
    return {
        "everywhere": reach.everywhere,
        "organisation": reach.organisation,
        "workspaces": sorted(reach.workspaces),
    }
