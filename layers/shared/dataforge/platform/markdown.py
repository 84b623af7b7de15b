"""Markdown as safe HTML for our pages: no HTML of its writer, no pictures, links to the web, to mail and to notes."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline

_SCHEMES = frozenset({"http", "https", "mailto"})
_LONGEST_LINK = 1_000  # characters between the brackets of a link to a note
_NOTES, _LOWER = "notes", "lower"  # in the environment of one rendering


AddressOf = Callable[[str], str | None]
"""Where the note is that a target names; None where there is no such note."""


def render_markdown(text: str, *, notes: AddressOf | None = None, lower: int = 0) -> str:
    """CommonMark with tables as HTML; what looks like HTML is text, and so are links with other schemes or none.

    With `notes`, `[[target#heading|label]]` is a link to a note, as Obsidian writes them. Headings are `lower` by so
    many levels, for a page that has some above. Links are opened without telling the page where the reader came from,
    and search engines do not follow them.
    """
    return str(_renderer().render(text, {_NOTES: notes, _LOWER: lower}))


def notes_linked(text: str) -> list[str]:
    """What the links to notes in a text name, each once and in order; what looks like one in code is none."""
    named: dict[str, None] = {}

    def remember(target: str) -> None:
        named[target] = None

    _renderer().parse(text, {_NOTES: remember})
    return list(named)


@cache
def _renderer() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # `maxNesting` bounds how deep a page of ">>>>…" goes.
    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table").disable("image")
    reader.validateLink = _may_be_linked  # type: ignore[method-assign]  # the documented way to say which links are made
    reader.inline.ruler.before("link", "wiki_link", _link_to_note)

    def guard(state: "StateCore") -> None:
        for token in (inner for block in state.tokens for inner in (block, *(block.children or ()))):
            if token.type == "link_open" and not token.meta.get(_NOTES):
                token.attrSet("rel", "nofollow noopener noreferrer")
            if token.type in ("heading_open", "heading_close"):
                token.tag = f"h{min(6, int(token.tag[1:]) + state.env.get(_LOWER, 0))}"
            token.attrs.pop("style", None)  # how a column is aligned; pages allow no style beside their sheet's

    reader.core.ruler.push("guard", guard)
    return reader


def _link_to_note(state: "StateInline", silent: bool) -> bool:  # noqa: FBT001 - markdown-it calls it so
    address_of: AddressOf | None = state.env.get(_NOTES)
    start = state.pos + (1 if state.src.startswith("![[", state.pos) else 0)
    if address_of is None or state.linkLevel or not state.src.startswith("[[", start):
        return False
    end = state.src.find("]]", start + 2, min(state.posMax, start + 2 + _LONGEST_LINK))
    link = None if end < 0 else _read(state.src[start + 2 : end])
    if link is None:
        return False
    if not silent:
        target, label = link
        address = address_of(target)
        opened = state.push("link_open", "a", 1) if address else state.push("missing_open", "span", 1)
        opened.attrs = {"href": address} if address else {"class": "missing", "title": "There is no such note yet"}
        opened.meta = {_NOTES: True}
        state.push("text", "", 0).content = label
        state.push("link_close" if address else "missing_close", "a" if address else "span", -1)
    state.pos = end + 2
    return True


def _read(inside: str) -> tuple[str, str] | None:
    """Target and label of `target#heading|label`; None for what is no link."""
    if "\n" in inside or "[" in inside:
        return None
    place, _, label = inside.partition("|")
    target = place.partition("#")[0].strip()
    return (target, label.strip() or place.strip()) if target else None


def _may_be_linked(url: str) -> bool:
    try:
        return urlsplit(url.strip()).scheme.lower() in _SCHEMES
    except ValueError:
        return False
