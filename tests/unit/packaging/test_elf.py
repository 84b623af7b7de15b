"""Shared libraries are made smaller in a way that the loader still accepts."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from infra.packaging.elf import SharedLibrary

ARROW = Path(pa.__file__).parent


def arrow_library(pattern: str) -> SharedLibrary:
    library = SharedLibrary.of(next(ARROW.glob(pattern)))
    assert library is not None
    return library


def test_a_file_that_is_no_library_is_none(tmp_path: Path) -> None:
    (tmp_path / "notes.so.txt").write_text("not a library")

    assert SharedLibrary.of(tmp_path / "notes.so.txt") is None


def test_what_a_library_needs_and_defines_is_read_from_what_the_loader_reads() -> None:
    python, engine = arrow_library("libarrow_python.so.*"), arrow_library("libarrow_acero.so.*")

    wanted, defined = python.symbols()

    assert any(name.startswith("libarrow_acero.so") for name in python.needed())
    assert wanted & arrow_library("libarrow.so.*").symbols()[1]
    assert "import_pyarrow" in "".join(defined)
    assert not {name for name in wanted & engine.symbols()[1] if "5acero" in name}


def test_the_loader_loads_a_cut_library_and_not_what_it_needed_before(tmp_path: Path) -> None:
    library = arrow_library("libarrow_python.so.*")
    engine = [name for name in library.needed() if name.startswith(("libarrow_acero", "libarrow_d", "libarrow_s"))]

    assert (library.cut(), library.without(engine)) == (True, True)
    (tmp_path / "smaller.so").write_bytes(library.image)
    program = f"import ctypes; ctypes.CDLL({str(tmp_path / 'smaller.so')!r}); print(open('/proc/self/maps').read())"
    environment = {"LD_LIBRARY_PATH": str(ARROW)}
    mapped = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout

    assert len(engine) == 3
    assert "libarrow_compute" in mapped
    assert [name for name in engine if name in mapped] == []
    assert not SharedLibrary(bytes(library.image)).cut()
