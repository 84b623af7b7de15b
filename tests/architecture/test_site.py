"""The site of `docs/` is built without a warning, has every page, and loads nothing from elsewhere."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from infra.local.layout import ROOT

CONFIGURATION = ROOT / "infra" / "site" / "mkdocs.yml"
LOADED = re.compile(
    r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?(https?:[^\"> ]+)|<link[^>]*\shref=\"?(https?:[^\"> ]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    command = [ROOT / ".venv/bin/mkdocs", "build", "--strict", "-q", "-f", CONFIGURATION, "-d", directory]
    built = subprocess.run(
        command, check=False, capture_output=True, text=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    )
    assert (built.returncode, built.stdout + built.stderr) == (0, "")
    return directory


def leaves(navigation: object) -> Iterator[str]:
    if isinstance(navigation, str):
        yield navigation
    elif isinstance(navigation, dict | list):
        for item in navigation.values() if isinstance(navigation, dict) else navigation:
            yield from leaves(item)


def test_every_page_of_docs_is_in_the_navigation() -> None:
    text = CONFIGURATION.read_text()
    shown = set(leaves(yaml.safe_load(text)["nav"]))
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}

    assert pages - shown == set()


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))

    assert len(pages) > 50
    assert [(page.name, LOADED.findall(page.read_text())) for page in pages if LOADED.search(page.read_text())] == []


def test_decisions_and_runbooks_are_pages_too(site: Path) -> None:
    assert "infra/adr/0031-a-lesson-is-a-course-of-one-unit.html" in (site / "completion.html").read_text()
    assert (site / "infra/adr/0031-a-lesson-is-a-course-of-one-unit.html").exists()
