"""What routes and pages of publications share."""

from typing import Any

from dataforge.contexts.datasets.datasets.calls import DatasetCall
from dataforge.contexts.datasets.imports.wire import ImportIn
from dataforge.contexts.datasets.publications import wire
from dataforge.contexts.datasets.publications.domain import PublishingOff, lake_prefix, namespace_of
from dataforge.http.languages import failure_in_words_of
from dataforge.kernel.texts import Text


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
