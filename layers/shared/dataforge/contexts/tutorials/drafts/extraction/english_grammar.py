"""English: how instructions are worded, and how they read as steps."""

import re
from dataclasses import dataclass

from dataforge.contexts.tutorials.drafts.extraction.clauses import (
    Grammar,
    Heard,
    Lead,
    Place,
    clearest,
    instruction_in,
)
from dataforge.contexts.tutorials.drafts.extraction.english_words import (
    ACTIONS,
    GENERAL_ACTIONS,
    LEADS,
    NO_ACTIONS,
    SEQUENCE,
    STOP_WORDS,
)
from dataforge.contexts.tutorials.drafts.extraction.languages import Instruction


def _any_of(phrases: tuple[str, ...]) -> str:
    return "|".join(
        re.escape(phrase).replace("'", "['’]") for phrase in sorted(phrases, key=lambda item: (-len(item), item))
    )


_LEAD = re.compile(
    rf"(?:(?P<sequence>{_any_of(SEQUENCE)})|{_any_of(LEADS)})(?:[,;:.!]+\s*|\s+(?:[–—-]\s+)?)", re.IGNORECASE
)
_ADVERB = re.compile(
    r"(?:just|simply|also|please|quickly|maybe|perhaps|first|then|now|only|again|always|briefly|"
    r"carefully|gently|kindly|slowly|actually|"
    r"firmly|go ahead and|go ahead|quickly go ahead and|really|all|both|either|and|at least|next)(?:,\s*|\s+)",
    re.IGNORECASE,
)
_BOUNDARY = re.compile(r"(?P<mark>[,;:])\s+|\s+[–—-]\s+|(?<!,)\s+(?P<word>and then|and|then|so|but)\s+", re.IGNORECASE)
_SUBORDINATE = re.compile(
    r"(?:if|when|whenever|once|after|before|while|as soon as|as long as|until|unless|since|because|"
    r"although|to|in order to)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"(?:in|on|at|under|underneath|from|inside|within|next to|below|above|behind|with|without|using|"
    r"for|instead of|by|at the)\b",
    re.IGNORECASE,
)
_FRONTED = re.compile(
    r"(?:in|on|at|under|underneath|from|inside|within|for|to|as|with|instead of|below|above|next to|"
    r"behind)\s(?:(?!\b(?:that|which|what|where|when|if|how|who)\b)[^,;:.?!]){2,60}?\s(?=(?:you|we)(?:\s|['’])|"
    r"(?:choose|select|click|pick|press|open|go to|enter|type|tick)\s)",
    re.IGNORECASE,
)
_ANAPHOR = re.compile(r"(?:\S+\s+){1,3}(?:it|them|that|this|those|these|there)\b", re.IGNORECASE)
_MENTAL = re.compile(
    r"\b(?:keep (?:that|this|it) in mind|bear (?:that|this|it) in mind|don['’]t worry|never mind|"
    r"forget (?:that|it|about)|take your time|trust me|feel free|have a (?:nice|good|great|lovely)|"
    r"call (?:us|me|back)|get in touch|let (?:me|us) know|hold on a|hang on|bear with|give (?:me|us)|"
    r"give it a (?:second|minute|moment|try|go|sec)|hold the line|stay on the line|make yourself|for the rest of "
    r"your life|with a grain of salt)\b",
    re.IGNORECASE,
)
_TOGETHER = re.compile(r"we\b", re.IGNORECASE)
_EMPTY = re.compile(
    r"(?:go ahead|go on|(?:just )?(?:do|try|close|open|use|leave) (?:it|that|this|so)(?: again| now)?|"
    r"do (?:not|that|it).*|carry on|keep going|wait for it|look at (?:that|this|it|you)\b.*)\W*",
    re.IGNORECASE,
)
_ECHO = re.compile(r",\s+(?:yes|yeah|yep|exactly|correct|right)[.!]*$", re.IGNORECASE)
_TAIL = re.compile(
    r"(?:,\s*(?:okay|ok|alright|all right|right|yeah|so|can you|could you|would you|will you)\b|"
    r"[,;]?\s*\b(?:please|for me|you know|as well|then|and|or something|thank you|thanks|real quick|"
    r"if you (?:can|could|would|like|don['’]t mind|wouldn['’]t mind|want to|want))\b)+[\s,;:.…?!–—-]*$",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:if (?:you|i|we|they) (?:had|were)|would have|could have|should have|used to|for example "
    r"you (?:can|could)|let['’]s say|imagine|"
    r"some people|people often|back in the day|in theory|hypothetically)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"(?:not|never have to|n['’]t)\b", re.IGNORECASE)
_TO_SPEAKER = re.compile(r"\S+\s+(?:me|us|him|her)\b(?!\s+as\b)", re.IGNORECASE)
_OBJECT = re.compile(
    r"\S+(?:\s+(?:on|in|into|to|up|out|off|over|down|back|from|with|through|for|at|under))*\s+"
    r"(?:the|a|an|your|this|that|these|those|it|them|all|both|each|every|one|two|three|four|five|six|"
    r"seven|eight|nine|ten|twelve|some|any|no|another|every|\d|[\"“'‘A-Z])"
)
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")

# What may stand between a subject and its verb.
_SOFT = (
    r"(?:(?:just|simply|also|then|now|first|always|probably|basically|really|actually|definitely|next|"
    r"again|quickly|maybe|please|only|still|all)\s+)*"
)


@dataclass(frozen=True, slots=True)
class _Frame:
    """How an instruction begins; behind the match stands its verb, with `ing` as a gerund."""

    pattern: re.Pattern[str]
    score: float
    lexical: str = "any"
    """`any` verb that is none of talk, an `action` or general verb, or only a `strong` one."""
    ing: bool = False
    speaker: bool = False
    """In the first person singular: an instruction only for somebody who shows what to do."""
    keep: bool = False
    """The frame itself is part of the step (`make sure that …`)."""
    warns: bool = False
    """Says what not to do."""


def _frame(
    text: str,
    score: float,
    *,
    lexical: str = "any",
    ing: bool = False,
    speaker: bool = False,
    keep: bool = False,
    warns: bool = False,
) -> _Frame:
    """A frame from its words: `~` is what may stand between subject and verb."""
    pattern = text.replace(" ", r"\s+").replace("'", "['’]").replace("~", _SOFT)
    return _Frame(re.compile(pattern, re.IGNORECASE), score, lexical, ing, speaker, keep, warns)


_FRAMES = (
    _frame(
        r"(?:please )?(?:always )?(?:make(?: absolutely| very)? sure|be sure|ensure|be careful|take care|"
        r"watch out|double-check|double check|check)(?= (?:that|to|not|you|the|your|it|if|whether|there|"
        r"all|no|nothing|both|everything|every|this|when|with)\b)",
        1.0,
        keep=True,
    ),
    _frame(
        r"(?:please )?(?:do not|don't|never) (?=\w+)(?!worry|know|think|need|want|have|mind|see|like|"
        r"understand|get me|hesitate|ask|mention|be|care|feel|expect|panic|say)",
        0.7,
        keep=True,
        lexical="action",
    ),
    _frame(r"(?:please )?(?:don't forget|do not forget|remember|be sure|make sure) (?:to|that you(?:'ve)?) ", 1.0),
    _frame(
        r"(?:what|all|the (?:first|next|second|third|last|other|only|easiest|best) (?:thing|step|"
        r"part))(?: that)? (?:you|we|i|i'd|you'd|i'll|we'll|you'll)(?:'d|'ll| would)? ?~(?:need|want|have|"
        r"should|would|like|suggest|recommend|can|could|must|got|'re going|are going)?(?: like)?(?: "
        r"to)?(?: you)?(?: to)?(?: do)?(?: now| first| next| here| then)? ?(?:is|now is|would be|'s)(?: "
        r"to| that you|, is to|, you|, is)? ~",
        0.9,
    ),
    _frame(
        r"(?:the|our|your|my) (?:first|next|second|third|fourth|last|final|other)(?: thing| step| task| "
        r"job| move)? ~(?:is|would be|will be) (?:that (?:you|we) |to )~",
        0.9,
    ),
    _frame(
        r"(?:step|number) (?:one|two|three|four|five|six|seven|eight|nine|ten|\d+)(?: is|:|,|\.)?(?: to)? ~",
        0.8,
        lexical="action",
    ),
    _frame(
        r"(?:what )?(?:i|we)(?:'d| would|'ll| will|'m going to)? ~(?:need|want|like|ask|recommend|suggest|"
        r"advise|have|get)(?: for)?(?: that)? you(?: now| then)? (?:to )?~",
        0.9,
    ),
    _frame(
        r"(?:i|we)(?:'d| would)? ~(?:recommend|suggest|advise)(?: to)? (?=\w+ing\b)", 0.6, ing=True, lexical="action"
    ),
    _frame(
        r"(?:could|can|would|will) you ~(?:try to |try and |go ahead and )?(?!get|find|see|hear|access|"
        r"reach|use|still|read|open one|also|already|even|remember|live|confirm)",
        0.8,
        lexical="action",
    ),
    _frame(r"(?:could|can|would|will) you ~(?:try|start by) (?=\w+ing\b)", 0.9, ing=True),
    _frame(r"would you mind (?=\w+ing\b)", 0.9, ing=True),
    _frame(r"(?:i was wondering|i wonder) if you could ~", 0.8, lexical="action"),
    _frame(r"(?:why don't|why not|how about if) (?:you|we) ~(?:try to |try and )?", 0.8, lexical="action"),
    _frame(r"(?:how|what) about (?=\w+ing\b)", 0.6, ing=True, lexical="action"),
    _frame(r"(?:let's|let us) ~(?:both )?(?:start by |begin by |try )(?=\w+ing\b)", 0.9, ing=True),
    _frame(r"(?:let's|let us) ~(?:start|begin) with (?=\w+ing\b)", 0.9, ing=True),
    _frame(r"(?:let's|let us) ~(?:try to |try and |go ahead and )?", 0.6, lexical="action"),
    _frame(
        r"you(?:'re| are)?(?:'ll| will|'d)? ~(?:need|want|have|got|'ve got|want|going|gonna|supposed|"
        r"ought)(?: to|na| ta) ~(?:go ahead and |start by |make sure to |make sure you |be sure to )?",
        0.8,
    ),
    _frame(
        r"we(?:'re| are)?(?:'ll| will|'d)? ~(?:need|want|have|got|'ve got|want|going|gonna|supposed|"
        r"ought)(?: to|na| ta) ~(?:go ahead and |start by |make sure to |make sure you |be sure to )?",
        0.5,
    ),
    _frame(
        r"(?:have|take) a (?:quick |good |close )?(?:look|glance) (?=at|in|under|behind|inside|whether|if)",
        0.85,
        keep=True,
    ),
    _frame(r"you(?:'ve| have) got to ~", 0.8),
    _frame(r"(?:you|we)(?:'d| had) better ~", 0.8),
    _frame(r"(?:you|we) (?:should|must) ~(?:make sure to |make sure you |be sure to )?", 0.7, lexical="action"),
    _frame(r"(?:you|we) (?:may|might) ~(?:need|want|have) to ~", 0.5, lexical="action"),
    _frame(r"(?:you|we) (?:can|could|may) ~(?:go ahead and |try to )?", 0.35, lexical="action"),
    _frame(r"(?:you|we)(?:'ll| will) ~(?:go ahead and |start by )?", 0.45, lexical="action"),
    _frame(r"(?:you|we)(?:'ll| will|'d| would)? ~start by (?=\w+ing\b)", 0.9, ing=True),
    _frame(r"i(?:'m| am) ~(?:going to|gonna) ~(?:go ahead and |start by )?", 0.5, lexical="action", speaker=True),
    _frame(r"i(?:'ll| will) ~(?:go ahead and )?", 0.45, lexical="action", speaker=True),
    _frame(r"you ~", 0.5, lexical="strong"),
    _frame(r"we ~", 0.4, lexical="strong"),
    _frame(
        r"you (?:don't want to|do not want to|shouldn't|should not|should never|mustn't|must not|must "
        r"never) ~",
        0.7,
        lexical="action",
        warns=True,
    ),
    _frame(r"i ~", 0.3, lexical="strong", speaker=True),
    _frame(
        r"(?:it's|it is)(?: also| very| really| quite| always| absolutely)* (?:important|essential|"
        r"crucial|necessary|best|a good idea|vital|recommended)(?: that you| for you)?(?: to)? ~",
        0.8,
        lexical="action",
    ),
    _frame(
        r"(?:what|all|the (?:first|next|second|third|last|other|only) (?:thing|step|part)) (?:that )?(?:you|we|i)"
        r"(?:'ll|'d| will| would)? ~(?:(?:need|want|have|like|got) to |should |can |must )?do"
        r"(?: now| first| next| here| then)?(?: is|'s)(?: to| that you|, you| you| we| i)? ~",
        0.9,
    ),
    _frame(r"the (?:trick|key|secret|best way|easiest way|main thing|important thing) is to ~", 0.8, lexical="action"),
    _frame(r"i(?:'d| would) ~", 0.5, lexical="strong"),
    _frame(r"(?:start|begin) by (?=\w+ing\b)", 1.0, ing=True),
    _frame(r"try (?=\w+ing\b)", 0.9, ing=True),
    _frame(r"(?:try and|try to|be so kind and|feel free to) ~", 0.7, lexical="action"),
    _frame(r"you(?:'re|'ll be| are)? (?:now )?ready to ~", 0.2, lexical="action"),
)
_PLEASE = re.compile(r"(?:if you (?:could|would) (?:please )?(?:just )?|please,?\s+)", re.IGNORECASE)
_DROPPED_PLEASE = re.compile(r",?\s*\bplease\b(?=[\s,.!?]|$)", re.IGNORECASE)
# These are an instruction only with what they are about.
_INCOMPLETE = frozenset(
    ("wait", "hold", "look", "read", "stay", "keep", "go", "come", "ask", "do", "get", "let", "give", "take")
)
_COMPLETED = re.compile(r"\S+\s+(?:until|for|\w+ing|into|to|back|down|off|under|up|in)\b", re.IGNORECASE)
_WAITS_FOR = re.compile(r"wait (?:until|for|till)\b|keep \w+ing\b", re.IGNORECASE)
_PHRASAL = re.compile(
    r"\S+(?:\s+(?!and\b|that\b)[\w'’-]+){1,5}?\s+(?:on|off|out|back|up|down|in|away|over|together|"
    r"apart|through)\b",
    re.IGNORECASE,
)
_JUST = re.compile(r"(?:just|simply|please|then|now)\b", re.IGNORECASE)
_PASSIVE = re.compile(
    r"(?:the|each|every|all|your|this|these|those|it|both|they)\b[^,;.:?!]{0,60}?"
    r"\b(?:should|must|has to|have to|needs? to)(?: always| then| also)? be (?P<participle>\w+ed)\b",
    re.IGNORECASE,
)
_MINE = (
    (re.compile(r"\b(?:my|our)\b"), "your"),
    (re.compile(r"\b(?:myself|ourselves)\b"), "yourself"),
)
_NOT_AFTER_BARE = re.compile(
    r"\S+(?:,|(?:\s+(?!(?:the|an?|your|that|this|it|them|to|on|in|up|if|what|where|how|which)\b)[\w-]+){0,3}"
    r"\s+(?:is|are|was|were|isn['’]t|aren['’]t|means)\b|\s+(?:has|had|can|will|does|did|of|would|should|and i)\b|"
    r"['’]s\b|\s*[?]$)",
    re.IGNORECASE,
)


def _base_of(ing: str) -> str:
    """`open` of `opening`, `set` of `setting`, `remove` of `removing`."""
    stem = ing[:-3]
    candidates = [stem + "e", stem, stem[:-1] if stem[-1:] == stem[-2:-1] else stem, stem]
    return next((word for word in candidates if word in ACTIONS or word in GENERAL_ACTIONS), stem)


def _verb_score(verb: str, lexical: str) -> float | None:
    """What the verb adds to the frame; None when it makes no instruction of it."""
    if verb in NO_ACTIONS:
        return None
    if verb in ACTIONS:
        return 0.4
    if lexical == "strong":
        return None
    if verb in GENERAL_ACTIONS:
        return 0.2
    return 0.0 if lexical == "any" and verb not in STOP_WORDS else None


def _strip_adverbs(text: str, start: int) -> int:
    while match := _ADVERB.match(text, start):
        start = match.end()
    return start


def _read(text: str, start: int, frame: _Frame) -> Heard | None:
    """The instruction that follows the frame."""
    match = frame.pattern.match(text, start)
    if match is None or (not frame.keep and not frame.warns and _refused(match.group().lower())):
        return None
    if frame.keep and frame.lexical == "any":
        return Heard(frame.score + 0.2, text[start:])
    verb_at = match.end() if frame.keep else _strip_adverbs(text, match.end())
    found = _WORD.match(text, verb_at)
    if found is None or _TO_SPEAKER.match(text, verb_at):
        return None
    verb = found.group().lower().replace("’", "'")
    if frame.ing:
        verb = _base_of(verb)
    added = _verb_score(verb, frame.lexical)
    if verb in GENERAL_ACTIONS and _PHRASAL.match(text, found.start()):
        added = 0.4
    if added is None:
        return None
    return Heard(frame.score + added + _object_bonus(text, verb_at, frame), _worded(text, start, found, verb, frame))


def _object_bonus(text: str, verb_at: int, frame: _Frame) -> float:
    return 0.1 if not frame.ing and _OBJECT.match(text, verb_at) else 0.0


def _worded(text: str, start: int, found: re.Match[str], verb: str, frame: _Frame) -> str:
    """The instruction as an imperative, from its verb on or with the frame."""
    if frame.keep:
        return text[start:]
    if frame.warns:
        return f"Don't {text[found.start() :]}"
    return (verb + text[found.end() :]) if frame.ing else text[found.start() :]


def _passive(text: str, start: int) -> Heard | None:
    """`Each sample should be labelled …`, which reads well as it is."""
    match = _PASSIVE.match(text, start)
    if match is None:
        return None
    root = match["participle"].lower().removesuffix("ed")
    known = {root, root + "e", root[:-1]} & ACTIONS
    return Heard(1.0, text[start:]) if known else None


def _refused(frame: str) -> bool:
    """Whether the frame says that something need not be done."""
    return _NEGATED.search(frame) is not None and "forget" not in frame and not frame.startswith("why")


def _bare(text: str, start: int, *, polite: bool, inner: bool) -> Heard | None:
    """An imperative without anything before it."""
    said_always = text[start : start + 7].lower() == "always "
    start = _strip_adverbs(text, start)
    found = _WORD.match(text, start)
    if found is None or _NOT_AFTER_BARE.match(text, start) or _TO_SPEAKER.match(text, start):
        return None
    if inner and found.group()[0].isupper():
        return None  # a name
    verb = found.group().lower()
    added = _verb_score(verb, "any" if polite else "action")
    has_object = _OBJECT.match(text, start) is not None
    if added is None or (verb in _INCOMPLETE and not has_object and not _COMPLETED.match(text, start)):
        return None
    if _WAITS_FOR.match(text, start) or said_always:
        added += 0.2
    return Heard((0.9 if polite else 0.7) + added + (0.2 if has_object else 0.0), text[start:])


def _lead(text: str, start: int) -> Lead:
    sequence = False
    while match := _LEAD.match(text, start):
        sequence = sequence or match["sequence"] is not None
        start = match.end()
    return Lead(start, sequence)


def _clause(text: str, place: Place, shows: bool) -> Heard | None:  # noqa: FBT001 - as Grammar asks
    start, sequence, _ = _lead(text, place.start)
    polite = False
    while match := _PLEASE.match(text, start):
        polite = True
        start = match.end()
    best = clearest(_read(text, start, frame) for frame in _FRAMES if shows or not frame.speaker)
    together = 0.15 if best and shows and _TOGETHER.match(text, start) else 0.0
    supported = 0.1 if best and place.supported else 0.0
    if best is None:
        best = _passive(text, start)
    if best is None and (place.bare or polite):
        best = _bare(text, start, polite=polite, inner=place.start > 0 and text[place.start - 2] not in ".!?")
        sure = polite or place.supported or (_OBJECT.match(best.wording) if best else None)
        # Inside a sentence the word may as well be a noun, or go on with what somebody did.
        if best and place.start and (not sure or (place.narrated and not _JUST.match(text, start))):
            return None
    if best is None:
        return None
    order, politeness = (0.25 if sequence else 0.0), (0.15 if polite else 0.0)
    return Heard(best.score + together + supported + order + politeness, best.wording)


def _finished(prefix: str, wording: str) -> str:
    wording = _DROPPED_PLEASE.sub("", wording)
    trimmed = _TAIL.sub("", wording)
    wording = (trimmed if len(trimmed.split()) > 1 else wording).rstrip(" ,;:.…?!–—-")
    for pattern, replacement in _MINE:
        wording = pattern.sub(replacement, wording)
    if _EMPTY.fullmatch(wording):
        return ""
    return f"{prefix}{wording}." if wording else ""


_GRAMMAR = Grammar(
    lead=_lead,
    boundary=_BOUNDARY,
    joining=frozenset(("and", "and then")),
    no_imperative_after=frozenset(("and", "but")),
    subordinate=_SUBORDINATE,
    place=_PLACE,
    anaphor=_ANAPHOR,
    dangling=re.compile(r"[,;]?\s*\b(?:and then|then|so|and)$"),
    fronted=_FRONTED,
    narrative=re.compile(r"(?:i|he|she|they|we|people|somebody|someone|my \w+|the \w+)\s", re.IGNORECASE),
    excluded=(_MENTAL, _ECHO),
    doubt=_DOUBT,
    clause=_clause,
    finished=_finished,
)


def english_instruction(sentence: str, shows: bool) -> Instruction | None:  # noqa: FBT001 - as Language asks
    """The instruction in the sentence, with the score that its wording gives."""
    return instruction_in(sentence, _GRAMMAR, shows=shows)
