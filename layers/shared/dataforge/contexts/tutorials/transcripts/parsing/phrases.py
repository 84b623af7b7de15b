"""The JSON of phrases, as services that recognise speech give it: times in ticks of 100 ns, a text, a speaker."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeGuard

from dataforge.contexts.tutorials.transcripts.domain import (
    MAX_SEGMENT_CHARACTERS,
    MAX_SEGMENTS,
    TranscriptTooLarge,
    TranscriptUnreadable,
)
from dataforge.contexts.tutorials.transcripts.parsing.cues import Utterance, tidy
from dataforge.contexts.tutorials.transcripts.parsing.speakers import speaker_name
from dataforge.kernel.errors import Violation
from dataforge.kernel.texts import Text

TICKS_PER_MS = 10_000
_MOST_MS = 10**12
_MOST_SHOWN = 20
# Recognisers give phrases of silence without a text besides those that become segments.
_MOST_PHRASES = 4 * MAX_SEGMENTS
# What no column of text keeps: NUL, and halves of characters outside of the first plane.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_MEMBERS = ("offset_milliseconds", "duration_in_ticks", "display", "speaker", "locale", "confidence")


def read_phrases(document: Mapping[str, Any]) -> tuple[list[Utterance], str | None, datetime | None, int]:
    """The utterances, the language that most are in, when the recording began, and its length in milliseconds.

    Raises TranscriptUnreadable with the places of the first mistakes, and TranscriptTooLarge. Phrases without text are
    left out; a speaker may be a number, and is then "Speaker 1".
    """
    # A file of nothing but mistakes has millions of them.
    wrong = list(islice(_mistakes(document), _MOST_SHOWN + 1))
    if wrong:
        several = f"more than {_MOST_SHOWN} places" if len(wrong) > _MOST_SHOWN else f"{len(wrong)} places"
        count = several if len(wrong) > 1 else wrong[0].pointer
        message = Text("The phrases cannot be read: {count}. {message}", count=count, message=wrong[0].message)
        raise TranscriptUnreadable(message, violations=wrong[:_MOST_SHOWN])
    utterances = [
        Utterance(
            start_ms=int(phrase["offset_milliseconds"]),
            end_ms=int(phrase["offset_milliseconds"]) + int(phrase["duration_in_ticks"]) // TICKS_PER_MS,
            text=text,
            speaker=_speaker(phrase.get("speaker")),
            confidence=phrase.get("confidence"),
        )
        for phrase in document["phrases"]
        if (text := tidy(phrase["display"]))
    ]
    named = ((phrase.get("locale") or "").replace("_", "-") for phrase in document["phrases"])
    locales = Counter(locale for locale in named if _LANGUAGE.fullmatch(locale))
    language = max(locales, key=locales.__getitem__, default=None)
    length = int(document.get("duration_in_ticks") or 0) // TICKS_PER_MS
    return utterances, language, _instant(document.get("timestamp")), length


def known_members(document: Mapping[str, Any]) -> dict[str, Any]:
    """What of readable phrases is read: two documents that say the same are equal in it."""
    phrases = [{name: phrase.get(name) for name in _MEMBERS} for phrase in document["phrases"]]
    instant = _instant(document.get("timestamp"))
    return {
        "timestamp": instant,
        "duration_in_ticks": document.get("duration_in_ticks"),
        "phrases": phrases,
    }


def _mistakes(document: Mapping[str, Any]) -> Iterator[Violation]:
    phrases = document.get("phrases")
    if not isinstance(phrases, list) or not phrases:
        yield Violation("/phrases", Text("There must be a list of phrases, and at least one."), "phrases")
        return
    ticks, instant = document.get("duration_in_ticks"), document.get("timestamp")
    if ticks is not None and not _is_count(ticks, _MOST_MS * TICKS_PER_MS):
        yield Violation("/duration_in_ticks", Text("This must be a number of ticks of 100 ns."), "ticks")
    if instant is not None and _instant(instant) is None:
        yield Violation("/timestamp", Text("This must be a time in ISO 8601."), "timestamp")
    if len(phrases) > _MOST_PHRASES:
        message = Text(
            "A file may have {most_phrases:,} phrases; this one has {count:,}.",
            most_phrases=_MOST_PHRASES,
            count=len(phrases),
        )
        raise TranscriptTooLarge(message)
    for number, phrase in enumerate(phrases):
        if isinstance(phrase, Mapping):
            for member, mistake in _phrase_mistakes(phrase):
                yield Violation(f"/phrases/{number}/{member}", mistake, member)
        else:
            yield Violation(f"/phrases/{number}", Text("A phrase is an object."), "phrase")


def _phrase_mistakes(phrase: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not _is_count(phrase.get("offset_milliseconds"), _MOST_MS):
        yield "offset_milliseconds", Text("This must be a number of milliseconds from the beginning of the recording.")
    if not _is_count(phrase.get("duration_in_ticks"), _MOST_MS * TICKS_PER_MS):
        yield "duration_in_ticks", Text("This must be a number of ticks of 100 ns.")
    display = phrase.get("display")
    if not _is_text(display):
        yield "display", Text("This must be the text of the phrase, without NUL and halves of surrogate pairs.")
    elif len(display) > MAX_SEGMENT_CHARACTERS:
        yield (
            "display",
            Text(
                "The text of a phrase may have {max_segment_characters:,} characters.",
                max_segment_characters=MAX_SEGMENT_CHARACTERS,
            ),
        )
    speaker, locale, confidence = phrase.get("speaker"), phrase.get("locale"), phrase.get("confidence")
    if speaker is not None and not (_is_text(speaker) or _is_number_of_speaker(speaker)):
        yield "speaker", Text("This must be a name or a number.")
    if locale is not None and not (_is_text(locale) and len(locale) <= 35):
        yield "locale", Text("This must be a language such as en-US.")
    if confidence is not None and not (
        isinstance(confidence, int | float) and not isinstance(confidence, bool) and 0 <= confidence <= 1
    ):
        yield "confidence", Text("This must be a number from 0 to 1.")


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _NO_TEXT.search(value) is None


def _is_number_of_speaker(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MOST_MS


def _is_count(value: object, most: int) -> bool:
    """Whether it is a whole number, which some senders write as 1500.0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= most and value == int(value)


def _speaker(value: object) -> str | None:
    return f"Speaker {value}" if isinstance(value, int) else speaker_name(str(value)) if value is not None else None


def _instant(value: object) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    if not isinstance(instant, datetime):
        return None
    try:
        return instant.astimezone(UTC) if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    except OverflowError:  # the first and the last day that there are, with an offset
        return None
