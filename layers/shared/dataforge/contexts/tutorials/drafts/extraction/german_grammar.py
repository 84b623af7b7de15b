"""German: how instructions are worded, and how they read as steps."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from dataforge.contexts.tutorials.drafts.extraction.clauses import Grammar, Heard, Lead, Place, instruction_in
from dataforge.contexts.tutorials.drafts.extraction.german_verbs import (
    VERB_WEIGHT,
    from_infinitive,
    infinitive_of,
    informal_imperative,
    kind_of_verb,
    listed_verb,
    without_particles,
)
from dataforge.contexts.tutorials.drafts.extraction.german_words import (
    IRREGULAR,
    LEADS,
    NO_ACTIONS,
    PREFIXES,
    SEQUENCE,
    SHORT_FORMS,
    SHORT_IMPERATIVES,
)
from dataforge.contexts.tutorials.drafts.extraction.languages import Instruction


def _any_of(phrases: tuple[str, ...]) -> str:
    return "|".join(re.escape(phrase) for phrase in sorted(phrases, key=lambda item: (-len(item), item)))


_LEAD = re.compile(
    rf"(?:(?P<sequence>{_any_of(SEQUENCE)})|{_any_of(LEADS)})(?:[,;:.!]+\s*|\s+(?:[–—-]\s+)?)", re.IGNORECASE
)
_BOUNDARY = re.compile(r"(?P<mark>[,;:])\s+|\s+[–—-]\s+|(?<!,)\s+(?P<word>und dann|und|dann|aber)\s+", re.IGNORECASE)
_SUBORDINATE = re.compile(
    r"(?:wenn|falls|sobald|nachdem|bevor|sofern|solange|während|um|damit|sollte|sollten|ehe|bis|weil|"
    r"da|obwohl|dass|ob|indem)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"(?:in|im|ins|auf|an|am|unter|unten|oben|links|rechts|hinten|vorne|aus|mit|ohne|bei|beim|für|"
    r"über|neben|nach|vor|von|vom|zum|zur|statt|anstatt|dort|hier|da|auf der|durch)\b",
    re.IGNORECASE,
)
_ANAPHOR = re.compile(
    r"(?:da|dort|die|den|das|es|ihn|damit)\s+\w+en\s+(?:sie|wir)\b|(?:\S+\s+){1,3}(?:es|ihn|das|den|"
    r"die|diese[nrms]?|dies|dieselbe[n]?|darauf|daran|damit|dort|da|drauf)(?=[\s,.!?]|$)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:,\s*(?:okay|ok|ja|gut|gell|oder|in ordnung|alles klar|nicht wahr|so)\b|[,;]?\s*\b(?:bitte|"
    r"dann|und|danke|für mich|mal|"
    r"wenn sie (?:können|möchten|wollen|so nett wären)|wenn es geht)\b)+[\s,;:.…?!–—-]*$",
    re.IGNORECASE,
)
_MENTAL = re.compile(
    r"\b(?:im (?:hinter)?kopf|vor augen|stellen sie sich (?:\w+ ){0,2}vor\b|stell dir (?:\w+ "
    r"){0,2}vor\b|machen sie sich (?:\w+ )?(?:keine|keinen) (?:sorgen?|gedanken|kopf)|"
    r"keine angst|bleiben sie (?:\w+ ){0,3}dran|melden sie sich(?=,| gerne| jederzeit| einfach| "
    r"wieder)|warte (?:mal|kurz|eben)|wartet mal|gemütlich|geht in ordnung|vergessen sie (?:das|"
    r"es)(?=\W*$|[,.!?]| wieder| ganz| gleich)|vergiss (?:das|"
    r"es)(?=\W*$|[,.!?])|glauben sie mir|fragen sie mich|melden sie sich (?:\w+ ){0,3}(?:bei|wieder)|"
    r"rufen sie (?:\w+ ){0,3}an\b|nehmen sie (?:sich )?zeit)",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:hätten?|wären?|damals|früher|theoretisch|"
    r"angenommen|manche (?:leute|menschen))\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_TO_SPEAKER = re.compile(r"\b(?:mir|mich|uns)\b(?! (?:an|das) )", re.IGNORECASE)
_SUBJECTS = r"sie|wir|ich|man|du|ihr"
_BEHIND_FRONT = re.compile(
    r"(?<=\s)(?P<verb>[^\W\d_]+(?:en|ern|eln|st|t))\s+(?P<subject>sie|wir|du|ihr|man)\b", re.IGNORECASE
)
_NO_FRONT = re.compile(
    r"(?:wenn|falls|sobald|nachdem|bevor|sofern|solange|während|weil|obwohl|dass|ob|indem|wie|was|wo|"
    r"wann|warum|wer|wen|wem|woher|wohin|weshalb|welche[nrsm]?)\b",
    re.IGNORECASE,
)
_ABOUT_THAT = re.compile(
    r"(?:das|dies|dass)\b(?!\s+[A-ZÄÖÜ])|(?:\S+\s+){1,4}das\s+(?:tun|machen|aufheben|beachten)\b", re.IGNORECASE
)
_OBJECT_FIRST = re.compile(r"(?i:den|die|das|dem|der|diese[nrsm]?)\s+(?:[\w-]+\s+)?[A-ZÄÖÜ]")
_THAT_BEHIND = re.compile(r"(?:das|es)\s(?![A-ZÄÖÜ])")
_CONSEQUENCE = re.compile(r"(?:so|damit|dadurch|daran|deshalb|daher|darum|sonst)\b", re.IGNORECASE)
_INVERTED = re.compile(
    rf"(?P<verb>[^\W\d_]+)\s+(?P<subject>{_SUBJECTS})\b(?P<gap>,?\s+|$)(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
_STRAIGHT = re.compile(
    rf"(?P<subject>{_SUBJECTS})\s+(?P<verb>[^\W\d_]+)\b(?P<gap>\s+|$)(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
# Modal verbs and what they add; a question with those of the second list is a request.
_MODALS = {
    word: score
    for score, words in {
        0.8: "müssen muss musst müsst",
        0.7: "müssten müsstest sollten solltest",
        0.6: "müsste sollte sollt brauchen brauchst",
        0.5: "sollen dürfen darfst",
        0.45: "werden werde",
        0.4: "wirst werdet wollen will würde",
        0.35: "können kannst könnt könnten könntest könntet",
        0.3: "kann darf möchten möchte würden würdest magst mögen lassen",
        0.2: "könnte",
    }.items()
    for word in words.split()
}
_REQUESTS = frozenset(
    "können könnten würden kannst könntest würdest könnt könntet wollen möchten magst mögen".split()  # noqa: SIM905
)
_ALLOWS_NEGATION = frozenset("dürfen sollten darfst solltest darf".split())  # noqa: SIM905
_NEGATED = re.compile(
    r"(?:jetzt |auch |hier |da |dann |einfach |das )*(?:nicht|nichts|keine[nrms]?|kein)\b", re.IGNORECASE
)
_ASKS_STATE = re.compile(r"\b(?:denn|noch|schon|überhaupt|sonst|lesen)\b", re.IGNORECASE)
_ASKS_FOR_WORDS = re.compile(
    r"(?=.*\b(?:mir|mich|uns)\b).*"
    r"\b(?:sagen|nennen|geben|erzählen|beschreiben|zeigen|helfen|schicken|durchgeben|buchstabieren)\b",
    re.IGNORECASE | re.DOTALL,
)
_FINITE_WORDS = re.compile(
    rf"\b(?:{_SUBJECTS}|sollte|sollten|müsste|müssten|könnte|könnten|dürfte|würde|würden|darf|dürfen|"
    r"will|wollen|lässt|geht|kommt|steht|heißt|ist|sind|war|hat|haben|wird|werden|kann|können|muss|"
    r"müssen|soll|sollen|es|gibt|zu)\b",
    re.IGNORECASE,
)
_AFTER_IMPERATIVE = re.compile(
    r"(?:\S+\s+)?(?:einmal|ganz|nach|am|an|um|ums|alles|bitte|mal|jetzt|dann|auf|in|ins|im|die|den|"
    r"das|der|dem|ein|eine|einen|deine?n?|"
    r"eure?n?|alle[sn]?|nun|zu|"
    r"zum|zur|hier|dort|oben|unten|links|rechts|mit|es|ihn|sie|so|noch|nicht|einfach|darauf|sicher|"
    r"dich|euch|diese[nrs]?|"
    r"immer|nie|zwei|drei|beide|keine?n?|jede[ns]?|dir|etwa|\d)\b",
    re.IGNORECASE,
)
_AFTER_PLURAL = re.compile(
    r"(?:einmal|ganz|nach|zu|zum|zur|am|an|um|ums|ihn|sie|es|alles|immer|nie|dort|hier|bitte|mal|"
    r"jetzt|dann|auf|in|die|den|das|einen|eine|eure|euch|alle)\b",
    re.IGNORECASE,
)
_NO_SUBJECT = re.compile(
    rf"(?!(?:{_SUBJECTS}|mir|mich|uns)\b(?!(?<=sie) (?:bitte|nie|immer|nicht|auf|in|ins|an|zu|mit)\b))\S", re.IGNORECASE
)
_NOW = re.compile(r"(?:\w+ ){0,4}?(?:jetzt|dann|nun|als nächstes)\b", re.IGNORECASE)
_NEVER = re.compile(r"(?:nie|niemals|auf keinen fall|nicht)\s", re.IGNORECASE)
_PASSIVE = re.compile(
    r"(?:der|die|das|alle|jede[rs]?|dein[e]?|ihr[e]?|beide|dies[e]?[rs]?)\s[^,;.:?!]{0,60}?\b(?:muss|"
    r"müssen|sollten?)\s[^,;.:?!]{0,60}?"
    r"\b(?:ab|an|auf|aus|ein|um|zu|vor|nach|mit|weg)?ge(?P<root>[^\W\d_]+?)t\s+werden\b",
    re.IGNORECASE,
)
_ASK = re.compile(
    r"(?:ich (?:würde|möchte|darf|muss|will) (?:sie|dich|euch) (?:\w+ )?bitten|ich bitte (?:sie|dich|"
    r"euch)|(?:wichtig|entscheidend|ratsam|sinnvoll|am besten|das beste) ist(?: es)?|"
    r"es ist (?:\w+ )?(?:wichtig|sinnvoll|ratsam|notwendig|nötig|erforderlich)|(?:der|unser|ihr) "
    r"(?:erste|zweite|dritte|nächste|letzte) schritt (?:ist|besteht darin|wäre)|"
    r"(?:ich (?:empfehle|rate) (?:ihnen|dir|euch)|es empfiehlt sich|vergessen sie nicht|vergiss nicht|vergesst nicht|"
    r"denken sie (?:bitte )?dar?an|denk dar?an|denkt dar?an|versuchen sie(?: bitte| mal| einmal)?|"
    r"versuch(?:e|t)?(?: bitte| mal| einmal)?|probieren sie(?: bitte| mal| einmal)?|das (?:erste|"
    r"nächste|letzte|einzige)(?:, was (?:sie|wir|du|man) (?:tun|machen) (?:müssen|musst|sollten|"
    r"muss))?,? ist|was (?:sie|wir|du) (?:jetzt )?(?:tun|machen) (?:müssen|sollten|musst|können|"
    r"werden)(?:,? ist)?)"
    r")(?:,|:)?\s+(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_ENSURE = re.compile(
    r"(?:achten sie|achte|achtet|stellen sie|stell|stellt|sorgen sie|sorg|vergewissern sie|denken sie|denke?|denkt|"
    r"passen sie|passe?|passt|seien sie|sei|schauen sie|schaue?|schaut|prüfen sie|kontrollieren sie|"
    r"sehen sie zu|sieh zu)\b"
    r"(?=[^,.]{0,40}\b(?:darauf|dran|sicher|dafür|sich|daran|auf|vorsichtig|dass|ob)\b|(?: \w+)?, (?:dass|ob)\b)",
    re.IGNORECASE,
)


class _Setting(NamedTuple):
    """How a clause stands in its sentence."""

    question: bool
    inverted: bool
    """The verb stands before its subject."""
    led: bool
    """Words of order or politeness stand before it."""
    shows: bool


def _they(subject: str, text: str) -> bool:
    """Whether `sie` are others: written small in a text that has capitals."""
    return subject == "sie" and text != text.lower()


def _modal(verb: str, subject: str, rest: str, setting: _Setting) -> Heard | None:
    """The instruction of `Sie müssen …`, `können Sie …?`."""
    asks = setting.question and setting.inverted and not setting.led
    if asks:
        if (
            verb not in _REQUESTS
            or subject in ("ich", "man")
            or _ASKS_STATE.search(rest)
            or _ASKS_FOR_WORDS.match(rest)
        ):
            return None
    elif setting.question and not setting.inverted and subject in ("sie", "du", "ihr"):
        return None
    if verb not in _ALLOWS_NEGATION and _NEGATED.match(rest):
        return None
    heard = from_infinitive(rest, formal=subject not in ("du", "ihr"))
    if heard is None:
        return None
    base = 0.8 if asks else _MODALS[verb]
    if not asks and _NOW.search(rest):
        base += 0.15
    if not asks and subject == "wir":
        base -= 0.1 if setting.shows else 0.2
    return Heard(base + heard.score + 0.1, heard.wording)


def _finite(match: re.Match[str], setting: _Setting) -> Heard | None:
    """The instruction of `klicken Sie …`, `wir öffnen …`, `ich öffne …`."""
    subject, rest = match["subject"].lower(), match["rest"]
    infinitive = infinitive_of(match["verb"], subject)
    if (
        infinitive is None
        or (setting.question and (not setting.led or subject != "wir"))
        or _TO_SPEAKER.match(rest.strip())
    ):
        return None
    kind = kind_of_verb(infinitive)
    if kind is None or any(prefix + infinitive in NO_ACTIONS for prefix in _prefixes_in(rest)):
        return None
    score = _finite_score(kind, subject, setting)
    if score is None and kind == "general" and _NOW.match(rest) and _PLACE.match(without_particles(rest)):
        score = 1.0  # `Sie gehen jetzt auf …`
    if score is None:
        return None
    words = without_particles(rest)
    if setting.inverted and subject != "sie" and _polite_or_parted(rest):
        score += 0.1
    if subject in ("du", "ihr"):
        head = informal_imperative(infinitive).capitalize()
        return Heard(score, f"{head}{match['gap'].rstrip()} {_second_imperative(words, subject)}")
    joint = match["gap"] if match["gap"].startswith(",") else " "
    return Heard(score, f"{infinitive.capitalize()} Sie{joint}{words}".rstrip())


def _second_imperative(words: str, subject: str) -> str:
    """`den Schlauch und leg ihn …` of `den Schlauch und legst ihn …`."""
    match = re.search(r"\bund (?:dann )?(?P<verb>[^\W\d_]+t)\b", words)
    infinitive = infinitive_of(match["verb"], subject) if match else None
    if match is None or infinitive is None:
        return words
    return words[: match.start("verb")] + informal_imperative(infinitive) + words[match.end("verb") :]


def _finite_score(kind: str, subject: str, setting: _Setting) -> float | None:
    if setting.inverted and subject == "sie":
        return (0.75 if kind == "other" else 0.9) + VERB_WEIGHT[kind]
    if setting.inverted and subject in ("wir", "du", "ihr"):
        return (0.55 if subject == "wir" else 0.8) + VERB_WEIGHT[kind]
    if kind == "action" or (kind == "general" and subject == "wir"):
        return (0.65 if subject in ("sie", "du", "ihr") else 0.45) + VERB_WEIGHT[kind]
    return None


def _prefixes_in(rest: str) -> Iterator[str]:
    words = re.findall(r"\w+", rest.lower())
    return (word for word in words if word in PREFIXES)


def _fronted(text: str, *, shows: bool) -> Heard | None:
    """`Im Menü Daten wählen Sie …`: the verb stands behind whatever comes first; it is good to read as it is."""
    comma = text.find(",")
    match = _BEHIND_FRONT.search(text, 0, comma if comma > 0 else len(text))
    if match is None or _NO_FRONT.match(text):
        return None
    verb, subject, rest = match["verb"].lower(), match["subject"].lower(), text[match.end() :].strip()
    if _they(match["subject"], text) or _TO_SPEAKER.match(rest):
        return None
    vague = 0.25 if _ABOUT_THAT.match(text) else 0.0
    if verb in _MODALS:
        heard = _modal(verb, subject, rest, _Setting(question=False, inverted=True, led=True, shows=shows))
        return heard and Heard(heard.score - vague, text)
    infinitive = infinitive_of(verb, subject)
    kind = kind_of_verb(infinitive) if infinitive else None
    if kind not in ("action", "general") or (kind == "general" and _CONSEQUENCE.match(text)):
        return None
    sure = 0.15 if _PLACE.match(text) or _OBJECT_FIRST.match(text) or _polite_or_parted(rest) else 0.0
    if kind == "general" and _THAT_BEHIND.match(rest):
        vague = 0.25
    base = 0.7 if subject in ("sie", "du", "ihr") else 0.4
    return Heard(base + VERB_WEIGHT[kind] + sure - vague, text)


def _passive(text: str) -> Heard | None:
    """`Der Filter muss jede Woche getauscht werden`, which reads well as it is."""
    match = _PASSIVE.match(text)
    infinitive = listed_verb(match["root"]) if match else None
    return Heard(0.65 + VERB_WEIGHT[kind_of_verb(infinitive) or "other"], text) if infinitive else None


def _polite_or_parted(rest: str) -> bool:
    """Whether the clause says `bitte`, or ends in the prefix of its verb as instructions often do."""
    words = re.split(r"[,;.:]", rest, maxsplit=1)[0].split()
    return bool(words) and (words[-1].lower() in PREFIXES or "bitte" in rest.lower())


def _informal_imperative(text: str) -> Heard | None:
    """`Klick auf …`, `öffne die …`, `geht bitte …` without a subject."""
    found = _WORD.match(text)
    if found is None:
        return None
    word, rest = found.group().lower(), text[found.end() :].strip()
    infinitive = IRREGULAR.get(word) if word in SHORT_FORMS else None
    if infinitive is None and word in SHORT_IMPERATIVES:
        infinitive = listed_verb(word)
    if infinitive is None and (word.endswith("e") or (word.endswith("t") and _AFTER_PLURAL.match(rest))):
        infinitive = listed_verb(word[:-1])
    kind = kind_of_verb(infinitive) if infinitive else None
    if kind is None or not _NO_SUBJECT.match(rest) or not _AFTER_IMPERATIVE.match(rest):
        return None
    return Heard(0.8 + VERB_WEIGHT[kind], f"{word.capitalize()} {without_particles(rest)}")


def _bare_infinitive(text: str, *, polite: bool) -> Heard | None:
    """`einfach auf Speichern klicken`: a clause without a finite verb that ends in an infinitive."""
    if _NEVER.match(text):
        last = text.rstrip(" .!").rsplit(" ", 1)[-1]
        kind = kind_of_verb(last) if last.islower() and last.endswith("n") else None
        return Heard(0.8 + VERB_WEIGHT[kind], text) if kind in ("action", "general") else None
    heard = None if _FINITE_WORDS.search(text) or text.count(" ") > 13 else from_infinitive(text, formal=True)
    if heard is None or heard.score < 0.2:
        return None
    return Heard((0.8 if polite or " bitte " in text.lower() else 0.5) + heard.score, heard.wording)


def _lead(text: str, start: int) -> Lead:
    sequence = polite = False
    while match := _LEAD.match(text, start):
        sequence = sequence or match["sequence"] is not None
        polite = polite or match.group().lower().startswith(("bitte", "einfach", "am besten", "vielleicht"))
        start = match.end()
    return Lead(start, sequence, polite)


def _clause(text: str, place: Place, shows: bool) -> Heard | None:  # noqa: FBT001 - as Grammar asks
    start, sequence, polite = _lead(text, place.start)
    said, led = text[start:], sequence or polite
    question = text.rstrip().endswith("?")
    heard = _asked(said, shows=shows) or _with_subject(said, place, question=question, led=led, shows=shows)
    if heard is None and place.bare and not question:
        heard = _fronted(said, shows=shows) or _informal_imperative(said) or _passive(said)
    if heard is None and (place.bare or led) and not question:
        heard = _bare_infinitive(said, polite=led)
    if heard is None:
        return None
    return Heard(heard.score + (0.2 if sequence else 0.0) + (0.15 if polite else 0.0), heard.wording)


def _asked(said: str, *, shows: bool) -> Heard | None:
    """What `achten Sie darauf`, `der nächste Schritt ist` and the like begin."""
    if _ENSURE.match(said):
        return Heard(1.1, said)
    match = _ASK.match(said)
    if match is None:
        return None
    heard = from_infinitive(match["rest"], formal=True)
    if heard is not None:
        return Heard(0.8 + heard.score, heard.wording)
    inner = _clause(match["rest"], Place(0, bare=False), shows)
    return inner and Heard(inner.score + 0.2, inner.wording)


def _with_subject(said: str, place: Place, *, question: bool, led: bool, shows: bool) -> Heard | None:
    for pattern, inverted in ((_INVERTED, True), (_STRAIGHT, False)):
        match = pattern.match(said)
        if match is None or _they(match["subject"], said):
            continue
        verb, subject = match["verb"].lower(), match["subject"].lower()
        if (subject == "ich" and not shows) or (subject == "wir" and inverted and not place.bare):
            continue
        setting = _Setting(question, inverted, led, shows)
        is_modal = verb in _MODALS and not (verb == "lassen" and inverted)
        heard = _modal(verb, subject, match["rest"], setting) if is_modal else _finite(match, setting)
        if heard is not None:
            # Later in a sentence, and in talk with others, `wir` tells of plans and of consequences.
            planned = 0.2 if subject == "wir" and place.start and not shows else 0.0
            return Heard(heard.score - planned, heard.wording)
    return None


def _finished(prefix: str, wording: str) -> str:
    trimmed = _TAIL.sub("", wording)
    wording = (trimmed if len(trimmed.split()) > 2 else wording).rstrip(" ,;:.…?!–—-")
    wording = re.sub(r",?\s+bitte(?=[\s,]|$)", "", wording)
    wording = re.sub(r"^(\w+) sie\b", r"\1 Sie", wording)
    if prefix:
        wording = wording[:1].lower() + wording[1:]
    return f"{prefix}{wording}." if wording else ""


_GRAMMAR = Grammar(
    lead=_lead,
    boundary=_BOUNDARY,
    joining=frozenset(("und", "und dann")),
    no_imperative_after=frozenset(("und", "aber")),
    subordinate=_SUBORDINATE,
    place=_PLACE,
    anaphor=_ANAPHOR,
    dangling=re.compile(r",?\s*\b(?:und dann|dann|und|aber)$"),
    fronted=re.compile(r"(?!)"),
    narrative=re.compile(r"(?:ich|er|die leute|manche|viele|mein \w+)\s", re.IGNORECASE),
    excluded=(_MENTAL,),
    doubt=_DOUBT,
    clause=_clause,
    finished=_finished,
)


def german_instruction(sentence: str, shows: bool) -> Instruction | None:  # noqa: FBT001 - as Language asks
    """The instruction in the sentence, with the score that its wording gives."""
    return instruction_in(sentence, _GRAMMAR, shows=shows)
