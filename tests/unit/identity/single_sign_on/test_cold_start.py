"""What signing in at providers costs whoever does not."""

import subprocess
import sys

from infra.local.layout import SOURCE_PATH
from infra.local.placeholders import NOWHERE

PROGRAM = """
import sys
from dataforge.contexts.identity.sign_in import pages
from dataforge.contexts.identity.single_sign_on import browser_seals, openid, pages, routes
print(sorted({"authlib", "joserfc", "httpx", "cryptography"} & set(sys.modules)))
"""


def test_the_sign_in_page_loads_no_library_of_the_protocol() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        env={**NOWHERE, "PATH": "", "PYTHONPATH": SOURCE_PATH},
    )

    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
