"""Diagrams inside of pages, in the colours of the page, and schemas as files of pages."""

from typing import TYPE_CHECKING

from starlette.responses import Response

from dataforge.contexts.schemas.designs.domain.diagram import draw_svg
from dataforge.contexts.schemas.designs.representations import DBML, MERMAID, SQL, SVG, Drawn, representation
from dataforge.http.call import Call
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_DRAWN = 200  # things on a page; the file has them all
FILES = {"svg": (SVG, "SVG"), "mmd": (MERMAID, "Mermaid"), "dbml": (DBML, "DBML"), "sql": (SQL, "SQL")}


def picture_of(drawn: Drawn, key: str = "schema") -> "Markup | None":
    """The diagram; None for a schema with nothing in it, or too much for a page."""
    from markupsafe import Markup

    schema = drawn.schema
    if not 0 < len(schema.tables) + len(schema.views) + len(schema.sequences) + schema.type_count <= MOST_DRAWN:
        return None
    text = draw_svg(schema, drawn.marks, title=drawn.title, note=drawn.note, key=key)
    return Markup(text)  # noqa: S704 - written by an XML writer, which escapes


def file_of(call: Call, written_as: str, drawn: Drawn, name: str) -> Response:
    """The schema as a file to keep; raises NotFound for a kind of file that there is not."""
    if written_as not in FILES:
        message = Text("There is no file of the kind {written_as}.", written_as=written_as)
        raise NotFound(message)
    response = representation(call, FILES[written_as][0], drawn)
    return as_file(response, f"{name}.{written_as}")


def as_file(response: Response, name: str) -> Response:
    """An answer that the browser keeps under this name."""
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
