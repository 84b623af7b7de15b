"""Words that carry the content of a transcript, by segment."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dataforge.contexts.tutorials.drafts.extraction.languages import Language, stem
from dataforge.contexts.tutorials.transcripts.domain import Segment

_TOKEN = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")
# Scripts without spaces between words are compared by pairs of characters.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
# In a language whose stop words are not known, what is in so many of the segments is one.
_EVERYWHERE = 0.12


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Stems of content words for each segment, how often each occurs in all, and how it is mostly written."""

    stems: tuple[tuple[str, ...], ...]
    counts: Counter[str]
    spelling: dict[str, str]
    segments_with: Counter[str]


def vocabulary_of(segments: Sequence[Segment], language: Language) -> Vocabulary:
    """Read what the segments are about."""
    stop_words = language.stop_words or _frequent_words(segments)
    spellings: dict[str, Counter[str]] = {}
    rows: list[tuple[str, ...]] = []
    known: dict[str, str] = {}
    for segment in segments:
        row = []
        for token in _tokens(segment.text):
            lower = token.lower().replace("’", "'")
            if (
                lower in stop_words
                or (len(lower) < 3 and not _UNSPACED.match(lower) and not token.isupper())
                or lower.isdigit()
            ):
                continue
            key = known.get(lower)
            if key is None:
                key = known[lower] = stem(lower.removesuffix("'s"), language)
            row.append(key)
            spellings.setdefault(key, Counter())[token.removesuffix("'s").removesuffix("’s")] += 1
        rows.append(tuple(row))
    counts = Counter(key for row in rows for key in row)
    spread = Counter(key for row in rows for key in set(row))
    spelling = {key: min(forms, key=lambda form: (-forms[form], form)) for key, forms in spellings.items()}
    return Vocabulary(tuple(rows), counts, spelling, spread)


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    for token in _TOKEN.findall(text):
        if _UNSPACED.search(token):
            tokens += [token[at : at + 2] for at in range(max(1, len(token) - 1))]
        else:
            tokens.append(token)
    return tokens


def _frequent_words(segments: Sequence[Segment]) -> frozenset[str]:
    if len(segments) < 20:
        return frozenset()
    spread = Counter(word for segment in segments for word in {token.lower() for token in _tokens(segment.text)})
    return frozenset(word for word, count in spread.items() if count > _EVERYWHERE * len(segments))
