"""In which language a mail is written, and its words: gettext catalogues beside this file, in `catalogs`.

English is what the templates themselves say; `de.po` has what it is in German. Babel, which is large, is imported with
the first mail that is not in English or has a date in it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from gettext import NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dataforge.platform.texts.translation import compiled

if TYPE_CHECKING:
    from babel import Locale

CATALOGS = Path(__file__).parent / "catalogs"
ENGLISH = "en"
LANGUAGES = (ENGLISH, "de", "es", "fr")


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a mail is written for: `locale` is a language tag (BCP 47) such as `de-AT`, `zone` an IANA time zone."""

    locale: str | None = None
    zone: str = "UTC"

    @property
    def language(self) -> str:
        """The language of `LANGUAGES` that comes closest: the one of the tag, else English."""
        language = (self.locale or "").replace("_", "-").partition("-")[0].lower()
        return language if language in LANGUAGES else ENGLISH

    def day(self, value: date | str) -> str:
        """A date as the reader writes it; a text is one of ISO 8601."""
        from babel.dates import format_date

        found = date.fromisoformat(value) if isinstance(value, str) else value
        return format_date(found, "long", self._babel_locale())

    def instant(self, value: datetime | str) -> str:
        """Date, time and time zone of an instant on the reader's own clock; a text is one of ISO 8601."""
        from babel.dates import format_date, format_time, get_timezone_name

        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        local, locale = found.astimezone(self._zone()), self._babel_locale()
        zone = get_timezone_name(local, "short", locale=locale)
        return f"{format_date(local, 'long', locale)}, {format_time(local, 'short', locale=locale)} ({zone})"

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):  # one that the zone database has lost since it was chosen
            return ZoneInfo("UTC")

    def _babel_locale(self) -> "Locale":
        """The reader's own country's way to write dates, where the language of the mail is theirs."""
        from babel import Locale, UnknownLocaleError

        tag = (self.locale or "").replace("_", "-")
        if tag.partition("-")[0].lower() == self.language:
            try:
                return Locale.parse(tag, sep="-")
            except (UnknownLocaleError, ValueError):
                pass
        return Locale(self.language)


@cache
def translations(language: str) -> NullTranslations:
    """The catalogue of one of `LANGUAGES`, which is read once."""
    if language == ENGLISH:
        return NullTranslations()
    from babel.messages.pofile import read_po

    with (CATALOGS / f"{language}.po").open("rb") as file:
        return compiled(read_po(file, locale=language))
