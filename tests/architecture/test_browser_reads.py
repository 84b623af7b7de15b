"""Tests in the browser wait for the page that an action leads to before they read what Playwright reads at once."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.layout import ROOT

TESTS = ROOT / "tests" / "browser"
ACTIONS = {"click", "dblclick", "press", "tap"}
# These answer from whatever is there: the page before, or the one that is half there.
READ_AT_ONCE = {
    *("all", "all_inner_texts", "all_text_contents", "barriers", "content", "count", "evaluate", "evaluate_all"),
    *("is_checked", "is_disabled", "is_enabled", "is_hidden", "is_visible", "title", "too_wide"),
}
# These wait for an element, or for all of a page.
WAITS = {
    *("expect", "expect_download", "expect_event", "expect_page", "get_attribute", "goto", "inner_text"),
    *("input_value", "open", "reload", "text_content"),
}
SLEEPS = {"wait_for_timeout"}


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt | ast.expr]:
    """Statements in the order of the text; of a block, what it begins with and what is in it."""
    for statement in body:
        match statement:
            case ast.With():
                yield from (item.context_expr for item in statement.items)
                yield from statements(statement.body)
            case ast.For() | ast.If() | ast.While():
                yield from statements([*statement.body, *statement.orelse])
            case ast.FunctionDef() | ast.ClassDef():
                pass
            case _:
                yield statement


def calls(node: ast.AST) -> set[str]:
    """The names of what is called."""
    called = [item.func for item in ast.walk(node) if isinstance(item, ast.Call)]
    return {
        item.attr if isinstance(item, ast.Attribute) else item.id
        for item in called
        if isinstance(item, ast.Attribute | ast.Name)
    }


def reads_address(node: ast.AST) -> bool:
    """Whether the address of a page is read."""
    return any(ast.unparse(item) == "page.url" for item in ast.walk(node) if isinstance(item, ast.Attribute))


def hasty_reads(source: str) -> list[int]:
    """The lines that read at once after an action, with nothing between that waits."""
    lines = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        acted = False
        for statement in statements(function.body):
            called = calls(statement)
            waits = bool(called & WAITS) or any(name.startswith("wait_for_") for name in called - SLEEPS)
            if acted and not waits and (called & READ_AT_ONCE or reads_address(statement)):
                lines.append(statement.lineno)
            acted = bool(called & ACTIONS) or (acted and not waits)
    return lines


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.py")), ids=lambda path: path.name)
def test_nothing_is_read_at_once_after_an_action(path: Path) -> None:
    assert hasty_reads(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ("", [4]),
        ("page.get_by_label('Days').fill('80')", [5]),
        ("page.wait_for_timeout(200)", [5]),
        ("page.wait_for_url('**/reports')", []),
        ("expect(page.get_by_role('heading')).to_have_text('Reports')", []),
    ],
)
@pytest.mark.parametrize("read", ["page.get_by_role('row').all_inner_texts()", "assert 'days' in page.url"])
def test_a_hasty_read_is_found(between: str, expected: list[int], read: str) -> None:
    source = f"""
def test(page):
    page.get_by_role('button').click()
    {between or read}
    {read if between else ""}
"""

    assert hasty_reads(source) == expected
