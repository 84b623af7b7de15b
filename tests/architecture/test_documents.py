"""What the documents point at is there."""

import re
from pathlib import Path

import pytest
import yaml

from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from infra.local.layout import ROOT
from tests.builders.routes import APPS, app_under_test, routes_of
from tests.builders.time import NOW

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "infra").rglob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")
# `a/path.py` or `a/path.py::name`: from the root, from the package, or from the context that is being followed.
MENTION = re.compile(r"`([\w.*-]+/[\w./*-]+)(?:::([\w.]+))?`")
BASES = [ROOT, ROOT / "layers/shared/dataforge", ROOT / "layers/shared/dataforge/contexts/academics"]
FOR_READERS = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
# `/ui/a/page` or `GET /api/a/route?with=parameters`, with values or {names} in it.
ADDRESS = re.compile(r"`(?:[A-Z]+ )?(/(?:ui|api)/[^\s`?…]+)(?:\?[^`]*)?`")
IN_BRACES = re.compile(r"\{[^}]+\}")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
PLACEHOLDERS = {"migrations/versions/00NN_what.py"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    lost = [target for target in LINK.findall(document.read_text()) if not (document.parent / target).exists()]

    assert lost == []


@pytest.mark.parametrize(("path", "name"), sorted(set(MENTION.findall(CONTRIBUTING)) - {(p, "") for p in PLACEHOLDERS}))
def test_what_a_newcomer_is_led_through_is_there(path: str, name: str) -> None:
    found = [match for base in BASES for match in base.glob(path.rstrip("/"))]

    assert found, path
    if name:
        assert re.search(rf"\b(def|class) {name.rpartition('.')[2]}\b", found[0].read_text()), name


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`make ([a-z-]+)", CONTRIBUTING))))
def test_every_named_command_exists(command: str) -> None:
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_workflow_runs_what_contributors_run() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/checks.yml").read_text())
    commands = {step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step}

    assert commands == {"make test-fast", "bash .ci/run"}


async def test_every_address_that_documents_name_is_there(database: Database) -> None:
    paths: set[str] = set()
    for name in APPS:
        async with app_under_test(name, database, FixedClock(NOW)) as api:
            paths |= {route.path.replace(":path}", "}") for _, route in routes_of(api)}
    known = re.compile("|".join("[^/]+".join(map(re.escape, IN_BRACES.split(path))) for path in sorted(paths)))

    named = {
        (str(file.relative_to(ROOT)), address) for file in FOR_READERS for address in ADDRESS.findall(file.read_text())
    }
    wrong = {(file, address) for file, address in named if not known.fullmatch(address.replace("/api/v1/", "/api/"))}

    assert wrong == set()
    assert len(named) > 60
