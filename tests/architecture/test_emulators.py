"""Which emulator a test may use (CONTRIBUTING.md, "Emulators")."""

import re

from infra.local.layout import ROOT


def test_only_unit_tests_have_aws_in_process() -> None:
    users = {
        "/".join(file.relative_to(ROOT).parts[:2])
        for folder in ("layers", "functions", "infra", "tests")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(r"^(import|from) moto\b", file.read_text(), re.MULTILINE)
    }

    assert users == {"tests/unit"}
