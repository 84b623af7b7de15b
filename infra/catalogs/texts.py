"""The texts of the API and of pages: every message in the code, and what the templates of pages say."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog

from dataforge.kernel import validation
from dataforge.web.translation import messages_in
from infra.local.layout import ROOT

_SOURCES = ("layers/shared/dataforge", "layers/columnar/versioned_tables")
Message = str | tuple[str, str]


def extract_texts() -> Catalog:
    """Every text that is translated where it is answered, with the files that say it."""
    catalog = Catalog(project="dataforge", charset="utf-8")
    for path in sorted(file for source in _SOURCES for file in (ROOT / source).rglob("*.py")):
        _add(catalog, path, texts_of(ast.parse(path.read_text())))
    for path in sorted((ROOT / _SOURCES[0]).rglob("templates/*.html")):
        if path.parent.parent.name != "mail":
            _add(catalog, path, messages_in(path.read_text()))
    _add(catalog, Path(validation.__file__), validation.MESSAGES)
    return catalog


def _add(catalog: Catalog, path: Path, messages: Iterable[Message]) -> None:
    for message in messages:
        catalog.add(message, locations=[(path.relative_to(ROOT).as_posix(), 0)])


def texts_of(tree: ast.AST) -> Iterator[Message]:
    """The messages of `Text(…)` and `Text.counted(…)`, and the titles of errors, in one module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.ClassDef):
            yield from _title_of(node)


def _of_call(call: ast.Call) -> Iterator[Message]:
    texts = [item.value for item in call.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    match call.func:
        case ast.Name("Text") if texts:
            yield texts[0]
        case ast.Attribute(ast.Name("Text"), "counted") if len(texts) > 1:
            yield texts[0], texts[1]


def _title_of(node: ast.ClassDef) -> Iterator[str]:
    assigned = {
        target.id: statement.value.value
        for statement in node.body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Constant)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name)
    }
    if "code" in assigned and isinstance(assigned.get("title"), str):
        yield str(assigned["title"])
