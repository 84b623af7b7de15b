"""Run the benches one after the other: `python -m infra.bench [name …]`; each is a program of its own."""

import os
import subprocess
import sys
import time

from infra.local.layout import ROOT, SOURCE_PATH

BENCHES = {
    "imports": "infra.bench.imports",
    "sizes": "infra.packaging.sizes",
    "statements": "infra.bench.statements",
    "lrs": "infra.bench.lrs_load",
    "etl": "infra.bench.etl",
    "latency": "infra.bench.latency",
    "accounts": "infra.bench.accounts",
    "reminders": "infra.bench.reminders",
    "reports": "infra.bench.reports",
    "academics": "infra.bench.academics",
    "hot_section": "infra.bench.hot_section",
    "rosters": "infra.bench.rosters",
    "notes": "infra.bench.notes",
    "schemas": "infra.bench.schemas",
    "schema_risks": "infra.bench.schema_risks",
    "datasets": "infra.bench.datasets",
    "sql": "infra.bench.sql",
    "downloads": "infra.bench.downloads",
    "client": "infra.bench.client",
    "one_call": "infra.bench.one_call",
    "workspaces": "infra.bench.workspaces",
    "lists": "infra.bench.lists",
    "redrive": "infra.bench.redrive",
    "tutorials": "infra.bench.tutorials",
}
_CLIENT = ROOT / "clients" / "python" / "src"


def main(names: list[str]) -> int:
    """Run the named benches, all without names; returns 1 when one of them failed."""
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        print(f"There is no bench {', '.join(unknown)}. Known: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((SOURCE_PATH, str(_CLIENT), str(ROOT)))}
    failed = []
    for name in names or BENCHES:
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        status = subprocess.run(
            [sys.executable, "-m", BENCHES[name]], cwd=ROOT, env=environment, check=False
        ).returncode
        print(f"-- {name}: {time.monotonic() - began:.0f} s", flush=True)
        if status != 0:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
