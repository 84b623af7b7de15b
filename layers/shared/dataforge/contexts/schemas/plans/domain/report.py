"""A plan in plain values, as it is shown and kept."""

from typing import Any

from dataforge.contexts.schemas.plans.domain.changes import Risk
from dataforge.contexts.schemas.plans.domain.plan import Plan

_ROWS_PER_MS = 500  # what a rewrite or scan of this server does at least; an estimate says so much and no more


def change_out(plan: Plan, index: int, affected: int | None) -> dict[str, Any]:
    """One change with its risk and what was seen while it was rehearsed."""
    item = plan.up[index]
    seen = plan.evidence[index] if index < len(plan.evidence) else None
    risk = plan.risk_of(index)
    long = seen is not None and (seen.rewrites or seen.scans)
    return {
        "op": item.op,
        "object": item.object,
        "phase": int(item.phase),
        "sql": [statement.sql for statement in item.statements],
        "risk": risk.value,
        "lock": item.lock,
        "rewrite": bool(seen and seen.rewrites),
        "scan": bool(seen and seen.scans),
        "affected_rows": affected,
        "estimated_ms": None if affected is None else max(1, affected // _ROWS_PER_MS) if long else 1,
        "reason": item.reason,
        "needs_confirmation": risk is Risk.DESTRUCTIVE,
    }
