"""Run the notebook of the docs: `python -m infra.site.notebook`, with DATAFORGE_URL and DATAFORGE_TOKEN set.

It is written back with what its cells print and draw. The tests run it, too, and compare what is text.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import nbformat
from nbclient import NotebookClient

from infra.local.layout import ROOT

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
CLIENT = ROOT / "clients" / "python" / "src"
_SECONDS = 300


def run_notebook(notebook: Any, environment: Mapping[str, str]) -> None:  # noqa: ANN401 - nbformat's own, untyped
    """Run all cells in a kernel of this Python, in the notebook itself; raises CellExecutionError where one fails."""
    kernel = NotebookClient(notebook, timeout=_SECONDS, kernel_name="python3")
    kernel.execute(env={**os.environ, "PYTHONPATH": str(CLIENT), "PYDEVD_DISABLE_FILE_VALIDATION": "1", **environment})


def outputs_of(notebook: Any) -> list[list[tuple[str, str]]]:  # noqa: ANN401 - as above
    """What each cell printed and answered as text, and the kinds of pictures."""
    return [
        [shown for output in cell.outputs for shown in _shown(output)]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def _shown(output: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - as above
    if output.output_type == "stream":
        return [(output.name, output.text)]
    data = output.get("data", {})
    return [(kind, data[kind] if kind == "text/plain" else "") for kind in sorted(data) if kind != "text/html"]


def main() -> int:
    """Run and write."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]  # it has no types
    run_notebook(notebook, {})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran
    nbformat.write(notebook, NOTEBOOK)  # type: ignore[no-untyped-call]  # it has no types
    return 0


if __name__ == "__main__":
    sys.exit(main())
