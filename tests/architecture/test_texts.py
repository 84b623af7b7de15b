"""Whatever a client or person reads of a refusal can be said in another language: it is a Text where it arises."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dataforge
import versioned_tables

_PACKAGES = (Path(dataforge.__path__[0]), Path(versioned_tables.__path__[0]))
# Raised for whoever writes or runs the code, and never answered to anybody.
_OURS = {
    "ArithmeticError",
    "ArrowInvalid",
    "AssertionError",
    "AttributeError",
    "CorruptStorage",
    "ImportError",
    "IndexError",
    "KeyError",
    "LookupError",
    "ModuleNotFoundError",
    "NotImplementedError",
    "OSError",
    "ObjectMissing",
    "RuntimeError",
    "StorageMoved",
    "TypeError",
}
# ValueErrors of these say what is wrong with the code or its surroundings, not with what somebody sent.
_FOR_OPERATORS = (
    "dataforge/http/addresses.py", "dataforge/kernel/canonical.py", "dataforge/kernel/errors.py",
    "dataforge/kernel/pictures.py", "dataforge/platform/mail/templates.py", "dataforge/platform/deployer.py",
    "dataforge/platform/db/roles.py",
)  # fmt: skip


def modules() -> list[Path]:
    files = [file for package in _PACKAGES for file in sorted(package.rglob("*.py"))]
    return [file for file in files if not str(file).endswith(_FOR_OPERATORS)]


def literals_refused(tree: ast.AST) -> Iterator[int]:
    """Lines at which an exception for clients is raised, or a violation made, with a sentence that is no Text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _raised_in(node)
        elif isinstance(node, ast.Call) and _name(node) in {"Violation", "invalid"}:
            yield from (argument.lineno for argument in node.args if _is_sentence(argument))


def _raised_in(function: ast.AST) -> Iterator[int]:
    raised = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    for call in raised:
        if _name(call) not in _OURS:
            yield from (argument.lineno for argument in call.args if _is_sentence(argument))
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "message" and _is_sentence(node.value):
            following = [call for call in raised if call.lineno >= node.lineno]
            if following and _name(min(following, key=lambda call: call.lineno)) not in _OURS:
                yield node.lineno


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _is_sentence(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        said = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        return " " in said and any(word.isalpha() and len(word) > 1 for word in said.split())
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip()


@pytest.mark.parametrize("package", _PACKAGES, ids=lambda path: path.name)
def test_every_refusal_is_said_by_a_text(package: Path) -> None:
    found = [
        f"{path.relative_to(package)}:{line}"
        for path in modules()
        if path.is_relative_to(package)
        for line in literals_refused(ast.parse(path.read_text()))
    ]

    assert found == []


def test_the_search_finds_a_sentence_that_is_no_text() -> None:
    bad = 'def f(x):\n    message = f"There is no {x} here."\n    raise NotFound(message)\n'
    good = 'def f(x):\n    message = Text("There is no {x} here.", x=x)\n    raise NotFound(message)\n'

    assert list(literals_refused(ast.parse(bad))) == [2]
    assert list(literals_refused(ast.parse(good))) == []
