"""What routes that merge share: resolutions as they were sent, and the plan as an answer."""

from collections.abc import Sequence
from typing import Any

from dataforge.contexts.datasets.commits.versions import Versions
from dataforge.contexts.datasets.comparisons.queries import schema_diff
from dataforge.contexts.datasets.merges import plans, wire
from versioned_tables.merge.conflicts import Resolution, Rule


def resolutions_of(
    rule: Rule | None, resolutions: Sequence[wire.ResolutionIn], sheets: Sequence[str]
) -> plans.Resolutions:
    """How conflicts end; a resolution without a sheet is for the only one."""
    rows: dict[str, dict[str, Resolution]] = {}
    for item in resolutions:
        sheet = item.sheet if item.sheet is not None else (sheets[0] if len(sheets) == 1 else "")
        rows.setdefault(sheet, {})[item.row_id] = Resolution(item.take, item.values)
    return plans.Resolutions(rule, rows)


async def plan_body(versions: Versions, plan: plans.MergePlan) -> dict[str, Any]:
    """A merge before it is made: what it does to each sheet, and the conflicts in its way. While there are any, the
    counts are those with ours in their place.
    """
    before = plan.ours.manifests
    sheets = []
    for sheet, changes in (await plans.sheet_changes(versions, plan)).items():
        old, new = before.get(sheet), plan.tables.get(sheet)
        sheets.append(
            {
                "sheet_name": sheet,
                "rows_before": 0 if old is None else old.rows,
                "rows_after": 0 if new is None else new.rows,
                "schema": schema_diff(old.schema, new.schema) if old is not None and new is not None else None,
                "changes": changes,
            }
        )
    return {
        "ours": plan.ours.commit_id,
        "theirs": plan.theirs.commit_id,
        "base": None if plan.base is None else plan.base.commit_id,
        "fast_forward": plan.fast_forward,
        "up_to_date": plan.up_to_date,
        "sheets": sheets,
        "conflict_count": len(plan.conflicts),
        "conflicts": list(plan.conflicts[: plans.CONFLICTS_LISTED]),
    }
