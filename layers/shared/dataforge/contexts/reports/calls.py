"""The router of reports, who may read them, and how they are answered in the format that is asked for."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.reports.basis import Window
from dataforge.contexts.reports.examples import EXAMPLES
from dataforge.contexts.reports.tabular import csv_bytes, parquet_bytes
from dataforge.contexts.reports.wire import Read, Representations, basis_body
from dataforge.http.addresses import this_address
from dataforge.http.app import context_router
from dataforge.http.bounds import sendable
from dataforge.http.call import Call
from dataforge.http.csv_lists import FOR_EXCEL, PART_OF_FILE
from dataforge.http.encoding import dump_json
from dataforge.http.etag import etag
from dataforge.http.negotiation import accepted_media_type
from dataforge.kernel.csv_cells import BYTE_ORDER_MARK
from dataforge.kernel.errors import NotAcceptable
from dataforge.kernel.paging import DEFAULT_LIMIT, MAX_LIMIT
from dataforge.kernel.texts import Text

JSON, CSV, PARQUET, SVG = "application/json", "text/csv", "application/vnd.apache.parquet", "image/svg+xml"
MOST_FILE_ROWS = 10_000
_FORMATS = (JSON, CSV, PARQUET, SVG)
_ENDINGS = {CSV: "csv", PARQUET: "parquet", SVG: "svg"}
_ADVICE = "Ask for fewer rows with `limit` and follow `next`, or accept gzip."

router = context_router("reports")
RowLimit = Annotated[
    int | None,
    Query(
        ge=1,
        le=MAX_LIMIT,
        description=f"rows per page, default {DEFAULT_LIMIT}; pictures have {MAX_LIMIT}, and files "
        f"{MOST_FILE_ROWS:,} unless it is given",
    ),
]


def answers(name: str) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of the answers of a report besides its model."""
    text = {"schema": {"type": "string"}}
    content = {
        JSON: {"example": EXAMPLES[name]},
        CSV: text,
        PARQUET: {"schema": {"type": "string", "format": "binary"}},
        SVG: text,
    }
    headers = {
        "X-Watermark": {
            "description": "`watermark` of the report",
            "schema": {"type": "string", "format": "date-time"},
        },
        "X-Removed-Since": {"description": "`removed_since` of the report", "schema": {"type": "integer"}},
        "ETag": {"description": "of the answer; send it as If-None-Match", "schema": {"type": "string"}},
    }
    return {
        200: {"content": content, "headers": headers},
        304: {"description": "The report is the one of If-None-Match"},
    }


@dataclass(frozen=True, slots=True)
class Asked(Generic[Read]):
    """A report that is asked for: in which format, and which part of it."""

    call: Call
    kind: Representations[Read]
    media_type: str
    window: Window

    def answer(self, report: Read, next_key: tuple[object, ...] | None = None) -> Response:
        """The report in the format that was asked for; 304 if the client has these bytes."""
        basis = report.basis
        headers = {
            "X-Watermark": _instant(basis.watermark),
            "X-Removed-Since": str(basis.removed_since),
            "Vary": "Accept, Accept-Encoding",
            "Cache-Control": "private, no-cache",
        }
        cursor = following = None
        if next_key is not None:
            cursor = self.call.seal(next_key)
            following = this_address(self.call.request.scope, cursor=cursor)
            headers["Link"] = f'<{following}>; rel="next"'
        body = self._body(report, cursor, following)
        tag = etag(hashlib.sha256(self._compared(report, body, next_key)).hexdigest()[:32])
        headers["ETag"] = f"W/{tag}"  # weak: packed, the bytes are others
        if self.media_type in _ENDINGS:
            shown = "inline" if self.media_type == SVG else "attachment"
            headers["Content-Disposition"] = f'{shown}; filename="{self.kind.name}.{_ENDINGS[self.media_type]}"'
        given = self.call.request.headers
        if _same(given.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        whole = Response(body, headers=headers, media_type=self.media_type)
        if PART_OF_FILE in self.call.request.scope:
            return whole
        return sendable(whole, _ADVICE, given.get("accept-encoding", ""))

    def _compared(self, report: Read, body: bytes, next_key: tuple[object, ...] | None) -> bytes:
        """What of an answer makes it another one: in JSON not the watermark, which moves on when nothing else does."""
        if self.media_type != JSON:
            return body
        following = None if next_key is None else next_key[1:]
        members = self.kind.body(report).items()
        said = {name: value for name, value in members if value != report.basis.watermark}
        return dump_json([report.basis.removed_since, said, self.window.limit, following])

    def _body(self, report: Read, cursor: str | None, following: str | None) -> bytes:
        match self.media_type:
            case "text/csv":
                scope = self.call.request.scope
                excel = scope.get(FOR_EXCEL, False)
                mark = BYTE_ORDER_MARK if excel and PART_OF_FILE not in scope else b""
                return mark + csv_bytes(self.kind.table(report), excel=excel)
            case "application/vnd.apache.parquet":
                basis = report.basis
                facts = {"watermark": _instant(basis.watermark), "removed_since": str(basis.removed_since)}
                return parquet_bytes(self.kind.table(report), {"report": self.kind.name, **facts})
            case "image/svg+xml":
                return self.kind.picture(report).encode()
        pages = {"limit": self.window.limit, "next_cursor": cursor, "next": following} if self.kind.paged else {}
        return dump_json({**basis_body(report.basis), **self.kind.body(report), **pages})


def asked_for(
    call: Call,
    kind: Representations[Read],
    *,
    as_of: datetime | None,
    cursor: str | None = None,
    limit: int | None = None,
    default_limit: int = DEFAULT_LIMIT,
) -> Asked[Read]:
    """What of a report is asked for; raises NotAcceptable for other formats than reports have."""
    media_type = accepted_media_type(call.request.headers.get("accept", ""), _FORMATS)
    if media_type is None:
        message = Text(
            "This report is available as {formats} and {formats_2}.",
            formats=", ".join(_FORMATS[:-1]),
            formats_2=_FORMATS[-1],
        )
        raise NotAcceptable(message)
    defaults = {JSON: default_limit, SVG: MAX_LIMIT}
    rows = defaults.get(media_type, MOST_FILE_ROWS) if limit is None else limit
    return Asked(call, kind, media_type, Window(as_of, call.after(cursor), rows))


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _same(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in {item.strip().removeprefix("W/") for item in header.split(",")}
