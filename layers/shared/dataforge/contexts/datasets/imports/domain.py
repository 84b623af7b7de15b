"""Dry runs of imports: what a file would do to a branch, and when that may still be done."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from dataforge.kernel.errors import PlanStale
from dataforge.kernel.plans import Plan
from dataforge.kernel.texts import Text

KIND = "datasets.import"
# What a job that carries out a plan must make: the content hash of the commit, None for no difference.
PLANNED = "planned_content"


def plan_inputs(dataset_id: UUID, ref: str, file: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for: the bytes of a file (`sha256` or the checksum of its parts, `size`) into a branch."""
    return {"dataset_id": str(dataset_id), "ref": ref, "file": dict(file), "options": dict(options)}


def plan_state(commit_id: str) -> dict[str, Any]:
    """What the plan was made from."""
    return {"commit_id": commit_id}


def plan_of(found: Plan) -> dict[str, Any]:
    """A plan for people, without what only its apply needs."""
    shown = {name: value for name, value in found.preview.items() if name not in ("upload_id", "content_hash")}
    times = {"created_at": found.created_at.isoformat(), "expires_at": found.expires_at.isoformat()}
    return {"plan_hash": found.plan_hash, **shown, **times, "job_id": found.job_id and str(found.job_id)}


def moved_since(ref: str, seen: str, current: str) -> PlanStale:
    """The refusal of a plan whose branch has other commits by now."""
    message = Text(
        "{ref} was at commit {seen} when this was planned and is at {current}; nothing was changed. Plan again.",
        ref=ref,
        seen=seen,
        current=current,
    )
    return PlanStale(message, facts={"ref": ref, "expected_commit": seen, "current_commit": current})


def other_content() -> PlanStale:
    """The refusal of a plan that the file would not carry out as it was shown."""
    return PlanStale(
        Text("The import would now do something else than the plan says; nothing was changed. Plan again.")
    )
