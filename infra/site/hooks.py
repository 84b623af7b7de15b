"""MkDocs hooks: decisions, runbooks and error codes, which live elsewhere in the repository, are pages of the site too.

Links lead to where a reader of the repository finds things; here they are led to the page, and what is no page of the
site (a source file, say) is named without a link.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
DOCS = "docs"
#: Directories and files of the repository that the site has besides `docs/`.
PAGES = (
    "infra/adr",
    "infra/runbooks",
    "infra/openapi/errors.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "GLOSSARY.md",
    "SECURITY.md",
)
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?![a-z]+:|#|/)([^)\s#]+)(#[^)\s]*)?\)")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def pages() -> list[str]:
    """The pages besides those of `docs/`, by their paths from the root."""
    paths = [
        path for name in PAGES for path in ([ROOT / name] if name.endswith(".md") else (ROOT / name).rglob("*.md"))
    ]
    return sorted(str(path.relative_to(ROOT)) for path in paths if path.exists())


def on_files(files: Files, config: Any) -> Files:  # noqa: ANN401 - MkDocs' configuration has no types
    """Add the pages from elsewhere, under the paths that they have in the repository."""
    for path in pages():
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_more: Any) -> str:  # noqa: ANN401 - as above
    """Lead the links of a page to pages of the site."""
    site_path = page.file.src_uri
    own_path = site_path if site_path in pages() else f"{DOCS}/{site_path}"
    known = {file.src_uri for file in files}

    def led(match: re.Match[str]) -> str:
        text, target, anchor = match[1], match[2], match[3] or ""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(own_path), target))
        there = path.removeprefix(f"{DOCS}/")
        if there not in known:
            return text
        return f"[{text}]({posixpath.relpath(there, posixpath.dirname(site_path) or '.')}{anchor})"

    pieces, end = [], 0
    for block in _CODE.finditer(markdown):  # what is shown as code stays as it is
        pieces += [_LINK.sub(led, markdown[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*pieces, _LINK.sub(led, markdown[end:])])
