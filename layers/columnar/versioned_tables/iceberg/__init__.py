"""Versions as Apache Iceberg tables: which rows and columns a snapshot has, and how a foreign snapshot is read back.

`publishing.publish(store, manifest, table, PublishedAs(...))` brings a `pyiceberg` table to a version;
`reading.write_parquet(table, snapshot_id, sink)` writes the rows of a snapshot into one Parquet file. Neither needs
`pyarrow.dataset`, which functions do not carry.
"""
