"""What pages of reports share: who may see them, the form above them, and files of what is shown.

A page is itself the address of its files: `format=csv` asks for them with the session cookie, since the API wants a
token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Query
from markupsafe import Markup
from starlette.responses import Response

from dataforge.contexts.reports.basis import Basis, Window
from dataforge.contexts.reports.calls import CSV, MOST_FILE_ROWS, PARQUET, SVG, Asked
from dataforge.contexts.reports.wire import Read, Representations
from dataforge.http.addresses import own_address
from dataforge.http.csv_lists import FOR_EXCEL
from dataforge.http.paging import Cursor
from dataforge.http.wire import Instant
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.paging import MAX_LIMIT
from dataforge.kernel.texts import Text
from dataforge.web.calls import Chosen, PageCall
from dataforge.web.routing import page_router

router = page_router("reports")
REPORTS = "/ui/reports"
ROWS = 50
_OF_FILES = frozenset({"cursor", "format", "excel"})


class FileFormat(StrEnum):
    """What a page can be saved as."""

    CSV = "csv"
    PARQUET = "parquet"
    SVG = "svg"


MEDIA_TYPES = {FileFormat.CSV: CSV, FileFormat.PARQUET: PARQUET, FileFormat.SVG: SVG}


@dataclass(frozen=True, slots=True)
class AskedPage:
    """What every form of a report asks for: as of when, which page, and whether as a file."""

    as_of: datetime | None
    cursor: str | None
    file_format: FileFormat | None
    excel: bool = False

    def window(self, call: PageCall, rows: int = ROWS) -> Window:
        """The part of the report that is shown or saved."""
        limits = {None: rows, FileFormat.SVG: MAX_LIMIT}
        return Window(self.as_of, call.after(self.cursor), limits.get(self.file_format, MOST_FILE_ROWS))

    @property
    def query(self) -> dict[str, str | None]:
        """What asks for the same again, from the first page."""
        as_of = None if self.as_of is None else format_instant(self.as_of)
        return {"as_of": as_of, "format": self.file_format, "excel": "true" if self.excel else None}


def format_instant(at: datetime) -> str:
    """A time in UTC as addresses have it: a plus sign would be read as a space by whoever copies it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _asked_page(
    as_of: Annotated[Instant | None, Chosen] = None,
    cursor: Cursor = None,
    file_format: Annotated[FileFormat | None, Chosen, Query(alias="format")] = None,
    *,
    excel: Annotated[bool | None, Chosen] = None,
) -> AskedPage:
    return AskedPage(as_of, cursor, file_format, excel=bool(excel))


AnyAskedPage = Annotated[AskedPage, Depends(_asked_page)]


class Links(NamedTuple):
    """Where the same numbers are found again, and where they are as files."""

    repeat: str
    now: str
    files: Sequence[tuple[str, str]]
    most_rows: int


def links_of(call: PageCall, basis: Basis) -> Links:
    """The links of the page that is shown."""
    scope = call.request.scope
    given = {name: value for name, value in call.request.query_params.items() if name not in _OF_FILES}
    fixed = {**given, "as_of": format_instant(basis.watermark)}

    def address(query: dict[str, Any]) -> str:
        return own_address(scope, scope["path"], query=query)

    files = [(item.name, address({**fixed, "format": item.value})) for item in FileFormat]
    files.insert(1, (Text("CSV for Excel"), address({**fixed, "format": FileFormat.CSV.value, "excel": "true"})))
    return Links(address(fixed), address({**given, "as_of": None}), files, MOST_FILE_ROWS)


def answer_page(
    call: PageCall,
    asked: AskedPage,
    kind: Representations[Read],
    report: Read,
    template: str,
    **values: Any,  # noqa: ANN401
) -> Response:
    """The page of a report, or the file that was asked for."""
    next_key = getattr(report, "next_key", None)
    if asked.file_format is not None:
        window = Window(asked.as_of)
        call.request.scope[FOR_EXCEL] = asked.excel
        return Asked(call, kind, MEDIA_TYPES[asked.file_format], window).answer(report, next_key)
    return call.page(
        template,
        report=report,
        error=None,
        links=links_of(call, report.basis),
        picture=drawing(kind.picture(report)),
        asked=asked,
        following=call.following(next_key),
        first=asked.cursor is None,
        **values,
    )


def refused_page(
    call: PageCall,
    asked: AskedPage,
    error: DataForgeError,
    template: str,
    **values: Any,  # noqa: ANN401 - what its template needs
) -> Response:
    """The form again, with why it was refused."""
    return call.page(template, status=error.status, report=None, error=error, asked=asked, **values)


def drawing(svg: str) -> Markup:
    """A picture for a template: what is in it was escaped when it was drawn."""
    return Markup(svg)  # noqa: S704 - an SVG of ours, made by an XML writer
