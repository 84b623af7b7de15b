"""Expressions as PostgreSQL prints them, respelled so that reading and printing them again changes nothing.

`status IN ('a', 'b')` on a varchar column is printed with a cast around the whole array, and what is printed is read
as casts of its elements. A schema and its copy would differ for ever; so the second form is the one that counts, and
in it `'a'::text`, which the same list is when it is written with ANY.
"""

import re
from collections.abc import Iterable, Iterator

_TYPE = r"(?:\"(?:[^\"]|\"\")+\"|[a-z_][\w ]*)(?:\(\d+(?:,-?\d+)?\))?(?: with(?:out)? time zone)?"
_CAST = re.compile(rf"\)::(?P<type>{_TYPE})\[\]")
_QUOTED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
_OPENING = re.compile(rf"{_QUOTED}|(?P<array>\(ARRAY\[)")
_PIECE = re.compile(rf"{_QUOTED}|[\[\](),]")
_CONSTANT = re.compile(rf"\((?P<constant>'(?:[^']|'')*')::character varying\)::text(?![\[\w])|{_QUOTED}")


def normal_text(text: str) -> str:
    """The text with every cast of an array literal moved to the elements of it, and constants of texts cast once."""
    text = _elements_cast(text)
    if "::character varying)::text" not in text:
        return text
    return _CONSTANT.sub(lambda found: f"{found['constant']}::text" if found["constant"] else found.group(), text)


def _elements_cast(text: str) -> str:
    start = 0
    while "(ARRAY[" in text[start:]:
        opening = _OPENING.search(text, start)
        if opening is None:
            break
        start = opening.end()
        if opening["array"] is None:
            continue
        *elements, end = _elements(text, start)
        cast = _CAST.match(text, end + 1)
        if cast is None or not elements:
            continue
        pieces, last = [], start
        for comma in elements:
            pieces.append(f"({text[last:comma].strip()})::{cast['type']}")
            last = comma + 1
        text = f"{text[: opening.start()]}ARRAY[{', '.join(pieces)}]{text[cast.end() :]}"
        start = opening.start()
    return text


_FLAGS = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "toast.")
    for name in ("security_barrier", "security_invoker", "autovacuum_enabled", "vacuum_truncate", "user_catalog_table")
)
_TRUE, _FALSE = ("true", "on", "yes", "t", "y", "1", "tru", "tr", "ye"), ("false", "off", "no", "f", "n", "0", "of")


def normal_options(options: Iterable[str]) -> tuple[str, ...]:
    """Storage parameters and options of views in one spelling; PostgreSQL keeps the one they were given in."""
    normal = []
    for option in options:
        key, _, value = option.partition("=")
        if key in _FLAGS:
            value = "true" if value.lower() in _TRUE else "false" if value.lower() in _FALSE else value
        elif key == "check_option":
            value = value.lower()
        normal.append(f"{key}={value}")
    # The check option is a clause of its own at the end of CREATE VIEW.
    return tuple(sorted(normal, key=lambda option: (option.startswith("check_option="), option)))


def _elements(text: str, start: int) -> Iterator[int]:
    """Where each element of an array literal ends, and at last where the bracket closes; both are one for the last."""
    depth = 0
    for piece in _PIECE.finditer(text, start):
        sign = piece.group()
        if sign in ("[", "("):
            depth += 1
        elif sign == ")" or (sign == "]" and depth):
            depth -= 1
        elif sign == "]":
            if text[start : piece.start()].strip():
                yield piece.start()
            yield piece.start()
            return
        elif sign == "," and depth == 0:
            yield piece.start()
    yield len(text)
