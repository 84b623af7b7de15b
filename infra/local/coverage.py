"""A pytest plugin: the lines of our packages that the tests of all xdist workers reach; less than 90 % fails the run.

Named in PYTEST_PLUGINS, because a plugin of the command line is loaded too late in a worker. SlipCover counts in the
bytecode itself: tracers lose their place when SQLAlchemy switches greenlets in the middle of a call, so that whatever
follows an awaited statement looks untested.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from slipcover import FileMatcher, ImportManager, Slipcover, merge_coverage, print_coverage

from infra.local.layout import LOCAL, ROOT

SOURCES = [
    ROOT / "layers" / "shared" / "dataforge",
    ROOT / "layers" / "columnar" / "versioned_tables",
    ROOT / "clients" / "python" / "src" / "dataforge_client",
]
REPORT = LOCAL / "coverage.txt"
LEAST = 90.0


class Coverage:
    """Counts in the process that runs tests, adds up in the one that hands them out."""

    def __init__(self) -> None:
        self._measured = Slipcover(source=[str(source) for source in SOURCES])
        self._found: dict[str, Any] | None = None
        ImportManager(self._measured, FileMatcher(sources=SOURCES)).__enter__()

    def _add(self, found: dict[str, Any]) -> None:
        self._found = found if self._found is None else merge_coverage(self._found, found)

    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - xdist's own, untyped
        """Take over what a worker counted."""
        if "coverage" in getattr(node, "workeroutput", {}):
            self._add(json.loads(node.workeroutput["coverage"]))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over the count, or judge it."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["coverage"] = json.dumps(self._measured.get_coverage())
            return
        self._add(self._measured.get_coverage())
        if session.exitstatus == pytest.ExitCode.OK and self._summary["percent_covered"] < LEAST:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @property
    def _summary(self) -> dict[str, Any]:
        found: dict[str, Any] = (self._found or {})["summary"]
        return found

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:  # noqa: ANN401 - untyped
        """The share of lines; a file lists those that were not reached."""
        with REPORT.open("w") as file:
            print_coverage(self._found, outfile=file, skip_covered=True)
        reached, missed = self._summary["covered_lines"], self._summary["missing_lines"]
        share = self._summary["percent_covered"]
        verdict = "" if share >= LEAST else f", less than {LEAST:.0f} %"
        summary = (
            f"coverage: {share:.1f} % of {reached + missed:,} lines{verdict}; the others: {REPORT.relative_to(ROOT)}"
        )
        terminalreporter.write_line(summary)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start before anything imports `dataforge`."""
    early_config.pluginmanager.register(Coverage(), "dataforge-coverage")
