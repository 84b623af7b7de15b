"""German: how instructions are worded, and how they read as steps."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dataforge.contexts.tutorials.drafts.extraction.clauses import Grammar, Heard, Lead, Place, instruction_in
from dataforge.contexts.tutorials.drafts.extraction.german_words import (
    ABBREVIATIONS,
    ACTIONS,
    BACKCHANNEL,
    FILLERS,
    GENERAL_ACTIONS,
    IRREGULAR,
    LEADS,
    NO_ACTIONS,
    PARTICLES,
    PREFIXES,
    PRONOUNS,
    SEQUENCE,
    SHORT_FORMS,
    SHORT_IMPERATIVES,
    STOP_WORDS,
    SUFFIXES,
)
from dataforge.contexts.tutorials.drafts.extraction.languages import Instruction, Language


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
    r"(?:[,;]?\s*\b(?:okay|ok|ja|gut|bitte|in ordnung|alles klar|nicht wahr|gell|oder|dann|so|wenn "
    r"sie (?:können|möchten|wollen|so nett wären)|wenn es geht|und|danke|für mich|"
    r"mal))+[\s,;:.…?!–—-]*$",
    re.IGNORECASE,
)
_MENTAL = re.compile(
    r"\b(?:im (?:hinter)?kopf|vor augen|stellen sie sich (?:\w+ ){0,2}vor\b|stell dir (?:\w+ "
    r"){0,2}vor\b|machen sie sich (?:\w+ )?(?:keine|keinen) (?:sorgen?|gedanken|kopf)|"
    r"keine angst|vergessen sie (?:das|es)(?=\W*$|[,.!?]| wieder| ganz| gleich)|vergiss (?:das|"
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
_CUT = re.compile(
    r",?\s+(?=(?:dass|damit|um|wenn|falls|bis|weil|denn|sodass|so dass|also|indem|bevor|nachdem|"
    r"sobald|und zwar|das heißt|sonst|aber|und|oder|ob|wie|wo|was|weswegen|deshalb|danach)\b)|,\s+|"
    r"\s+[–—]\s+|;\s+|:\s+",
    re.IGNORECASE,
)
_INFINITIVE = re.compile(r"[^\W\d_]{2,}(?:en|ern|eln)|tun", re.IGNORECASE)
_SUBJECTS = r"sie|wir|ich|man|du|ihr"
_BEHIND_FRONT = re.compile(r"(?<=\s)(?P<verb>[^\W\d_]+(?:en|ern|eln))\s+(?P<subject>sie|wir)\b", re.IGNORECASE)
_NO_FRONT = re.compile(
    r"(?:wenn|falls|sobald|nachdem|bevor|sofern|solange|während|weil|obwohl|dass|ob|indem|wie|was|wo|"
    r"wann|warum|wer|wen|wem|woher|wohin|weshalb|welche[nrsm]?)\b",
    re.IGNORECASE,
)
_ABOUT_THAT = re.compile(
    r"(?:das|dies|dass)\b(?!\s+[A-ZÄÖÜ])|(?:\S+\s+){1,4}das\s+(?:tun|machen|aufheben|beachten)\b", re.IGNORECASE
)
_CONSEQUENCE = re.compile(r"(?:so|damit|dadurch|daran|deshalb|daher|darum|sonst)\b", re.IGNORECASE)
_INVERTED = re.compile(
    rf"(?P<verb>[^\W\d_]+)\s+(?P<subject>{_SUBJECTS})\b(?P<gap>,?\s+|$)(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
_STRAIGHT = re.compile(
    rf"(?P<subject>{_SUBJECTS})\s+(?P<verb>[^\W\d_]+)\b(?P<gap>\s+|$)(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
_WEIGHT = {"action": 0.4, "general": 0.2, "other": 0.0}
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
_ASKS_STATE = re.compile(r"\b(?:denn|noch|schon|überhaupt|sonst)\b", re.IGNORECASE)
_ASKS_FOR_WORDS = re.compile(
    r"(?=.*\b(?:mir|mich|uns)\b).*"
    r"\b(?:sagen|nennen|geben|erzählen|beschreiben|zeigen|helfen|schicken|durchgeben|buchstabieren)\b",
    re.IGNORECASE | re.DOTALL,
)
_NEGATION_INSIDE = re.compile(r"\b(?:nichts?|keine[nrms]?|kein|nie)\b", re.IGNORECASE)
_FINITE_WORDS = re.compile(
    rf"\b(?:{_SUBJECTS}|ist|sind|war|hat|haben|wird|werden|kann|können|muss|müssen|soll|sollen|es|gibt|zu)\b",
    re.IGNORECASE,
)
_AFTER_IMPERATIVE = re.compile(
    r"(?:\S+\s+)?(?:bitte|mal|jetzt|dann|auf|in|ins|im|die|den|das|der|dem|ein|eine|einen|deine?n?|"
    r"eure?n?|alle[sn]?|nun|zu|"
    r"zum|zur|hier|dort|oben|unten|links|rechts|mit|es|ihn|sie|so|noch|nicht|einfach|darauf|sicher|"
    r"dich|euch|diese[nrs]?|"
    r"etwa|\d)\b",
    re.IGNORECASE,
)
_AFTER_PLURAL = re.compile(r"(?:bitte|mal|jetzt|dann|auf|in|die|den|das|einen|eine|eure|euch|alle)\b", re.IGNORECASE)
_NO_SUBJECT = re.compile(rf"(?!(?:{_SUBJECTS}|mir|mich|uns)\b)\S", re.IGNORECASE)
_SECOND_PART = re.compile(r",?\s+(?P<joint>und|oder)\s+(?P<then>dann\s+)?(?P<rest>.+)", re.DOTALL)
_ASK = re.compile(
    r"(?:ich (?:würde|möchte|darf|muss|will) (?:sie|dich|euch) (?:\w+ )?bitten|ich bitte (?:sie|dich|"
    r"euch)|(?:wichtig|entscheidend|ratsam|sinnvoll|am besten|das beste) ist(?: es)?|"
    r"es ist (?:\w+ )?(?:wichtig|sinnvoll|ratsam|notwendig|nötig|erforderlich)|(?:der|unser|ihr) "
    r"(?:erste|zweite|dritte|nächste|letzte) schritt (?:ist|besteht darin|wäre)|"
    r"(?:ich (?:empfehle|rate) (?:ihnen|dir|euch)|es empfiehlt sich|vergessen sie nicht|vergiss nicht|"
    r"denken sie (?:bitte )?daran|denk daran|denkt daran|versuchen sie(?: bitte| mal| einmal)?|"
    r"versuch(?:e|t)?(?: bitte| mal| einmal)?|probieren sie(?: bitte| mal| einmal)?|das (?:erste|"
    r"nächste|letzte|einzige)(?:, was (?:sie|wir|du|man) (?:tun|machen) (?:müssen|musst|sollten|"
    r"muss))?,? ist|was (?:sie|wir|du) (?:jetzt )?(?:tun|machen) (?:müssen|sollten|musst|können|"
    r"werden)(?: ist)?)"
    r")(?:,|:)?\s+(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_ENSURE = re.compile(
    r"(?:achten sie|achte|achtet|stellen sie|stell|stellt|sorgen sie|vergewissern sie|denken sie|denk|"
    r"passen sie|pass|seien sie|sei|schauen sie|prüfen sie|kontrollieren sie)\b"
    r"(?=[^,.]{0,40}\b(?:darauf|sicher|dafür|sich|daran|auf|vorsichtig|dass|ob)\b)",
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


def _known(infinitive: str) -> str | None:
    """`action`, `general` or `other` for a verb; None for what is no instruction."""
    word = infinitive.lower()
    base = _parted(word)[1]
    if word in ACTIONS or (word not in GENERAL_ACTIONS and base in ACTIONS):
        return "action"
    if word in GENERAL_ACTIONS:
        return "general"
    if word in NO_ACTIONS or base in NO_ACTIONS:
        return None
    return "general" if word.endswith("ieren") or base in GENERAL_ACTIONS else "other"


def _parted(infinitive: str) -> tuple[str, str]:
    """(`aus`, `schalten`) of `ausschalten`; an empty prefix when nothing parts."""
    known = ACTIONS | GENERAL_ACTIONS | NO_ACTIONS
    for prefix in PREFIXES:
        base = infinitive[len(prefix) :]
        if infinitive.startswith(prefix) and base in known:
            return prefix, base
    return "", infinitive


def _infinitive_of(form: str, subject: str) -> str | None:
    """The infinitive of a finite form by its subject; None when the form is none of this subject."""
    word = form.lower()
    if subject in ("sie", "wir"):
        return word if word.endswith(("en", "ern", "eln")) or word == "tun" else None
    if word in IRREGULAR:
        return IRREGULAR[word]
    ending = {"ich": "e", "man": "t", "du": "st", "ihr": "t"}[subject]
    return _lexical(word.removesuffix(ending)) if word.endswith(ending) else None


def _lexical(root: str) -> str | None:
    """The verb of the word lists that the root belongs to."""
    known = ACTIONS | GENERAL_ACTIONS
    candidates = (root + "en", root + "n", root.removesuffix("e") + "en", root.removesuffix("l") + "eln")
    return next((word for word in candidates if word in known), None)


def _they(subject: str, text: str) -> bool:
    """Whether `sie` are others: written small in a text that has capitals."""
    return subject == "sie" and text != text.lower()


def _without_particles(text: str) -> str:
    words = text.split()
    while len(words) > 1 and words[0].lower() in PARTICLES:
        words.pop(0)
    return " ".join(word for at, word in enumerate(words) if not _polite(words, at))


def _polite(words: Sequence[str], at: int) -> bool:
    word = words[at].lower()
    return word in ("bitte", "mal") or (word == "einfach" and at < 2)


def _imperative(infinitive: str, middle: str, tail: str, *, formal: bool) -> str:
    """`Schalten Sie den Router aus` from the parts of a clause whose infinitive stood at the end."""
    prefix, base = _parted(infinitive.lower())
    head = f"{base.capitalize()} Sie" if formal else _informal(base).capitalize()
    return " ".join(part for part in (head, _without_particles(middle), prefix) if part) + tail


def _informal(base: str) -> str:
    """The imperative for one whom one calls `du`."""
    irregular = next((form for form, verb in IRREGULAR.items() if verb == base and form in SHORT_FORMS), None)
    if irregular:
        return irregular
    if base.endswith("eln"):
        return base.removesuffix("eln") + "le"
    return base.removesuffix("n") if base.endswith("ern") else base.removesuffix("en") + "e"


def _is_infinitive(word: str) -> bool:
    return _INFINITIVE.fullmatch(word) is not None and word[:1].islower()


def _split_at_end(rest: str) -> tuple[str, str]:
    """The clause and what follows it, from the comma or conjunction on."""
    for cut in _CUT.finditer(rest):
        words = rest[: cut.start()].split()
        last = words[-1].strip(".!?,") if words else ""
        if _is_infinitive(last) and _known(last) is not None:
            return rest[: cut.start()], rest[cut.start() :]
    return rest.rstrip(" .!?…"), ""


def _from_infinitive(rest: str, *, formal: bool) -> Heard | None:
    """Wording of a clause that ends in its infinitive (`das Kabel prüfen`, `das Kabel zu prüfen`)."""
    head, tail = _split_at_end(rest)
    *middle, last = head.split() or [""]
    last = last.strip(",.!?…")
    infinitive = _without_zu(last)
    if middle and middle[-1].lower() == "zu":
        middle.pop()
    kind = _known(infinitive) if _is_infinitive(last) else None
    if kind is None or not middle:
        return None
    said = " ".join(middle)
    if _NEGATION_INSIDE.search(said):
        return Heard(_WEIGHT[kind] - 0.2, _imperative(infinitive, said, tail, formal=formal))
    wording = _imperative(infinitive, said, _second_part(tail, formal=formal), formal=formal)
    return Heard(_WEIGHT[kind] + (0.1 if kind == "other" else 0.0), wording)


def _without_zu(word: str) -> str:
    """`ausschalten` of `auszuschalten`."""
    for prefix in PREFIXES:
        base = word.removeprefix(prefix + "zu")
        if base != word and base in ACTIONS | GENERAL_ACTIONS:
            return prefix + base
    return word


def _second_part(tail: str, *, formal: bool) -> str:
    """`und ziehen Sie dann das Kabel ab` of `und dann das Kabel abziehen`; any other tail as it is."""
    match = _SECOND_PART.match(tail)
    heard = _from_infinitive(match["rest"], formal=formal) if match else None
    if match is None or heard is None:
        return tail
    verb, _, rest = heard.wording.partition(" Sie " if formal else " ")
    addressed = f"{verb.lower()} Sie" if formal else verb.lower()
    return f" {match['joint']} {addressed} {'dann ' if match['then'] else ''}{rest}"


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
    heard = _from_infinitive(rest, formal=subject not in ("du", "ihr"))
    if heard is None:
        return None
    base = 0.8 if asks else _MODALS[verb]
    if not asks and subject == "wir":
        base -= 0.1 if setting.shows else 0.2
    return Heard(base + heard.score + 0.1, heard.wording)


def _finite(match: re.Match[str], setting: _Setting) -> Heard | None:
    """The instruction of `klicken Sie …`, `wir öffnen …`, `ich öffne …`."""
    subject, rest = match["subject"].lower(), match["rest"]
    infinitive = _infinitive_of(match["verb"], subject)
    if (
        infinitive is None
        or (setting.question and (not setting.led or subject != "wir"))
        or _TO_SPEAKER.match(rest.strip())
    ):
        return None
    kind = _known(infinitive)
    if kind is None or any(prefix + infinitive in NO_ACTIONS for prefix in _prefixes_in(rest)):
        return None
    score = _finite_score(kind, subject, setting)
    if score is None:
        return None
    words = _without_particles(rest)
    if subject in ("du", "ihr"):
        return Heard(score, f"{_informal(infinitive).capitalize()} {words}")
    joint = match["gap"] if match["gap"].startswith(",") else " "
    return Heard(score, f"{infinitive.capitalize()} Sie{joint}{words}".rstrip())


def _finite_score(kind: str, subject: str, setting: _Setting) -> float | None:
    if setting.inverted and subject == "sie":
        return (0.75 if kind == "other" else 0.9) + _WEIGHT[kind]
    if setting.inverted and subject == "wir":
        return 0.55 + _WEIGHT[kind]
    if kind == "action" or (kind == "general" and subject == "wir"):
        return 0.45 + _WEIGHT[kind]
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
    kind = _known(verb)
    if kind not in ("action", "general") or (kind == "general" and _CONSEQUENCE.match(text)):
        return None
    sure = 0.15 if _PLACE.match(text) or _polite_or_parted(rest) else 0.0
    return Heard((0.7 if subject == "sie" else 0.4) + _WEIGHT[kind] + sure - vague, text)


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
        infinitive = _lexical(word)
    if infinitive is None and (word.endswith("e") or (word.endswith("t") and _AFTER_PLURAL.match(rest))):
        infinitive = _lexical(word[:-1])
    kind = _known(infinitive) if infinitive else None
    if kind is None or not _NO_SUBJECT.match(rest) or not _AFTER_IMPERATIVE.match(rest):
        return None
    return Heard(0.75 + _WEIGHT[kind], f"{word.capitalize()} {_without_particles(rest)}")


def _bare_infinitive(text: str, *, polite: bool) -> Heard | None:
    """`einfach auf Speichern klicken`: a clause without a finite verb that ends in an infinitive."""
    heard = None if _FINITE_WORDS.search(text) or text.count(" ") > 13 else _from_infinitive(text, formal=True)
    if heard is None or heard.score < 0.2:
        return None
    return Heard((0.75 if polite else 0.5) + heard.score, heard.wording)


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
        heard = _fronted(said, shows=shows) or _informal_imperative(said)
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
    heard = _from_infinitive(match["rest"], formal=True)
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
            return heard
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
    excluded=(_MENTAL,),
    doubt=_DOUBT,
    clause=_clause,
    finished=_finished,
)


def german_instruction(sentence: str, shows: bool) -> Instruction | None:  # noqa: FBT001 - as Language asks
    """The instruction in the sentence, with the score that its wording gives."""
    return instruction_in(sentence, _GRAMMAR, shows=shows)


_GOAL = r"(?:etwas [^,.]{3,40}, (?:nämlich|und zwar) (?:um )?(?:die frage,? )?)?(?P<what>[^.?!]{8,200})"
GERMAN = Language(
    code="de",
    stop_words=STOP_WORDS,
    fillers=re.compile(
        rf"(?<!\S){FILLERS}[,.…-]*(?=\s|$)|,\s*(?:sozusagen|sag ich mal|quasi|ich sag mal),", re.IGNORECASE
    ),
    backchannel=BACKCHANNEL,
    abbreviations=ABBREVIATIONS,
    starters=re.compile(
        r"(?<!wenn )(?<!dass )(?<!weil )(?<!was )(?<!und )(?<!so )(?<!also )(?<!jetzt )(?<!dann )(?<!okay )"
        r"\b(?:und dann|dann|danach|anschließend|als nächstes|zuerst|zunächst|jetzt|nun (?:klicken|öffnen|"
        r"gehen|geben|können|müssen)|also|okay|gut|"
        r"sie (?:müssen|sollten|können)|wir (?:müssen|können|wollen|werden)|\w{3,}en sie (?:bitte|jetzt|"
        r"dann|auf|in|den|die|das|mal|nun)|wenn sie|bitte|achten sie|so,? (?:jetzt|dann)|wichtig ist|zum "
        r"schluss)\b",
        re.IGNORECASE,
    ),
    transitions=re.compile(
        r"^(?:(?:okay|ok|so|gut|also|ja|super|prima|schön|sehr gut|alles klar|und|dann|jetzt|nun|perfekt|"
        r"genau|wunderbar)[,.!]*\s+)*"
        r"(?:kommen wir|(?:jetzt |dann |nun )?(?:kommen|gehen|machen|schauen|fangen|sprechen|wenden|"
        r"beginnen|starten|steigen) wir\b[^.]{0,40}?(?:weiter|zu[mr]?\b|über|an\b|mit\b|uns\b|ein\b|noch)|"
        r"weiter geht|weiter mit|"
        r"(?:als nächstes|nun|jetzt) (?:kommen|geht|möchte|wollen|will|schauen|zeige|sehen|sprechen|"
        r"besprechen|behandeln|widmen)\b|(?:der|das|die|unser|mein) (?:nächste|zweite|dritte|vierte|"
        r"letzte|andere)[rsn]? (?:punkt|thema|teil|abschnitt|frage|kapitel|schritt|problem|themenblock)|"
        r"(?:dann |jetzt |nun )?(?:fehlt|fehlen|bleibt|bleiben) (?:uns )?(?:jetzt |nun )?noch|(?:jetzt|"
        r"nun|dann) noch (?:etwas|eine|ein|was|zu|zum|zur|das|die|der)\b|(?:wir sind|das war|damit sind "
        r"wir) (?:fast |beinahe |auch schon |schon )*(?:am ende|fertig|durch|alles|es)|was haben wir "
        r"(?:heute )?(?:gemacht|gelernt|gesehen)|(?:teil|punkt|kapitel|abschnitt|thema) (?:eins|zwei|drei|"
        r"vier|fünf|\d)\b|(?:also,? )?zu[mr] \w+(?: \w+)?\.|damit (?:kommen|sind|wären|haben) wir|das "
        r"bringt (?:uns|mich)|(?:sagen sie,? )?(?:ich habe|ich hätte|da ist|es gibt|da wäre|ich hab) "
        r"(?:da )?noch (?:eine|ein|was|etwas)|noch (?:eine?|was|etwas) (?:\w+ )?(?:frage|punkt|thema|"
        r"sache|anderes|wichtiges)|"
        r"(?:zusammenfassend|zum abschluss|zum schluss|abschließend|fassen wir|ich fasse|noch mal "
        r"zusammengefasst|zusammengefasst)|eine (?:letzte|andere|weitere) (?:frage|sache)|"
        r"(?:ich|wir) (?:möchte|möchten|will|wollen|würde|würden) (?:jetzt |nun |noch |gerne |dann |als "
        r"nächstes )*(?:auf|über|zu|mit|zum|zur)\b|kann ich sonst noch|haben sie (?:sonst )?noch|gibt es "
        r"(?:sonst )?noch|bevor wir (?:aufhören|schließen|weitermachen|auflegen|zum)|apropos|das war(?:'s|"
        r" es)? (?:zu|zum|mit)|soweit (?:zu|zum)|so viel zu)",
        re.IGNORECASE,
    ),
    weak_transitions=re.compile(
        r"^(?:(?:okay|ok|so|gut|also|ja|super|prima|schön|sehr gut|alles klar|perfekt|genau|"
        r"wunderbar)[,.!]+\s+)+(?:jetzt|dann|nun|als|zuerst|wir|der)\b|^(?:jetzt|nun|als nächstes|zuerst|"
        r"zunächst|erstens|zweitens|drittens|schließlich)\b",
        re.IGNORECASE,
    ),
    recap=re.compile(
        r"\b(?:zusammenfassend|zusammengefasst|fassen wir (?:kurz |noch einmal |nochmal )?zusammen|ich "
        r"fasse (?:\w+ )*zusammen|zur wiederholung|wiederholen wir|was haben wir (?:heute )?gelernt|kurze "
        r"zusammenfassung)\b",
        re.IGNORECASE,
    ),
    retractions=re.compile(
        r"\b(?:(?:vergessen (?:sie|wir)|vergiss|vergesst) (?:das|es)(?=\W*$|[,.!?]| wieder| ganz| gleich)|"
        r"mein fehler|war (?:ein )?(?:fehler|irrtum|quatsch|unsinn|falsch)\b|war nichts\b|halt,? stopp?|"
        r"falscher (?:weg|knopf)|falsche (?:richtung|spur|fährte)|holzweg|sackgasse|streichen (?:sie|wir) "
        r"das|nehmen wir zurück|da habe? ich mich (?:geirrt|vertan))",
        re.IGNORECASE,
    ),
    corrections=re.compile(
        r"^(?:(?:okay|ok|also|so|gut)[, ]+)*(?:jetzt|nun|als nächstes|zuerst)\b|\b(?:richtig (?:ist|geht|"
        r"wäre)|noch (?:ein)?mal richtig|stattdessen|sondern|der richtige weg|besser ist)\b",
        re.IGNORECASE,
    ),
    attempts=re.compile(
        r"\b(?:probieren|versuchen|testen) wir\b|\bprobieren sie\b|\bversuchen sie\b|\bman könnte\b", re.IGNORECASE
    ),
    reasons=re.compile(r",?\s(?:weil|denn|damit|sonst|sodass|da sonst|ansonsten)\s", re.IGNORECASE),
    continuations=re.compile(
        r"^(?:und )?(?:dann )?(?:bis|halten sie (?:ihn|sie|es|das|die|den)|warten sie(?:,)? bis)\b", re.IGNORECASE
    ),
    purposes=(
        re.compile(
            r"\b(?:zeige|erkläre|zeigen|erklären) (?:ich|wir) (?:ihnen|euch|dir)(?: heute)?,? (?P<what>wie "
            r"[^.?!]{8,200})",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:heute|in diese[mr] (?:video|lektion|vorlesung|kurs|tutorial|einheit|schulung|stunde|folge|"
            r"sitzung|übung)) (?:geht es um|sprechen wir über|reden wir über|beschäftigen wir uns mit|lernen "
            r"(?:wir|sie|ihr)|behandeln wir|schauen wir uns|sehen wir uns|besprechen wir|wollen wir(?: "
            r"uns)?(?: über| mit)?|werden wir(?: uns)?|möchte ich (?:ihnen|euch|mit ihnen)?|zeige ich "
            rf"(?:ihnen|euch)|soll es um) ?(?:heute )?{_GOAL}",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:es geht heute um|wir sprechen heute über|wir (?:wollen|werden|möchten) (?:uns )?heute|ich "
            r"(?:möchte|will|werde) (?:ihnen |euch )?heute|unser thema (?:heute )?ist|das thema (?:heute |der "
            r"heutigen \w+ )?ist|(?:herzlich )?willkommen (?:zurück )?(?:zu[mr]?|bei) (?:\w+ )?(?:video|"
            r"lektion|vorlesung|kurs|tutorial|schulung|übung|einführung)?(?: zum thema| über| zu[mr]?)?) "
            rf"{_GOAL}",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:ich (?:rufe an|rufe sie an|melde mich),? (?:weil|wegen|da|es geht um) |es geht um |ich "
            r"habe? (?:da )?(?:ein|das|folgendes|ein kleines|eine) (?:problem|frage|schwierigkeit)(?: mit| zu|"
            rf" bei)?|ich hätte (?:eine|mal eine) frage (?:zu|wegen)[mr]? ){_GOAL}",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?P<what>(?:mein|meine|unser|unsere|der|die|das) [^.?!,]{3,60}? (?:funktioniert|geht|"
            r"startet|druckt|lädt|reagiert|verbindet|lässt sich|zeigt)\b[^.?!,]{2,80}\b(?:nicht|kein|keine|"
            r"nichts|nur|fehler\w*)\b[^.?!,]{0,60})",
            re.IGNORECASE,
        ),
        re.compile(rf"\bich (?:möchte|würde gerne?|wollte) (?:gerne? )?{_GOAL}", re.IGNORECASE),
    ),
    prerequisites=re.compile(
        r"\b(?:(?:dafür |dazu |hierfür )?(?:brauchen|benötigen) (?:sie|wir|ihr)\b|(?:sie|ihr|du|wir|man) "
        r"(?:brauchen|benötigen|braucht|brauchst|benötigt)\b|voraussetzung(?:en)?\b|bevor wir (?:anfangen|"
        r"beginnen|starten|loslegen)|(?:legen|halten) sie [^.?!,]{2,60} (?:bereit|zurecht)|wird (?:\w+ "
        r")?(?:benötigt|vorausgesetzt)|ist erforderlich|(?:sie|ihr) sollten? (?:bereits |schon "
        r")?[^.?!]{2,60} (?:haben|kennen|mitbringen)\b|setze ich voraus)",
        re.IGNORECASE,
    ),
    definitions=(
        re.compile(
            r"(?:^|[,;]\s|\b(?:und|also|denn|ja|okay|gut)\s)(?:(?:der|die|das|ein|"
            r"eine)\s+)?(?P<term>[A-ZÄÖÜ][\w-]*(?:[\s-][A-ZÄÖÜ][\w-]*){0,2}),?\s+(?:(?:ist|sind)\s+(?:im "
            r"grunde |eigentlich |einfach |nichts anderes als |quasi |sozusagen |so etwas wie |immer |nur "
            r")*(?:ein|eine|einer|der\s+(?:teil|name|ort|vorgang|prozess|anteil)|die\s+(?:abkürzung|zahl|"
            r"menge|fähigkeit|differenz|stelle|temperatur|summe)|das\s+(?:gerät|programm|verhältnis|maß))\b|"
            r"bedeutet\b|heißt(?= (?:nichts|auf|so viel|dass|eigentlich))|steht\s+für\b|bezeichnet\b|,? das "
            r"ist\b|,? also\b(?= (?:ein|eine|der|die|das)))"
        ),
        re.compile(
            r"\b(?:das|dies|es|diesen? \w+|man|wir|die|den)\s+(?:nennt|nennen|heißt|bezeichnet)\s+(?:man|wir|"
            r"sich|dann|auch|das|als|es|hier|übrigens|so|\s)*\s*(?:(?:der|die|das|den|ein|eine|"
            r"einen)\s+)?(?P<term>[A-ZÄÖÜ][\w-]*(?:[\s-][A-ZÄÖÜ][\w-]*){0,2})"
        ),
        re.compile(
            r"\b(?P<term>[A-ZÄÖÜ][A-ZÄÖÜ0-9-]{1,9}),?\s+(?:das heißt|das steht für|das bedeutet|also|kurz für|"
            r"oder auch|das ist)\b"
        ),
        re.compile(r"\b(?:sogenannte[nrsm]?|so genannte[nrsm]?)\s+(?P<term>[A-ZÄÖÜ][\w-]*(?:[\s-][A-ZÄÖÜ][\w-]*)?)"),
    ),
    pronouns=PRONOUNS,
    suffixes=SUFFIXES,
    nouns_are_capitalised=True,
    verbs=ACTIONS | GENERAL_ACTIONS,
    topics="Themen",
    conjunction="und",
    instruction=german_instruction,
)
