"""Run pytest and measure the lines of `dataforge` it reaches: ``python -m infra.local.coverage [pytest's arguments]``.

SlipCover counts in the bytecode itself. Tracers lose their place when SQLAlchemy switches greenlets in the middle of a
call, so that whatever follows an awaited statement looks untested.
"""

from __future__ import annotations

import sys

import pytest
from slipcover import FileMatcher, ImportManager, Slipcover

from infra.local.layout import ROOT

SOURCE = ROOT / "layers" / "shared" / "dataforge"
LEAST = 90.0
# pytest would like to rewrite the assertions of SlipCover, which it knows as a plugin; it has none.
_QUIET = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")


def main(arguments: list[str]) -> int:
    """Run the tests; 1 when a test fails or less than 90 % of the lines are reached. `--missing` lists the lines."""
    missing = "--missing" in arguments
    measured = Slipcover(source=[str(SOURCE)])
    with ImportManager(measured, FileMatcher(sources=[SOURCE])):
        status = int(pytest.main([*(item for item in arguments if item != "--missing"), *_QUIET]))
    summary = measured.get_coverage()["summary"]
    covered, lines = summary["covered_lines"], summary["covered_lines"] + summary["missing_lines"]
    if missing:
        measured.print_coverage()
    kept = summary["percent_covered"] >= LEAST
    verdict = "" if kept else f", less than {LEAST:.0f} %"
    print(f"== coverage: {summary['percent_covered']:.1f} % of {lines:,} lines ({covered:,}){verdict}", flush=True)
    return status or int(not kept)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
