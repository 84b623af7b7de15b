"""How often plans of schemas are right about risks: `python -m infra.bench.schema_risks`, on labelled changes.

Each change is planned on a schema with rows, and run before the eyes of an observer who knows nothing of plans.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

import psycopg

from infra.bench.figure import Figure, show
from infra.local.postgres import start

_LONG = ("rewrite", "scan under a lock")


def share(counts: Counter[tuple[str, str]], kinds: tuple[str, ...], part: str, rest: str) -> float:
    """What share of two outcomes together is the first, in percent; all when there is neither."""
    found, others = (sum(counts[kind, outcome] for kind in kinds) for outcome in (part, rest))
    return 100 * found / (found + others) if found + others else 100


async def measure(url: str) -> list[Figure]:
    """Judge all labels."""
    from tests.builders.planned import Planned
    from tests.builders.schema_risks import LABELS
    from tests.builders.schema_risks.judge import judge

    counts: Counter[tuple[str, str]] = Counter()
    async with await psycopg.AsyncConnection.connect(url) as connection:
        planned = Planned(connection)
        for label in LABELS.values():
            counts += (await judge(planned, label)).counts
    alarms = [share(counts, kinds, "false alarm", "rest") for kinds in (_LONG, ("loss",), ("failure",))]
    return [
        Figure("labelled changes of schemas", len(LABELS), 120, at_least=True),
        Figure(
            "% of rewrites and scans under a lock that were foreseen",
            share(counts, _LONG, "hit", "miss"),
            98,
            at_least=True,
        ),
        Figure("% of false alarms of them", alarms[0], 3),
        Figure("% of strongest locks on tables that were wrong", share(counts, ("lock",), "false alarm", "rest"), 3),
        Figure("% of losses of data that were foreseen", share(counts, ("loss",), "hit", "miss"), 95, at_least=True),
        Figure("% of false alarms of losses", alarms[1], 5),
        Figure(
            "% of plans that rows would make fail foreseen",
            share(counts, ("failure",), "hit", "miss"),
            95,
            at_least=True,
        ),
        Figure("% of false alarms of failures", alarms[2], 5),
    ]


def main() -> int:
    """Measure on a server of its own."""
    with tempfile.TemporaryDirectory() as directory:
        server = start(Path(directory))
        try:
            return 1 if show("schema_risks", asyncio.run(measure(server.create_database("bench_risks")))) else 0
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
