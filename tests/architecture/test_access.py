"""The table of who may do what, beside the page that shows it."""

from dataforge.kernel.rules import RULES
from infra.access import PAGE, page


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
