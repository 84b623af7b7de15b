"""The table of who may do what, beside the page that shows it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import dataforge
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.rules import RULES
from infra.access import PAGE, page

SOURCES = sorted(Path(dataforge.__path__[0]).rglob("*.py"))
# Resources of the record store that are told apart when they are made, so that no call names their kind.
DOCUMENTS = {Kind.STATE, Kind.ACTIVITY_PROFILE, Kind.AGENT_PROFILE}


def names(call: ast.Call, *owners: str) -> list[str]:
    """`CREATE` of `Action.CREATE` among the arguments of a call, and of calls among them."""
    inner = [argument for argument in call.args if isinstance(argument, ast.Call)]
    parts = [part for one in (call, *inner) for part in one.args if isinstance(part, ast.Attribute)]
    return [part.attr for part in parts if isinstance(part.value, ast.Name) and part.value.id in owners]


def rows_named(tree: ast.Module) -> Iterator[tuple[Kind, Action]]:
    """Rows that calls name: an action, and beside it a kind or a resource of it."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        for action in names(call, "Action"):
            yield from ((Kind[kind], Action[action]) for kind in names(call, "Kind", "ResourceKind"))


def test_every_row_is_asked_somewhere() -> None:
    named = {row for path in SOURCES for row in rows_named(ast.parse(path.read_text()))}

    assert {row for row in RULES.keys() - named if row[0] not in DOCUMENTS} == set()


def test_the_page_shows_the_table_as_the_code_has_it() -> None:
    text = PAGE.read_text()

    assert page(text) == text, "run `make access`"


def test_the_page_names_each_role_for_what_it_may() -> None:
    # Read back from the page, by its own words.
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    shown = {
        (cells[0].replace(" ", "_"), action): [cell.strip() for cell in cells[2:8]]
        for cells in rows
        if cells[0] != "Resource"
        for action in cells[1].split(", ")
    }

    assert {(kind.value, action.value) for kind, action in RULES} == shown.keys()
    assert shown["enrollment", "complete"] == ["all", "all", "taught", "", "", ""]
    assert shown["student", "read"] == ["all", "all", "own", "own", "own", "own"]
    assert shown["workspace", "read"] == [""] * 6
