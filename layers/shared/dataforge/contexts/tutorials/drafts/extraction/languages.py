"""What the engine knows of a language, and which language a transcript is in."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# A text is in a language when so many of its words are that language's commonest ones.
_LEAST_SHARE = 0.2
_ENOUGH_WORDS = 20_000


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction in a sentence: how it reads as a step, and how sure that is (steps have 1 or more)."""

    text: str
    score: float
    begins: int = 0
    """At which character of the sentence."""


@dataclass(frozen=True, slots=True)
class Language:
    """The words and the grammar of one language; patterns are matched against single sentences."""

    code: str
    stop_words: frozenset[str]
    fillers: re.Pattern[str]
    backchannel: frozenset[str]
    """Words that only show that somebody listens."""
    abbreviations: frozenset[str]
    starters: re.Pattern[str]
    """Where a sentence begins in a text without punctuation."""
    transitions: re.Pattern[str]
    """Begins a sentence that opens a topic."""
    openers: frozenset[str]
    """Words with which speakers begin something new, and much else."""
    recap: re.Pattern[str]
    retractions: re.Pattern[str]
    """Takes back what was just said."""
    corrections: re.Pattern[str]
    """Begins what is right instead."""
    attempts: re.Pattern[str]
    """Says that what follows is only tried."""
    reasons: re.Pattern[str]
    """Begins a reason behind an instruction, which is not cited."""
    continuations: re.Pattern[str]
    """Begins a sentence that goes on with the step before it."""
    purposes: tuple[re.Pattern[str], ...]
    """Statements of what all this is about, the best first; group `what` becomes the title."""
    prerequisites: re.Pattern[str]
    definitions: tuple[re.Pattern[str], ...]
    """Explanations of a word, which is group `term`."""
    pronouns: frozenset[str]
    """What is no word to explain."""
    suffixes: tuple[str, ...]
    """Endings of inflection, the longest first."""
    nouns_are_capitalised: bool
    verbs: frozenset[str]
    """Words of instructions, which make no title."""
    topics: str
    """The word before a list of topics."""
    conjunction: str
    instruction: Callable[[str, bool], Instruction | None]
    """Reads an instruction from a sentence; the flag says that the speaker shows what to do (first person counts)."""


def stem(word: str, language: Language) -> str:
    """The word without endings of inflection: enough to compare words with, not to show them."""
    if len(word) > 4:
        for suffix in language.suffixes:
            if word.endswith(suffix) and len(word) - len(suffix) >= 3:
                return word[: -len(suffix)]
    return word


def _nothing(_sentence: str, _shows: bool) -> None:  # noqa: FBT001 - a grammar's parameters
    return None


_NEVER = re.compile(r"(?!)")
UNKNOWN = Language(
    code="und",
    stop_words=frozenset(),
    fillers=_NEVER,
    backchannel=frozenset(),
    abbreviations=frozenset(),
    starters=_NEVER,
    transitions=_NEVER,
    openers=frozenset(),
    recap=_NEVER,
    retractions=_NEVER,
    corrections=_NEVER,
    attempts=_NEVER,
    reasons=_NEVER,
    continuations=_NEVER,
    purposes=(),
    prerequisites=_NEVER,
    definitions=(),
    pronouns=frozenset(),
    suffixes=(),
    nouns_are_capitalised=False,
    verbs=frozenset(),
    topics="",
    conjunction="",
    instruction=_nothing,
)


@cache
def known_languages() -> tuple[Language, ...]:
    """The languages with words and grammar of their own."""
    from dataforge.contexts.tutorials.drafts.extraction.english import ENGLISH
    from dataforge.contexts.tutorials.drafts.extraction.german import GERMAN

    return (ENGLISH, GERMAN)


def language_of(texts: Iterable[str], code: str | None) -> Language:
    """The language of the code (`de`, `de-AT`), else of the texts' commonest words, else UNKNOWN."""
    if code:
        primary = re.split(r"[-_]", code.strip().lower())[0]
        return next((language for language in known_languages() if language.code == primary), UNKNOWN)
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word.lower() for word in _WORD.findall(text))
        if counts.total() > _ENOUGH_WORDS:
            break
    total = counts.total()
    shares = [
        (sum(counts[word] for word in language.stop_words) / total if total else 0.0, language)
        for language in known_languages()
    ]
    share, language = max(shares, key=lambda pair: pair[0])
    return language if share >= _LEAST_SHARE else UNKNOWN
