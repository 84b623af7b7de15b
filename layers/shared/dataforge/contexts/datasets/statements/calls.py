"""The answer to a statement, in the form that the client wants; and where to run one that is too large for us."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from dataforge.contexts.datasets.commits.versions import Version
from dataforge.contexts.datasets.datasets.calls import DATASETS
from dataforge.contexts.datasets.downloads.domain import Form
from dataforge.http.bounds import sendable
from dataforge.http.call import Call, json_response
from dataforge.kernel.texts import Text, joined
from versioned_tables.errors import SqlOutgrown

if TYPE_CHECKING:
    import pyarrow as pa

    from versioned_tables.sql.caps import SqlResult

_ENDINGS = {
    Form.CSV: "csv",
    Form.JSONL: "jsonl",
    Form.PARQUET: "parquet",
    Form.ARROW: "arrows",
    Form.ARROW_FILE: "arrow",
}


# Of the docs: it tells of Daft, Spark, Trino, DuckDB and Athena.
_ENGINES = "docs/iceberg.md"


@contextmanager
def with_way_out(call: Call, versions: Sequence[tuple[str, Version]]) -> Iterator[None]:
    """Tell whoever runs a statement that outgrows the function where the versions that it reads, as they were asked
    for, are published as tables for larger engines.
    """
    try:
        yield
    except SqlOutgrown as error:
        if not versions:
            raise
        addresses = [
            call.address(
                DATASETS,
                version.dataset_id,
                "commits" if name == version.commit_id else "refs",
                name,
                "publications",
            )
            for name, version in versions
        ]
        addresses = list(dict.fromkeys(addresses))
        advice = Text(
            "For more memory and time, publish what it reads (POST {addresses}) and run it there with an engine of "
            "your own: see {page}.",
            addresses=", ".join(addresses),
            page=_ENGINES,
        )
        facts = {**error.facts, "publications": addresses, "docs": _ENGINES}
        raise SqlOutgrown(joined([error.detail, advice]), facts=facts) from error


async def result_response(result: SqlResult, form: Form | None, facts: dict[str, Any], *, excel: bool) -> Response:
    """The rows of a statement: JSON with `facts` about it, or a file; raises AnswerTooLarge.

    A header says what JSON says beside the rows: whether there would have been more.
    """
    advice = Text("Ask for fewer rows or columns.")
    if form is None:
        body = {
            **facts,
            "columns": [{"name": name, "type": kind} for name, kind in result.columns],
            "rows": result.rows,
            "truncated": result.truncated,
            "elapsed_ms": round(result.elapsed_ms, 1),
        }
        return sendable(json_response(body, headers={"Vary": "Accept"}), advice)
    assert result.table is not None  # noqa: S101 - asked for as one
    content = await asyncio.to_thread(_written, result.table, form, excel=excel)
    headers = {
        "Content-Disposition": f'attachment; filename="result.{_ENDINGS[form]}"',
        "Vary": "Accept",
        "X-Result-Truncated": str(result.truncated).lower(),
    }
    return sendable(Response(content, headers=headers, media_type=form.media_type), advice)


def _written(table: pa.Table, form: Form, *, excel: bool) -> bytes:
    from versioned_tables.exports import ExportOptions, export_rows
    from versioned_tables.schema.texts import unique_names

    sink = io.BytesIO()
    shown = table.rename_columns(unique_names(table.column_names))
    export_rows(_as_form_takes_it(shown, form), ExportOptions(form.value, excel=excel), sink)
    return sink.getvalue()


def _as_form_takes_it(table: pa.Table, form: Form) -> pa.Table:
    """Types that a form has none for become text: in CSV all that have parts, in Parquet intervals."""
    import pyarrow as pa

    from versioned_tables.schema.texts import is_nested, text_of

    def has_no_type(kind: pa.DataType) -> bool:
        if form is Form.CSV:
            return is_nested(kind) or pa.types.is_dictionary(kind)
        return form is Form.PARQUET and (pa.types.is_interval(kind) or pa.types.is_union(kind))

    for at, field in enumerate(table.schema):
        if has_no_type(field.type):
            text = pa.chunked_array([pa.array(text_of(table.column(at).combine_chunks()), pa.string())])
            table = table.set_column(at, field.name, text)
    return table
