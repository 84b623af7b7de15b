"""What routes and pages of publications share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.datasets.datasets.calls import DatasetCall
from dataforge.contexts.datasets.imports.wire import ImportIn
from dataforge.contexts.datasets.publications import wire
from dataforge.contexts.datasets.publications.domain import PublishingOff, QueryNotFound, lake_prefix, namespace_of
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.http.languages import failure_in_words_of
from dataforge.kernel.texts import Text

if TYPE_CHECKING:
    from dataforge.platform.aws.athena import Athena


def require_publishing(call: DatasetCall) -> None:
    """Raise PublishingOff where there is no catalog."""
    if call.platform.settings.iceberg_catalog == "none":
        message = Text("This installation publishes no tables: ICEBERG_CATALOG names no catalog.")
        raise PublishingOff(message)


async def snapshot_options(call: DatasetCall, ref: str, body: wire.SnapshotImportIn) -> dict[str, Any]:
    """Options of the import of a snapshot, as files have them; raises SheetNotFound when it is not said into which."""
    sheet = body.sheet
    if sheet is None:
        found = await call.versions.load(call.dataset_id, ref)
        sheet = found.sheet_name(None) if found.tables else "data"
    options = ImportIn(
        mode=body.mode,
        format="parquet",
        table=sheet,
        key=body.key,
        declared_types=body.declared_types,
        evolution=body.evolution,
        keep_other_tables=True,
        message=body.message,
    )
    return options.model_dump(mode="json")


def athena_of(call: DatasetCall) -> Athena:
    """The engine for published tables; raises PublishingOff where there is none."""
    engine = call.services(DatasetsServices).athena
    if engine is None:
        message = Text(
            "This installation runs no queries over published tables (ATHENA_WORKGROUP); read the table with Daft, "
            "DuckDB or another engine: docs/iceberg.md."
        )
        raise PublishingOff(message)
    return engine


async def shown_query(call: DatasetCall, athena: Athena, publication_id: UUID, query_id: UUID) -> dict[str, Any]:
    """A query for the wire; raises QueryNotFound also for one over tables of another dataset."""
    run = await athena.execution(str(query_id))
    if run is None or run.database != namespace_of(call.platform.settings.iceberg_namespaces, call.dataset_id):
        raise QueryNotFound(Text("There is no query {query_id} over tables of this dataset.", query_id=query_id))
    result = await athena.rows(run.id) if run.state == "succeeded" else None
    files = call.services(DatasetsServices).files
    values = {
        "id": query_id,
        "publication_id": publication_id,
        "state": run.state,
        "sql": run.statement,
        "columns": None if result is None else [{"name": name, "type": kind} for name, kind in result.columns],
        "rows": None if result is None else result.rows,
        "truncated": result is not None and result.truncated,
        "failure": run.reason if run.state in ("failed", "cancelled") else None,
        "scanned_bytes": run.scanned_bytes,
        "elapsed_ms": run.elapsed_ms,
        "download_url": None if result is None else files.download_url(run.output, f"{query_id}.csv"),
    }
    return wire.QueryOut.model_validate(values).model_dump(mode="json")


def shown_publication(call: DatasetCall, row: dict[str, Any]) -> dict[str, Any]:
    """A publication for the wire."""
    settings = call.platform.settings
    values = {
        **row,
        "catalog": settings.iceberg_catalog,
        "namespace": namespace_of(settings.iceberg_namespaces, row["dataset_id"]),
        "table": row["table_name"],
        "location": f"s3://{settings.data_bucket}/{lake_prefix(row['dataset_id'])}{row['table_name']}",
        "failure": failure_in_words_of(call.request.scope, row["failure"]),
    }
    return wire.PublicationOut.model_validate(values).model_dump(mode="json")
