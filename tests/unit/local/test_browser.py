"""Which browser the tests of the pages use, and that what is brought in is locked."""

import json
from pathlib import Path

import pytest

from infra.local import browser
from infra.local.environments import ENVIRONMENTS
from infra.local.errors import LocalStackError
from infra.local.layout import ROOT


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DATAFORGE_CHROMIUM", raising=False)
    return tmp_path


def executable(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_systems_chromium_is_used_where_there_is_one(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert browser.system_chromium() is None

    found = executable(empty_path / "chromium")

    assert browser.system_chromium() == found
    monkeypatch.setenv("DATAFORGE_CHROMIUM", "packaged")
    assert browser.system_chromium() is None


@pytest.mark.parametrize(
    "locked", ["browser", "functions/xapi_clients", "functions/calendar_readers", "functions/diagram_readers"]
)
def test_what_comes_from_npm_is_locked_by_hash_and_names_no_registry(locked: str) -> None:
    text = (ROOT / "tests" / locked / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]

    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []
    assert "resolved" not in text
    assert "://" not in text


def test_without_node_the_way_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "PLACE", tmp_path)
    monkeypatch.setitem(ENVIRONMENTS, "node", (tmp_path / "none", tmp_path))

    with pytest.raises(LocalStackError, match="Run 'make setup-browser'"):
        browser.browser()
