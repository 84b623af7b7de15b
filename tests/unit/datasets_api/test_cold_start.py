"""What the datasets API imports before its first request."""

import subprocess
import sys

from infra.local.layout import SOURCE_PATH

PROGRAM = """
import sys
from dataforge.bootstrap import datasets_api_handler
datasets_api_handler()
print(sorted({"pyarrow", "numpy", "duckdb", "sqlalchemy", "boto3"} & set(sys.modules)))
"""


def test_a_cold_start_pays_for_neither_arrow_nor_the_database() -> None:
    environment = {"DATABASE_URL": "postgresql://nowhere", "PATH": ""}

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        env=environment | {"PYTHONPATH": SOURCE_PATH},
    )

    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
