"""The engine of versioned tables: rows and bytes, without HTTP and without SQL tables.

What the metadata layer (commands, jobs, consumers) calls. Everything here is synchronous and safe for threads: call it
from async code by
`asyncio.to_thread`. Nothing here talks to Postgres; nothing is visible to readers until the caller's transaction moves
a ref.

Stores
    `ports.ObjectStore`                     `engine.stores.LocalDirectoryStore(root)`,
    `platform.aws.objects.S3ObjectStore(client, bucket)`
    `table_store.TableStore(objects, prefix, cache_bytes=...)`
                                            one per dataset and process; prefix e.g. `datasets/<dataset id>/`; it owns
                                            the caches
Versions
    `manifest.Manifest`                     one table at one commit: `.schema .rows .digest .content .size_bytes
    .change`
                                            `.change`: Change(base_digest, patches, complete, inserted, updated,
                                            deleted) or None
    `manifest_codec.encode_manifest(manifest, parent=EncodedManifest | None, others={id: bytes}) -> EncodedManifest(id,
    data, chain)`
    `manifest_codec.decode_manifest(EncodedManifest, others={id: bytes}) -> Manifest`
        Keep one row per record: (manifest_id char64 pk, dataset_id, chain char64[], data bytea) and point to it from
        (commit_id, table name). To decode, fetch the record and every record in its `chain` in one SELECT ... =
        ANY(chain). A record that any stored `chain` names must stay. Compaction stores a new record and moves the
        pointer; the commit id stays.
    `model.commits.tree_hash({table name: manifest.content}) -> str`      content hash of a commit, 64 hex
    `model.commits.commit_id(tree, parents=[..], author=.., message=.., authored_at=..) -> str`
    `model.columns.TableSchema.to_json() / from_json()`, `schema_changes(before, after) -> [SchemaChange]`
    `model.columns.make_schema([(name, type)], key names)`; `Manifest(schema)` is an empty table; a new dataset has no
    tables: {}
Writing
    `importing.import_file(tables, source, ImportOptions, bases={name: Manifest}, progress=, folder=) ->
    ImportOutcome(tables, report)`
        `parsing.sources`: PathSource(path), ObjectSource(objects, key, file name), BytesSource(bytes, name).
        `outcome.tables` has only the tables of the file: in mode replace drop or keep the others as the job says.
        `report.to_json()` goes to the job.
        `progress(Progress(stage, rows, bytes_done, bytes_total))` may raise to cancel.
    `operations.apply_operations(tables, manifest, [RowOperation(op, key, values)]) -> Manifest`   op insert | update |
    delete
    `operations.change_schema(tables, manifest, renames=, types=, drop=, add=) -> Manifest`
    `merging.merge(tables, base, ours, theirs, rule=None | 'ours' | 'theirs', resolutions={row id: Resolution}) ->
    MergeResult(manifest, conflicts)`
        `manifest` is None while conflicts remain. revert(commit) on head = merge(base=commit, ours=head, theirs=its
        parent); cherry-pick(commit) on head = merge(base=its parent, ours=head, theirs=commit): `merging.revert`,
        `merging.cherry_pick`.
Reading
    `pages.read_page(tables, manifest, PageRequest(offset, limit, after, columns, where, descending)) -> Page`
        rows: [{logical_row_id, data}], total_rows (None for a filtered page), has_more, next_after (row number to
        continue from)
    `model.filters.parse_filter(json) -> Filter`                          eq neq gt gte lt lte contains ... in AND/OR
    groups
    `pages.row_history(tables, [(commit_id, Manifest)] newest first, key values) -> [RowVersion]`
    `statistics.table_statistics(tables, manifest) -> dict`               JSON; cache it by `manifest.digest` and schema
    `expectations.check(tables, manifest, [Expectation], base=Manifest | None, foreign={name: (TableStore, Manifest)})
    -> [CheckResult]`
Comparing
    `diffing.difference(tables, base, head) -> Difference`                .counts, .schema_changes, len(); no cells
    read yet
    `likeness.guess_updates(tables, difference) -> Difference`            without a key: like rows at one place become
    updates, and `.guessed` says which
    `diffing.select(difference, tables, kinds=('inserted', ...), columns=[column ids]) -> Difference`
    `diffing.difference_page(tables, difference, offset, limit) -> [RowChange]`
Exporting and SQL
    `exporting.export_table(tables, manifest, ExportOptions(format, compression, columns, where), sink) -> ExportReport`
        sink: anything with `write(bytes)`, e.g. `storage.S3Writer(bucket, key, content_type)`
    `exporting.export_workbook(tables, {name: Manifest}, options, sink)`, `exporting.export_difference(tables,
    difference, options, sink)`
    `sql.run_sql(tables, {name: Manifest}, statement, caps=SqlCaps()) -> SqlResult(columns, rows, truncated,
    elapsed_ms)`
Lifecycle
    `maintenance.needs_compaction(manifest) -> bool`, `maintenance.compact(tables, manifest) -> Manifest` (same digest,
    other pieces)
    `maintenance.verify(tables, manifest) -> list[Problem]`               from digest to bytes; empty means whole
    `maintenance.live_keys(tables, manifests) -> set[str]`, `maintenance.collect_garbage(tables, live, older_than=epoch
    seconds) -> Garbage`
        Pass every manifest that any ref or retained commit reaches; `older_than` leaves a grace period longer than any
        import.

Errors are those of `contexts.datasets.errors`.
"""
