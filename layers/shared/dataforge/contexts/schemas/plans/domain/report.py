"""A plan in plain values, as it is shown and kept."""

from typing import Any

from dataforge.contexts.schemas.plans.domain.changes import Risk
from dataforge.contexts.schemas.plans.domain.plan import Plan


def change_out(plan: Plan, index: int, affected: int | None) -> dict[str, Any]:
    """One change with its risk and what was seen while it was rehearsed, on live rows too."""
    item, seen, risk = plan.up[index], plan.seen(index), plan.risk_of(index)
    return {
        "op": item.op,
        "object": item.object,
        "phase": int(item.phase),
        "sql": [statement.sql for statement in item.statements],
        "risk": risk.value,
        "lock": plan.lock_of(index),
        "locks": dict(seen.locks),
        "rewrite": seen.rewrites,
        "scan": seen.scans,
        "affected_rows": affected,
        "lost_rows": seen.lost,
        "samples": [dict(key) for key in seen.samples],
        "estimated_ms": seen.estimated_ms,
        "reason": item.reason,
        "needs_confirmation": risk is Risk.DESTRUCTIVE,
    }
