"""Diagrams inside of pages, in the colours of the page."""

from markupsafe import Markup

from dataforge.contexts.schemas.designs.domain.diagram import draw_svg
from dataforge.contexts.schemas.designs.domain.marks import NO_MARKS, Marks
from dataforge.contexts.schemas.designs.domain.model import Schema

MOST_DRAWN = 200  # tables on a page; the file has them all


def picture_of(schema: Schema, marks: Marks = NO_MARKS, *, title: str, key: str = "schema") -> Markup | None:
    """The diagram; None for a schema with nothing in it, or too much for a page."""
    things = len(schema.tables) + len(schema.views) + len(schema.enums) + len(schema.domains)
    if not 0 < things <= MOST_DRAWN:
        return None
    return Markup(draw_svg(schema, marks, title=title, key=key))  # noqa: S704 - written by an XML writer, which escapes
