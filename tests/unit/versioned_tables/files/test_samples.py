"""Reading samples of text files for their dialect: what other readers in the process are set to stays as it is."""

import csv
from concurrent.futures import ThreadPoolExecutor

from versioned_tables.files.dialect import sample_rows
from versioned_tables.files.splitting import Dialect

LONG = "x" * 500_000


def test_long_cells_are_read_and_the_limit_of_the_process_is_as_it_was() -> None:
    before = csv.field_size_limit()

    def rows(_: int) -> list[list[str]]:
        return sample_rows(f"a,b\n1,{LONG}\n", Dialect(",", '"'))

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(rows, range(64)))

    assert results == [[["a", "b"], ["1", LONG]]] * 64
    assert csv.field_size_limit() == before
