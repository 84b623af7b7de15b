"""Versioned tables: rows and bytes, without HTTP and without SQL tables.

Synchronous and safe for threads: call it from async code by `asyncio.to_thread`. Nothing here talks to a database, and
nothing is visible to readers until the caller's transaction moves a ref. FORMAT.md tells what is stored, and
`errors` what can go wrong. `store` below is a `storage.table_store.TableStore(objects, prefix)`, one per dataset and
process; it owns the caches. Packages, each of which imports only from those below it (import-linter checks it):

`sql`        running.run_sql(store, {name: Manifest}, statement, caps) -> SqlResult
`exports`    export_table(store, manifest, ExportOptions, sink) -> ExportReport; export_workbook; export_difference
`iceberg`    publishing.publish(store, manifest, table, Publishing) -> Published: the next snapshot of an Iceberg table;
             reading.write_parquet(table, snapshot, sink): the rows of a snapshot, whoever wrote it
`imports`    importing.import_file(store, source, ImportOptions, bases={name: Manifest}) -> ImportOutcome(tables,
             report): `tables` has only those of the file; `progress` may raise to cancel
`maintain`   maintenance: needs_compaction, compact (same digest, other pieces), verify (empty means whole),
             live_keys, collect_garbage: pass every manifest that any ref or retained commit reaches, and a grace period
             longer than any import
`merge`      merging.merge(store, base, ours, theirs, rule, resolutions) -> MergeResult; `manifest` is None while
             conflicts remain. revert(commit) on head is merge(base=commit, ours=head, theirs=its parent);
             cherry_pick(commit) on head is merge(base=its parent, ours=head, theirs=commit)
`compare`    diff.difference(store, base, head) -> Difference, of which no cell is read yet; difference_page, select;
             similarity.guess_updates for tables without a key
`write`      writer.TableWriter for rows in order; operations.apply_operations, operations.change_schema
`read`       rows.scan, rows.read_range; pages.read_page, pages.row_history; filters.parse_filter; statistics; checks
`files`      files of any format as typed tables, without a word about versions: sources, formats, options
`storage`    table_store.TableStore over an `objects.ObjectStore`: local_directory.LocalDirectoryStore, or the caller's
`format`     manifest.Manifest: one table at one commit (schema, rows, digest, content, size_bytes, change).
             manifest_codec.encode_manifest(manifest, parent, others) -> EncodedManifest(id, data, chain): keep one
             record each, fetch a record with all of its `chain` to decode it, and keep what any stored chain names
`hashing`    row_hash.hash_rows; leaves; commits.tree_hash, commits.commit_id: content and history as hex digits
`schema`     columns.TableSchema, columns.make_schema, columns.schema_changes; texts; types; conversion
"""
