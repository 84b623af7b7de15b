"""Import time of each function's handler (`python -X importtime`, total), and a cold function's first answer.

Each figure is the smallest of several fresh interpreters: what the machine does beside only adds.
"""

import json
import subprocess
import sys

from infra.bench.cold import RUNS, all_first_seconds, environment
from infra.local.layout import ROOT


def import_seconds(function: str) -> float:
    """Total of `-X importtime` for the function's `app` module, in seconds."""
    command = [sys.executable, "-X", "importtime", "-c", "import app"]
    totals = []
    for _ in range(RUNS):
        done = subprocess.run(command, env=environment(ROOT, function), capture_output=True, text=True, check=True)
        last = [line for line in done.stderr.splitlines() if line.endswith("| app")][-1]
        totals.append(int(last.split("|")[1]) / 1_000_000)
    return min(totals)


def main() -> None:
    """Print both tables and one JSON line."""
    functions = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
    imports = {name: import_seconds(name) for name in functions}
    first = all_first_seconds(ROOT)
    print("| handler | import, s |\n|---|---|")
    for name, seconds in imports.items():
        print(f"| {name} | {seconds:.2f} |")
    print("\n| from the start to the first answer of | CPU, s |\n|---|---|")
    for name, seconds in first.items():
        print(f"| {name} | {seconds:.2f} |")
    print(json.dumps({"imports": imports, "first": first}))


if __name__ == "__main__":
    main()
