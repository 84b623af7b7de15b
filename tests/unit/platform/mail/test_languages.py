"""Mails in the reader's language: complete catalogues, plurals, dates, and what happens to those we do not speak."""

from datetime import UTC, date, datetime

import pytest
from babel.messages.pofile import read_po
from jinja2 import nodes

from dataforge.platform.mail.languages import CATALOGS, ENGLISH, LANGUAGES, Reader, translations
from dataforge.platform.mail.templates import compose, environment, folders
from infra.catalogs.messages import extract, problems
from tests.builders.mail import FOOTER

FOREIGN = sorted(set(LANGUAGES) - {ENGLISH})
NOON = datetime(2026, 7, 4, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize("language", FOREIGN)
def test_a_catalogue_says_everything_that_the_templates_say(language: str) -> None:
    with (CATALOGS / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)

    assert problems(catalog, extract()) == []


def test_every_language_has_a_catalogue_and_every_catalogue_a_language() -> None:
    assert sorted(path.stem for path in CATALOGS.glob("*.po")) == FOREIGN


def test_no_template_says_anything_that_cannot_be_translated() -> None:
    said = []
    for path in (file for paths in folders().values() for folder in paths for file in folder.glob("*.*")):
        tree = environment().parse(path.read_text())
        for output in tree.find_all(nodes.TemplateData):
            words = [word for word in _without_tags(output.data).split() if word.isalpha() and word != "Subject"]
            said += [f"{path.name}: {word}" for word in words]

    assert said == []


def _without_tags(text: str) -> str:
    import re

    return re.sub(r"<[^>]*>|<[^>]*$|^[^<]*>|https?://\S*|Subject: ", " ", text)


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de", "de"), ("de-AT", "de"), ("DE_ch", "de"), ("fr-CA", "fr"), ("es-419", "es"), ("en-GB", "en"),
        ("pt-BR", "en"), ("tlh", "en"), ("", "en"), (None, "en"), ("de-", "de"), ("x", "en"),
    ],
)  # fmt: skip
def test_a_reader_gets_the_language_that_comes_closest(locale: str | None, language: str) -> None:
    assert Reader(locale).language == language


@pytest.mark.parametrize(
    ("locale", "shown"),
    [
        ("en", "July 4, 2026"),
        ("en-GB", "4 July 2026"),
        ("de", "4. Juli 2026"),
        ("de-AT", "4. Juli 2026"),
        ("fr", "4 juillet 2026"),
        ("es", "4 de julio de 2026"),
        ("pt-BR", "July 4, 2026"),  # not a Portuguese date in an English sentence
        ("de-XX", "4. Juli 2026"),
        (None, "July 4, 2026"),
    ],
)
def test_a_date_is_written_as_the_reader_writes_it(locale: str | None, shown: str) -> None:
    assert Reader(locale).day(date(2026, 7, 4)) == shown
    assert Reader(locale).day("2026-07-04") == shown


@pytest.mark.parametrize(
    ("locale", "zone", "shown"),
    [
        ("en-GB", "Europe/Berlin", "4 July 2026, 12:30 (CEST)"),
        ("de", "Europe/Berlin", "4. Juli 2026, 12:30 (MESZ)"),
        ("fr", "UTC", "4 juillet 2026, 10:30 (TU)"),
        ("de-AT", "Nowhere/Gone", "4. Juli 2026, 10:30 (UTC)"),
    ],
)
def test_an_instant_is_shown_on_the_readers_clock(locale: str, zone: str, shown: str) -> None:
    assert Reader(locale, zone).instant(NOON) == shown
    assert Reader(locale, zone).instant(NOON.isoformat()) == shown


def reminder(locale: str, lessons: int) -> tuple[str, str]:
    values = {
        "name": "Ada",
        "lessons": [
            {"title": f"Lesson {n}", "url": f"https://lms.example.org/{n}", "date": "2026-05-01"}
            for n in range(lessons)
        ],
        **FOOTER,
    }
    mail = compose("notifications/lesson_reminder", "ada@example.org", values, reader=Reader(locale))
    return mail.subject, mail.text


@pytest.mark.parametrize(
    ("locale", "one", "two"),
    [
        ("en", "Lesson to do: Lesson 0", "2 lessons to do"),
        ("de", "Offene Lektion: Lesson 0", "2 offene Lektionen"),
        ("fr", "Leçon à faire : Lesson 0", "2 leçons à faire"),
        ("es", "Lección pendiente: Lesson 0", "2 lecciones pendientes"),
    ],
)
def test_one_and_many_are_told_apart(locale: str, one: str, two: str) -> None:
    assert (reminder(locale, 1)[0], reminder(locale, 2)[0]) == (one, two)


def test_nothing_is_one_in_french_and_many_elsewhere() -> None:
    message = ("%(count)s row could not be used.", "%(count)s rows could not be used.")

    shown = {language: translations(language).ngettext(*message, 0) % {"count": 0} for language in LANGUAGES}

    assert shown["fr"] == "0 ligne n’a pas pu être utilisée."
    assert shown["en"] == "0 rows could not be used."
    assert shown["de"] == "0 Zeilen waren nicht zu verwenden."


def test_a_whole_mail_is_in_one_language() -> None:
    _, text = reminder("de-AT", 2)

    assert text.startswith("Guten Tag Ada,\n\ndiese Lektionen warten auf Sie:\n\n- Lesson 0 (seit 1. Mai 2026)\n")
    assert "Keine Erinnerungen mehr: https://" in text


def test_a_name_that_looks_like_a_placeholder_is_a_name() -> None:
    values = {"name": "%(link)s %s 100%", "link": "https://example.org", **FOOTER}

    for language in LANGUAGES:
        mail = compose("identity/password_changed", "ada@example.org", values, reader=Reader(language))
        assert "%(link)s %s 100%," in mail.text.replace(":", ",")


def test_babel_is_not_loaded_where_nothing_needs_it() -> None:
    import subprocess
    import sys

    from infra.local.layout import SOURCE_PATH

    program = """
import sys
from dataforge.platform.mail.templates import compose
compose("identity/password_changed", "ada@example.org", {"name": "Ada", "link": "https://example.org"})
assert "babel" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": SOURCE_PATH}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
