"""Who writes JSON in an order of keys of its own, which only a hash or a signature needs."""

from pathlib import Path

import dataforge
import versioned_tables

# kernel.canonical says why the others exist.
WRITERS = {
    "dataforge/kernel/canonical.py",
    "dataforge/contexts/lrs/statements/domain/identity.py",
    "dataforge/contexts/lrs/statements/domain/normal_form.py",
    "dataforge/contexts/datasets/contents/queries.py",
    "versioned_tables/hashing/commits.py",
}


def test_nobody_else_has_a_canonical_json() -> None:
    packages = [Path(package.__path__[0]) for package in (dataforge, versioned_tables)]
    writers = {
        file.relative_to(package.parent).as_posix()
        for package in packages
        for file in package.rglob("*.py")
        if "sort_keys=True" in file.read_text()
    }

    assert writers == WRITERS
