"""Bring the catalogues of mails and of texts up to date: `python -m infra.catalogs`; new messages are left empty.

A message that has only changed is kept as a suggestion and marked `fuzzy`, which counts as missing. Another language is
another file: `python -m infra.catalogs it` makes an empty one for the texts of the API and of pages. Returns 1 while a
catalogue lacks something.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from dataforge.platform.mail.languages import CATALOGS as MAIL_CATALOGS
from dataforge.platform.texts.translation import CATALOGS
from infra.catalogs.messages import extract, problems
from infra.catalogs.texts import extract_texts


def main(wanted: list[str]) -> int:
    """Update every catalogue and say what it lacks."""
    for language in wanted:
        path = CATALOGS / f"{language}.po"
        if not path.exists():
            _write(path, Catalog(locale=language, project="dataforge", charset="utf-8"))
    problems_found = [*_update(MAIL_CATALOGS, extract()), *_update(CATALOGS, extract_texts())]
    for problem in problems_found:
        print(problem)
    return min(len(problems_found), 1)


def _update(folder: Path, template: Catalog) -> list[str]:
    lacking = []
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as file:
            catalog = read_po(file, locale=path.stem)
        catalog.update(template, update_creation_date=False)
        catalog.obsolete.clear()
        _write(path, catalog)
        lacking += [f"{path.relative_to(folder.parent.parent)}: {problem}" for problem in problems(catalog, template)]
    return lacking


def _write(path: Path, catalog: Catalog) -> None:
    with path.open("wb") as file:
        write_po(file, catalog, width=120, omit_header=False, sort_output=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
