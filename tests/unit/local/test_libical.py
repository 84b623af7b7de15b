"""Where the tests' libical comes from."""

import ctypes.util
from pathlib import Path

import pytest

from infra.local.errors import LocalStackError
from infra.local.libical import libical, library_path


def test_the_systems_library_is_used_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", {"ical": "libical.so.3"}.get)

    found = libical(tmp_path / "libical")

    assert (found, library_path(found)) == ("libical.so.3", {})
    assert list(tmp_path.iterdir()) == []


def test_what_was_brought_in_is_used_with_what_came_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", {}.get)
    directory = tmp_path / "libical" / "usr" / "lib" / "x86_64-linux-gnu"
    directory.mkdir(parents=True)
    (directory / "libical.so.3").touch()

    found = libical(tmp_path / "libical")

    assert found == str(directory / "libical.so.3")
    assert library_path(found) == {"LD_LIBRARY_PATH": str(directory)}


def test_a_system_without_debians_packages_has_to_bring_it_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", {}.get)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(LocalStackError, match="brew install libical"):
        libical(tmp_path / "libical")


def test_packages_that_cannot_be_reached_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", {}.get)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("apt-get", "dpkg-deb"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'E: no network' >&2\nexit 100\n")
        (tmp_path / name).chmod(0o755)

    with pytest.raises(LocalStackError, match="libical could not be downloaded: E: no network"):
        libical(tmp_path / "libical")
    assert not (tmp_path / "libical").exists()
