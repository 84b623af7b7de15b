"""German verbs: their kinds, prefixes and imperatives."""

import re
from collections.abc import Sequence

from dataforge.contexts.tutorials.drafts.extraction.clauses import Heard
from dataforge.contexts.tutorials.drafts.extraction.german_words import (
    ACTIONS,
    GENERAL_ACTIONS,
    IRREGULAR,
    NO_ACTIONS,
    PARTICLES,
    PREFIXES,
    SHORT_FORMS,
    STOP_WORDS,
)

_CUT = re.compile(
    r",?\s+(?=(?:dass|damit|um|wenn|falls|bis|weil|denn|sodass|so dass|also|indem|bevor|nachdem|"
    r"sobald|und zwar|das heißt|sonst|aber|und|oder|ob|wie|wo|was|weswegen|deshalb|danach)\b)|,\s+|"
    r"\s+[–—]\s+|;\s+|:\s+",
    re.IGNORECASE,
)
_INFINITIVE = re.compile(r"[^\W\d_]{2,}(?:en|ern|eln)|tun", re.IGNORECASE)
_NEGATION_INSIDE = re.compile(r"\b(?:nichts?|keine[nrms]?|kein|nie)\b", re.IGNORECASE)
_SECOND_PART = re.compile(r",?\s+(?P<joint>und|oder)\s+(?P<then>dann\s+)?(?P<rest>.+)", re.DOTALL)
# What a verb of a kind adds to how sure an instruction is.
VERB_WEIGHT = {"action": 0.4, "general": 0.2, "other": 0.0}
_LISTED = ACTIONS | GENERAL_ACTIONS
_KNOWN = _LISTED | NO_ACTIONS


def kind_of_verb(infinitive: str) -> str | None:
    """`action`, `general` or `other` for a verb; None for what is no instruction."""
    word = infinitive.lower()
    base = parted(word)[1]
    if word in ACTIONS or (word not in GENERAL_ACTIONS and base in ACTIONS):
        return "action"
    if word in GENERAL_ACTIONS:
        return "general"
    if word in NO_ACTIONS or base in NO_ACTIONS:
        return None
    return "general" if word.endswith("ieren") or base in GENERAL_ACTIONS else "other"


def parted(infinitive: str) -> tuple[str, str]:
    """(`aus`, `schalten`) of `ausschalten`; an empty prefix when nothing parts."""
    for prefix in PREFIXES:
        base = infinitive[len(prefix) :]
        if infinitive.startswith(prefix) and base in _KNOWN:
            return prefix, base
    return "", infinitive


def infinitive_of(form: str, subject: str) -> str | None:
    """The infinitive of a finite form by its subject; None when the form is none of this subject."""
    word = form.lower()
    if subject in ("sie", "wir"):
        return word if word.endswith(("en", "ern", "eln")) or word == "tun" else None
    if word in IRREGULAR:
        return IRREGULAR[word]
    ending = {"ich": "e", "man": "t", "du": "st", "ihr": "t"}[subject]
    return listed_verb(word.removesuffix(ending)) if word.endswith(ending) else None


def listed_verb(root: str) -> str | None:
    """The verb of the word lists that the root belongs to."""
    candidates = (root + "en", root + "n", root.removesuffix("e") + "en", root.removesuffix("l") + "eln")
    return next((word for word in candidates if word in _LISTED), None)


def without_zu(word: str) -> str:
    """`ausschalten` of `auszuschalten`."""
    for prefix in PREFIXES:
        base = word.removeprefix(prefix + "zu")
        if base != word and base in _LISTED:
            return prefix + base
    return word


def informal_imperative(base: str) -> str:
    """The imperative for one whom one calls `du`."""
    irregular = next((form for form, verb in IRREGULAR.items() if verb == base and form in SHORT_FORMS), None)
    if irregular:
        return irregular
    if base.endswith("eln"):
        return base.removesuffix("eln") + "le"
    return base.removesuffix("n") if base.endswith("ern") else base.removesuffix("en") + "e"


def formal_or_informal(infinitive: str, middle: str, tail: str, *, formal: bool) -> str:
    """`Schalten Sie den Router aus` from the parts of a clause whose infinitive stood at the end."""
    prefix, base = parted(infinitive.lower())
    head = f"{base.capitalize()} Sie" if formal else informal_imperative(base).capitalize()
    middle = without_particles(middle)
    first = middle.split(" ", 1)[0]
    if first.lower() in STOP_WORDS:  # had its capital from the beginning of the sentence
        middle = middle[:1].lower() + middle[1:]
    return " ".join(part for part in (head, middle, prefix) if part) + tail


def without_particles(text: str) -> str:
    """The words without those of politeness, order and mood before them."""
    words = text.split()
    while len(words) > 1 and words[0].lower() in PARTICLES:
        words.pop(0)
    return " ".join(word for at, word in enumerate(words) if not _polite_word(words, at))


def _polite_word(words: Sequence[str], at: int) -> bool:
    word = words[at].lower()
    return word in ("bitte", "mal") or (word == "einfach" and at < 2)


def _is_infinitive(word: str) -> bool:
    return _INFINITIVE.fullmatch(word) is not None and word[:1].islower()


def _split_at_end(rest: str) -> tuple[str, str]:
    """The clause and what follows it, from the comma or conjunction on."""
    for cut in _CUT.finditer(rest):
        words = rest[: cut.start()].split()
        last = words[-1].strip(".!?,") if words else ""
        if _is_infinitive(last) and kind_of_verb(last) is not None:
            return rest[: cut.start()], rest[cut.start() :]
    return rest.rstrip(" .!?…"), ""


def from_infinitive(rest: str, *, formal: bool) -> Heard | None:
    """Wording of a clause that ends in its infinitive (`das Kabel prüfen`, `das Kabel zu prüfen`)."""
    head, tail = _split_at_end(rest)
    *middle, last = head.split() or [""]
    last = last.strip(",.!?…")
    infinitive = without_zu(last)
    if middle and middle[-1].lower() == "zu":
        middle.pop()
    kind = kind_of_verb(infinitive) if _is_infinitive(last) else None
    if kind is None or not middle:
        return None
    said = " ".join(middle)
    if _NEGATION_INSIDE.search(said):
        return Heard(VERB_WEIGHT[kind] - 0.2, formal_or_informal(infinitive, said, tail, formal=formal))
    wording = formal_or_informal(infinitive, said, _second_part(tail, formal=formal), formal=formal)
    return Heard(VERB_WEIGHT[kind] + (0.1 if kind == "other" else 0.0), wording)


def _second_part(tail: str, *, formal: bool) -> str:
    """`und ziehen Sie dann das Kabel ab` of `und dann das Kabel abziehen`; any other tail as it is."""
    match = _SECOND_PART.match(tail)
    heard = from_infinitive(match["rest"], formal=formal) if match else None
    if match is None or heard is None:
        return tail
    verb, _, rest = heard.wording.partition(" Sie " if formal else " ")
    addressed = f"{verb.lower()} Sie" if formal else verb.lower()
    return f" {match['joint']} {addressed} {'dann ' if match['then'] else ''}{rest}"
