"""Schemas in the format that a client asks for: JSON, or a picture or text of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from dataforge.contexts.schemas.designs.domain.dbml import write_dbml
from dataforge.contexts.schemas.designs.domain.diagram import draw_svg
from dataforge.contexts.schemas.designs.domain.marks import NO_MARKS, Marks
from dataforge.contexts.schemas.designs.domain.mermaid import write_mermaid
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.domain.rendering import write_sql
from dataforge.http.bounds import sendable
from dataforge.http.call import Call
from dataforge.http.negotiation import accepted_media_type
from dataforge.kernel.errors import NotAcceptable
from dataforge.kernel.texts import Text

JSON, SVG, MERMAID = "application/json", "image/svg+xml", "text/vnd.mermaid"
DBML, SQL = "text/x-dbml", "application/sql"
_FORMATS = (JSON, SVG, MERMAID, DBML, SQL)
_ENDINGS = {SVG: "svg", MERMAID: "mmd", DBML: "dbml", SQL: "sql"}
_ADVICE = "Ask for JSON, or accept gzip."
REPRESENTATIONS: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string"}} for kind in _FORMATS if kind != JSON}}
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A schema to be drawn or written, with what is marked in it; `sql` is its text if that is not what makes it."""

    schema: Schema
    title: str
    marks: Marks = field(default_factory=lambda: NO_MARKS)
    note: str = ""
    sql: str | None = None


def wanted_format(call: Call) -> str:
    """The media type that the client prefers; raises NotAcceptable for others than those there are."""
    media_type = accepted_media_type(call.request.headers.get("accept", ""), _FORMATS)
    if media_type is None:
        message = Text(
            "A schema is available as {formats} and {formats_2}.",
            formats=", ".join(_FORMATS[:-1]),
            formats_2=_FORMATS[-1],
        )
        raise NotAcceptable(message)
    return media_type


def representation(call: Call, media_type: str, drawn: Drawn) -> Response:
    """The picture or text of a schema; raises AnswerTooLarge."""
    writers: Mapping[str, Callable[[], str]] = {
        SVG: lambda: draw_svg(drawn.schema, drawn.marks, title=drawn.title, note=drawn.note),
        MERMAID: lambda: write_mermaid(drawn.schema, drawn.marks),
        DBML: lambda: write_dbml(drawn.schema, drawn.marks),
        SQL: lambda: write_sql(drawn.schema) if drawn.sql is None else drawn.sql,
    }
    headers = {
        "Vary": "Accept, Accept-Encoding",
        "Content-Disposition": f'inline; filename="schema.{_ENDINGS[media_type]}"',
    }
    response = Response(writers[media_type]().encode(), headers=headers, media_type=f"{media_type}; charset=utf-8")
    return sendable(response, _ADVICE, call.request.headers.get("accept-encoding", ""))
