"""Versions to files, in constant memory: CSV, Excel, Parquet, JSON lines; plain, gzip or zstd; also a difference as a
file.

A re-import of an export (into the same dataset, or with the schema declared) yields the same content hash.
"""

from versioned_tables.exports.export import (
    ExportOptions,
    ExportReport,
    Sink,
    export_difference,
    export_table,
    export_workbook,
)

__all__ = ["ExportOptions", "ExportReport", "Sink", "export_difference", "export_table", "export_workbook"]
