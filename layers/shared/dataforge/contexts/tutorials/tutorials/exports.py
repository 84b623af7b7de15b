"""Tutorials as files."""

import re
from enum import StrEnum

from starlette.responses import Response

from dataforge.contexts.tutorials.tutorials.domain.rendering import to_chapters, to_html, to_markdown
from dataforge.contexts.tutorials.tutorials.domain.tutorial import Tutorial
from dataforge.platform.markdown import render_markdown

_OTHER = re.compile(r"[^A-Za-z0-9]+")
_MAX_NAME = 60


class ExportFormat(StrEnum):
    """What a tutorial is written as."""

    MARKDOWN = "markdown"
    HTML = "html"
    VTT = "vtt"


_FILES = {
    ExportFormat.MARKDOWN: ("text/markdown", "md"),
    ExportFormat.HTML: ("text/html", "html"),
    ExportFormat.VTT: ("text/vtt", "vtt"),
}


def export_text(tutorial: Tutorial, export_format: ExportFormat) -> str:
    """The tutorial in this format; the same tutorial gives the same text."""
    match export_format:
        case ExportFormat.MARKDOWN:
            return to_markdown(tutorial)
        case ExportFormat.HTML:
            return to_html(tutorial, render_markdown(tutorial.content_md, lower=1))
        case ExportFormat.VTT:
            return to_chapters(tutorial)


def export_answer(tutorial: Tutorial, export_format: ExportFormat) -> Response:
    """A file to keep: a browser does not show it as a page of ours."""
    media_type, ending = _FILES[export_format]
    name = _OTHER.sub("-", tutorial.title)[:_MAX_NAME].strip("-").lower() or "tutorial"
    headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
    return Response(export_text(tutorial, export_format), media_type=media_type, headers=headers)
