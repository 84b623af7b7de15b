"""Markdown as safe HTML for our pages: no HTML of its writer, no pictures, links to the web or mail only."""

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore

_SCHEMES = frozenset({"http", "https", "mailto"})


def render_markdown(text: str) -> str:
    """CommonMark with tables as HTML; what looks like HTML is text, and so are links with other schemes or none.

    Links are opened without telling the page where the reader came from, and search engines do not follow them.
    """
    return str(_renderer().render(text))


@cache
def _renderer() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # `maxNesting` bounds how deep a page of ">>>>…" goes.
    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table").disable("image")
    reader.validateLink = _may_be_linked  # type: ignore[method-assign]  # the documented way to say which links are made

    def guard(state: "StateCore") -> None:
        for token in (inner for block in state.tokens for inner in (block, *(block.children or ()))):
            if token.type == "link_open":
                token.attrSet("rel", "nofollow noopener noreferrer")
            token.attrs.pop("style", None)  # how a column is aligned; pages allow no style beside their sheet's

    reader.core.ruler.push("guard", guard)
    return reader


def _may_be_linked(url: str) -> bool:
    try:
        return urlsplit(url.strip()).scheme.lower() in _SCHEMES
    except ValueError:
        return False
