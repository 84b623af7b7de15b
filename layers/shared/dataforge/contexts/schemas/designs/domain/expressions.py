"""What an SQL expression or query of a user may look like before PostgreSQL reads it.

The text must stay where it is put: it ends no statement, opens no comment and closes no parenthesis it has not opened.
What it calls and reads is judged after PostgreSQL has read it (`designs.safety`).
"""

import re
from collections.abc import Mapping

from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.kernel.texts import Text

MAX_LENGTH = 10_000
_TOKEN = re.compile(
    r"""(?P<escaped>[eE]'(?:[^'\\]|\\.|'')*')|(?P<text>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")+")|(?P<word>[^\W\d][\w$]*)"""
    r"""|(?P<number>\d+(?:\.\d+)?)|(?P<space>\s+)|(?P<other>.)""",
    re.DOTALL,
)
_CLOSES = {")": "(", "]": "["}


class ExpressionRefused(ValueError):
    """The text is not one closed expression."""


def check_expression(text: str) -> str:
    """The text without outer spaces; raises ExpressionRefused."""
    text = text.strip()
    if not text:
        raise ExpressionRefused(Text("is empty"))
    if len(text) > MAX_LENGTH:
        message = Text("is longer than {max_length} characters", max_length=MAX_LENGTH)
        raise ExpressionRefused(message)
    if "--" in text or "/*" in text:
        _refuse_comments(text)
    opened: list[str] = []
    for found in _TOKEN.finditer(text):
        kind, token = found.lastgroup, found.group()
        if kind != "other":
            continue
        _check_sign(token, opened)
    if opened:
        message = Text("does not close {opened}", opened=opened[-1])
        raise ExpressionRefused(message)
    return text


def _check_sign(sign: str, opened: list[str]) -> None:
    if sign in ("'", '"'):
        message = Text("does not close {sign}", sign=sign)
        raise ExpressionRefused(message)
    if sign in (";", "\\", "$", "`", "\0"):
        message = Text("must not contain {sign!r} outside of a text", sign=sign)
        raise ExpressionRefused(message)
    if sign in "([":
        opened.append(sign)
    elif sign in _CLOSES and (not opened or opened.pop() != _CLOSES[sign]):
        message = Text("closes {sign} that it has not opened", sign=sign)
        raise ExpressionRefused(message)


def _refuse_comments(text: str) -> None:
    outside = "".join(found.group() if found.lastgroup == "other" else " " for found in _TOKEN.finditer(text))
    if "--" in outside or "/*" in outside:
        raise ExpressionRefused(Text("must not contain a comment"))


def replace_names(text: str, names: Mapping[str, str]) -> str:
    """The expression with other names of columns; names of functions and of parts of something stay as they are."""
    parts = [(found.lastgroup, found.group()) for found in _TOKEN.finditer(text)]
    signs = [token for kind, token in parts if kind != "space"]
    written, place = [], -1
    for kind, token in parts:
        place += kind != "space"
        name = {"word": token.lower(), "name": token[1:-1].replace('""', '"')}.get(kind or "", "")
        follows = signs[place + 1] if place + 1 < len(signs) else ""
        alone = follows not in ("(", ".") and (place < 1 or signs[place - 1] not in (".", ":"))
        written.append(quoted(names[name]) if name in names and alone else token)
    return "".join(written)


_LITERAL = r"(?:E?'(?:[^']|'')*'|[+-]?\d+(?:\.\d+)?|MINVALUE|MAXVALUE|NULL|TRUE|FALSE)"
_LITERALS = rf"\(\s*{_LITERAL}(?:\s*,\s*{_LITERAL})*\s*\)"
_BOUND = re.compile(
    rf"DEFAULT|FOR\s+VALUES\s+(?:IN\s*{_LITERALS}|FROM\s*{_LITERALS}\s*TO\s*{_LITERALS}"
    r"|WITH\s*\(\s*MODULUS\s+\d+\s*,\s*REMAINDER\s+\d+\s*\))",
    re.IGNORECASE,
)


def check_bound(text: str) -> str:
    """The bound of a partition; raises ExpressionRefused for one that is more than literals.

    PostgreSQL computes expressions in bounds the moment it makes the partition, before anybody could judge them.
    """
    text = text.strip()
    if len(text) > MAX_LENGTH or not _BOUND.fullmatch(text):
        raise ExpressionRefused(Text("must be DEFAULT or FOR VALUES with literals"))
    return text


def check_definition(text: str) -> str:
    """The definition of an exclusion constraint as PostgreSQL prints it; raises ExpressionRefused."""
    text = check_expression(text)
    depth = 0
    for found in _TOKEN.finditer(text):
        sign = found.group() if found.lastgroup == "other" else ""
        depth += (sign in ("(", "[")) - (sign in (")", "]"))
        if sign == "," and depth == 0:
            raise ExpressionRefused(Text("must be one constraint"))
    if not text.upper().startswith("EXCLUDE "):
        raise ExpressionRefused(Text("must begin with EXCLUDE"))
    return text


def check_query(text: str) -> str:
    """A query for a view; raises ExpressionRefused unless it begins as one."""
    text = check_expression(text.strip().rstrip(";"))
    if not re.match(r"(?:select|with|values|table)\b|\(", text, re.IGNORECASE):
        raise ExpressionRefused(Text("must begin with SELECT, WITH, VALUES or TABLE"))
    return text
