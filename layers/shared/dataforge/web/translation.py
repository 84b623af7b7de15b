"""Pages in other languages: what a template says is found by itself, and put in another language when it is compiled.

Templates are written in English and mark nothing. What they say are runs of text with values and small tags in them
(`{count} rows in <a>{name}</a>`: values by their names, tags without their attributes), attributes that are read
(`title`, `placeholder`, `aria-label`, `alt`), and texts within expressions (`ui.empty('No section yet', …)`). Each is a
message of the catalogues of `platform/texts`. English templates are compiled as they are.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"(?P<comment>\{#.*?#\}|<!--.*?-->)|(?P<statement>\{%.*?%\})|(?P<value>\{\{.*?\}\})"
    r"|(?P<tag></?[a-zA-Z!](?:\{\{.*?\}\}|\{%.*?%\}|\"(?:\{\{.*?\}\}|\{%.*?%\}|[^\"])*\"|[^>\"])*>)",
    re.DOTALL,
)
_SMALL = frozenset(
    ("a", "abbr", "b", "br", "cite", "code", "em", "i", "kbd", "mark", "q", "small", "span", "strong", "sub", "sup")
) | {"time"}
_TAG_NAME = re.compile(r"</?([a-zA-Z0-9]+)")
_ATTRIBUTE = re.compile(
    r"(?P<head>\s(?:title|placeholder|aria-label|alt|data-label|data-confirm|hx-confirm)=\")"
    r"(?P<text>(?:\{\{.*?\}\}|\{%.*?%\}|[^\"])*)(?=\")",
    re.DOTALL,
)
_LITERAL = re.compile(r"(?P<quote>['\"])(?P<text>(?:(?!(?P=quote))[^\\\n])*)(?P=quote)")
# What stands before a literal that is compared, looked up or the name of something.
_NO_TEXT_AFTER = re.compile(
    r"(?:[=!]=\s*|\[\s*|\bin\s*\(?\s*|\b(?:url|asset|at|here|able_to|get|replace|import|extends|include|from|defined|block"
    r"|strftime|join|split|map|attr|selectattr|rejectattr|sort|groupby)\s*\(?\s*|\b(?:type|name|kind|value|autocomplete"
    r"|inputmode|attribute|id)\s*=\s*)$"
)
_SAYS = re.compile(r"[A-Za-zÀ-ÿ]{2}")
_LITERAL_SAYS = re.compile(
    r"^\s*(?:[A-Z][a-z]|[A-Z] [a-z]).*|.*[A-Za-z]{2,}[,.]? [A-Za-z(]{2}.*|^ [a-z]{2,}.*|.*[a-z]{2,} $", re.DOTALL
)
_SINGLE = re.compile(r"^[a-z]{2,}$")  # a text only where nothing but texts stands
_BADGE = re.compile(r"\bbadge\(\s*$")
_PLURAL = re.compile(r"\{\{\s*(?:''|\"\"|'s'|\"s\") if ")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CODE = re.compile(r"<|\{[{%#]")
_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}|<(/?[a-z]+[0-9]*)>")

Translate = Callable[[str], str | None]


@dataclass
class _Run:
    """A message with what its values and tags stand for in the template."""

    parts: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)

    def put(self, wanted: str, source: str, shape: str) -> str:
        """A place for a piece of the template, named as wanted if that is free or the same; gives the name."""
        name, number = wanted, 2
        while self.sources.get(shape.format(name), source) != source:
            name, number = f"{wanted}{number}", number + 1
        self.sources[shape.format(name)] = source
        self.parts.append(shape.format(name))
        return name


def messages_in(source: str) -> Iterator[str]:
    """Every message of a template, in the order in which they stand."""
    found: list[str] = []
    translated(source, found.append)
    yield from found


def translated(source: str, translate: Translate) -> str:
    """The template with its messages as `translate` says them; None leaves one in English.

    So does a translation with markup or code that its message does not have.
    """
    pieces: list[str] = []
    run: list[tuple[str, str]] = []
    place = 0
    for token in _TOKEN.finditer(source):
        if token.start() > place:
            run.append(("text", source[place : token.start()]))
        place = token.end()
        kind, text = str(token.lastgroup), token[0]
        if kind == "value" or (kind == "tag" and _tag_name(text) in _SMALL):
            run.append((kind, text))
            continue
        pieces += [_say(run, translate), _markup(kind, text, translate)]
        run = []
    if place < len(source):
        run.append(("text", source[place:]))
    return "".join([*pieces, _say(run, translate)])


def _tag_name(tag: str) -> str:
    found = _TAG_NAME.match(tag)
    return found[1].lower() if found else ""


def _markup(kind: str, text: str, translate: Translate) -> str:
    if kind == "tag":
        return _ATTRIBUTE.sub(lambda found: found["head"] + translated(found["text"], translate), text)
    return _literals(text, translate) if kind in ("statement", "value") else text


def _literals(code: str, translate: Translate) -> str:
    """An expression or statement with the texts in it translated."""

    def say(found: re.Match[str]) -> str:
        text, before = found["text"], code[: found.start()]
        says = _LITERAL_SAYS.match(text) or (_SINGLE.match(text) and _BADGE.search(before))
        if not says or _NO_TEXT_AFTER.search(before) or "{" in text or "/" in text[:1] or "=" in text:
            return found[0]
        said = translate(text)
        return (
            found[0]
            if said is None or _CODE.search(said)
            else found["quote"] + said.replace(found["quote"], "’") + found["quote"]
        )

    return _LITERAL.sub(say, code)


def _say(run: Sequence[tuple[str, str]], translate: Translate) -> str:
    """A run of text, values and small tags, said as one message if it says something by itself."""
    depth, bare = 0, False
    for kind, text in run:
        if kind == "tag":
            depth += -1 if text.startswith("</") else 0 if _tag_name(text) == "br" else 1
        elif kind == "text" and depth == 0 and _SAYS.search(_unescaped(text)):
            bare = True
    if not bare or depth != 0:  # each of its tags says something of its own, or a tag begins here and ends elsewhere
        return "".join(_alone(kind, text, translate) for kind, text in run)
    inner = _Run()
    opened: list[str] = []
    for kind, text in run:
        if kind == "text":
            inner.parts.append(re.sub(r"\s+", " ", text))
        elif kind == "value":
            inner.put(_value_name(text), _literals(text, translate), "{{{}}}")
        elif text.startswith("</"):
            name = opened.pop() if opened else _tag_name(text)
            inner.put(f"/{name}", text, "<{}>")
        else:
            name = inner.put(_tag_name(text), _markup("tag", text, translate), "<{}>")
            if _tag_name(text) != "br":
                opened.append(name)
    whole = "".join(inner.parts)
    message = whole.strip()
    said, sources = translate(message), inner.sources
    if said is None or _CODE.search(_PLACE.sub(lambda found: "" if found[0] in sources else found[0], said)):
        return "".join(_alone(kind, text, translate, texts=False) for kind, text in run)
    written = _PLACE.sub(lambda found: sources.get(found[0], found[0]), said)
    return _edge(run[0], start=True) + written + _edge(run[-1], start=False)


def _edge(token: tuple[str, str], *, start: bool) -> str:
    kind, text = token
    if kind != "text":
        return ""
    return text[: len(text) - len(text.lstrip())] if start else text[len(text.rstrip()) :]


def _unescaped(text: str) -> str:
    return re.sub(r"&\w+;", " ", text)


def _alone(kind: str, text: str, translate: Translate, *, texts: bool = True) -> str:
    if kind != "text":
        return _markup(kind, text, translate)
    words = text.strip()
    if not texts or not _SAYS.search(_unescaped(words)):
        return text
    said = translate(re.sub(r"\s+", " ", words))
    return (
        text
        if said is None or _CODE.search(said)
        else _edge((kind, text), start=True) + said + _edge((kind, text), start=False)
    )


def _value_name(value: str) -> str:
    """What a value is called in a message: the last name of its expression that is no filter.

    The ending of an English plural is `s`; another language leaves it out.
    """
    if _PLURAL.search(value):
        return "s"
    expression = _LITERAL.sub("", value[2:-2].partition("|")[0])
    names = [name for name in _NAME.findall(expression) if name not in ("if", "else", "or", "and", "not", "ui")]
    return names[-1].lower().strip("_") or "value" if names else "value"
