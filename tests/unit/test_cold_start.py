"""What a function imports before its first request or event."""

import subprocess
import sys

import pytest

from infra.local.layout import ROOT, SOURCE_PATH
from infra.local.placeholders import NOWHERE

PROGRAM = """
import sys
from dataforge.bootstrap import {function}_handler
{function}_handler()
heavy = {{"pyarrow", "numpy", "duckdb", "sqlalchemy", "boto3", "jinja2", "authlib", "joserfc"}}
print(sorted(heavy & set(sys.modules)))
"""
# datasets_sql is not among them: it starts its engine at once, on purpose.
FUNCTIONS = sorted(path.name for path in (ROOT / "functions").iterdir() if path.name != "datasets_sql")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_cold_start_pays_for_no_data_no_database_and_no_page(function: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(function=function)],
        capture_output=True,
        text=True,
        check=False,
        env={**NOWHERE, "PATH": "", "PYTHONPATH": SOURCE_PATH},
    )

    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
