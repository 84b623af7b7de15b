"""Instructions in the clauses of a sentence: what the languages have in common."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dataforge.contexts.tutorials.drafts.extraction.languages import Instruction

_MOST_CLAUSES = 12
# A later clause is taken only if it is so much clearer than an earlier one.
_CLEARER = 0.3
_FRONT_BONUS, _OPENING_BONUS, _LATER = 0.3, 0.15, 0.05
_DOUBTFUL = 0.5


class Heard(NamedTuple):
    """An instruction in a clause: how sure it is, and its words."""

    score: float
    wording: str


class Lead(NamedTuple):
    """Where a clause begins behind what only leads to it, and what that says of it."""

    start: int
    sequence: bool = False
    polite: bool = False


class Place(NamedTuple):
    """A clause to look at: where it begins, and whether an imperative may stand there without anything before it."""

    start: int
    bare: bool
    fronted: bool = False
    supported: bool = False
    """Behind a condition or a place, where an imperative is to be expected."""
    narrated: bool = False
    """In a sentence that somebody begins with what they or others do."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a language builds its sentences of clauses."""

    lead: Callable[[str, int], Lead]
    boundary: re.Pattern[str]
    """Between clauses; group `mark` is a comma or the like, `word` a conjunction."""
    joining: frozenset[str]
    """Conjunctions that go on inside a condition."""
    no_imperative_after: frozenset[str]
    subordinate: re.Pattern[str]
    """Begins a condition, which stays before its instruction."""
    place: re.Pattern[str]
    """Begins a phrase of place or purpose, which stays as well."""
    anaphor: re.Pattern[str]
    """An instruction about something named in the clause before it."""
    dangling: re.Pattern[str]
    """A conjunction at the end of what stays before the instruction."""
    fronted: re.Pattern[str]
    """A phrase of place up to the subject, without a comma."""
    narrative: re.Pattern[str]
    """Begins a sentence about somebody."""
    excluded: tuple[re.Pattern[str], ...]
    """What makes a sentence no instruction."""
    doubt: re.Pattern[str]
    clause: Callable[[str, Place, bool], Heard | None]
    """Reads the clause at a place; the flag says that the speaker shows what to do."""
    finished: Callable[[str, str], str]
    """The step of what stays before the instruction, and the instruction."""


def instruction_in(sentence: str, grammar: Grammar, *, shows: bool) -> Instruction | None:
    """The clearest instruction of the sentence, the earliest of those that are alike."""
    lead = grammar.lead(sentence, 0)
    best: Heard | None = None
    begins = 0
    for place in _places(sentence, lead.start, grammar):
        heard = grammar.clause(sentence, place, shows)
        if heard is None:
            continue
        score, prefix = heard.score, ""
        if place.start:
            score += (_FRONT_BONUS if place.fronted else 0.0) + (_OPENING_BONUS if lead.sequence else 0.0) - _LATER
            prefix = _kept_before(sentence[lead.start : place.start].strip(), heard.wording, grammar)
        if best is None or score > best.score + _CLEARER:
            best, begins = Heard(score, grammar.finished(prefix, heard.wording)), place.start
    if best is None or len(best.wording.split()) < 2 or any(item.search(sentence) for item in grammar.excluded):
        return None
    doubt = _DOUBTFUL if grammar.doubt.search(sentence) else 0.0
    return Instruction(best.wording, round(best.score - doubt, 3), begins)


def _places(sentence: str, start: int, grammar: Grammar) -> Iterator[Place]:
    yield Place(0, bare=True)
    inside_condition = grammar.subordinate.match(sentence, start) is not None
    placed = grammar.place.match(sentence, start) is not None
    narrated = grammar.narrative.match(sentence, start) is not None
    count = 1
    for boundary in grammar.boundary.finditer(sentence, start):
        word = (boundary["word"] or "").lower()
        if inside_condition and word in grammar.joining:
            continue
        supported = inside_condition or placed
        inside_condition = grammar.subordinate.match(sentence, boundary.end()) is not None
        bare = word not in grammar.no_imperative_after
        yield Place(boundary.end(), bare, supported=supported, narrated=narrated and not supported)
        if fronted := grammar.fronted.match(sentence, grammar.lead(sentence, boundary.end()).start):
            yield Place(fronted.end(), bare=True, fronted=True, supported=True)
        count += 1
        if count == _MOST_CLAUSES:
            break
    if fronted := grammar.fronted.match(sentence, start):
        yield Place(fronted.end(), bare=True, fronted=True, supported=True)


def _kept_before(before: str, wording: str, grammar: Grammar) -> str:
    """What stays before the instruction: a condition, a place, or what it speaks of."""
    if grammar.subordinate.match(before) or grammar.place.match(before) or grammar.anaphor.match(wording):
        return grammar.dangling.sub("", before).rstrip(" ,") + ", "
    return ""


def clearest(heard: Iterator[Heard | None]) -> Heard | None:
    """The highest score, the first of equal ones; None of nothing."""
    return max((item for item in heard if item is not None), key=lambda item: item.score, default=None)
