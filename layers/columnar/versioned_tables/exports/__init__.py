"""Versions to files, in constant memory: CSV, Excel, Parquet, Arrow, JSON lines; plain, gzip or zstd; a difference as a
file.

A re-import of an export (into the same dataset, or with the schema declared) yields the same content hash.
"""

from versioned_tables.exports.export import (
    ExportOptions,
    ExportReport,
    export_difference,
    export_rows,
    export_table,
    export_workbook,
)
from versioned_tables.exports.sinks import Sink

__all__ = [
    "ExportOptions",
    "ExportReport",
    "Sink",
    "export_difference",
    "export_rows",
    "export_table",
    "export_workbook",
]
