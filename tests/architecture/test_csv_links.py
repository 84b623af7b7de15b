"""Every page that lists something offers the list as a file, and each such link leads to a list of the API."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

import dataforge
from infra.openapi.generate import HERE

TEMPLATES = sorted(Path(dataforge.__path__[0]).glob("contexts/**/templates/*.html"))
LINK = re.compile(r"ui\.csv_links\(url, ([^,)]+)")
PAGED = re.compile(r"ui\.pager\(")
# Pages of lists that have files of their own, or that the API lists in another way.
OTHERWISE = {
    "statement lists are exports": {"statements.html"},
    "tables of datasets have files of their own": {"table.html"},
    "reports have files of their own": {
        "at_risk.html",
        "comparison.html",
        "completions.html",
        "incomplete.html",
        "learner.html",
        "matrix.html",
        "questions.html",
    },
    "a learner's own lessons are no list of the API": {"lessons.html"},
}


@cache
def lists() -> frozenset[str]:
    """The paths of the API's lists, with `{}` for each parameter."""
    paths = json.loads((HERE / "openapi.json").read_text())["paths"]
    found = [path for path, item in paths.items() if "get" in item and "text/csv" in str(item["get"]["responses"])]
    return frozenset(re.sub(r"{\w+}", "{}", path) for path in found)


def path_of(expression: str) -> str:
    """The path that a template puts together, with `{}` for what is no text."""
    return "".join(part.strip()[1:-1] if part.strip().startswith("'") else "{}" for part in expression.split("~"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_page_in_pages_offers_its_list_as_a_file(template: Path) -> None:
    text = template.read_text()

    excepted = any(template.name in names for names in OTHERWISE.values())
    assert not PAGED.search(text) or excepted or LINK.search(text)


@pytest.mark.parametrize(
    "template", [path for path in TEMPLATES if LINK.search(path.read_text())], ids=lambda p: p.name
)
def test_a_link_leads_to_a_list_of_the_api(template: Path) -> None:
    for expression in LINK.findall(template.read_text()):
        path = path_of(expression)
        assert path.startswith(("/ui/csv/", "/ui/datasets/csv")), path
        assert path.replace("/ui/datasets/csv", "/api/datasets").replace("/ui/csv/", "/api/") in lists()


def test_lists_are_found() -> None:
    assert {"/api/courses", "/api/jobs", "/api/tutorials", "/api/datasets"} <= lists()
    assert len(lists()) > 60
