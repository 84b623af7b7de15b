"""Bring the catalogues of mails up to date: `python -m infra.catalogs`; new messages are left empty for a translator.

A message that has only changed is kept as a suggestion and marked `fuzzy`, which counts as missing. Returns 1 while a
catalogue lacks something.
"""

import sys

from babel.messages.pofile import read_po, write_po

from dataforge.platform.mail.languages import CATALOGS, ENGLISH, LANGUAGES
from infra.catalogs.messages import extract, problems


def main() -> int:
    """Update every catalogue and say what it lacks."""
    template = extract()
    lacking = 0
    for language in sorted(set(LANGUAGES) - {ENGLISH}):
        path = CATALOGS / f"{language}.po"
        with path.open("rb") as file:
            catalog = read_po(file, locale=language)
        catalog.update(template, update_creation_date=False)
        catalog.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalog, width=120, omit_header=False, sort_output=True)
        found = problems(catalog, template)
        lacking += len(found)
        for problem in found:
            print(f"{language}: {problem}")
    return min(lacking, 1)


if __name__ == "__main__":
    sys.exit(main())
