"""Every list as CSV: the whole of it, in memory that does not grow with it.

A route that answers a list answers it as CSV, too, without a line of its own: its handler is called for one page of
JSON after the other, as a client would that follows `next_cursor`, and the rows go to a file. What fits is the answer,
what does not becomes an object that the answer points to (ADR 59). A route that makes CSV itself is asked for it, page
by page.
"""

import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from dataforge.http.bounds import MAX_ANSWER_BYTES, sendable
from dataforge.http.file_answers import Bounds, fits, store_file, tagged
from dataforge.http.list_columns import Columns, Listed, columns_of, listed_in
from dataforge.http.negotiation import PRESENTATION, accepted_media_type, varies_by
from dataforge.kernel.csv_cells import BYTE_ORDER_MARK, write_lines
from dataforge.kernel.errors import BadRequest, DataForgeError, NotAcceptable, ValidationFailed, Violation
from dataforge.kernel.texts import Text

JSON, CSV = "application/json", "text/csv"
FORMAT, EXCEL = "format", "excel"
FOR_EXCEL = "dataforge.for_excel"  # how a handler that makes CSV itself is to make it
PART_OF_FILE = "dataforge.part_of_file"  # says that an answer is no answer yet, so that it may have any length
_ROWS_OF_FILES = 500  # a page, where a handler makes CSV itself
_NAMES = {
    JSON: "json",
    CSV: "csv",
    "application/vnd.apache.parquet": "parquet",
    "image/svg+xml": "svg",
    "text/calendar": "ics",
    "text/html": "html",
}
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_NEXT = re.compile(r'[?&]cursor=([^&>]+)[^>]*>; rel="next"')
_OF_ONE_PAGE = frozenset({"content-length", "content-type", "content-encoding", "content-disposition", "etag", "link"})

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client wants of a list: the format, and whether one page that it names."""

    media_type: str
    excel: bool
    one_page: bool


class ListRoute:
    """The formats of one route: what it offers, which a request wants, and how it becomes CSV."""

    def __init__(self, route: APIRoute, make_request: Callable[[Scope, Any], Request]) -> None:
        self._route = route
        self._request = make_request

    @cached_property
    def listed(self) -> Listed | None:
        """The list in the route's answers, if it is a list."""
        return listed_in(self._route.response_model) if self._reads else None

    @cached_property
    def columns(self) -> Columns | None:
        """The columns of its CSV; None where the handler makes CSV itself, or there is none."""
        return None if self.listed is None or self._makes_csv else columns_of(self.listed)

    @cached_property
    def offered(self) -> tuple[str, ...]:
        """The media types of its answers; empty where nothing is said of them."""
        if not self._reads or self._route.response_model is None:
            return ()
        own = self._declared or (JSON,)
        first = own if JSON in own else (JSON, *own)
        return first if self.listed is None or CSV in first else (*first, CSV)

    @cached_property
    def formats(self) -> Mapping[str, str]:
        """The values of `format` and what they mean; empty where it is no parameter, or one of the route's own."""
        if CSV not in self.offered or FORMAT in self._parameters:
            return {}
        return {_NAMES[media_type]: media_type for media_type in self.offered if media_type in _NAMES}

    @property
    def parameters(self) -> frozenset[str]:
        """The query parameters that are understood here and not by the handler."""
        if CSV not in self.offered or self._does_everything:
            return frozenset()
        return frozenset({FORMAT, EXCEL} if self.formats else {EXCEL})

    @property
    def _reads(self) -> bool:
        return "GET" in (self._route.methods or ())

    @cached_property
    def _declared(self) -> tuple[str, ...]:
        return tuple(self._route.responses.get(200, {}).get("content", ()))

    @cached_property
    def _fixed(self) -> tuple[str, ...]:
        """The media types of an answer that is a file, a calendar or a picture."""
        return self._declared if self._reads and self._route.response_model is None else ()

    @property
    def _makes_csv(self) -> bool:
        return CSV in self._declared

    @property
    def _does_everything(self) -> bool:
        # Tables of datasets have formats, and files of them, of their own.
        return self._makes_csv and FORMAT in self._parameters

    @cached_property
    def _parameters(self) -> Mapping[str, Any]:
        return {field.alias: field for field in _query_fields(self._route.dependant)}

    async def answer(self, handle: Handler, request: Request) -> Response:
        """The answer in the format that is wanted.

        Raises NotAcceptable, ValidationFailed for a wrong `format` or `excel`, and ListTooLong (`file_answers`).
        """
        if not self._route.include_in_schema or self._does_everything:
            return await handle(request)
        if not self.offered:
            self._accepted(request, self._fixed)
            return await handle(request)
        wanted = self._wanted(request)
        if CSV not in self.offered:
            return await handle(request)
        request.scope[PRESENTATION] = self.parameters
        if wanted.media_type != CSV:
            if FORMAT in self.parameters and FORMAT in request.query_params:
                request = self._accepting(request, wanted.media_type)
            response = await handle(request)
            varies_by(response.headers, "Accept")
            return response
        if wanted.one_page:
            return await self._one_page(handle, request, wanted)
        return await self._whole(handle, request, wanted)

    @staticmethod
    def _accepted(request: Request, offered: tuple[str, ...]) -> str:
        """The media type of the answer, "" where nothing is said of it."""
        if not offered:
            return ""
        media_type = accepted_media_type(request.headers.get("accept", ""), offered)
        if media_type is None:
            raise NotAcceptable(Text("This is available as {formats}.", formats=_among(offered)))
        return media_type

    def _wanted(self, request: Request) -> Wanted:
        query = request.query_params
        given = query.get(FORMAT) if self.formats else None
        if given is None:
            media_type = self._accepted(request, self.offered)
        elif given in self.formats:
            media_type = self.formats[given]
        else:
            raise _invalid(FORMAT, Text("must be one of {names}", names=", ".join(self.formats)), "enum")
        excel = _TRUTHS.get(query.get(EXCEL, "false").lower()) if CSV in self.offered else False
        if excel is None:
            raise _invalid(EXCEL, Text("must be true or false"), "bool_parsing")
        if excel and media_type != CSV:
            message = Text("excel=true is for CSV: send format=csv with it, or Accept: text/csv.")
            raise BadRequest(message)
        one_page = any(name in query and name in self._parameters for name in ("limit", "cursor", "offset"))
        return Wanted(media_type, excel, one_page)

    async def _one_page(self, handle: Handler, request: Request, wanted: Wanted) -> Response:
        """The page that `limit` and `cursor` name, with the next one's address in Link."""
        page = await handle(self._inner(request, accept=self._accept, excel=wanted.excel))
        if page.status_code != 200:
            return page
        lines = bytes(page.body) if self.columns is None else self._lines(self._rows(page), self.columns, wanted)
        response = self._file(page, _marked(lines, wanted))
        if "link" in page.headers:
            response.headers["Link"] = page.headers["link"]
        accept_encoding = request.headers.get("accept-encoding", "")
        return sendable(response, Text("Ask for fewer rows with `limit` and follow Link."), accept_encoding)

    async def _whole(self, handle: Handler, request: Request, wanted: Wanted) -> Response:
        """The whole list, in the answer or where that points to."""
        first: Response | None = None
        rows, bounds = 0, Bounds()
        with tempfile.SpooledTemporaryFile(max_size=MAX_ANSWER_BYTES) as file:
            async for page in self._pages(handle, request, wanted):
                if page.status_code != 200:
                    return page
                if self.columns is None:
                    lines = bytes(page.body) if first is None else bytes(page.body).partition(b"\r\n")[2]
                    rows += lines.count(b"\r\n")
                else:
                    found = self._rows(page)
                    rows += len(found)
                    lines = self._lines(found, self.columns, wanted, header=first is None)
                file.write(_marked(lines, wanted) if first is None else lines)
                first = first or page
                if await request.is_disconnected():
                    return Response(status_code=204)  # nobody reads it; the file goes with the request
                bounds.check(file, rows)
            assert first is not None  # noqa: S101 - a handler answers
            if not fits(file):
                media_type = f"{CSV}; charset=utf-8"
                elsewhere = await store_file(request, file, name=f"{self._name}.csv", media_type=media_type)
                varies_by(elsewhere.headers, "Accept")
                return elsewhere
            file.seek(0)
            return self._file(first, file.read())

    async def _pages(self, handle: Handler, request: Request, wanted: Wanted) -> AsyncIterator[Response]:
        cursor: str | None = ""
        while cursor is not None:
            pages = {"limit": str(self._largest_page)} if self._largest_page else {}
            pages |= {"cursor": cursor} if cursor else {}
            page = await handle(self._inner(request, accept=self._accept, excel=wanted.excel, **pages))
            yield page
            following = self._next(page)
            if following == cursor:
                message = "A list does not end."
                raise RuntimeError(message)
            cursor = following

    def _next(self, page: Response) -> str | None:
        if "cursor" not in self._parameters:
            return None
        link = _NEXT.search(page.headers.get("link", ""))
        return None if link is None else dict(parse_qsl(f"cursor={link[1]}"))["cursor"]

    @cached_property
    def _largest_page(self) -> int | None:
        if "limit" not in self._parameters:
            return None
        bounds = [bound.le for bound in self._parameters["limit"].field_info.metadata if hasattr(bound, "le")]
        largest = int(min(bounds, default=_ROWS_OF_FILES))
        return min(largest, _ROWS_OF_FILES)

    @property
    def _accept(self) -> str:
        return CSV if self._makes_csv else JSON

    def _rows(self, page: Response) -> list[Any]:
        answer = orjson.loads(bytes(page.body))
        assert self.listed is not None  # noqa: S101 - what has columns is a list
        rows: list[Any] = answer if self.listed.member is None else answer[self.listed.member]
        return rows

    def _lines(self, rows: list[Any], columns: Columns, wanted: Wanted, *, header: bool = True) -> bytes:
        head = [columns.names] if header else []
        return write_lines([*head, *(columns.cells(row, excel=wanted.excel) for row in rows)])

    def _inner(self, request: Request, *, accept: str, excel: bool = False, **query: str) -> Request:
        """The request for a part of the file: as the client's, in another format and with these parameters."""
        inner = self._accepting(request, accept, b"if-none-match", b"accept-encoding")
        inner.scope.update({FOR_EXCEL: excel, PART_OF_FILE: True})
        if query:
            given = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
            kept = [(name, value) for name, value in given if name not in query]
            inner.scope["query_string"] = urlencode([*kept, *query.items()]).encode()
        return inner

    def _accepting(self, request: Request, media_type: str, *without: bytes) -> Request:
        changed = {b"accept", *without}
        headers = [(name, value) for name, value in request.scope["headers"] if name.lower() not in changed]
        headers.append((b"accept", media_type.encode()))
        return self._request({**request.scope, "headers": headers}, request.receive)

    def _file(self, page: Response, body: bytes) -> Response:
        """The answer with a file in it."""
        headers = {name: value for name, value in page.headers.items() if name not in _OF_ONE_PAGE}
        response = tagged(Response(body, headers=headers, media_type=CSV))
        saved_as = page.headers.get("content-disposition", f'attachment; filename="{self._name}.csv"')
        response.headers["Content-Disposition"] = saved_as
        varies_by(response.headers, "Accept")
        if self.columns is not None:
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    @property
    def _name(self) -> str:
        parts = [part for part in self._route.path_format.split("/") if part and not part.startswith("{")]
        return "-".join(parts[-2:] if self._route.path_format.endswith("}") else parts[-1:])


def _query_fields(dependant: Any) -> list[Any]:  # noqa: ANN401 - FastAPI's
    return [*dependant.query_params, *(field for inner in dependant.dependencies for field in _query_fields(inner))]


def _marked(lines: bytes, wanted: Wanted) -> bytes:
    return BYTE_ORDER_MARK + lines if wanted.excel else lines


def _invalid(name: str, rule: Text, code: str) -> DataForgeError:
    pointer = f"query:{name}"
    message = Text("{pointer}: {rule}.", pointer=pointer, rule=rule)
    return ValidationFailed(message, violations=[Violation(pointer, rule, code)])


def _among(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
