"""What an import would do, from what it has done short of making a commit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dataforge.contexts.datasets.commits.domain import NewCommit
from dataforge.contexts.datasets.commits.versions import Version
from dataforge.contexts.datasets.comparisons.queries import SheetDifference, schema_diff
from dataforge.contexts.datasets.imports.domain import KIND, plan_inputs, plan_state
from dataforge.contexts.datasets.jobs.domain import Job
from dataforge.kernel.plans import Plan
from versioned_tables.format.manifest import Manifest

# What stands in a job beside the options.
_ABOUT = ("file_name", "size_bytes")


def import_plan(
    job: Job,
    base: Version,
    tables: Mapping[str, Manifest],
    commit: NewCommit | None,
    *,
    file: Mapping[str, Any],
    report: Mapping[str, Any],
    now: datetime,
) -> Plan:
    """The plan that a job has made: `tables` are all of the commit it would make, None for no difference."""
    parameters = job.run_parameters
    options = {name: value for name, value in parameters.items() if name not in _ABOUT}
    changes = {} if commit is None else {table.sheet: table.changes or {} for table in commit.tables}
    names = [*tables, *(sheet for sheet in base.tables if sheet not in tables)]
    preview = {
        "ref_name": job.ref_name,
        "base_commit_id": base.commit_id,
        **{name: parameters[name] for name in _ABOUT},
        "unchanged": commit is None,
        "sheets": [_sheet(name, base.manifests.get(name), tables.get(name), changes.get(name, {})) for name in names],
        "report": dict(report),
        "upload_id": str(job.upload_id),
        "content_hash": None if commit is None else commit.content_hash,
    }
    return Plan.of(
        KIND,
        inputs=plan_inputs(job.dataset_id, str(job.ref_name), file, options),
        state=plan_state(base.commit_id),
        preview=preview,
        created_by=job.user_id,
        now=now,
    )


def _sheet(name: str, before: Manifest | None, after: Manifest | None, changes: Mapping[str, int]) -> dict[str, Any]:
    rows_before, rows_after = 0 if before is None else before.rows, 0 if after is None else after.rows
    inserted, updated = changes.get("inserted", 0), changes.get("updated", 0)
    return {
        "sheet_name": name,
        "change": SheetDifference(name, before, after).status,
        "rows_before": rows_before,
        "rows_after": rows_after,
        "inserted": inserted,
        "updated": updated,
        "deleted": rows_before if after is None else changes.get("deleted", 0),
        "unchanged": rows_after - inserted - updated,
        "schema": None if before is None or after is None else schema_diff(before.schema, after.schema),
    }
