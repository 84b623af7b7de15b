"""Who speaks, where a file says so in the text: `Jane Doe: …`, `[Jane] …`, `>> JANE: …`.

What stands before a colon may as well be a word of the sentence, a time or an address. A name is therefore believed
when the whole file has names in this place, or when it comes again, or is in capital letters as subtitles have it.
"""

import re
from collections import Counter
from collections.abc import Sequence

from dataforge.contexts.tutorials.transcripts.domain import MAX_SPEAKER_CHARACTERS
from dataforge.contexts.tutorials.transcripts.parsing.cues import tidy

_LONGEST_NAME = 80
_MOST_WORDS = 6
_COLON = re.compile(r"(?:>>+\s*|-\s+)?([^:：<>\n]{1,80}?)\s?(?::\s+|：\s*)(?=\S)")
_BRACKETS = re.compile(r"(?:>>+\s*)?\[([^\]\n]{1,80})\]\s*:?\s+(?=\S)")
_ARROWS = re.compile(r">>+\s*(?=\S)")
# A name, with what is added to it: (she/her), [Guest], a number of a phone or of a speaker.
_NAME = re.compile(r"[^\W_][\w.,'’\-&@+/ ]*(?:\s?[(\[][^()\[\]]{1,60}[)\]])?")
_ADDED = re.compile(r"\s?[(\[].*$")
# The same in a file of names, where people are called as they please: a telephone, `R&D | Tom`, `#3`, a picture.
_ANY_NAME = re.compile(r"[^:：<>\n]*[^\W_][^:：<>\n]*")
_WORD = re.compile(r"\w")
# No name, unless it is the number of a telephone.
_TIMES = re.compile(r"(?!\+?[\d ]{7,})[\d\s.,:%]+")
_SMALL_WORDS = "al bin da de del den der des di dos du el la le ter van von"
_PARTICLES = frozenset(_SMALL_WORDS.split())
# Words that begin sentences with a colon, in the languages of our readers; in small letters.
_HEADINGS = """
note warning caution important tip hint example question answer problem solution step update remember summary result
error attention reminder task goal agenda today
hinweis achtung wichtig tipp beispiel frage antwort lösung schritt merke zusammenfassung ergebnis fehler aufgabe ziel
heute also
nota atención importante ejemplo pregunta respuesta paso problema solución resumen consejo
remarque exemple réponse étape résumé conseil résultat erreur
http https mailto ftp
внимание важно примечание пример совет вопрос ответ ошибка шаг
注意 提示 警告 重要 例如 问题 答案 步骤
ok okay ps nb fyi faq usb url pdf vpn wifi id ip api cpu ram dns
"""
# What is heard, stands in brackets, and is nobody's name; in small letters.
_HEARD = """
music applause laughter laughing laughs inaudible crosstalk silence pause noise background foreign cough coughs clapping
cheering sighs sigh beep unintelligible
musik applaus gelächter lachen stille unverständlich
música aplausos risas
musique applaudissements rires
"""
_NO_NAMES = frozenset(_HEADINGS.split())
_SOUNDS = frozenset(_HEARD.split())


def split_speakers(texts: Sequence[str], *, prefixed: bool) -> list[tuple[str | None, str]]:
    """Speaker and text of each; `prefixed` says that the file's kind has a name before nearly everything."""
    matches = [_match(text) for text in texts]
    counts = Counter(name for name, _ in matches if name is not None)
    named = sum(counts.values())
    # In a file of names, also those that speak once are names.
    believed = prefixed and named * 2 >= len(texts)
    if believed and named < len(texts):
        matches = [_match(text, _ANY_NAME) for text in texts]
        counts = Counter(name for name, _ in matches if name is not None)
    results: list[tuple[str | None, str]] = []
    for text, (name, rest) in zip(texts, matches, strict=True):
        if name is not None and _is_name(name, counts[name], everywhere=believed):
            results.append((name, rest))
        else:
            results.append((None, _ARROWS.sub("", text, count=1) if _ARROWS.match(text) else text))
    return results


def names_before(texts: Sequence[str]) -> int:
    """How many texts begin with what may be a name and a colon."""
    return sum(_match(text)[0] is not None for text in texts)


def two_speak(lines: Sequence[str]) -> bool:
    """Whether each line of a caption begins with what may be a name, and not all with the same."""
    names = [_match(line)[0] for line in lines]
    return None not in names and len(set(names)) > 1


def speaker_name(name: str | None) -> str | None:
    """A name as a file gives it in its own place; None for none, or for one that is too long to be one."""
    name = tidy(name or "")
    return name if 0 < len(name) <= MAX_SPEAKER_CHARACTERS else None


def _match(text: str, form: re.Pattern[str] = _NAME) -> tuple[str | None, str]:
    for pattern in (_BRACKETS, _COLON):
        match = pattern.match(text)
        if match is None:
            continue
        name = match[1].strip()
        words = _ADDED.sub("", name).split()
        if not 0 < len(words) <= _MOST_WORDS or form.fullmatch(name) is None or _TIMES.fullmatch(name):
            continue
        first = words[0].casefold().rstrip(".")
        if first in _NO_NAMES or (pattern is _BRACKETS and {word.casefold() for word in words} & _SOUNDS):
            continue
        return name, text[match.end() :]
    return None, text


def _is_name(name: str, count: int, *, everywhere: bool) -> bool:
    words = _ADDED.sub("", name).split()
    letters = "".join(words)
    if len(words) <= 4 and letters.upper() == letters and any(map(str.isalpha, letters)):
        return True
    like_names = all(map(_is_like_a_name, words))
    if everywhere:
        return like_names or count > 1
    return like_names and count > 1


def _is_like_a_name(word: str) -> bool:
    """Whether it has a capital letter, is a number (+49, #3), stands in names (van) or is no word at all (|, &)."""
    plain = word.lstrip("+#(")
    return word != word.lower() or word.casefold() in _PARTICLES or plain[:1].isdigit() or not _WORD.search(word)
