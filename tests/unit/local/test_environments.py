"""An installation that a killed run left behind is waited for."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import environments


def test_the_lock_lives_as_long_as_an_installer_that_inherited_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "TOOLS", tmp_path)
    lock = environments._installation_lock()
    installer = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    lock.close()  # the launcher is killed

    with (tmp_path / "install.lock").open("w") as mine:
        with pytest.raises(BlockingIOError):
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        installer.communicate(b"\n")
        fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
