"""A report as a table that a statement reads: the first page at hand, the others asked for as the statement goes on.

The statement reads in a thread, and reports are read on the event loop of the request, which waits for the statement.
So no more of a report is held than one page, however often it is scanned.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataforge.contexts.datasets.contract import OpenReport, ReportColumnType, ReportRows
from dataforge.contexts.datasets.statements.relations import SCHEMA
from dataforge.kernel.texts import Text
from versioned_tables.errors import SqlRefused

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Implements `SqlTable`: rows of `report`, whose pages are read on `loop` until `deadline` on the monotonic clock.

    Raises SqlRefused beyond MOST_ROWS rows in one scan, and TimeoutError at the deadline.
    """

    name: str
    report: OpenReport
    loop: asyncio.AbstractEventLoop
    deadline: float

    @property
    def schema(self) -> pa.Schema:
        """Columns by name."""
        import pyarrow as pa

        types = {
            ReportColumnType.STRING: pa.string(),
            ReportColumnType.INT64: pa.int64(),
            ReportColumnType.DOUBLE: pa.float64(),
            ReportColumnType.BOOL: pa.bool_(),
            ReportColumnType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
            ReportColumnType.DATE32: pa.date32(),
        }
        return pa.schema([pa.field(name, types[kind]) for name, kind in self.report.columns.items()])

    def batches(self, columns: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """The rows of columns, a page in a batch."""
        import pyarrow as pa

        schema = self.schema
        fields = [(at, schema.field(at)) for at in columns]
        wanted = pa.schema([field for _, field in fields])
        count = 0
        for page in self._pages():
            count += len(page.rows)
            if count > MOST_ROWS:
                message = Text(
                    "{name} has more than {most} rows; give it arguments that ask for fewer.",
                    name=f"{SCHEMA}.{self.name}",
                    most=MOST_ROWS,
                )
                raise SqlRefused(message)
            arrays = [pa.array([row[at] for row in page.rows], type=field.type) for at, field in fields]
            yield pa.RecordBatch.from_arrays(arrays, schema=wanted)

    def _pages(self) -> Iterator[ReportRows]:
        page = self.report.first
        yield page
        while page.next_key is not None:
            reading = asyncio.run_coroutine_threadsafe(self._page(page.next_key), self.loop)
            try:
                page = reading.result(max(0.0, self.deadline - time.monotonic()))
            except TimeoutError:
                reading.cancel()
                raise
            yield page

    async def _page(self, key: tuple[object, ...]) -> ReportRows:
        return await self.report.page(key)
