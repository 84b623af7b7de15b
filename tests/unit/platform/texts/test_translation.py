"""Texts in another language: a complete catalogue, values in their places, and texts that had been stored."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from hypothesis import given
from hypothesis import strategies as st

from dataforge.kernel.errors import registered_errors
from dataforge.kernel.texts import Text, joined
from dataforge.platform.texts import translation
from dataforge.platform.texts.translation import CATALOGS, languages, translate
from infra.catalogs.messages import problems
from infra.catalogs.texts import extract_texts


@pytest.mark.parametrize("path", sorted(CATALOGS.glob("*.po")), ids=lambda path: path.stem)
def test_a_catalogue_says_everything_that_the_code_says(path: Path) -> None:
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.stem)

    assert problems(catalog, extract_texts()) == []


def test_english_and_german_are_offered() -> None:
    assert languages()[:2] == ("en", "de")


def test_a_text_is_said_in_german_with_its_values() -> None:
    text = Text("There is no column {name!r}; the table has {names}.", name="agee", names="age, name")

    assert translate(text, "de") == "Eine Spalte 'agee' gibt es nicht; die Tabelle hat age, name."
    assert translate(text, "en") == "There is no column 'agee'; the table has age, name."


def test_numbers_are_written_as_the_language_writes_them() -> None:
    text = Text("The file has more than {max_rows:,} rows; split it.", max_rows=1_000_000)

    assert translate(text, "de") == "Die Datei hat mehr als 1.000.000 Zeilen; teilen Sie sie."


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, "darf höchstens 1 Eintrag haben"), (2_000, "darf höchstens 2.000 Einträge haben")],
)
def test_a_counted_text_takes_the_plural_of_the_language(count: int, expected: str) -> None:
    text = Text.counted("must have at most {count:,} item", "must have at most {count:,} items", count=count)

    assert translate(text, "de") == expected


def test_texts_within_texts_are_translated_and_what_people_sent_is_not() -> None:
    text = Text("{place}: {message}.", place="is required", message=joined([Text("is required"), "x"], "; "))

    assert translate(text, "de") == "is required: ist erforderlich; x."


def test_a_text_that_no_catalogue_knows_stays_english() -> None:
    assert translate(Text("Nobody wrote {this} down.", this=1), "de") == "Nobody wrote 1 down."
    assert translate("", "de") == ""


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("The job was cancelled; nothing was changed.", "Der Job wurde abgebrochen; nichts wurde geändert."),
        ("Column 'Größe' may not be null.", "Spalte 'Größe' darf nicht null sein."),
        (
            "Key column 'a' is null in one of the operations.",
            "Die Schlüsselspalte 'a' ist in einer der Operationen null.",
        ),
        ("Column 'a' may not be", "Column 'a' may not be"),
        ("Something else.", "Something else."),
    ],
)
def test_a_text_that_was_stored_is_found_by_its_message(stored: str, expected: str) -> None:
    assert translate(stored, "de") == expected


@given(st.text(alphabet="Column '{}may not be null.", max_size=60))
def test_no_stored_text_stops_an_answer(stored: str) -> None:
    assert isinstance(translate(stored, "de"), str)


@given(st.text(max_size=20), st.text(max_size=20))
def test_values_of_a_stored_text_come_through_whole(first: str, second: str) -> None:
    stored = str.__str__(
        Text("Column {name!r} was read as {others!r}, the name it has in the table.", name=first, others=second)
    )

    translated = translate(stored, "de")

    assert translated.startswith("Spalte ")
    assert repr(second) in translated


def test_another_language_needs_one_file_and_may_lack_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog(locale="it")
    catalog.add("Not found", "Non trovato")
    with (tmp_path / "it.po").open("wb") as file:
        write_po(file, catalog)
    monkeypatch.setattr(translation, "CATALOGS", tmp_path)
    caches = (languages, translation.catalog_of, translation._translations, translation._index)
    for cache in caches:
        cache.cache_clear()

    try:
        assert languages() == ("en", "it")
        assert translate(Text("Not found"), "it") == "Non trovato"
        assert translate(Text("Already exists"), "it") == "Already exists"
    finally:
        for cache in caches:
            cache.cache_clear()


def test_every_title_of_an_error_has_a_german_one() -> None:
    titles = {error.title for error in registered_errors().values() if error.__module__.startswith("dataforge")}

    assert [title for title in sorted(titles) if translate(title, "de") == title] == []
