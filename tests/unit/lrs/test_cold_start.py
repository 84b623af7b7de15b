"""What the xAPI app imports before its first request."""

import subprocess
import sys

from infra.local.layout import ROOT, SOURCE_PATH


def test_the_xapi_app_is_imported_without_the_database_and_without_boto3() -> None:
    program = "import sys, dataforge.contexts.lrs.xapi; print(sorted({'sqlalchemy', 'boto3'} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": SOURCE_PATH},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "[]"
