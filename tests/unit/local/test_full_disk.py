"""A full disk is one sentence, wherever it is met."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from infra.local.__main__ import is_full


def test_a_full_disk_is_recognised_in_a_single_error_and_in_that_of_a_tree(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "file").touch()

    def copy(_source: str, _target: str) -> None:
        raise full

    with pytest.raises(shutil.Error) as caught:
        shutil.copytree(tmp_path / "from", tmp_path / "to", copy_function=copy)

    assert is_full(full)
    assert is_full(caught.value)
    assert not is_full(OSError(errno.EACCES, os.strerror(errno.EACCES)))
