"""Words that the glossary replaces stay out, and those still in use become fewer."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.layout import ROOT

GLOSSARY = ROOT / "GLOSSARY.md"
# How often each is left to be renamed. A number here only ever falls; what is at 0 leaves the list.
LEFT = {
    "noted": 5,
    "settle": 7,
    "told": 1,
    "upkeep": 11,
}
OPENINGS_LEFT = {"Its ": 3, "The next ": 0}
# Beginnings and endings that a synonym may take, where the word alone is not enough.
FORMS = {
    "landed": r"\blanded\b|_landed\b",
    "landing": r"landing",
    "lander": r"lander",
    "settle": r"\b_?(?:un)?settl(?:e|ed|es|ing)\b",
    "set aside": r"\bset(?:s|ting)? aside\b",
    "noted": r"\bnoted\b",
    "told": r"\btold\b(?! apart)",
    "sweep": r"\b(?:sweep(?:s|ing)?|swept)\b",
    "term": r"\bterms? (?:dates|of study)\b",
    "facade": r"\bfacade\b",
}


def synonyms() -> Iterator[str]:
    for line in GLOSSARY.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and cells[2] not in ("", "Not", "---"):
            yield from (word.strip() for word in cells[2].split(","))


def sources() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in listed if judged(Path(name)) and (ROOT / name).is_file()]


def judged(path: Path) -> bool:
    """Code and documents of today: tests may name what they guard against, migrations and the changelog are history."""
    if path.parts[0] in ("tests", "migrations") or path.name in ("GLOSSARY.md", "CHANGELOG.md"):
        return False
    return path.suffix in (".py", ".md", ".yaml", ".html")


@pytest.mark.parametrize("word", sorted(synonyms()))
def test_a_word_that_the_glossary_replaces_is_not_used_again(word: str) -> None:
    form = re.compile(FORMS.get(word, re.escape(word)), re.IGNORECASE)
    places = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in sources()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if form.search(line)
    ]

    assert len(places) <= LEFT.get(word, 0), "\n".join(["Use the glossary's word:", *places])


def test_what_is_left_to_rename_is_in_the_glossary() -> None:
    assert set(LEFT) <= set(synonyms())


@pytest.mark.parametrize("opening", ["Its ", "The next "])
def test_a_docstring_begins_with_a_verb_or_the_thing_itself(opening: str) -> None:
    places = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in sources()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.strip().startswith(f'"""{opening}')
    ]

    assert len(places) <= OPENINGS_LEFT[opening], "\n".join(places)
