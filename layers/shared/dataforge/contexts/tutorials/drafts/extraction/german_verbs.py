"""German verbs: their kinds, prefixes and imperatives."""

from collections.abc import Sequence

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
    known = ACTIONS | GENERAL_ACTIONS | NO_ACTIONS
    for prefix in PREFIXES:
        base = infinitive[len(prefix) :]
        if infinitive.startswith(prefix) and base in known:
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
    known = ACTIONS | GENERAL_ACTIONS
    candidates = (root + "en", root + "n", root.removesuffix("e") + "en", root.removesuffix("l") + "eln")
    return next((word for word in candidates if word in known), None)


def without_zu(word: str) -> str:
    """`ausschalten` of `auszuschalten`."""
    for prefix in PREFIXES:
        base = word.removeprefix(prefix + "zu")
        if base != word and base in ACTIONS | GENERAL_ACTIONS:
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
